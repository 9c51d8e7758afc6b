//! Time, processor time and heap of work that runs several times.

use std::time::{Duration, Instant};

use crate::heap;

/// The unit of Linux's processor times (`USER_HZ`): a hundredth of a second, whatever the kernel's
/// own clock is.
const TICK: Duration = Duration::from_millis(10);

const MIB: f64 = (1 << 20) as f64;

/// The measurements of all runs of one work.
#[derive(Default)]
pub(crate) struct Runs {
    times: Vec<Duration>,
    cpu: Duration,
    repeated: u32,
    /// The highest peak of the heap in any run, above its size before the run.
    peak_heap: usize,
}

impl Runs {
    /// Runs the work `repeats` times and counts this as one run.
    pub(crate) fn add(&mut self, repeats: u32, mut work: impl FnMut()) {
        let idle = heap::reset();
        let cpu = cpu_time();
        let started = Instant::now();
        for _ in 0..repeats {
            work();
        }
        self.times.push(started.elapsed() / repeats);
        self.cpu += cpu_time() - cpu;
        self.repeated += repeats;
        self.peak_heap = self.peak_heap.max(heap::peak().saturating_sub(idle));
    }

    /// The median of the runs.
    pub(crate) fn time(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort();
        times[times.len() / 2]
    }

    /// As [`time`](Self::time), as text for a cell.
    pub(crate) fn time_ms(&self) -> String {
        milliseconds(self.time())
    }

    /// The mean processor time of all threads, as text for a cell.
    pub(crate) fn cpu_ms(&self) -> String {
        milliseconds(self.cpu / self.repeated)
    }

    /// The heap's peak, as text for a cell.
    pub(crate) fn heap_mib(&self) -> String {
        format!("{:.1}", self.peak_heap as f64 / MIB)
    }
}

/// Prints a row of a Markdown table.
pub(crate) fn print_row<S: AsRef<str>>(cells: impl IntoIterator<Item = S>) {
    let cells: Vec<String> = cells.into_iter().map(|cell| format!(" {} ", cell.as_ref())).collect();
    println!("|{}|", cells.join("|"));
}

/// Prints the head of a Markdown table: the first column is text, the others are numbers.
pub(crate) fn print_head(titles: &[&str]) {
    print_row(titles);
    print_row((0..titles.len()).map(|column| if column == 0 { "---" } else { "---:" }));
}

fn milliseconds(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    match ms {
        ..10.0 => format!("{ms:.2}"),
        ..100.0 => format!("{ms:.1}"),
        _ => format!("{ms:.0}"),
    }
}

/// The process's user and system time so far; zero without `/proc`.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in parentheses, may hold any character. After it the times are the 12th and 13th
    // fields.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
    let ticks: u32 = fields.skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    TICK * ticks
}

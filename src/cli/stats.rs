//! `--stats`: one line of JSON on stderr.

use std::io::Write;
use std::time::Duration;

use datafusion::error::Result;

pub(super) fn print(rows: usize, bytes: usize, elapsed: Duration) -> Result<()> {
    let peak_rss = peak_rss().map_or_else(|| "null".to_owned(), |bytes| bytes.to_string());
    writeln!(
        std::io::stderr(),
        "{{\"rows\":{rows},\"bytes_read\":{bytes},\"elapsed_ms\":{},\"peak_rss_bytes\":{peak_rss}}}",
        elapsed.as_millis(),
    )?;
    Ok(())
}

/// The process's peak resident memory, if the system reports it (`VmHWM` on Linux).
fn peak_rss() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

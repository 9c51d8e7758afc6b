//! Counting records on one core: the same rows in four spellings, on each back end.
//!
//! The rows are few enough to stay in the second cache, and are counted again and again. So no copy
//! of the input is measured. They are too many for a CPU to learn which of them have quotes.
//!
//! * "ours" counts records as `count(*)` does, without their fields.
//! * "fields checked" finds the fields too, and compares their number with the table's.
//! * `memchr` counts newlines, wherever they stand. It shows what counting costs without a grammar.

#[path = "support/random.rs"]
mod random;
#[path = "support/text.rs"]
mod text;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::parse::{FieldCount, Parser, RecordCounter, Step};
use datafusion_csv_stream::simd::Backend;
use random::Random;

/// The bytes that a reader gets at once, as in a scan with the default limits.
const CHUNK: usize = 256 << 10;

/// The bytes of the rows, about.
const BYTES: usize = 1 << 20;

/// The number of fields of a row.
const WIDTH: usize = 16;

const MEASUREMENT: Duration = Duration::from_millis(400);
const WARM_UP: Duration = Duration::from_millis(100);

/// Counts the records with a back end.
type Count = fn(Backend, &[u8]) -> u64;

fn counting(criterion: &mut Criterion) {
    for (name, rows) in inputs() {
        let newlines = memchr::memchr_iter(b'\n', &rows).count();
        let mut group = criterion.benchmark_group(format!("count: {name}"));
        group.sample_size(20).sampling_mode(SamplingMode::Flat).nresamples(1000);
        group.warm_up_time(WARM_UP).measurement_time(MEASUREMENT);
        group.throughput(Throughput::Bytes(rows.len() as u64));
        for backend in Backend::available().into_iter().rev() {
            for (suffix, count) in [("", records as Count), (", fields checked", checked_records)] {
                let counted = count(backend, &rows);
                assert_eq!(counted, newlines as u64, "{name}, {}{suffix}", backend.name());
                group.bench_function(format!("ours, {}{suffix}", backend.name()), |bencher| {
                    bencher.iter(|| black_box(count(backend, black_box(&rows))));
                });
            }
        }
        group.bench_function("memchr, newlines", |bencher| {
            bencher.iter(|| black_box(memchr::memchr_iter(b'\n', black_box(&rows)).count()));
        });
        group.finish();
    }
}

/// Rows like lineitem's: with a quoted comment in a fifth of them, with all fields quoted, with
/// CRLF, and without quotes.
fn inputs() -> [(&'static str, Vec<u8>); 4] {
    let (lines, mut random) = (text::lineitem(BYTES / 120), Random::new());
    let some_quoted = |line: &str| match line.rsplit_once(',') {
        Some((rest, comment)) if random.below(5) == 0 => format!("{rest},\"{comment}\"\n"),
        _ => format!("{line}\n"),
    };
    let all_quoted = |line: &str| format!("\"{}\"\n", line.replace(',', "\",\""));
    [
        ("some quotes", lines.lines().map(some_quoted).collect::<String>().into_bytes()),
        ("all fields quoted", lines.lines().map(all_quoted).collect::<String>().into_bytes()),
        ("CRLF", lines.replace('\n', "\r\n").into_bytes()),
        ("no quotes", lines.into_bytes()),
    ]
}

fn dialect() -> Dialect {
    Dialect::builder().with_header(false).build().expect("a dialect")
}

fn records(backend: Backend, rows: &[u8]) -> u64 {
    let mut counter = RecordCounter::new(&dialect(), 1 << 20).with_backend(backend);
    for chunk in rows.chunks(CHUNK) {
        counter.push(chunk).expect("valid CSV");
    }
    counter.finish().expect("valid CSV")
}

fn checked_records(backend: Backend, rows: &[u8]) -> u64 {
    let mut parser = Parser::new(&dialect(), FieldCount::Exactly(WIDTH), 1 << 20).with_backend(backend);
    let mut counted = 0;
    for mut rest in rows.chunks(CHUNK) {
        loop {
            let (taken, step) = parser.next(rest, usize::MAX).expect("valid CSV");
            rest = &rest[taken..];
            let Step::Records(records) = step else { break };
            counted += black_box(records).len() as u64;
        }
    }
    counted
}

criterion_group!(benches, counting);
criterion_main!(benches);

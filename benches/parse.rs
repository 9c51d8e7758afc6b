//! Splitting on one core: each of our back ends and the reference machine, compared with other CSV
//! readers.
//!
//! These are the same for all:
//!
//! * The bytes come from a stream in memory through a buffer of 256 KiB: the reader's own, or ours
//!   before a parser that does no I/O. So each pays one copy of the input.
//! * Each is used in the cheapest way that it documents: bytes, not strings, and a reused record or
//!   reused buffers.
//! * The counts of records and fields of each are compared with those of the input before anything
//!   is timed.
//!
//! One thing differs: our parser and `simd-csv`'s zero-copy reader give the positions of the raw
//! fields. `csv-core`, and the readers with a record of their own, copy the values out, without
//! quotes. They have no other way.
//!
//! `CSV_STREAM_BENCH_LINEITEM` may name a `lineitem.csv`, whose first 64 MiB are then one more
//! input. `ratios.py` prints the medians side by side.

mod inputs;
#[path = "support/random.rs"]
mod random;
mod readers;
#[path = "support/text.rs"]
mod text;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use inputs::Input;
use readers::Reader;

/// The time for each reader on each input. There are about 150 such pairs, which take less than
/// four minutes in all.
const MEASUREMENT: Duration = Duration::from_millis(800);
const WARM_UP: Duration = Duration::from_millis(200);

fn splitting(criterion: &mut Criterion) {
    for input in inputs::generated() {
        compare(criterion, &input);
    }
    if let Some(path) = std::env::var_os("CSV_STREAM_BENCH_LINEITEM") {
        compare(criterion, &inputs::lineitem_file(path.as_ref()));
    }
}

fn compare(criterion: &mut Criterion, input: &Input) {
    let mut group = criterion.benchmark_group(input.name);
    group.sample_size(10).sampling_mode(SamplingMode::Flat).nresamples(1000);
    group.warm_up_time(WARM_UP).measurement_time(MEASUREMENT);
    group.throughput(Throughput::ElementsAndBytes {
        elements: input.counts.fields as u64,
        bytes: input.bytes.len() as u64,
    });
    for reader in Reader::all() {
        let counts = reader.read(&input.bytes, input.width());
        if input.is_misread_by(reader) {
            assert_ne!(counts, input.counts, "{}: {} reads it by now", input.name, reader.name());
            continue;
        } else {
            assert_eq!(counts, input.counts, "{}: {}", input.name, reader.name());
        }
        group.bench_function(reader.name(), |bencher| {
            bencher.iter(|| black_box(reader.read(black_box(&input.bytes), input.width())));
        });
    }
    group.finish();
}

criterion_group!(benches, splitting);
criterion_main!(benches);

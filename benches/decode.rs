//! Parsing and decoding on one core, compared with `arrow-csv` on the same bytes: rows like TPC-H's
//! lineitem, and one column of each family of types.

#[path = "support/random.rs"]
mod random;
#[path = "support/schema.rs"]
mod schema;
#[path = "support/text.rs"]
mod text;

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use datafusion_csv_stream::budget::Limits;
use datafusion_csv_stream::{Decoded, DecoderBuilder, Dialect};
use random::Random;
use schema::lineitem_schema;
use text::lineitem;

const ROWS: usize = 50_000;
const BATCH_ROWS: usize = 8192;

/// The bytes that each reader gets at once, as in a scan with the default limits.
const CHUNK: usize = 256 << 10;

fn ours(input: &[u8], schema: &SchemaRef, projection: &[usize], mut sink: impl FnMut(RecordBatch)) {
    let mut decoder = DecoderBuilder::new(schema.clone())
        .with_dialect(Dialect::builder().with_header(false).build().expect("a dialect"))
        .with_projection(Some(projection.to_vec()))
        .with_batch_size(BATCH_ROWS)
        // With this limit batches end by their number of rows, as `arrow-csv`'s do.
        .with_limits(Limits::new(80 << 20, None).expect("limits"))
        .build()
        .expect("a decoder");
    for mut chunk in input.chunks(CHUNK) {
        while !chunk.is_empty() {
            let (taken, decoded) = decoder.push(chunk).expect("valid CSV");
            chunk = &chunk[taken..];
            if let Decoded::Batch(batch) = decoded {
                sink(batch);
            }
        }
    }
    while let Some(batch) = decoder.finish().expect("valid CSV") {
        sink(batch);
    }
}

fn arrows(input: &[u8], schema: &SchemaRef, projection: &[usize], mut sink: impl FnMut(RecordBatch)) {
    let reader = std::io::BufReader::with_capacity(CHUNK, input);
    let reader = arrow_csv::ReaderBuilder::new(schema.clone())
        .with_batch_size(BATCH_ROWS)
        .with_projection(projection.to_vec())
        .build_buffered(reader)
        .expect("a reader");
    for batch in reader {
        sink(batch.expect("valid values"));
    }
}

/// Checks that both readers give the same rows. Otherwise their times can't be compared.
fn check(input: &[u8], schema: &SchemaRef, projection: &[usize]) {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    ours(input, schema, projection, |batch| left.push(batch));
    arrows(input, schema, projection, |batch| right.push(batch));
    let projected = Arc::new(schema.project(projection).expect("columns of the schema"));
    let left = concat_batches(&projected, &left).expect("one schema");
    assert_eq!((left.num_rows(), left.num_columns()), (ROWS, projection.len()));
    assert!(left == concat_batches(&projected, &right).expect("one schema"));
}

fn compare(criterion: &mut Criterion, name: &str, input: &str, schema: &SchemaRef, projection: &[usize]) {
    let input = input.as_bytes();
    check(input, schema, projection);
    let mut group = criterion.benchmark_group(format!("decode: {name}"));
    group.throughput(Throughput::Bytes(input.len() as u64));
    group.bench_function("ours", |bencher| {
        bencher.iter(|| ours(input, schema, projection, |batch| drop(black_box(batch))));
    });
    group.bench_function("arrow-csv", |bencher| {
        bencher.iter(|| arrows(input, schema, projection, |batch| drop(black_box(batch))));
    });
    group.finish();
}

fn lineitem_rows(criterion: &mut Criterion) {
    let (text, schema) = (lineitem(ROWS), lineitem_schema());
    compare(criterion, "lineitem", &text, &schema, &(0..16).collect::<Vec<_>>());
    for (name, column) in [("an integer", 0), ("a decimal", 5), ("a date", 10), ("a comment", 15)] {
        compare(criterion, &format!("1 of lineitem's 16 columns, {name}"), &text, &schema, &[column]);
    }
}

fn each_type(criterion: &mut Criterion) {
    let integer = |random: &mut Random| random.below(10_000_000).to_string();
    let number = |random: &mut Random| format!("{}.{:02}", random.below(100_000), random.below(100));
    let date = |random: &mut Random| random.date();
    let timestamp = |random: &mut Random| format!("{}T{:02}:15:30.123", random.date(), random.below(24));
    let short = |random: &mut Random| "abcdefghijkl"[..1 + random.below(12) as usize].to_owned();
    let long = |random: &mut Random| "a comment of some words ".repeat(1 + random.below(3) as usize);
    let bool = |random: &mut Random| ["true", "false"][random.below(2) as usize].to_owned();
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let nanoseconds = DataType::Timestamp(TimeUnit::Nanosecond, None);
    let mut one = |name: &str, data_type: DataType, value: &dyn Fn(&mut Random) -> String| {
        let schema = Arc::new(Schema::new(vec![Field::new("value", data_type, true)]));
        compare(criterion, name, &column(ROWS, value), &schema, &[0]);
    };
    one("int64", DataType::Int64, &integer);
    one("float64", DataType::Float64, &number);
    one("decimal128", DataType::Decimal128(15, 2), &number);
    one("date32", DataType::Date32, &date);
    one("timestamp", nanoseconds, &timestamp);
    one("boolean", DataType::Boolean, &bool);
    one("utf8view, short", DataType::Utf8View, &short);
    one("utf8view, long", DataType::Utf8View, &long);
    one("utf8, short", DataType::Utf8, &short);
    one("utf8, long", DataType::Utf8, &long);
    one("dictionary", dictionary, &short);
}

/// A file of one column, without a header.
fn column(rows: usize, value: impl Fn(&mut Random) -> String) -> String {
    let mut random = Random::new();
    (0..rows).map(|_| value(&mut random) + "\n").collect()
}

criterion_group!(benches, lineitem_rows, each_type);
criterion_main!(benches);

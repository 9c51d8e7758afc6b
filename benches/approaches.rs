//! Five designs for one job: a filtered sum over ten million rows, 1 GB of CSV, in an object store.
//! It prints time and heap of each, side by side, on one thread.
//!
//! ```sh
//! cargo bench --all-features --bench approaches
//! ```
//!
//! `CSV_STREAM_BENCH_ROWS` sets the number of rows, 10,000,000 by default. `CSV_STREAM_BENCH_RUNS`
//! sets the number of runs of each design, 5 by default.
//!
//! All designs read the same file through `object_store` and give the same sum. Each is written as
//! its supporters would write it. Records are reused. Only the columns of the job are converted,
//! except in the first design, whose point is to have all of them. Requests are large enough for
//! their number to make no difference.

#[path = "support/heap.rs"]
mod heap;
#[path = "support/measure.rs"]
mod measure;
#[path = "support/random.rs"]
mod random;

use std::fs::File;
use std::future::Future;
use std::hint::black_box;
use std::io::{self, BufWriter, Read, Write};
use std::pin::Pin;
use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, AsArray, Float64Builder, Int64Array, Int64Builder, StringViewArray,
    StringViewBuilder,
};
use arrow::compute::kernels::cast_utils::Parser;
use arrow::compute::kernels::cmp::{eq, gt};
use arrow::compute::{and, filter, sum};
use arrow::datatypes::{DataType, Date32Type, Field, Float64Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use csv::{ByteRecord, StringRecord};
use csv_async::AsyncReaderBuilder;
use csv_core::ReadRecordResult;
use datafusion::error::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::budget::Limits;
use datafusion_csv_stream::decode::DEFAULT_BATCH_SIZE;
use datafusion_csv_stream::input::{self, Compression, InputCounters};
use datafusion_csv_stream::{CsvSessionExt, CsvStream, DecoderBuilder};
use futures::TryStreamExt;
use measure::{Runs, print_head, print_row};
use object_store::buffered::BufReader;
use object_store::local::LocalFileSystem;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use random::Random;
use tokio::io::{AsyncBufReadExt, AsyncReadExt};
use tokio::runtime::Handle;

const DEFAULT_ROWS: usize = 10_000_000;

const HEADER: &str = "id,customer,day,region,quantity,amount,comment";
const REGION: usize = 3;
const QUANTITY: usize = 4;
const AMOUNT: usize = 5;

const SQL: &str = "SELECT sum(amount) FROM orders WHERE region = 'west' AND quantity > 25";

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Sum = Pin<Box<dyn Future<Output = Result<f64, Failure>> + Send>>;

/// A name, and the function that computes the sum.
type Design = (&'static str, fn(Object) -> Sum);

const DESIGNS: [Design; 6] = [
    ("(a) all rows into a `Vec` of structs", |object| Box::pin(vec_of_structs(object))),
    ("(b) the whole file in memory, `csv`, Arrow batches", |object| Box::pin(whole_file(object))),
    ("(c) `csv-async` over the byte stream", |object| Box::pin(async_records(object))),
    ("(d) 64 KiB chunks into `csv-core`, the partial record kept", |object| Box::pin(chunks(object))),
    ("(e) this engine: `CsvStream`", |object| Box::pin(csv_stream(object))),
    ("(e) this engine: SQL", |object| Box::pin(sql(object))),
];

fn main() -> Result<(), Failure> {
    let number =
        |name, default| std::env::var(name).map_or(default, |number| number.parse().expect("a number"));
    let rows = number("CSV_STREAM_BENCH_ROWS", DEFAULT_ROWS);
    let runs = number("CSV_STREAM_BENCH_RUNS", 5);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("orders.csv");
    let expected = generate(&mut BufWriter::with_capacity(1 << 20, File::create(&path)?), rows)?;

    // Blocking reads of files run on threads of their own.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new());
    let location = object_store::path::Path::from_absolute_path(&path)?;
    let meta = runtime.block_on(store.head(&location))?;
    let object = Object { store, meta };

    let mut measured: [Runs; DESIGNS.len()] = Default::default();
    for _ in 0..runs {
        for ((name, design), measured) in DESIGNS.iter().zip(&mut measured) {
            measured.add(1, || {
                let sum = runtime.block_on(runtime.spawn(design(object.clone())));
                assert_eq!(sum.expect("no panic").expect("the sum"), expected, "{name}");
            });
        }
    }
    println!("{rows} rows, {} MB; medians of {runs} runs, in turn\n", object.meta.size / 1_000_000);
    print_head(&["design", "ms", "CPU ms", "MB/s", "peak heap MiB"]);
    for ((name, _), measured) in DESIGNS.iter().zip(&measured) {
        let throughput = object.meta.size as f64 / 1e6 / measured.time().as_secs_f64();
        print_row([
            *name,
            &measured.time_ms(),
            &measured.cpu_ms(),
            &format!("{throughput:.0}"),
            &measured.heap_mib(),
        ]);
    }
    Ok(())
}

/// The object that all designs read.
#[derive(Clone)]
struct Object {
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
}

impl Object {
    /// Reads the bytes in requests of 1 MiB.
    fn reader(&self) -> BufReader {
        BufReader::new(Arc::clone(&self.store), &self.meta)
    }
}

/// Writes the file, and returns the expected sum. Amounts are quarters, so that their sum is exact
/// in any order.
fn generate(out: &mut impl Write, rows: usize) -> io::Result<f64> {
    let mut random = Random::new();
    let mut sum = 0.0;
    writeln!(out, "{HEADER}")?;
    for row in 0..rows {
        let region = ["north", "east", "south", "west"][random.below(4) as usize];
        let quantity = 1 + random.below(50);
        let amount = random.below(4_000_000) as f64 / 4.0;
        if region == "west" && quantity > 25 {
            sum += amount;
        }
        // Every fourth comment has to be quoted, and every sixteenth holds a newline.
        let comment = match row % 16 {
            0 => "\"two lines:\nsaid \"\"no\"\" at first, came later\"",
            4 | 8 | 12 => "\"carefully packed, and sent by registered mail\"",
            _ => "nothing more to say about this order yet",
        };
        let customer = random.below(1_000_000);
        writeln!(
            out,
            "{},Customer#{customer:09},{},{region},{quantity},{amount:.2},{comment}",
            1_000_000_000 + row,
            random.date()
        )?;
    }
    out.flush()?;
    Ok(sum)
}

fn is_wanted(region: &[u8], quantity: &[u8]) -> Result<bool, Failure> {
    Ok(region == b"west" && std::str::from_utf8(quantity)?.parse::<i64>()? > 25)
}

/// A row as a program would hold it.
struct Order {
    id: i64,
    customer: Box<str>,
    /// Days since 1970.
    day: i32,
    region: Box<str>,
    quantity: i64,
    amount: f64,
    comment: Box<str>,
}

impl Order {
    fn parse(record: &StringRecord) -> Result<Self, Failure> {
        let field = |index: usize| record.get(index).ok_or("a field is missing");
        Ok(Order {
            id: field(0)?.parse()?,
            customer: field(1)?.into(),
            day: Date32Type::parse(field(2)?).ok_or("not a date")?,
            region: field(REGION)?.into(),
            quantity: field(QUANTITY)?.parse()?,
            amount: field(AMOUNT)?.parse()?,
            comment: field(6)?.into(),
        })
    }
}

async fn vec_of_structs(object: Object) -> Result<f64, Failure> {
    let reader = Blocking { reader: object.reader(), handle: Handle::current() };
    let load = tokio::task::spawn_blocking(move || {
        let mut reader = csv::Reader::from_reader(reader);
        let mut record = StringRecord::new();
        let mut orders = Vec::new();
        while reader.read_record(&mut record)? {
            orders.push(Order::parse(&record)?);
        }
        Ok::<_, Failure>(orders)
    });
    let orders = load.await??;
    // A program that loads all rows also uses them, so nothing may be optimized away.
    let all = orders
        .iter()
        .map(|order| order.id + i64::from(order.day) + (order.customer.len() + order.comment.len()) as i64);
    black_box(all.sum::<i64>());
    Ok(orders
        .iter()
        .filter(|order| &*order.region == "west" && order.quantity > 25)
        .map(|order| order.amount)
        .sum())
}

/// An asynchronous reader as a blocking one.
struct Blocking {
    reader: BufReader,
    handle: Handle,
}

impl Read for Blocking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.handle.block_on(self.reader.read(buffer))
    }
}

async fn whole_file(object: Object) -> Result<f64, Failure> {
    let bytes = object.store.get(&object.meta.location).await?.bytes().await?;
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    let mut record = ByteRecord::new();
    let mut region = StringViewBuilder::with_capacity(DEFAULT_BATCH_SIZE);
    let mut quantity = Int64Builder::with_capacity(DEFAULT_BATCH_SIZE);
    let mut amount = Float64Builder::with_capacity(DEFAULT_BATCH_SIZE);
    let mut total = 0.0;
    loop {
        let more = reader.read_byte_record(&mut record)?;
        if more {
            region.append_value(std::str::from_utf8(&record[REGION])?);
            quantity.append_value(std::str::from_utf8(&record[QUANTITY])?.parse()?);
            amount.append_value(std::str::from_utf8(&record[AMOUNT])?.parse()?);
        }
        if !more || amount.len() == DEFAULT_BATCH_SIZE {
            let columns: [ArrayRef; 3] =
                [Arc::new(region.finish()), Arc::new(quantity.finish()), Arc::new(amount.finish())];
            total += filtered_sum(&RecordBatch::try_new(needed_schema(), columns.to_vec())?)?;
        }
        if !more {
            return Ok(total);
        }
    }
}

/// The sum over a batch of [`needed_schema`].
fn filtered_sum(batch: &RecordBatch) -> Result<f64, Failure> {
    let west = eq(batch.column(0), &StringViewArray::new_scalar("west"))?;
    let many = gt(batch.column(1), &Int64Array::new_scalar(25))?;
    let amounts = filter(batch.column(2), &and(&west, &many)?)?;
    Ok(sum(amounts.as_primitive::<Float64Type>()).unwrap_or_default())
}

async fn async_records(object: Object) -> Result<f64, Failure> {
    let mut reader = AsyncReaderBuilder::new().buffer_capacity(64 << 10).create_reader(object.reader());
    let mut record = csv_async::ByteRecord::new();
    let mut total = 0.0;
    while reader.read_byte_record(&mut record).await? {
        if is_wanted(&record[REGION], &record[QUANTITY])? {
            total += std::str::from_utf8(&record[AMOUNT])?.parse::<f64>()?;
        }
    }
    Ok(total)
}

async fn chunks(object: Object) -> Result<f64, Failure> {
    let mut source = object.reader();
    let mut reader = csv_core::Reader::new();
    // The incomplete record, kept between chunks: its fields without quotes, and the end of each.
    let (mut text, mut ends) = (vec![0; 4096], vec![0; 16]);
    let (mut text_len, mut ends_len) = (0, 0);
    let (mut is_header, mut total) = (true, 0.0);
    loop {
        let chunk = source.fill_buf().await?;
        let chunk = &chunk[..chunk.len().min(64 << 10)];
        let mut rest = chunk;
        loop {
            let (result, taken, written, ended) =
                reader.read_record(rest, &mut text[text_len..], &mut ends[ends_len..]);
            rest = &rest[taken..];
            text_len += written;
            ends_len += ended;
            match result {
                ReadRecordResult::InputEmpty => break,
                ReadRecordResult::OutputFull => text.resize(2 * text.len(), 0),
                ReadRecordResult::OutputEndsFull => ends.resize(2 * ends.len(), 0),
                ReadRecordResult::Record => {
                    let field = |index: usize| &text[ends[index - 1]..ends[index]];
                    if !is_header && is_wanted(field(REGION), field(QUANTITY))? {
                        total += std::str::from_utf8(field(AMOUNT))?.parse::<f64>()?;
                    }
                    is_header = false;
                    (text_len, ends_len) = (0, 0);
                }
                ReadRecordResult::End => return Ok(total),
            }
            // An empty input would mean the end of the file.
            if rest.is_empty() && !chunk.is_empty() {
                break;
            }
        }
        let taken = chunk.len();
        source.consume(taken);
    }
}

async fn csv_stream(object: Object) -> Result<f64, Failure> {
    let limits = Limits::default();
    let counters = Arc::<InputCounters>::default();
    let reader = input::open(&object.store, &object.meta, Compression::None, &limits, counters).await?;
    let decoder = DecoderBuilder::new(schema())
        .with_projection(Some(vec![REGION, QUANTITY, AMOUNT]))
        .with_limits(limits)
        .build()?;
    let mut batches = CsvStream::new(reader, decoder);
    let mut total = 0.0;
    while let Some(batch) = batches.try_next().await? {
        total += filtered_sum(&batch)?;
    }
    Ok(total)
}

async fn sql(object: Object) -> Result<f64, Failure> {
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    ctx.register_csv_file("orders", &format!("/{}", object.meta.location)).await?;
    let batches = ctx.sql(SQL).await?.collect().await?;
    let batch = batches.first().ok_or_else(|| DataFusionError::Internal("no row".to_owned()))?;
    Ok(batch.column(0).as_primitive::<Float64Type>().value(0))
}

fn schema() -> SchemaRef {
    let types = [
        DataType::Int64,
        DataType::Utf8View,
        DataType::Date32,
        DataType::Utf8View,
        DataType::Int64,
        DataType::Float64,
        DataType::Utf8View,
    ];
    let fields = HEADER.split(',').zip(types).map(|(name, data_type)| Field::new(name, data_type, true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The columns that the job needs.
fn needed_schema() -> SchemaRef {
    Arc::new(schema().project(&[REGION, QUANTITY, AMOUNT]).expect("columns of the schema"))
}

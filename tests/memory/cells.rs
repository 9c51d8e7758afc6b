//! The promise, cell by cell: a scan holds no more than `memory_limit`, with any file, any store,
//! and any number of readers.
//!
//! Prints its table:
//!
//! ```sh
//! cargo test --all-features --test memory -- cells --nocapture
//! CSV_STREAM_MEMORY_MIB=256 cargo test …                         # files of 256 MiB each instead of 12
//! ```

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_compression::tokio::bufread::{GzipEncoder, ZstdEncoder};
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::error::Result;
use datafusion::physical_plan::execute_stream_partitioned;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::{CsvFormatOptions, CsvSessionExt};
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::aws::AmazonS3;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;

use crate::rows::{NARROW_HEADER, WIDE_HEADER, many_columns_header, many_columns_row, narrow_row, wide_row};
use crate::server::{SECRET, s3, s3_client};
use crate::{MIB, alone, peak, reset};

const LIMITS: [usize; 3] = [4 * MIB, 10 * MIB, 64 * MIB];
const PARTITIONS: [usize; 3] = [1, 2, 16];
const COMPRESSIONS: [&str; 3] = ["", ".gz", ".zst"];

/// The bytes that zstd's decoder allocates: the window of its default level, three blocks, and its
/// tables. It allocates them in C, where the counting allocator doesn't see them.
const ZSTD_BYTES: usize = (2 << 20) + (544 << 10);

/// The folder that [`an_s3_server`] serves.
const FOLDER: &str = "CSV_STREAM_TEST_S3_FOLDER";

/// The size of each file: 12 MiB, unless the environment sets another one.
fn file_bytes() -> usize {
    std::env::var("CSV_STREAM_MEMORY_MIB").map_or(12, |mib| mib.parse().unwrap()) * MIB
}

/// A file, named by its special property, with the sum of its first column.
struct File {
    name: &'static str,
    text: Vec<u8>,
    sum: i64,
}

fn file(name: &'static str, header: &str, first_key: i64, write_row: fn(u64, &mut Vec<u8>)) -> File {
    let mut text = header.as_bytes().to_vec();
    let mut rows = 0;
    while text.len() < file_bytes() {
        write_row(rows, &mut text);
        rows += 1;
    }
    let rows = rows as i64;
    File { name, text, sum: rows * first_key + rows * (rows - 1) / 2 }
}

fn files() -> [File; 3] {
    [
        file("narrow", NARROW_HEADER, 1_000_000_000, narrow_row),
        file("10 KB fields", WIDE_HEADER, 1_000_000, wide_row),
        file("1,000 columns", &many_columns_header(), 1_000_000, many_columns_row),
    ]
}

async fn packed(text: &[u8], extension: &str) -> Vec<u8> {
    let mut packed = Vec::new();
    match extension {
        ".gz" => GzipEncoder::new(text).read_to_end(&mut packed).await.unwrap(),
        ".zst" => ZstdEncoder::new(text).read_to_end(&mut packed).await.unwrap(),
        _ => return text.to_vec(),
    };
    packed
}

/// An S3 server in a process of its own, so that its allocations don't count as the scan's. It ends
/// when its stdin is closed.
struct S3 {
    process: Child,
    /// Kept open for as long as the process may write.
    _output: BufReader<ChildStdout>,
    url: String,
}

impl S3 {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "cells::an_s3_server", "--ignored", "--nocapture"])
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut lines = output.by_ref().lines();
        let url = lines.find_map(|line| Some(line.unwrap().split_once("serves ")?.1.to_owned()));
        S3 { process, url: url.unwrap(), _output: output }
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}

#[test]
#[ignore = "not a test: the process in which the others have their S3"]
fn an_s3_server() {
    let folder = std::env::var(FOLDER).expect("a folder to serve");
    let server = s3(Path::new(&folder));
    println!("serves {}", server.url());
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// The most bytes that were allocated at once while all partitions of the table `t` were read to
/// their ends, above those that were allocated before. And the sum of the first column.
pub(crate) async fn measure(ctx: &SessionContext) -> (usize, Result<i64>) {
    let plan = ctx.sql("SELECT * FROM t").await.unwrap().create_physical_plan().await.unwrap();
    let idle = reset();
    let streams = execute_stream_partitioned(plan, ctx.task_ctx()).unwrap();
    let sums = streams.into_iter().map(|stream| {
        tokio::spawn(stream.try_fold(0, |sum, batch| async move {
            Ok(sum + batch.column(0).as_primitive::<Int64Type>().values().iter().sum::<i64>())
        }))
    });
    let sums = futures::future::join_all(sums.collect::<Vec<_>>()).await;
    let sum = sums.into_iter().map(std::result::Result::unwrap).sum();
    (peak() - idle, sum)
}

/// A folder, an S3 server with a bucket in it, and a client.
async fn bucket() -> (TempDir, S3, Arc<AmazonS3>) {
    let buckets = TempDir::new().unwrap();
    fs::create_dir(buckets.path().join("bucket")).unwrap();
    let s3 = S3::start(buckets.path());
    let client = s3_client(&s3.url, SECRET, Duration::from_secs(60)).build().unwrap();
    (buckets, s3, Arc::new(client))
}

/// A session that reads the table `t` from a file.
async fn session(client: &Arc<AmazonS3>, path: &str, partitions: usize, limit: usize) -> SessionContext {
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions));
    ctx.register_object_store(&"s3://bucket".parse().unwrap(), client.clone());
    let options = CsvFormatOptions::new().with_memory_limit(limit);
    ctx.register_csv_file_with_options("t", path, options).await.unwrap();
    ctx
}

#[test]
fn many_readers_of_a_store_fit_into_a_limit() {
    let _alone = alone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (_buckets, _s3, client) = bucket().await;
        let File { text, sum, .. } = file("narrow", NARROW_HEADER, 1_000_000_000, narrow_row);
        client.put(&"t.csv".into(), text.into()).await.unwrap();
        for (partitions, limit) in [(8, 2), (32, 4), (64, 10)] {
            let ctx = session(&client, "s3://bucket/t.csv", partitions, limit * MIB).await;
            let (held, found) = measure(&ctx).await;
            println!("{partitions} partitions of S3, {limit} MiB: {:.2} MiB", held as f64 / MIB as f64);
            assert_eq!(found.unwrap(), sum, "{partitions} partitions, {limit} MiB");
            assert!(held <= limit * MIB, "{partitions} partitions, {limit} MiB: {held}");
        }
    });
}

#[test]
fn every_scan_fits_into_its_limit() {
    let _alone = alone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let local = TempDir::new().unwrap();
        let (_buckets, _s3, client) = bucket().await;
        println!("| file | compression | store | partitions | 4 MiB | 10 MiB | 64 MiB |");
        println!("|---|---|---|---:|---:|---:|---:|");
        let mut too_much = Vec::new();
        for File { name, text, sum } in files() {
            for extension in COMPRESSIONS {
                let packed = packed(&text, extension).await;
                let file = format!("t.csv{extension}");
                fs::write(local.path().join(&file), &packed).unwrap();
                client.put(&file.as_str().into(), packed.into()).await.unwrap();
                for (store, folder) in [("local", local.path().to_str().unwrap()), ("S3", "s3://bucket")] {
                    for partitions in PARTITIONS {
                        let mut row = format!("| {name} | {extension} | {store} | {partitions} |");
                        for limit in LIMITS {
                            let path = format!("{folder}/{file}");
                            let ctx = session(&client, &path, partitions, limit).await;
                            let (heap, found) = measure(&ctx).await;
                            let held = heap + if extension == ".zst" { ZSTD_BYTES } else { 0 };
                            assert_eq!(found.unwrap(), sum, "{row} {limit}");
                            row += &format!(" {:.2} |", held as f64 / MIB as f64);
                            if held > limit {
                                too_much.push(format!("{row} {held} > {limit}"));
                            }
                        }
                        println!("{row}");
                    }
                }
            }
        }
        assert!(too_much.is_empty(), "{too_much:#?}");
    });
}

//! A sum over a file in a slow HTTP store, by the latency and the number of partitions: this
//! engine, DataFusion's built-in CSV reader, and Polars.
//!
//! ```sh
//! CSV_STREAM_BENCH_PYTHON=venv/bin/python cargo bench --all-features --bench remote            # all rows
//! CSV_STREAM_BENCH_PYTHON=venv/bin/python cargo bench --all-features --bench remote -- 30 16   # 30 ms, 16 partitions
//! ```
//!
//! Each connection gets 30 MB/s, as from S3. The store is a process of its own, on the same
//! machine. `CSV_STREAM_BENCH_LINEITEM` names a CSV file of TPC-H's lineitem, with a header. Without
//! it, a file of about 100 MB is generated. `CSV_STREAM_BENCH_PYTHON` names a Python with Polars,
//! which runs in a process of its own; its start is not timed. `CSV_STREAM_BENCH_RUNS` sets the
//! number of runs, 3 by default.

#[path = "support/heap.rs"]
mod heap;
#[path = "support/lineitem.rs"]
mod lineitem;
#[path = "support/measure.rs"]
mod measure;
#[path = "support/random.rs"]
mod random;
#[path = "support/schema.rs"]
mod schema;
#[path = "support/store.rs"]
mod store;
#[path = "support/text.rs"]
mod text;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::{DataFusionError, Result};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::client::BoundedConnector;
use datafusion_csv_stream::{CsvStreamFormat, install};
use measure::{Runs, print_head, print_row};
use object_store::ClientOptions;
use object_store::http::HttpBuilder;
use schema::lineitem_schema;
use store::{Counts, Store};
use tokio::runtime::Runtime;

const SQL: &str = "SELECT sum(l_quantity) FROM lineitem";

/// The time before a request is answered, in milliseconds.
const LATENCIES: [u64; 3] = [0, 30, 100];

const PARTITIONS: [usize; 6] = [1, 2, 4, 8, 16, 32];

/// Bytes a second of one connection.
const RATE: u64 = 30_000_000;

/// Prints the seconds that the query takes, and its result.
const POLARS: &str = "
import sys, time, polars
start = time.time()
row = polars.scan_csv(sys.argv[1]).select(polars.sum('l_quantity')).collect()
print(time.time() - start, row.item())
";

#[derive(Clone, Copy)]
enum Reader {
    Ours,
    BuiltIn,
}

fn main() -> Result<()> {
    store::serve_if_started()?;
    // Cargo adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let (latency, partitions) = (words.first(), words.get(1));
    let python = std::env::var_os("CSV_STREAM_BENCH_PYTHON");
    let runs: usize =
        std::env::var("CSV_STREAM_BENCH_RUNS").map_or(3, |runs| runs.parse().expect("a number"));
    let folder = tempfile::tempdir()?;
    let file = lineitem::file(folder.path())?;
    let name = file.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
    let size = std::fs::metadata(&file)?.len();
    println!(
        "lineitem: {} MB, {} MB/s for each connection; medians of {runs} runs, in turn\n",
        size / 1_000_000,
        RATE / 1_000_000
    );
    print_head(&[
        "latency, ms",
        "partitions",
        "ours, ms",
        "built-in, ms",
        "Polars, ms",
        "ours, requests",
        "built-in, requests",
        "Polars, requests",
        "ours, bytes ÷ file",
        "built-in, bytes ÷ file",
        "ours, CPU ms",
        "built-in, CPU ms",
        "ours, peak heap MiB",
        "built-in, peak heap MiB",
    ]);
    for ms in LATENCIES.into_iter().filter(|ms| latency.is_none_or(|word| *word == ms.to_string())) {
        let store = Store::start(file.parent().expect("a folder"), Duration::from_millis(ms), RATE)?;
        let url = store.url(name);
        for count in PARTITIONS.into_iter().filter(|n| partitions.is_none_or(|word| *word == n.to_string())) {
            let mut results = Vec::new();
            let mut measured = [Runs::default(), Runs::default()];
            let mut counts = Vec::new();
            let mut polars = Vec::new();
            for _ in 0..runs {
                counts.clear();
                for (reader, measured) in [Reader::Ours, Reader::BuiltIn].into_iter().zip(&mut measured) {
                    // Each run has a client of its own, so it finds no open connection.
                    let (runtime, session) = session(reader, count, &url)?;
                    store.take_counts()?;
                    let mut rows = String::new();
                    measured.add(1, || rows = run(&runtime, &session).expect("the query runs"));
                    results.push(rows);
                    counts.push(store.take_counts()?);
                }
                if let Some(python) = &python {
                    let (time, result) = polars_run(python, count, &url)?;
                    assert!(results[0].contains(&result), "{result} and not {}", results[0]);
                    polars.push(time);
                    counts.push(store.take_counts()?);
                }
            }
            assert!(results.iter().all(|rows| *rows == results[0]), "{results:#?}");
            polars.sort_by(f64::total_cmp);
            let [ours, built_in] = &measured;
            let requests = |reader: usize| {
                counts.get(reader).map_or("".to_owned(), |counts| counts.requests.to_string())
            };
            let share = |Counts { bytes, .. }: &Counts| format!("{:.2}", *bytes as f64 / size as f64);
            print_row([
                ms.to_string(),
                count.to_string(),
                ours.time_ms(),
                built_in.time_ms(),
                polars.get(polars.len() / 2).map_or("".to_owned(), |seconds| format!("{:.0}", seconds * 1e3)),
                requests(0),
                requests(1),
                requests(2),
                share(&counts[0]),
                share(&counts[1]),
                ours.cpu_ms(),
                built_in.cpu_ms(),
                ours.heap_mib(),
                built_in.heap_mib(),
            ]);
        }
    }
    Ok(())
}

/// A session with as many partitions, on a runtime with a thread for each core.
fn session(reader: Reader, partitions: usize, url: &str) -> Result<(Runtime, SessionContext)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions));
    let table = ListingTableUrl::parse(url)?;
    let store = HttpBuilder::new()
        .with_url(table.object_store().as_str())
        .with_client_options(ClientOptions::new().with_allow_http(true));
    let (store, format): (_, Arc<dyn FileFormat>) = match reader {
        Reader::Ours => {
            install(&ctx)?;
            (store.with_http_connector(BoundedConnector), Arc::new(CsvStreamFormat::default()))
        }
        Reader::BuiltIn => (store, Arc::new(CsvFormat::default())),
    };
    ctx.register_object_store(table.object_store().as_ref(), Arc::new(store.build()?));
    let config = ListingTableConfig::new(table)
        .with_listing_options(ListingOptions::new(format).with_file_extension(""))
        .with_schema(lineitem_schema());
    ctx.register_table("lineitem", Arc::new(ListingTable::try_new(config)?))?;
    Ok((runtime, ctx))
}

fn run(runtime: &Runtime, session: &SessionContext) -> Result<String> {
    let session = session.clone();
    let query = runtime.spawn(async move {
        let batches = session.sql(SQL).await?.collect().await?;
        Ok(pretty_format_batches(&batches)?.to_string())
    });
    runtime.block_on(query).map_err(|error| DataFusionError::External(Box::new(error)))?
}

/// The seconds that Polars takes with as many threads, and its result.
fn polars_run(python: &std::ffi::OsStr, threads: usize, url: &str) -> Result<(f64, String)> {
    let output = Command::new(python)
        .args(["-c", POLARS, url])
        .env("POLARS_MAX_THREADS", threads.to_string())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (time, result) = text
        .trim()
        .split_once(' ')
        .unwrap_or_else(|| panic!("Polars: {}", String::from_utf8_lossy(&output.stderr)));
    Ok((time.parse().expect("seconds"), result.to_owned()))
}

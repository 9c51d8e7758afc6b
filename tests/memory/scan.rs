//! The memory that a scan holds, over files that are generated while they are read.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Float64Type, Int64Type};
use datafusion::physical_plan::collect;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::decode::LeadingZeros;
use datafusion_csv_stream::{CsvFormatOptions, CsvSessionExt};

use crate::generated::{Generated, GeneratedStore};
use crate::rows::{NARROW_HEADER, WIDE_HEADER, digits, narrow_row, wide_row};
use crate::{MIB, alone, peak, reset};

struct Measured {
    batches: Vec<RecordBatch>,
    /// The most bytes that were live during the query, above those that were live before it.
    peak: usize,
}

/// The numbers of byte ranges in which a file is read.
const PARTITIONS: [usize; 3] = [1, 2, 16];

/// Runs a query over a generated file in an idle session, on two threads.
fn measure(file: &Arc<Generated>, partitions: usize, sql: &str) -> Measured {
    let _alone = alone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        // DataFusion's repartitioning coalesces batches again, to the full number of rows, even if
        // the rows are wide. The scan can't limit that.
        let config =
            SessionConfig::new().with_target_partitions(partitions).with_round_robin_repartition(false);
        let ctx = SessionContext::new_with_config(config);
        let store = Arc::new(GeneratedStore(Arc::clone(file)));
        ctx.register_object_store(&"mem://files/".parse().unwrap(), store);
        // All rows have the same length, so numbers have leading zeros.
        let options = CsvFormatOptions::new().with_leading_zeros(LeadingZeros::Number);
        ctx.register_csv_file_with_options("t", "mem://files/t.csv", options).await.unwrap();
        // A first query over one row makes the allocations that stay, so that they don't count as
        // the scan's.
        ctx.sql("SELECT * FROM t LIMIT 1").await.unwrap().collect().await.unwrap();

        let plan = ctx.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
        let idle = reset();
        let batches = collect(plan, ctx.task_ctx()).await.unwrap();
        let peak = peak() - idle;
        let mib = peak as f64 / MIB as f64;
        println!("{} bytes, {partitions} partitions, {sql}: {mib:.2} MiB", file.size());
        Measured { batches, peak }
    })
}

/// The number of rows of the narrow file: 10 million, which are 1.1 GB, unless the environment sets
/// another one.
fn narrow_rows() -> u64 {
    std::env::var("CSV_STREAM_MEMORY_ROWS").map_or(10_000_000, |rows| rows.parse().unwrap())
}

#[test]
fn ten_million_rows_fit_into_ten_mebibytes() {
    let rows = narrow_rows();
    let file = Generated::new("t.csv", NARROW_HEADER, rows, narrow_row);
    let prices: u64 = (0..rows).map(|row| row % 1000 * 100 + 25).sum();
    for partitions in PARTITIONS {
        let Measured { batches, peak } = measure(
            &file,
            partitions,
            "SELECT count(*), sum(id), sum(price), count(DISTINCT day), min(length(remark)), max(note) FROM t",
        );
        let batch = &batches[0];
        let int = |column: usize| batch.column(column).as_primitive::<Int64Type>().value(0);
        assert_eq!(int(0), rows as i64);
        assert_eq!(int(1), (rows * 1_000_000_000 + rows * (rows - 1) / 2) as i64);
        assert_eq!(batch.column(2).as_primitive::<Float64Type>().value(0), prices as f64 / 100.0);
        assert_eq!(int(3), 28);
        assert!(peak <= 10 * MIB, "{partitions}: {peak}");
    }
}

#[test]
fn predicates_fit_into_ten_mebibytes_too() {
    let rows = 1_000_000;
    let file = Generated::new("t.csv", NARROW_HEADER, rows, narrow_row);
    for partitions in PARTITIONS {
        let sql = "SELECT count(*), max(note) FROM t WHERE remark LIKE '%doubly%' AND price < 500.5";
        let Measured { batches, peak } = measure(&file, partitions, sql);
        let kept = (0..rows).filter(|row| row % 1000 <= 500).count();
        assert_eq!(batches[0].column(0).as_primitive::<Int64Type>().value(0), kept as i64);
        assert!(peak <= 10 * MIB, "{partitions}: {peak}");
    }
}

#[test]
fn counting_needs_no_more() {
    let file = Generated::new("t.csv", NARROW_HEADER, 1_000_000, narrow_row);
    for partitions in PARTITIONS {
        let Measured { batches, peak } = measure(&file, partitions, "SELECT count(*) FROM t");
        assert_eq!(batches[0].column(0).as_primitive::<Int64Type>().value(0), 1_000_000);
        assert!(peak <= 10 * MIB, "{partitions}: {peak}");
    }
}

#[test]
fn wide_fields_fit_into_ten_mebibytes() {
    let file = Generated::new("t.csv", WIDE_HEADER, 20_000, wide_row);
    for partitions in PARTITIONS {
        for sql in ["SELECT sum(id) FROM t", "SELECT sum(id), max(length(text)) FROM t"] {
            let Measured { batches, peak } = measure(&file, partitions, sql);
            let sum = batches[0].column(0).as_primitive::<Int64Type>().value(0);
            assert_eq!(sum, (0..20_000i64).map(|row| row + 1_000_000).sum::<i64>());
            assert!(peak <= 10 * MIB, "{partitions}, {sql}: {peak}");
        }
    }
}

#[test]
fn a_limit_stops_reading() {
    let file = Generated::new("t.csv", NARROW_HEADER, 10_000_000, narrow_row);
    let before = file.served();
    let Measured { batches, .. } = measure(&file, 1, "SELECT * FROM t LIMIT 10");
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 10);
    // The schema's sample, the row of the first query, and ten rows.
    let read = file.served() - before;
    assert!(read < 4 * MIB as u64, "{read} of {} bytes read", file.size());
}

/// The second line opens a quote that is never closed, and no quote follows.
fn unclosed_row(row: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(if row == 0 { b"1,\"a" } else { b"2,bb" });
    digits(row, 10, out);
    out.push(b'\n');
}

#[test]
fn an_unclosed_quote_is_an_error_within_the_record_limit() {
    let _alone = alone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for partitions in PARTITIONS {
        let file = Generated::new("t.csv", "id,name\n", 140 * (MIB as u64) / 15, unclosed_row);
        let error = runtime.block_on(async {
            let ctx =
                SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions));
            ctx.register_object_store(
                &"mem://files/".parse().unwrap(),
                Arc::new(GeneratedStore(Arc::clone(&file))),
            );
            datafusion_csv_stream::install(&ctx).unwrap();
            ctx.sql(
                "CREATE EXTERNAL TABLE t (id BIGINT, name VARCHAR) STORED AS CSV LOCATION 'mem://files/t.csv'",
            )
            .await
            .unwrap();
            ctx.sql("SELECT sum(id) FROM t").await.unwrap().collect().await.unwrap_err()
        });
        let message = error.to_string();
        assert!(
            message.contains("line 2,") && message.contains("unclosed quote?"),
            "{partitions}: {message}"
        );
        // The record, and the bytes that are read ahead. Other partitions read on until they are
        // stopped.
        assert!(partitions > 1 || file.served() < 7 * MIB as u64, "{} bytes read", file.served());
    }
}

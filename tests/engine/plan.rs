//! What plans show, and what a scan counts.

use std::sync::Arc;

use datafusion::common::stats::Precision;
use datafusion::physical_plan::collect;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::prelude::SessionContext;
use datafusion_csv_stream::CsvSessionExt;

use crate::support::{folder, gzip, metric, path, rows, run};

async fn table(text: &[u8], name: &str) -> (SessionContext, tempfile::TempDir) {
    let files = folder(&[(name, text)]);
    let ctx = SessionContext::new();
    ctx.register_csv_file("t", &path(&files, name)).await.unwrap();
    (ctx, files)
}

#[tokio::test]
async fn explain_shows_the_projection_and_the_limit() {
    let (ctx, _files) = table(b"a,b,c\n1,2,3\n", "t.csv").await;
    let plan = rows(&ctx, "EXPLAIN SELECT c, a + 1 FROM t LIMIT 5").await.join("\n");
    for part in ["DataSourceExec", "projection=[a, c]", "limit=5", "file_type=csv, has_header=true"] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
}

#[tokio::test]
async fn columns_that_nobody_asks_for_are_not_decoded() {
    // Column b can't be read as the type that was inferred from the sample.
    let mut text = b"a,b\n".to_vec();
    text.extend_from_slice(&b"1,2\n".repeat(5000));
    text.extend_from_slice(b"1,x\n");
    let (ctx, _files) = table(&text, "t.csv").await;
    assert_eq!(rows(&ctx, "SELECT sum(a), count(*) FROM t").await, ["5001|5001"]);
    assert_eq!(rows(&ctx, "SELECT count(*) FROM t").await, ["5001"]);
    assert!(ctx.sql("SELECT sum(b) FROM t").await.unwrap().collect().await.is_err());
}

#[tokio::test]
async fn every_path_counts_bytes_records_and_times() {
    let text = [b"a,b\n".as_slice(), &b"12345,some text\n".repeat(50_000)].concat();
    for name in ["t.csv", "t.csv.gz"] {
        let bytes = match name.ends_with("gz") {
            true => gzip(&text).await,
            false => text.clone(),
        };
        let (ctx, _files) = table(&bytes, name).await;
        for sql in ["SELECT sum(a) FROM t", "SELECT count(*) FROM t"] {
            let plan = run(&ctx, sql).await;
            assert_eq!(metric(&plan, "bytes_scanned"), bytes.len(), "{name} {sql}");
            assert_eq!(metric(&plan, "bytes_parsed"), text.len(), "{name} {sql}");
            assert_eq!(metric(&plan, "records"), 50_000, "{name} {sql}");
            assert_eq!(metric(&plan, "requests"), 1, "{name} {sql}");
            for time in ["time_parsing", "time_decoding", "time_waiting"] {
                assert!(metric(&plan, time) > 0, "{time}: {name} {sql}");
            }
        }
    }
}

#[tokio::test]
async fn a_plan_can_be_run_again() {
    let (ctx, _files) = table(b"a\n1\n2\n", "t.csv").await;
    let plan = ctx.sql("SELECT a FROM t").await.unwrap().create_physical_plan().await.unwrap();
    for _ in 0..2 {
        let fresh = Arc::clone(&plan).reset_state().unwrap();
        let batches = collect(fresh, ctx.task_ctx()).await.unwrap();
        assert_eq!(crate::support::cells(&batches), ["1", "2"]);
    }
}

#[tokio::test]
async fn batches_have_the_rows_that_were_asked_for() {
    use datafusion_csv_stream::CsvFormatOptions;

    let files = folder(&[("t.csv", &[b"a\n".as_slice(), &b"1\n".repeat(100)].concat())]);
    let ctx = SessionContext::new();
    let options = CsvFormatOptions::new().with_batch_size(32);
    ctx.register_csv_file_with_options("t", &path(&files, "t.csv"), options).await.unwrap();
    let plan = ctx.sql("SELECT a FROM t").await.unwrap().create_physical_plan().await.unwrap();
    let batches = collect(plan, ctx.task_ctx()).await.unwrap();
    let rows: Vec<_> = batches.iter().map(|batch| batch.num_rows()).collect();
    assert_eq!(rows, [32, 32, 32, 4]);
}

#[tokio::test]
async fn statistics_estimate_rows_by_the_sample() {
    let text = [b"a,b\n".as_slice(), &b"12,abcdef\n".repeat(10_000)].concat();
    let packed = gzip(&text).await;
    let files = folder(&[("t.csv", &text), ("t.csv.gz", &packed)]);
    let ctx = SessionContext::new();
    let rows = |name: &'static str, declared: bool| {
        let (ctx, file) = (ctx.clone(), path(&files, name));
        async move {
            datafusion_csv_stream::install(&ctx).unwrap();
            let columns = if declared { "(a INT, b VARCHAR)" } else { "" };
            let create = format!("CREATE EXTERNAL TABLE t {columns} STORED AS CSV LOCATION '{file}'");
            ctx.sql(&create).await.unwrap();
            let plan = ctx.sql("SELECT * FROM t").await.unwrap().create_physical_plan().await.unwrap();
            ctx.deregister_table("t").unwrap();
            let args = StatisticsArgs::new();
            let statistics = StatisticsContext::new().compute(plan.as_ref(), &args).unwrap();
            (statistics.num_rows, statistics.total_byte_size)
        }
    };
    let size = text.len();
    // A thousand rows of ten bytes were sampled. The header accounts for the tolerance of about one
    // row.
    let (estimate, bytes) = rows("t.csv", false).await;
    assert!(matches!(estimate, Precision::Inexact(9_990..=10_010)), "{estimate:?}");
    assert_eq!(bytes, Precision::Inexact(size));
    // Nothing is known without a sample, or of a compressed file.
    assert_eq!(rows("t.csv", true).await, (Precision::Absent, Precision::Inexact(size)));
    assert_eq!(rows("t.csv.gz", false).await, (Precision::Absent, Precision::Absent));
}

//! The metrics of ranges in `EXPLAIN ANALYZE`.

use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::CsvSessionExt;

use crate::support::{folder, metric, path, rows, run};

async fn table(text: &str, partitions: usize) -> (SessionContext, tempfile::TempDir) {
    let files = folder(&[("t.csv", text.as_bytes())]);
    let mut config = SessionConfig::new().with_target_partitions(partitions);
    config.options_mut().optimizer.repartition_file_min_size = 1;
    let ctx = SessionContext::new_with_config(config);
    datafusion_csv_stream::install(&ctx).unwrap();
    ctx.register_csv_file("t", &path(&files, "t.csv")).await.unwrap();
    (ctx, files)
}

#[tokio::test]
async fn every_start_and_end_is_counted() {
    const NAMES: [&str; 4] =
        ["starts_synchronised", "starts_by_proof", "starts_by_prefix_scan", "ends_verified"];
    let records = |record: &str| format!("a,b\n{}", record.repeat(20_000));
    let (plain, texts) = (records("12345,some text\n"), records("12345,\"some,\ntext\"\n"));
    let words = records("12345,\"some text\"\n");
    let one_column = format!("a\n{}", "\"some\ntext\"\n".repeat(20_000));
    // A file of a few bytes: all of its ranges start where the header may be.
    let small = "a,b\n1,2\n3,4\n5,6\n".to_owned();
    for (name, text, partitions, expected) in [
        ("plain", &plain, 1, [0, 0, 0, 0]),
        ("plain", &plain, 4, [0, 3, 0, 3]),
        ("quoted lines", &texts, 4, [3, 0, 0, 3]),
        ("quoted words", &words, 4, [3, 0, 0, 3]),
        // The first one starts where the header may be.
        ("one column", &one_column, 4, [2, 0, 1, 2]),
        ("small", &small, 4, [0, 0, 3, 0]),
    ] {
        let (ctx, _files) = table(text, partitions).await;
        for sql in ["SELECT a FROM t", "SELECT count(*) FROM t", "SELECT a FROM t WHERE a IS NOT NULL"] {
            let plan = run(&ctx, sql).await;
            let found = NAMES.map(|name| metric(&plan, name));
            assert_eq!(found[..3].iter().sum::<usize>(), partitions - 1, "{name}: {sql}: {found:?}");
            assert_eq!(found, expected, "{name}: {sql}");
            let records = text.matches('\n').count() - 1;
            let lines_in_quotes = text.matches("some\n").count() + text.matches("some,\n").count();
            assert_eq!(metric(&plan, "records"), records - lines_in_quotes, "{name}: {sql}");
            // A time that was never measured may still add up to some nanoseconds.
            assert_eq!(metric(&plan, "time_resolving") > 1000, partitions > 1, "{name}: {sql}");
            for time in ["time_parsing", "time_waiting"] {
                assert!(metric(&plan, time) > 0, "{time}: {name}: {sql}");
            }
            assert!(metric(&plan, "bytes_parsed") >= text.len(), "{name}: {sql}");
        }
        let shown = rows(&ctx, "EXPLAIN ANALYZE SELECT count(a) FROM t WHERE a IS NOT NULL").await.join("\n");
        for (metric, count) in NAMES.into_iter().zip(expected) {
            assert!(shown.contains(&format!("{metric}={count}")), "{metric}={count}: {name}: {shown}");
        }
        for time in ["time_resolving=", "time_waiting=", "time_parsing=", "time_filtering=", "time_decoding="]
        {
            assert!(shown.contains(time), "{time}: {name}: {shown}");
        }
    }
}

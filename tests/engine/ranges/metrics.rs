//! The metrics of ranges in `EXPLAIN ANALYZE`.

use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::CsvSessionExt;
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::internal::{Boundary, BoundaryFinder};
use datafusion_csv_stream::parse::FieldCount;

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

/// At the start of a file with a header, ranges that start within this many bytes are decided by
/// the bytes before them, and nothing is verified.
const HEADER_BYTES: usize = 64 << 10;

/// The number of starts of equal ranges by the way in which each is decided, computed without I/O.
/// The last number is that of the verified ones.
fn decided(text: &str, columns: usize, partitions: usize) -> [usize; 3] {
    let mut counts = [0; 3];
    for range in 1..partitions {
        let at = range * text.len().div_ceil(partitions);
        let field_count = FieldCount::Exactly(columns);
        let mut finder = BoundaryFinder::new(&Dialect::default(), field_count, 2 << 20, at as u64);
        let found = finder.push(&text.as_bytes()[at - 1..]);
        let how = match found.unwrap_or_else(|| finder.finish()) {
            _ if at <= HEADER_BYTES => 1,
            Boundary::Start(_) => 0,
            Boundary::Undecided => 1,
            Boundary::End => panic!("{at}"),
        };
        counts[how] += 1;
        counts[2] += usize::from(at > HEADER_BYTES);
    }
    counts
}

#[tokio::test]
async fn every_start_and_end_is_counted() {
    const NAMES: [&str; 3] = ["starts_by_proof", "starts_by_prefix_scan", "ends_verified"];
    let records = |record: &str| format!("a,b\n{}", record.repeat(20_000));
    let (plain, texts) = (records("12345,some text\n"), records("12345,\"some,\ntext\"\n"));
    let words = records("12345,\"some text\"\n");
    let one_column = format!("a\n{}", "\"some\ntext\"\n".repeat(20_000));
    // A file of a few bytes: all of its ranges start where the header may be.
    let small = "a,b\n1,2\n3,4\n5,6\n".to_owned();
    for (name, text, partitions, expected) in [
        ("plain", &plain, 1, [0, 0, 0]),
        ("plain", &plain, 4, [3, 0, 3]),
        ("quoted lines", &texts, 4, [3, 0, 3]),
        ("quoted words", &words, 4, decided(&words, 2, 4)),
        ("one column", &one_column, 4, decided(&one_column, 1, 4)),
        ("small", &small, 4, [0, 3, 0]),
    ] {
        let (ctx, _files) = table(text, partitions).await;
        for sql in ["SELECT a FROM t", "SELECT count(*) FROM t", "SELECT a FROM t WHERE a IS NOT NULL"] {
            let plan = run(&ctx, sql).await;
            let found = NAMES.map(|name| metric(&plan, name));
            assert_eq!(found[..2].iter().sum::<usize>(), partitions - 1, "{name}: {sql}: {found:?}");
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

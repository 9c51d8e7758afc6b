//! What is read where only some rows are wanted, and what a plan knows before it reads.

use std::sync::Arc;

use datafusion::common::stats::Precision;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::CsvSessionExt;
use object_store::ObjectStoreExt;
use object_store::chunked::ChunkedStore;
use object_store::memory::InMemory;

use crate::requests::{Log, Logged};
use crate::support::rows;

const ROWS: usize = 400_000;

/// A table of some megabytes in a store that hands out 32 KiB at a time.
async fn table(partitions: usize) -> (SessionContext, Arc<Log>, u64) {
    let mut text = String::from("n,m,text\n");
    for row in 0..ROWS {
        text += &format!("{row},{},some text\n", row % 100);
    }
    let size = text.len() as u64;
    let memory = InMemory::new();
    memory.put(&"t.csv".into(), text.into_bytes().into()).await.unwrap();
    let (store, log) = Logged::new(Arc::new(ChunkedStore::new(Arc::new(memory), 32 << 10)));
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions));
    ctx.register_object_store(&"mem://s/".parse().unwrap(), store);
    ctx.register_csv_file("t", "mem://s/t.csv").await.unwrap();
    log.take_gets();
    log.take_bytes();
    (ctx, log, size)
}

#[tokio::test]
async fn a_limit_stops_reading_at_once() {
    for partitions in [1, 4] {
        let (ctx, log, size) = table(partitions).await;
        assert_eq!(rows(&ctx, "SELECT n FROM t LIMIT 3").await, ["0", "1", "2"]);
        assert_eq!(log.take_gets(), ["GET t.csv if-match"], "{partitions} partitions");
        let read = log.take_bytes();
        assert!(read <= 64 << 10, "{read} of {size} bytes, {partitions} partitions");

        assert_eq!(rows(&ctx, "SELECT count(*) FROM (SELECT n FROM t LIMIT 10)").await, ["10"]);
        let read = log.take_bytes();
        assert!(read <= 64 << 10, "{read} of {size} bytes, {partitions} partitions");

        // No row of any range is wanted.
        log.take_gets();
        assert!(rows(&ctx, "SELECT n FROM t LIMIT 0").await.is_empty());
        assert_eq!(log.take_gets(), [] as [&str; 0], "{partitions} partitions");
    }
}

/// How many are kept is not known before: each range reads until there are enough of its own.
#[tokio::test]
async fn a_limit_behind_a_predicate_stops_every_range() {
    for partitions in [1, 4] {
        let (ctx, log, size) = table(partitions).await;
        let found = rows(&ctx, "SELECT n FROM t WHERE m = 7 LIMIT 3").await;
        assert!(
            found.len() == 3 && found.iter().all(|n| n.parse::<usize>().unwrap() % 100 == 7),
            "{found:?}"
        );
        let read = log.take_bytes();
        // Beside that as much as a record may be long, to know where the range starts.
        let starts = (partitions as u64 - 1) * ((2 << 20) + (128 << 10));
        assert!(
            read <= partitions as u64 * (256 << 10) + starts,
            "{read} of {size} bytes, {partitions} partitions"
        );
    }
}

/// One request for each range, and those that find its start and verify its end.
#[tokio::test]
async fn ranges_ask_for_their_own_bytes() {
    let (ctx, log, size) = table(4).await;
    assert_eq!(rows(&ctx, "SELECT count(*), sum(n) FROM t").await, [format!("{ROWS}|79999800000")]);
    let gets = log.take_gets();
    let piece = size.div_ceil(4);
    for range in 1..4 {
        let start = format!("GET t.csv bytes={}-", range * piece - 1);
        assert!(gets.iter().any(|get| get.starts_with(&start)), "{start}: {gets:?}");
    }
    // Files without quotes are looked at as far as a record may be long, with requests for twice as much each time.
    assert!(gets.len() <= 4 + 3 * 7 + 3, "{gets:?}");
    let read = log.take_bytes();
    assert!(read <= size + 3 * (3 << 20), "{read} of {size} bytes");
}

#[tokio::test]
async fn statistics_estimate_and_never_answer() {
    for partitions in [1, 4] {
        let (ctx, log, size) = table(partitions).await;
        let plan = ctx.sql("SELECT * FROM t").await.unwrap().create_physical_plan().await.unwrap();
        let statistics =
            StatisticsContext::new().compute(scan(&plan).as_ref(), &StatisticsArgs::new()).unwrap();
        let Precision::Inexact(estimated) = statistics.num_rows else { panic!("{:?}", statistics.num_rows) };
        assert!((ROWS * 9 / 10..ROWS * 12 / 10).contains(&estimated), "{estimated} rows");
        assert_eq!(statistics.total_byte_size.get_value(), Some(&(size as usize)));
        assert!(log.take_gets().is_empty(), "planning reads nothing");
        assert_eq!(rows(&ctx, "SELECT count(*) FROM t").await, [ROWS.to_string()]);
        assert!(log.take_bytes() >= size, "what is counted has been read");
    }
}

fn scan(plan: &Arc<dyn ExecutionPlan>) -> &Arc<dyn ExecutionPlan> {
    plan.children().first().map_or(plan, |child| scan(child))
}

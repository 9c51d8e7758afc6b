//! The bytes that are read if only some rows are wanted, and the statistics that a plan has before
//! it reads.

use std::sync::Arc;

use datafusion::common::stats::Precision;
use datafusion::datasource::physical_plan::FileScanConfigBuilder;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{ExecutionPlan, common};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::CsvSessionExt;
use object_store::ObjectStoreExt;
use object_store::chunked::ChunkedStore;
use object_store::memory::InMemory;

use super::table::{STARTS, scan_of};
use crate::faults::FaultStore;
use crate::requests::{logged, take_gets};
use crate::support::{metric, rows, rows_as_text};

const ROWS: usize = 400_000;

/// The request that is made if some rows from the start are enough.
const FIRST_BLOCK: &str = "GET t.csv bytes=0-524287 if-match";

/// A file of several megabytes.
fn plain() -> String {
    let rows: String = (0..ROWS).map(|row| format!("{row},{},some text\n", row % 100)).collect();
    format!("n,m,text\n{rows}")
}

async fn table(partitions: usize) -> (SessionContext, Arc<FaultStore>, u64) {
    table_of(&plain(), partitions).await
}

/// A table in a store that returns 32 KiB at a time.
async fn table_of(text: &str, partitions: usize) -> (SessionContext, Arc<FaultStore>, u64) {
    let size = text.len() as u64;
    let memory = InMemory::new();
    memory.put(&"t.csv".into(), text.as_bytes().to_vec().into()).await.unwrap();
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions));
    let store = logged(Arc::new(ChunkedStore::new(Arc::new(memory), 32 << 10)), &ctx);
    ctx.register_csv_file("t", "mem://s/t.csv").await.unwrap();
    take_gets(&store);
    store.take_bytes();
    (ctx, store, size)
}

#[tokio::test]
async fn a_limit_stops_reading_at_once() {
    for partitions in [1, 4] {
        let (ctx, store, size) = table(partitions).await;
        assert_eq!(rows(&ctx, "SELECT n FROM t LIMIT 3").await, ["0", "1", "2"]);
        assert_eq!(take_gets(&store), [FIRST_BLOCK], "{partitions} partitions");
        let read = store.take_bytes();
        assert!(read <= 1 << 20, "{read} of {size} bytes, {partitions} partitions");

        assert_eq!(rows(&ctx, "SELECT count(*) FROM (SELECT n FROM t LIMIT 10)").await, ["10"]);
        assert_eq!(take_gets(&store), [FIRST_BLOCK], "{partitions} partitions");

        // No row of any range is wanted.
        assert!(rows(&ctx, "SELECT n FROM t LIMIT 0").await.is_empty());
        assert_eq!(take_gets(&store), [] as [&str; 0], "{partitions} partitions");
    }
}

/// The number of rows that the predicate keeps isn't known in advance. So each range finds its own
/// start, and reads until it has enough rows itself.
#[tokio::test]
async fn a_limit_behind_a_predicate_stops_every_range() {
    for partitions in [1, 4] {
        let (ctx, store, size) = table(partitions).await;
        let found = rows(&ctx, "SELECT n FROM t WHERE m = 7 LIMIT 3").await;
        assert!(
            found.len() == 3 && found.iter().all(|n| n.parse::<usize>().unwrap() % 100 == 7),
            "{found:?}"
        );
        let read = store.take_bytes();
        // A range without quotes looks at 2 MiB to find its start, and no range reads its prefix.
        let starts = (partitions as u64 - 1) * ((2 << 20) + (256 << 10));
        assert!(
            read <= partitions as u64 * (1 << 20) + starts,
            "{read} of {size} bytes, {partitions} partitions"
        );
    }
}

/// A limit that reaches the scan after the file has been cut, and a limit with a predicate: the
/// ranges that are read, and the way in which their starts are found.
#[tokio::test]
async fn ranges_under_a_limit_are_one_or_find_their_own_starts() {
    let (ctx, store, size) = table(4).await;
    for (sql, limit, expected) in [
        ("SELECT n FROM t", None, [0, 3, 0]),
        ("SELECT n FROM t", Some(ROWS + 1), [0, 0, 0]),
        ("SELECT n FROM t WHERE m >= 0", None, [0, 3, 0]),
        ("SELECT n FROM t WHERE m >= 0", Some(ROWS + 1), [0, 3, 0]),
    ] {
        let plan = ctx.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
        let config = scan_of(&plan);
        assert_eq!(config.file_groups.len(), 4, "{sql}");
        let config = FileScanConfigBuilder::from(config).with_limit(limit).with_preserve_order(true).build();
        let plan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
        let mut found = Vec::new();
        for partition in 0..4 {
            let stream = plan.execute(partition, ctx.task_ctx()).unwrap();
            found.extend(rows_as_text(&common::collect(stream).await.unwrap()));
        }
        assert!(found.into_iter().eq((0..ROWS).map(|n| n.to_string())), "{sql}, {limit:?}");
        assert_eq!(STARTS.map(|name| metric(&plan, name)), expected, "{sql}, {limit:?}");
        if expected == [0, 0, 0] {
            assert_eq!(store.take_bytes(), size, "once, by the first");
        }
        store.take_bytes();
    }
}

/// At most two reads look for a range's start. With quotes the first one is enough: a lead, and some
/// bytes after it. Without quotes the second one is as long as a record may be. Each is one request.
#[tokio::test]
async fn a_start_is_found_by_two_looks_at_most() {
    let quoted: String = (0..ROWS).map(|row| format!("{row},7,\"some,\ntext\"\n")).collect();
    for (text, is_quoted) in [(plain(), false), (format!("n,m,text\n{quoted}"), true)] {
        let (ctx, store, size) = table_of(&text, 4).await;
        let plan = ctx.sql("SELECT n FROM t").await.unwrap().create_physical_plan().await.unwrap();
        let config = FileScanConfigBuilder::from(scan_of(&plan)).with_preserve_order(true).build();
        let plan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
        let batches = common::collect(plan.execute(1, ctx.task_ctx()).unwrap()).await.unwrap();
        assert!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>().abs_diff(ROWS / 4) < ROWS / 20);
        let how = [usize::from(is_quoted), usize::from(!is_quoted), 0];
        assert_eq!(STARTS.map(|name| metric(&plan, name)), how);

        let gets = take_gets(&store);
        let get = |start: usize, end: usize| format!("GET t.csv bytes={start}-{} if-match", end - 1);
        let at = (size as usize).div_ceil(4);
        let second = at + (16 << 10);
        assert_eq!(gets[0], get(at - (64 << 10), second), "{gets:?}");
        // The range's own records come last, and some bytes past its end to verify the next start.
        let start = at + text[at..].find(if is_quoted { "\"\n" } else { "\n" }).unwrap();
        let start = start + if is_quoted { 2 } else { 1 };
        let own = gets.iter().position(|found| *found == get(start, 2 * at));
        assert_eq!(own, Some(if is_quoted { 1 } else { 2 }), "{gets:?}");
        assert!(gets.len() <= own.unwrap() + 2, "{gets:?}");
        if !is_quoted {
            let look = gets[1].strip_prefix(&format!("GET t.csv bytes={second}-")).unwrap();
            let last: usize = look.strip_suffix(" if-match").unwrap().parse().unwrap();
            assert!(last.abs_diff(at + (2 << 20)) < 16, "{gets:?}");
        }
    }
}

#[tokio::test]
async fn statistics_estimate_and_never_answer() {
    for partitions in [1, 4] {
        let (ctx, store, size) = table(partitions).await;
        let plan = ctx.sql("SELECT * FROM t").await.unwrap().create_physical_plan().await.unwrap();
        let statistics =
            StatisticsContext::new().compute(scan(&plan).as_ref(), &StatisticsArgs::new()).unwrap();
        let Precision::Inexact(estimated) = statistics.num_rows else { panic!("{:?}", statistics.num_rows) };
        assert!((ROWS * 9 / 10..ROWS * 12 / 10).contains(&estimated), "{estimated} rows");
        assert_eq!(statistics.total_byte_size.get_value(), Some(&(size as usize)));
        assert!(take_gets(&store).is_empty(), "planning reads nothing");
        assert_eq!(rows(&ctx, "SELECT count(*) FROM t").await, [ROWS.to_string()]);
        assert!(store.take_bytes() >= size, "what is counted has been read");
    }
}

fn scan(plan: &Arc<dyn ExecutionPlan>) -> &Arc<dyn ExecutionPlan> {
    plan.children().first().map_or(plan, |child| scan(child))
}

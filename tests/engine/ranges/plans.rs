//! Plans that are executed in all the ways in which DataFusion, and engines on top of it, execute
//! them.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::execution_plan::{
    ChildrenPropertiesMode, ReplaceChildrenOptions, reset_plan_states,
};
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::{CsvFormatOptions, CsvSessionExt};
use futures::StreamExt;

use super::table::{STARTS, Table, expected, ranges, scan_of};
use crate::peer::Whole;
use crate::support::{folder, gzip, metric, path, query, rows, rows_as_text};

/// Rows numbered from 0, with quoted newlines, some of them in text that looks like rows.
fn numbered(rows: usize) -> String {
    let texts = ["plain", "\"a, \"\"b\"\"\"", "\"two\nlines\"", "\"\n1,2\n3,4\n\"", "\"\""];
    let rows = (0..rows).map(|row| format!("{row},{}\n", texts[row * 7 % 5]));
    format!("n,text\n{}", rows.collect::<String>())
}

/// A session that cuts files of any size into this many ranges.
fn session(partitions: usize, steals: bool) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(partitions);
    config.options_mut().optimizer.repartition_file_min_size = 1;
    config.options_mut().execution.enable_file_stream_work_stealing = steals;
    let ctx = SessionContext::new_with_config(config);
    datafusion_csv_stream::install(&ctx).unwrap();
    ctx
}

async fn fixture(cuts: &[i64]) -> (Table, Vec<Vec<String>>) {
    let text = numbered(20_000);
    let table = Table::new(text.as_bytes(), CsvFormatOptions::new(), 2, "SELECT * FROM t").await;
    let whole = Whole::read(&Dialect::default(), text.as_bytes());
    (table, expected(&whole, true, 2, cuts))
}

const CUTS: [i64; 6] = [0, 70_000, 100_000, 100_001, 150_000, 1 << 30];

#[tokio::test]
async fn a_plan_gives_the_same_whenever_it_is_run() {
    let (table, expected) = fixture(&CUTS).await;
    let plan = table.scan(&ranges(&CUTS));
    for _ in 0..2 {
        assert_eq!(table.run(&plan).await.unwrap(), expected);
    }
    let again = reset_plan_states(Arc::clone(&plan)).unwrap();
    assert_eq!(table.run(&again).await.unwrap(), expected);
    let rebuilt = Arc::clone(&plan)
        .replace_children(vec![], ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
        .unwrap();
    assert_eq!(table.run(&rebuilt).await.unwrap(), expected);
    // Two executions at the same time, one of them in reverse order.
    let (one, other) = futures::join!(table.run(&plan), async {
        let mut found = Vec::new();
        for partition in (0..expected.len()).rev() {
            let stream = plan.execute(partition, table.ctx.task_ctx()).unwrap();
            found.push(rows_as_text(&datafusion::physical_plan::common::collect(stream).await.unwrap()));
        }
        found.reverse();
        found
    });
    assert_eq!(one.unwrap(), expected);
    assert_eq!(other, expected);
}

#[tokio::test]
async fn a_partition_that_is_dropped_takes_nothing_from_the_others() {
    let (table, expected) = fixture(&CUTS).await;
    let plan = table.scan(&ranges(&CUTS));
    for partition in 0..expected.len() {
        let mut stream = plan.execute(partition, table.ctx.task_ctx()).unwrap();
        let first = stream.next().await.transpose().unwrap();
        let rows = rows_as_text(&first.into_iter().collect::<Vec<_>>());
        assert_eq!(rows, expected[partition][..rows.len()], "{partition}");
        drop(stream);
        assert_eq!(table.run(&plan).await.unwrap(), expected, "{partition}");
    }
}

/// With work stealing the partition that is polled first reads whatever is left. Without it each
/// partition reads its own ranges. Both read every range once.
#[tokio::test]
async fn partitions_share_the_work_or_not() {
    let text = numbered(20_000);
    let files = folder(&[("t.csv", text.as_bytes())]);
    for steals in [true, false] {
        let ctx = session(5, steals);
        ctx.register_csv_file("t", &path(&files, "t.csv")).await.unwrap();
        let plan = ctx.sql("SELECT n FROM t").await.unwrap().create_physical_plan().await.unwrap();
        let scan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(scan_of(&plan));
        for order in [[0, 1, 2, 3, 4], [4, 2, 0, 1, 3]] {
            let scan = reset_plan_states(Arc::clone(&scan)).unwrap();
            let mut found: Vec<i64> = Vec::new();
            for partition in order {
                let stream = scan.execute(partition, ctx.task_ctx()).unwrap();
                let batches = datafusion::physical_plan::common::collect(stream).await.unwrap();
                let rows = batches.iter().map(|batch| batch.num_rows()).sum::<usize>();
                match (steals, partition == order[0]) {
                    (true, first) => assert_eq!(rows > 0, first, "{partition} of {order:?}"),
                    (false, _) => {
                        assert!((3_000..5_000).contains(&rows), "{rows} in {partition} of {order:?}")
                    }
                }
                for batch in &batches {
                    found.extend(batch.column(0).as_primitive::<Int64Type>().values());
                }
            }
            found.sort_unstable();
            assert!(found.into_iter().eq(0..20_000), "stealing {steals}, {order:?}");
        }
        assert_eq!(
            rows(&ctx, "SELECT count(*), sum(n), count(text) FROM t").await,
            ["20000|199990000|16000"]
        );
    }
}

#[tokio::test]
async fn a_declared_order_is_kept_by_ranges() {
    let text = numbered(20_000);
    let files = folder(&[("t.csv", text.as_bytes())]);
    for steals in [true, false] {
        for partitions in [1, 3, 16] {
            let ctx = session(partitions, steals);
            let file = path(&files, "t.csv");
            let sql = format!(
                "CREATE EXTERNAL TABLE t (n BIGINT, text VARCHAR) STORED AS CSV LOCATION '{file}' WITH ORDER (n ASC)"
            );
            rows(&ctx, &sql).await;
            let plan =
                ctx.sql("SELECT * FROM t ORDER BY n").await.unwrap().create_physical_plan().await.unwrap();
            let shown = displayable(plan.as_ref()).indent(false).to_string();
            assert!(!shown.contains("SortExec"), "{shown}");
            assert_eq!(scan_of(&plan).file_groups.len(), partitions, "{shown}");
            let batches = collect(plan, ctx.task_ctx()).await.unwrap();
            let found = batches
                .iter()
                .flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec());
            assert!(found.eq(0..20_000), "{partitions} partitions, stealing {steals}");
            assert_eq!(rows(&ctx, "SELECT n FROM t ORDER BY n LIMIT 3").await, ["0", "1", "2"]);
            assert_eq!(
                rows(&ctx, "SELECT n FROM t WHERE n % 7000 = 6999 ORDER BY n").await,
                ["6999", "13999"]
            );
        }
    }
}

#[tokio::test]
async fn several_files_in_one_partition_cut_anywhere() {
    let first = numbered(100);
    let last = numbered(3);
    let texts = [("a.csv", first.trim_end()), ("b.csv", "n,text"), ("c.csv", "n,text\n"), ("d.csv", &last)];
    let files: Vec<(&str, &[u8])> = texts.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let table = Table::of_files(&files, CsvFormatOptions::new(), 2, "SELECT * FROM t").await;
    let mut listed: Vec<_> =
        table.config.file_groups.iter().flat_map(|group| group.iter().cloned()).collect();
    listed.sort_by_key(|file| file.object_meta.location.to_string());
    let whole = Whole::read(&Dialect::default(), first.as_bytes());
    for at in 0..=first.len() as i64 {
        let (a, d) = (&listed[0], &listed[3]);
        let size = d.object_meta.size as i64;
        let groups = vec![
            vec![d.clone().with_range(7, 9), listed[1].clone(), a.clone().with_range(0, at)],
            vec![
                a.clone().with_range(at, first.len() as i64),
                listed[2].clone(),
                d.clone().with_range(9, size),
            ],
        ];
        let found = table.run(&table.scan_of_groups(groups)).await.unwrap();
        let halves = expected(&whole, true, 2, &[0, at, first.len() as i64]);
        assert_eq!(found[0], [vec!["0|plain".to_owned()], halves[0].clone()].concat(), "{at}");
        let rest = ["1|two\nlines", "2|NULL"].map(str::to_owned).to_vec();
        assert_eq!(found[1], [halves[1].clone(), rest].concat(), "{at}");
    }
}

#[tokio::test]
async fn an_empty_file_has_no_rows_in_any_range() {
    let table = Table::new(b"a,b\n1,2\n", CsvFormatOptions::new(), 2, "SELECT * FROM t").await;
    let mut file = table.file().clone();
    file.object_meta.size = 0;
    file.object_meta.location = "empty.csv".into();
    let store = table.ctx.runtime_env().object_store(&table.config.object_store_url).unwrap();
    object_store::ObjectStoreExt::put(store.as_ref(), &file.object_meta.location, Vec::new().into())
        .await
        .unwrap();
    let cut = |start, end| file.clone().with_range(start, end);
    for pieces in [vec![file.clone()], vec![cut(0, 0)], vec![cut(0, 5), cut(5, 9)]] {
        let found = table.run(&table.scan_of_groups(vec![pieces])).await.unwrap();
        assert_eq!(found, [[] as [&str; 0]]);
    }
}

/// All records of a compressed file belong to the range at 0, whichever engine cuts it.
#[tokio::test]
async fn ranges_of_a_compressed_file() {
    let text = numbered(20_000);
    let packed = gzip(text.as_bytes()).await;
    let whole = Whole::read(&Dialect::default(), text.as_bytes());
    let all = expected(&whole, true, 2, &[0, 1 << 30]).concat();
    let table =
        Table::of_files(&[("t.csv.gz", &packed)], CsvFormatOptions::new(), 2, "SELECT * FROM t").await;
    let size = table.size();
    let found = table.read(&[0, 1, 100, size / 2, size]).await.unwrap();
    assert_eq!(found[0], all);
    assert!(found[1..].iter().all(Vec::is_empty));
    assert!(table.run(&table.scan(std::slice::from_ref(&(10..size)))).await.unwrap()[0].is_empty());

    let files = folder(&[("t.csv.gz", &packed)]);
    let ctx = session(4, true);
    ctx.register_csv_file("t", &path(&files, "t.csv.gz")).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT count(*), sum(n) FROM t").await, ["20000|199990000"]);
}

/// SQL gives the same rows on any number of partitions, with any limit.
#[tokio::test]
async fn sql_gives_the_same_on_any_number_of_partitions() {
    let text = numbered(20_000);
    let files = folder(&[("t.csv", text.as_bytes())]);
    let queries = [
        "SELECT count(*) FROM t",
        "SELECT n, text FROM t WHERE n % 1000 = 3 ORDER BY n",
        "SELECT text, count(*), min(n), max(n) FROM t GROUP BY text ORDER BY 1",
        "SELECT n FROM t ORDER BY n DESC LIMIT 3",
        "SELECT count(*) FROM (SELECT n FROM t LIMIT 777)",
        "SELECT count(*) FROM t a JOIN t b ON a.n = b.n + 5",
    ];
    let answers = async |ctx: &SessionContext| {
        let mut found = Vec::new();
        for sql in queries {
            found.push(rows_as_text(&query(ctx, sql).await.unwrap()));
        }
        found
    };
    let mut all = Vec::new();
    for (partitions, split) in
        [(1, "auto"), (2, "auto"), (7, "auto"), (16, "auto"), (16, "exact"), (16, "none")]
    {
        let ctx = session(partitions, true);
        let file = path(&files, "t.csv");
        let sql = format!(
            "CREATE EXTERNAL TABLE t (n BIGINT, text VARCHAR) STORED AS CSV LOCATION '{file}' OPTIONS ('split' '{split}')"
        );
        rows(&ctx, &sql).await;
        let plan = ctx.sql("SELECT n FROM t").await.unwrap().create_physical_plan().await.unwrap();
        let ranges = if split == "none" { 1 } else { partitions };
        assert_eq!(scan_of(&plan).file_groups.iter().map(|group| group.len()).sum::<usize>(), ranges);
        all.push(answers(&ctx).await);
    }
    assert_eq!(all[0][0], ["20000"]);
    for found in &all {
        assert_eq!(found, &all[0]);
    }
}

/// A file without a size can't be cut: all of it is in the range at 0. For other ranges it is not
/// even opened.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_fifo_is_left_whole() {
    let text = numbered(20_000);
    let (table, expected) = fixture(&[0, 1 << 30]).await;
    let files = folder(&[]);
    let fifo = path(&files, "t.csv");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut file = table.file().clone();
    file.object_meta.location = object_store::path::Path::from_absolute_path(&fifo).unwrap();
    file.object_meta.size = 0;
    let mut config = FileScanConfigBuilder::from(table.config.clone())
        .with_file_groups(
            [0..10, 10..20]
                .map(|range| FileGroup::new(vec![file.clone().with_range(range.start, range.end)]))
                .into(),
        )
        .with_preserve_order(true)
        .build();
    config.object_store_url = ObjectStoreUrl::local_filesystem();
    let plan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
    let writer = std::thread::spawn(move || std::fs::write(fifo, text).unwrap());
    let found = tokio::time::timeout(Duration::from_secs(20), table.run(&plan)).await;
    let found = found.expect("the FIFO is read once").unwrap();
    assert_eq!(found[0], expected[0]);
    assert!(found[1].is_empty());
    writer.join().unwrap();
}

/// Without a limit, a range is read to its end even if none of its rows is wanted.
#[tokio::test]
async fn without_work_sharing_each_range_counts_its_own_start() {
    let (table, expected) = fixture(&CUTS).await;
    let config =
        FileScanConfigBuilder::from(scan_of(&table.scan(&ranges(&CUTS)))).with_preserve_order(false).build();
    let plan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
    let found = collect(Arc::clone(&plan), table.ctx.task_ctx()).await.unwrap();
    let mut found = rows_as_text(&found);
    let mut all = expected.concat();
    found.sort();
    all.sort();
    assert_eq!(found, all);
    assert_eq!(STARTS.map(|name| metric(&plan, name)).iter().sum::<usize>(), CUTS.len() - 2);
}

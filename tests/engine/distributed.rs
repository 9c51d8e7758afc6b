//! Engines that cut files at bytes of their own choice read every record once.

use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::CsvSessionExt;

use crate::rng::{Rng, seeds};
use crate::support::{cells, folder, path};

/// The scan of one column of a file, and the file.
async fn scan(ctx: &SessionContext, path: &str) -> (FileScanConfig, PartitionedFile) {
    ctx.register_csv_file("t", path).await.unwrap();
    let plan = ctx.sql("SELECT a FROM t").await.unwrap().create_physical_plan().await.unwrap();
    let scan = plan.downcast_ref::<DataSourceExec>().unwrap();
    let config = scan.data_source().downcast_ref::<FileScanConfig>().unwrap().clone();
    let file = config.file_groups[0].files()[0].clone();
    (config, file)
}

#[tokio::test]
async fn each_record_is_in_one_range() {
    let files = folder(&[("t.csv", b"a,b\n1,\"x\n2,y\n\"\n3,z\n")]);
    let ctx = SessionContext::new();
    let (config, file) = scan(&ctx, &path(&files, "t.csv")).await;
    let size = file.object_meta.size as i64;
    for cuts in [vec![0, size], vec![0, 5, size], (0..=size).collect()] {
        let pieces = cuts.windows(2).map(|cut| FileGroup::new(vec![piece(&file, cut[0], cut[1])])).collect();
        let config = FileScanConfigBuilder::from(config.clone()).with_file_groups(pieces).build();
        let plan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
        let mut found = cells(&collect(plan, ctx.task_ctx()).await.unwrap());
        found.sort();
        assert_eq!(found, ["1", "3"], "{cuts:?}");
    }
}

/// The tasks of a distributed engine: each has some of the plan's ranges, cut further, in a process
/// of its own.
#[tokio::test]
async fn tasks_that_cut_ranges_further_have_every_record_once() {
    let row = |row: usize| match row % 3 {
        0 => format!("{row},\"two\nlines, {row}\"\n"),
        1 => format!("{row},\"\n1,2\n3,4\n\"\n"),
        _ => format!("{row},text\n"),
    };
    let text = format!("a,b\n{}", (0..20_000).map(row).collect::<String>());
    let files = folder(&[("t.csv", text.as_bytes())]);
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(4));
    let (config, file) = scan(&ctx, &path(&files, "t.csv")).await;
    let size = file.object_meta.size as i64;
    for seed in seeds(20) {
        let rng = &mut Rng::new(seed);
        let pieces = 1 + rng.below(24);
        let mut cuts: Vec<i64> =
            (0..pieces).map(|_| rng.below(size as usize) as i64).chain([0, size]).collect();
        cuts.sort_unstable();
        let mut found: Vec<i64> = Vec::new();
        let mut ranges: Vec<_> = cuts.windows(2).map(|cut| piece(&file, cut[0], cut[1])).collect();
        while !ranges.is_empty() {
            // Some tasks have several ranges, and some of their groups are empty.
            let task = ranges.split_off(ranges.len() - (1 + rng.below(3)).min(ranges.len()));
            let mut groups = vec![FileGroup::default(); 1 + rng.below(3)];
            for range in task {
                let group = rng.below(groups.len());
                groups[group].push(range);
            }
            let config = FileScanConfigBuilder::from(config.clone()).with_file_groups(groups).build();
            let plan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
            let process = SessionContext::new();
            for batch in collect(plan, process.task_ctx()).await.unwrap() {
                found.extend(batch.column(0).as_primitive::<Int64Type>().values());
            }
        }
        found.sort_unstable();
        assert!(found.into_iter().eq(0..20_000), "seed {seed}: {cuts:?}");
    }
}

fn piece(file: &PartitionedFile, start: i64, end: i64) -> PartitionedFile {
    file.clone().with_range(start, end)
}

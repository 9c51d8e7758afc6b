//! Engines that cut files by bytes on their own: every record once, whatever they cut.

use std::sync::Arc;

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionContext;
use datafusion_csv_stream::CsvSessionExt;

use crate::support::{cells, folder, path};

#[tokio::test]
async fn each_record_is_in_one_range() {
    let files = folder(&[("t.csv", b"a,b\n1,\"x\n2,y\n\"\n3,z\n")]);
    let ctx = SessionContext::new();
    ctx.register_csv_file("t", &path(&files, "t.csv")).await.unwrap();
    let plan = ctx.sql("SELECT a FROM t").await.unwrap().create_physical_plan().await.unwrap();
    let scan = plan.downcast_ref::<DataSourceExec>().unwrap();
    let config = scan.data_source().downcast_ref::<FileScanConfig>().unwrap();
    let file = config.file_groups[0].files()[0].clone();
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

fn piece(file: &PartitionedFile, start: i64, end: i64) -> PartitionedFile {
    file.clone().with_range(start, end)
}

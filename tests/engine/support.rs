//! Helpers of the tests: sessions, files, and answers as text.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::TryStreamExt;
use tempfile::TempDir;

/// A session in which this crate is the CSV engine.
pub(crate) fn session() -> SessionContext {
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(4));
    datafusion_csv_stream::install(&ctx).unwrap();
    datafusion_csv_stream::install_url_tables(&ctx);
    ctx
}

/// A folder with these files; their folders are created too.
pub(crate) fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

pub(crate) fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

pub(crate) async fn query(ctx: &SessionContext, sql: &str) -> Result<Vec<RecordBatch>> {
    ctx.sql(sql).await?.collect().await
}

/// A query's rows. Cells are separated by `|`, and NULL is empty.
pub(crate) async fn rows(ctx: &SessionContext, sql: &str) -> Vec<String> {
    let batches = query(ctx, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    cells(&batches)
}

pub(crate) fn cells(batches: &[RecordBatch]) -> Vec<String> {
    let table = pretty_format_batches(batches).unwrap().to_string();
    table
        .lines()
        .skip(3)
        .filter(|line| !line.starts_with('+'))
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            cells.join("|")
        })
        .collect()
}

/// Rows as text. Rows without columns are empty strings.
pub(crate) fn rows_as_text(batches: &[RecordBatch]) -> Vec<String> {
    let mut found = Vec::new();
    for batch in batches {
        let options = FormatOptions::default().with_null("NULL");
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<_> = columns.iter().map(|column| column.value(row).to_string()).collect();
            found.push(cells.join("|"));
        }
    }
    found
}

/// A query's error, in planning or in execution.
pub(crate) async fn error(ctx: &SessionContext, sql: &str) -> DataFusionError {
    match query(ctx, sql).await {
        Ok(batches) => panic!("{sql}: {}", pretty_format_batches(&batches).unwrap()),
        Err(error) => error,
    }
}

/// A file of this repository.
pub(crate) fn testdata(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name).to_str().unwrap().to_owned()
}

/// The plan of a query after it has run.
pub(crate) async fn run(ctx: &SessionContext, sql: &str) -> Arc<dyn ExecutionPlan> {
    let plan = ctx.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
    collect(Arc::clone(&plan), ctx.task_ctx()).await.unwrap();
    plan
}

/// The rows of each partition of a plan, one partition after the other.
pub(crate) async fn rows_in_turn(
    ctx: &SessionContext,
    plan: &Arc<dyn ExecutionPlan>,
) -> Result<Vec<Vec<String>>> {
    let mut found = Vec::new();
    for partition in 0..plan.properties().partitioning.partition_count() {
        let stream = plan.execute(partition, ctx.task_ctx())?;
        found.push(rows_as_text(&stream.try_collect::<Vec<_>>().await?));
    }
    Ok(found)
}

/// The sum of a metric over a whole plan.
pub(crate) fn metric(plan: &Arc<dyn ExecutionPlan>, name: &str) -> usize {
    let own = plan.metrics().and_then(|metrics| metrics.sum_by_name(name));
    own.map_or(0, |value| value.as_usize())
        + plan.children().into_iter().map(|child| metric(child, name)).sum::<usize>()
}

pub(crate) async fn gzip(bytes: &[u8]) -> Vec<u8> {
    use tokio::io::AsyncReadExt;

    let mut packed = Vec::new();
    async_compression::tokio::bufread::GzipEncoder::new(bytes).read_to_end(&mut packed).await.unwrap();
    packed
}

/// Pseudo-random numbers (xorshift64*), the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }
}

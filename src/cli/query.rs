//! `csv-stream query`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use datafusion::common::TableReference;
use datafusion::error::Result;
use datafusion::execution::context::SessionContext;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionConfig;
use datafusion_csv_stream::{
    CsvFormatOptions, CsvReaderTable, UrlTableOptions, install_url_tables_with_options, install_with_options,
};
use futures::StreamExt;
use tokio::io::BufReader;
use tokio_util::io::InspectReader;

use super::args::QueryArgs;
use super::output::Output;
use super::progress::Progress;
use super::select::data_frame;
use super::stats;
use super::stores::EnvironmentStores;

/// The table name that stands for stdin in a query.
pub(super) const STDIN: &str = "-";

pub(super) async fn run(args: &QueryArgs, threads: usize) -> Result<()> {
    let started = Instant::now();
    let options = args.csv_options()?;
    // Round-robin repartitioning would coalesce the scan's batches to the full number of rows, even
    // if the rows are wide: 80 MB a partition for fields of 10 KB.
    let mut config = SessionConfig::new()
        .with_target_partitions(threads)
        .with_round_robin_repartition(false)
        .with_information_schema(true);
    if let Some(rows) = args.batch_size {
        config = config.with_batch_size(rows as usize);
    }
    let ctx = SessionContext::new_with_config_rt(config, EnvironmentStores::runtime_env()?);
    install_with_options(&ctx, options.clone())?;
    install_url_tables_with_options(&ctx, UrlTableOptions::new().with_any_extension(true));
    let stdin_bytes = Arc::new(AtomicUsize::new(0));
    if mentions_stdin(&ctx, &args.sql)? {
        let table = stdin_table(&options, Arc::clone(&stdin_bytes)).await?;
        ctx.register_table(TableReference::bare(STDIN), Arc::new(table))?;
    }

    let frame = data_frame(&ctx, &args.sql).await?;
    let task = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await?;
    let mut output = Output::create(args.format, args.output.as_deref(), plan.schema())?;
    let mut progress = Progress::start(&plan);
    let mut batches = execute_stream(Arc::clone(&plan), task)?;
    let mut rows = 0;
    while let Some(batch) = progress.wait(batches.next()).await {
        let batch = batch?;
        rows += batch.num_rows();
        output.write(&batch)?;
    }
    drop(progress);
    output.finish()?;
    if args.stats {
        let bytes = bytes_scanned(&plan) + stdin_bytes.load(Relaxed);
        stats::print(rows, bytes, started.elapsed())?;
    }
    Ok(())
}

/// A table over stdin, which counts the bytes that it reads.
pub(super) async fn stdin_table(
    options: &CsvFormatOptions,
    bytes: Arc<AtomicUsize>,
) -> Result<CsvReaderTable> {
    let stdin = InspectReader::new(tokio::io::stdin(), move |read: &[u8]| {
        bytes.fetch_add(read.len(), Relaxed);
    });
    CsvReaderTable::try_new("stdin", BufReader::with_capacity(256 << 10, stdin), options).await
}

fn mentions_stdin(ctx: &SessionContext, sql: &str) -> Result<bool> {
    let state = ctx.state();
    let dialect = state.config_options().sql_parser.dialect;
    let statement = state.sql_to_statement(sql, &dialect)?;
    let tables = state.resolve_table_references(&statement)?;
    Ok(tables.iter().any(|table| table.table() == STDIN))
}

/// The number of bytes that the scans of a plan have read so far.
pub(super) fn bytes_scanned(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let own = plan.metrics().and_then(|metrics| metrics.sum_by_name("bytes_scanned"));
    let children = plan.children().into_iter().map(bytes_scanned).sum::<usize>();
    own.map_or(0, |bytes| bytes.as_usize()) + children
}

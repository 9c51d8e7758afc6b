//! The front door: [`CsvSessionExt`] registers files, [`install`] makes this engine a session's CSV engine.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::listing::ListingTable;
use datafusion::datasource::provider::DefaultTableFactory;
use datafusion::error::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SessionContext;

use super::factory::CsvStreamFormatFactory;
use super::files::CsvFiles;
use super::options::CsvFormatOptions;
use super::pushdown::{filter_pushdown_rules, is_guarded};
use super::session_options::CsvStreamSessionOptions;
use super::url_tables::CsvUrlTables;

/// CSV files as tables of a session, read by this crate's engine.
///
/// A path is a file, a folder, a glob (`part_*.csv`), or a URL whose object store the session knows. Of a folder it
/// takes the files that end in `.csv` or `.tsv`, compressed ones too, and the partition columns that its subfolders
/// name (`year=2024/`).
///
/// ```
/// use datafusion::prelude::SessionContext;
/// use datafusion_csv_stream::{CsvFormatOptions, CsvSessionExt};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let ctx = SessionContext::new();
/// ctx.register_csv_file("orders", "testdata/small/orders.csv").await?;
/// let options = CsvFormatOptions::new().with_batch_size(16384);
/// ctx.register_csv_file_with_options("all", "testdata/small/ord*.csv", options).await?;
/// let rows = ctx.sql("SELECT * FROM orders WHERE amount > 100").await?.count().await?;
/// assert!(rows > 0);
/// # Ok::<(), datafusion::error::DataFusionError>(()) }).unwrap();
/// ```
#[async_trait]
pub trait CsvSessionExt {
    /// Registers a table over CSV files, with default options. The name is read as SQL reads it, as `register_csv` does:
    /// `Data` is `data`, and `s.t` is the table `t` of the schema `s`.
    ///
    /// # Errors
    ///
    /// When no file is there, its schema can't be inferred, or the name is taken.
    async fn register_csv_file(&self, name: &str, path: &str) -> Result<()>;

    /// Registers a table over CSV files.
    ///
    /// # Errors
    ///
    /// As [`register_csv_file`](Self::register_csv_file), and when the options contradict each other.
    async fn register_csv_file_with_options(
        &self,
        name: &str,
        path: &str,
        options: CsvFormatOptions,
    ) -> Result<()>;

    /// CSV files as a data frame.
    ///
    /// # Errors
    ///
    /// As [`register_csv_file_with_options`](Self::register_csv_file_with_options).
    async fn read_csv_file(&self, path: &str, options: CsvFormatOptions) -> Result<DataFrame>;
}

#[async_trait]
impl CsvSessionExt for SessionContext {
    async fn register_csv_file(&self, name: &str, path: &str) -> Result<()> {
        self.register_csv_file_with_options(name, path, CsvFormatOptions::new()).await
    }

    async fn register_csv_file_with_options(
        &self,
        name: &str,
        path: &str,
        options: CsvFormatOptions,
    ) -> Result<()> {
        self.register_table(name, table(self, path, options).await?)?;
        Ok(())
    }

    async fn read_csv_file(&self, path: &str, options: CsvFormatOptions) -> Result<DataFrame> {
        self.read_table(table(self, path, options).await?)
    }
}

async fn table(ctx: &SessionContext, path: &str, options: CsvFormatOptions) -> Result<Arc<ListingTable>> {
    CsvStreamSessionOptions::add_to(ctx);
    guard(ctx);
    let state = ctx.state();
    CsvFiles::find(&state, path).await?.into_table(&state, options).await
}

/// Makes this engine read and write the session's CSV: `CREATE EXTERNAL TABLE … STORED AS CSV` (and `TSV`), `COPY`,
/// and tables named by path, `SELECT * FROM 'part_*.csv'`, hive-style partitions included.
///
/// What DataFusion ties to its own CSV reader stays with it: `SessionContext::read_csv` and `register_csv`.
///
/// # Errors
///
/// When the session refuses the format, which it doesn't.
pub fn install(ctx: &SessionContext) -> Result<()> {
    install_factories(ctx, None)
}

/// As [`install`], with other defaults for all options.
///
/// # Errors
///
/// When the options contradict each other.
pub fn install_with_options(ctx: &SessionContext, options: CsvFormatOptions) -> Result<()> {
    options.resolve()?;
    install_factories(ctx, Some(options))
}

fn install_factories(ctx: &SessionContext, options: Option<CsvFormatOptions>) -> Result<()> {
    CsvStreamSessionOptions::add_to(ctx);
    guard(ctx);
    {
        let state = ctx.state_ref();
        let mut state = state.write();
        for factory in [CsvStreamFormatFactory::csv(), CsvStreamFormatFactory::tsv()] {
            let factory = match &options {
                Some(options) => factory.with_options(options.clone()),
                None => factory,
            };
            state.register_file_format(Arc::new(factory), true)?;
        }
        for keyword in ["CSV", "TSV"] {
            let factories = state.table_factories_mut();
            factories.entry(keyword.to_owned()).or_insert_with(|| Arc::new(DefaultTableFactory::new()));
        }
    }
    CsvUrlTables::install(ctx, options);
    Ok(())
}

/// Makes the session's filter pushdown one that can be relied on, unless it is.
fn guard(ctx: &SessionContext) {
    let state = ctx.state_ref();
    let mut state = state.write();
    if is_guarded(state.physical_optimizers()) {
        return;
    }
    let rules = filter_pushdown_rules(state.physical_optimizers());
    let creates_catalog = state.config().options().catalog.create_default_catalog_and_schema;
    let mut guarded = SessionStateBuilder::new_from_existing(state.clone())
        .with_session_id(state.session_id().to_owned())
        .with_physical_optimizer_rules(rules)
        .build();
    // The builder turns this off where the catalog is there already.
    guarded.config_mut().options_mut().catalog.create_default_catalog_and_schema = creates_catalog;
    *state = guarded;
}

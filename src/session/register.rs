//! [`CsvSessionExt`]: CSV files as tables of a session.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::listing::ListingTable;
use datafusion::error::Result;
use datafusion::execution::context::SessionContext;

use super::files::CsvFiles;
use super::prepare::prepare;
use crate::datasource::CsvFormatOptions;

/// CSV files as tables of a session, read by this crate's engine.
///
/// A path is a file, a folder, a glob (`part_*.csv`), or a URL whose object store the session
/// knows. A folder stands for its files that end in `.csv` or `.tsv`, compressed ones too, and for
/// the partition columns that its subfolders name (`year=2024/`).
///
/// ```
/// use datafusion::prelude::SessionContext;
/// use datafusion_csv_stream::{CsvFormatOptions, CsvSessionExt};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let ctx = SessionContext::new();
/// ctx.register_csv_file("orders", "testdata/small/orders.csv").await?;
/// let options = CsvFormatOptions::new().with_memory_limit(64 << 20);
/// ctx.register_csv_file_with_options("all", "testdata/small/ord*.csv", options).await?;
/// let rows = ctx.sql("SELECT * FROM orders WHERE amount > 100").await?.count().await?;
/// assert!(rows > 0);
/// # Ok::<(), datafusion::error::DataFusionError>(()) }).unwrap();
/// ```
///
/// The trait is sealed: only [`SessionContext`] has these methods.
#[async_trait]
pub trait CsvSessionExt: sealed::Sealed {
    /// Registers a table over CSV files, with default options.
    ///
    /// The name is parsed as in SQL and in `register_csv`: `Data` is `data`, and `s.t` is the table
    /// `t` of the schema `s`.
    ///
    /// # Errors
    ///
    /// If the path has no file, its schema can't be inferred, or the name is taken.
    async fn register_csv_file(&self, name: &str, path: &str) -> Result<()>;

    /// Registers a table over CSV files.
    ///
    /// # Errors
    ///
    /// As [`register_csv_file`](Self::register_csv_file), and if the options contradict each other.
    async fn register_csv_file_with_options(
        &self,
        name: &str,
        path: &str,
        options: CsvFormatOptions,
    ) -> Result<()>;

    /// A data frame over CSV files.
    ///
    /// # Errors
    ///
    /// As [`register_csv_file_with_options`](Self::register_csv_file_with_options), except for the
    /// name.
    async fn read_csv_file(&self, path: &str, options: CsvFormatOptions) -> Result<DataFrame>;
}

mod sealed {
    use datafusion::execution::context::SessionContext;

    /// Nothing outside this crate can name it, so that methods can be added later.
    pub trait Sealed {}

    impl Sealed for SessionContext {}
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
    prepare(ctx);
    let state = ctx.state();
    CsvFiles::find(&state, path).await?.into_table(&state, options).await
}

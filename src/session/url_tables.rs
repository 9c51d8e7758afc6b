//! [`install_url_tables`]: tables that a query names by path. This crate reads the CSV files,
//! DataFusion the others.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, DynamicFileCatalog, TableProvider, UrlTableFactory,
};
use datafusion::datasource::dynamic_file::DynamicListTableFactory;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::execution::context::SessionContext;

use super::files::{CsvFiles, csv_ending};
use super::prepare::prepare;
use crate::datasource::{CsvFormatOptions, CsvStreamFormatFactory};

/// Lets queries name files: `SELECT * FROM 'part_*.csv'`, hive-style partitions included.
///
/// **This opens the file system to SQL.** Anyone who can send SQL to the session can read every
/// file that the process can read, if its name is that of a CSV file or of another format of the
/// session. DataFusion's `SessionContext::enable_url_table` carries the same warning. It is not
/// needed in addition: files of other formats are read as it would read them.
///
/// The options are those of [`install_with_options`](crate::install_with_options) if it was called,
/// else the session's. A second call changes nothing.
pub fn install_url_tables(ctx: &SessionContext) {
    install_url_tables_with_options(ctx, UrlTableOptions::new());
}

/// As [`install_url_tables`], with options. The last call's options apply.
pub fn install_url_tables_with_options(ctx: &SessionContext, options: UrlTableOptions) {
    prepare(ctx);
    let others = DynamicListTableFactory::default();
    others.session_store().with_state(ctx.state_weak_ref());
    let tables = Arc::new(CsvUrlTables { others, options });
    let installed = Arc::clone(ctx.state().catalog_list());
    let inner = match installed.downcast_ref::<CsvCatalogs>() {
        Some(before) => Arc::clone(&before.inner),
        None => installed,
    };
    let with_files = DynamicFileCatalog::new(Arc::clone(&inner), tables);
    ctx.register_catalog_list(Arc::new(CsvCatalogs { inner, with_files }));
}

/// The files that [`install_url_tables_with_options`] makes tables.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct UrlTableOptions {
    any_extension: bool,
}

impl UrlTableOptions {
    /// Files that are CSV by their names, and files of the session's other formats.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a file is read as CSV if its name tells no format that the session has:
    /// `lineitem.tbl`, and `/etc/passwd` too. Default: false.
    #[must_use]
    pub fn with_any_extension(mut self, any_extension: bool) -> Self {
        self.any_extension = any_extension;
        self
    }
}

/// A session's catalogs, with files as further tables and without them.
#[derive(Debug)]
struct CsvCatalogs {
    inner: Arc<dyn CatalogProviderList>,
    with_files: DynamicFileCatalog,
}

impl CatalogProviderList for CsvCatalogs {
    fn register_catalog(
        &self,
        name: String,
        catalog: Arc<dyn CatalogProvider>,
    ) -> Option<Arc<dyn CatalogProvider>> {
        self.inner.register_catalog(name, catalog)
    }

    fn catalog_names(&self) -> Vec<String> {
        self.inner.catalog_names()
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        self.with_files.catalog(name)
    }
}

/// Finds tables by path.
#[derive(Debug)]
struct CsvUrlTables {
    others: DynamicListTableFactory,
    options: UrlTableOptions,
}

impl CsvUrlTables {
    fn state(&self) -> Result<SessionState> {
        self.others
            .session_store()
            .get_session()
            .upgrade()
            .and_then(|session| session.read().as_any().downcast_ref::<SessionState>().cloned())
            .ok_or_else(|| DataFusionError::Plan("the session is gone".to_owned()))
    }

    /// The options with which the session reads CSV files.
    fn csv_options(&self, state: &SessionState) -> CsvFormatOptions {
        let factory = state.get_file_format_factory("csv");
        let installed = factory.as_ref().and_then(|factory| {
            let factory: &dyn std::any::Any = factory.as_ref();
            factory.downcast_ref::<CsvStreamFormatFactory>()?.options().cloned()
        });
        installed.unwrap_or_else(|| CsvFormatOptions::from_datafusion(&state.default_table_options().csv))
    }
}

#[async_trait]
impl UrlTableFactory for CsvUrlTables {
    async fn try_new(&self, path: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        // A name without any of these characters is left to DataFusion, as an unknown table's. A
        // folder may have the same name by chance.
        if !path.contains(['/', '\\', '.', '*']) {
            return self.others.try_new(path).await;
        }
        let state = self.state()?;
        let files = CsvFiles::find(&state, path).await;
        let is_csv = csv_ending(path).is_some() || files.as_ref().is_ok_and(CsvFiles::are_all_csv);
        if !is_csv {
            let other = self.others.try_new(path).await?;
            if other.is_some() || !self.options.any_extension || !Path::new(path).is_file() {
                return Ok(other);
            }
        }
        Ok(Some(files?.into_table(&state, self.csv_options(&state)).await?))
    }
}

//! Tables that a query names by path: CSV files here, others where DataFusion does.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{DynamicFileCatalog, TableProvider, UrlTableFactory};
use datafusion::datasource::dynamic_file::DynamicListTableFactory;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::execution::context::SessionContext;

use super::files::{CsvFiles, csv_ending};
use super::options::CsvFormatOptions;

/// Finds tables by path.
#[derive(Debug)]
pub(super) struct CsvUrlTables {
    others: DynamicListTableFactory,
    /// `None` starts from the session's CSV options.
    options: Option<CsvFormatOptions>,
}

impl CsvUrlTables {
    pub(super) fn install(ctx: &SessionContext, options: Option<CsvFormatOptions>) {
        let others = DynamicListTableFactory::default();
        others.session_store().with_state(ctx.state_weak_ref());
        let tables = Arc::new(CsvUrlTables { others, options });
        let catalogs = Arc::clone(ctx.state().catalog_list());
        ctx.register_catalog_list(Arc::new(DynamicFileCatalog::new(catalogs, tables)));
    }

    fn state(&self) -> Result<SessionState> {
        self.others
            .session_store()
            .get_session()
            .upgrade()
            .and_then(|session| session.read().as_any().downcast_ref::<SessionState>().cloned())
            .ok_or_else(|| DataFusionError::Plan("the session is gone".to_owned()))
    }

    fn options(&self, state: &SessionState) -> CsvFormatOptions {
        match &self.options {
            Some(options) => options.clone(),
            None => CsvFormatOptions::from_datafusion(&state.default_table_options().csv),
        }
    }
}

#[async_trait]
impl UrlTableFactory for CsvUrlTables {
    async fn try_new(&self, path: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        // Without one of these a name that no table has is just that, though a folder may be called the same.
        if !path.contains(['/', '\\', '.', '*']) {
            return self.others.try_new(path).await;
        }
        let state = self.state()?;
        let files = CsvFiles::find(&state, path).await;
        let is_csv = csv_ending(path).is_some() || files.as_ref().is_ok_and(CsvFiles::are_all_csv);
        if !is_csv {
            // What DataFusion has no format for is read as CSV, if it is a file: `lineitem.tbl`.
            let other = self.others.try_new(path).await?;
            if other.is_some() || !Path::new(path).is_file() {
                return Ok(other);
            }
        }
        Ok(Some(files?.into_table(&state, self.options(&state)).await?))
    }
}

//! Tables from paths: a file, a folder, a glob or a URL → a `ListingTable`, also where a query names the path itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{DynamicFileCatalog, TableProvider, UrlTableFactory};
use datafusion::datasource::dynamic_file::DynamicListTableFactory;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::execution::context::SessionContext;
use futures::TryStreamExt;

use super::format::CsvStreamFormat;
use super::options::CsvFormatOptions;
use crate::input::Compression;

/// The endings of CSV files, before that of their compression.
const EXTENSIONS: [&str; 2] = [".csv", ".tsv"];

/// A table over the CSV files of a path.
pub(super) async fn table(
    state: &SessionState,
    path: &str,
    options: CsvFormatOptions,
) -> Result<Arc<ListingTable>> {
    let urls = urls(state, path).await?;
    let options = ListingOptions::new(Arc::new(CsvStreamFormat::try_new(options)?)).with_file_extension("");
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .infer_partitions_from_path(state)
        .await?
        .infer_schema(state)
        .await?;
    Ok(Arc::new(ListingTable::try_new(config)?))
}

/// What is to be listed for a path: itself, or for a folder one glob for each ending that its files have.
async fn urls(state: &SessionState, path: &str) -> Result<Vec<ListingTableUrl>> {
    let url = parse(path)?;
    let store = state.runtime_env().object_store(&url)?;
    let mut files = url.list_all_files(state, store.as_ref(), "").await?;
    let mut endings = BTreeSet::new();
    let mut any = false;
    let is_folder = url.is_collection() && url.get_glob().is_none();
    while let Some(file) = files.try_next().await? {
        any = true;
        if !is_folder {
            break;
        }
        endings.extend(csv_ending(file.location.as_ref()).map(str::to_owned));
    }
    drop(files);
    if !any {
        return Err(DataFusionError::Plan(format!("no file matches '{path}'")));
    }
    if !is_folder {
        return Ok(vec![url]);
    }
    if endings.is_empty() {
        return Err(DataFusionError::Plan(format!(
            "no file in '{path}' ends in {}, compressed or not; a glob, '{}/*', takes files of any name",
            EXTENSIONS.join(" or "),
            path.trim_end_matches('/'),
        )));
    }
    endings.iter().map(|ending| with_glob(&url, &format!("*{ending}"))).collect()
}

/// A path as DataFusion parses it, and globs in URLs too.
fn parse(path: &str) -> Result<ListingTableUrl> {
    let glob = path.contains("://").then(|| path.find(['*', '['])).flatten();
    match glob.and_then(|at| path[..at].rfind('/')) {
        Some(slash) => with_glob(&ListingTableUrl::parse(&path[..=slash])?, &path[slash + 1..]),
        None => ListingTableUrl::parse(path),
    }
}

fn with_glob(folder: &ListingTableUrl, glob: &str) -> Result<ListingTableUrl> {
    let pattern = glob::Pattern::new(glob)
        .map_err(|error| DataFusionError::Plan(format!("'{glob}' is not a glob: {error}")))?;
    ListingTableUrl::try_new(AsRef::<url::Url>::as_ref(folder).clone(), Some(pattern))
}

/// The ending that makes a file a CSV file: `.csv`, `.tsv`, or one of them and a compression's.
fn csv_ending(path: &str) -> Option<&str> {
    let name = &path[path.rfind('/').map_or(0, |slash| slash + 1)..];
    let plain = match Compression::from_path(name) {
        None => name,
        Some(_) => &name[..name.rfind('.')?],
    };
    let extension = EXTENSIONS.iter().find(|extension| plain.to_ascii_lowercase().ends_with(*extension))?;
    Some(&name[plain.len() - extension.len()..])
}

/// Finds tables that a query names by path: CSV files here, others where DataFusion does.
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

    fn options_for(&self, state: &SessionState, path: &str) -> CsvFormatOptions {
        let options = match &self.options {
            Some(options) => options.clone(),
            None => CsvFormatOptions::from_datafusion(&state.default_table_options().csv),
        };
        // A `.tsv` without another word is tab-separated.
        match self.options.is_none() && csv_ending(path).is_some_and(|ending| ending.starts_with(".tsv")) {
            true => options.with_delimiter(b'\t'),
            false => options,
        }
    }
}

#[async_trait]
impl UrlTableFactory for CsvUrlTables {
    async fn try_new(&self, url: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let state = self.state()?;
        let is_csv = csv_ending(url).is_some() || (is_folder(url) && urls(&state, url).await.is_ok());
        if !is_csv {
            return self.others.try_new(url).await;
        }
        let options = self.options_for(&state, url);
        Ok(Some(table(&state, url, options).await?))
    }
}

/// Whether a path that a query names can be a folder: a local one that exists, or one that ends as folders do.
fn is_folder(path: &str) -> bool {
    path.ends_with('/') || std::path::Path::new(path).is_dir()
}

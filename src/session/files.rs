//! [`CsvFiles`]: makes a `ListingTable` of the CSV files of a path, which is a file, a folder, a
//! glob or a URL.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::datasource::physical_plan::wrap_partition_type_in_dict;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use futures::TryStreamExt;
use object_store::ObjectMeta;

use crate::datasource::{CsvFormatOptions, CsvStreamFormat};
use crate::input::Compression;

/// The extensions of CSV files, in lower case, without that of their compression.
const EXTENSIONS: [&str; 2] = [".csv", ".tsv"];

/// The files of a path, listed once to learn their kind.
#[derive(Debug)]
pub(super) struct CsvFiles {
    /// The URLs that are listed whenever the table is read.
    urls: Vec<ListingTableUrl>,
    /// The ending of all file names in a folder; empty if there is none in common.
    extension: String,
    files: Vec<ObjectMeta>,
}

impl CsvFiles {
    /// Lists a path. A folder stands for its CSV files, a glob for all files that it matches.
    pub(super) async fn find(state: &SessionState, path: &str) -> Result<Self> {
        let mut url = parse(path)?;
        let mut files = list(state, &url).await?;
        let only = |files: &[ObjectMeta]| files.len() == 1 && files[0].location == *url.prefix();
        if !url.is_collection() && url.get_glob().is_none() && !files.is_empty() && !only(&files) {
            // There is no such object, but there are objects below: the path is a folder of a store
            // without its slash.
            url = parse(&format!("{path}/"))?;
            files = list(state, &url).await?;
        }
        if files.is_empty() {
            let hint = match url.get_glob().as_ref().is_some_and(|glob| glob.as_str().contains('/')) {
                true => "; a glob can stand only in a file's name, not in a folder's",
                false => "",
            };
            return Err(DataFusionError::Plan(format!("no file matches '{path}'{hint}")));
        }
        if !url.is_collection() || url.get_glob().is_some() {
            return Ok(CsvFiles { urls: vec![url], extension: String::new(), files });
        }

        files.retain(|file| csv_ending(file.location.as_ref()).is_some());
        let endings = files.iter().filter_map(|file| csv_ending(file.location.as_ref()));
        let mut endings = endings.map(str::to_owned).collect::<BTreeSet<_>>().into_iter();
        match (endings.next(), endings.len()) {
            (None, _) => Err(DataFusionError::Plan(format!(
                "no file in '{path}' ends in {}, compressed or not; a glob, '{}/*', takes files of any name",
                EXTENSIONS.join(" or "),
                path.trim_end_matches('/'),
            ))),
            (Some(extension), 0) => Ok(CsvFiles { urls: vec![url], extension, files }),
            (Some(first), _) => {
                let globs = [first].into_iter().chain(endings).map(|ending| format!("*{ending}"));
                let urls = globs.map(|glob| with_glob(&url, &glob)).collect::<Result<Vec<_>>>()?;
                match files.iter().find(|file| !urls.iter().any(|url| url.contains(&file.location, true))) {
                    None => Ok(CsvFiles { urls, extension: String::new(), files }),
                    Some(file) => Err(DataFusionError::Plan(format!(
                        "'{}' can't be read together with files of other endings: name the endings by globs, one \
                         table each",
                        file.location
                    ))),
                }
            }
        }
    }

    /// Whether all files are CSV files by their names.
    pub(super) fn are_all_csv(&self) -> bool {
        self.files.iter().all(|file| csv_ending(file.location.as_ref()).is_some())
    }

    /// A table over the files. Its schema is inferred from a sample of them; its partition columns
    /// come from their folders.
    pub(super) async fn into_table(
        self,
        state: &SessionState,
        options: CsvFormatOptions,
    ) -> Result<Arc<ListingTable>> {
        // The session's delimiter comes before that of the ending.
        let options = self.with_delimiter_of_ending(options.for_table(state.config_options()))?;
        let partitions = self.partition_columns()?;
        let format = CsvStreamFormat::in_session(options, state.config_options())?;
        let store = state.runtime_env().object_store(&self.urls[0])?;
        let sampled: Vec<_> = self.files.into_iter().filter(|file| file.size > 0).collect();
        let schema = format.infer_schema(state, &store, &sampled).await?;

        let listing = ListingOptions::new(Arc::new(format))
            .with_file_extension(self.extension)
            .with_table_partition_cols(partitions);
        let config = ListingTableConfig::new_with_multi_paths(self.urls)
            .with_listing_options(listing)
            .with_schema(schema);
        Ok(Arc::new(ListingTable::try_new(config)?))
    }

    /// The columns that folders name (`year=2026/`), with the type that DataFusion gives them.
    /// DataFusion's own function for it would list all files again.
    fn partition_columns(&self) -> Result<Vec<(String, DataType)>> {
        let names = |file: &ObjectMeta| -> Vec<String> {
            let parts: Vec<_> = self.urls[0].strip_prefix(&file.location).into_iter().flatten().collect();
            let folders = parts.split_last().map_or(&[][..], |(_, folders)| folders);
            folders.iter().filter_map(|part| Some(part.split_once('=')?.0.to_owned())).collect()
        };
        let Some((first, others)) = self.files.split_first() else { return Ok(Vec::new()) };
        let columns = names(first);
        if let Some(other) = others.iter().find(|file| names(file) != columns) {
            return Err(DataFusionError::Plan(format!(
                "the folders of '{}' name other partition columns ({}) than those of '{}' ({})",
                other.location,
                names(other).join(", "),
                first.location,
                columns.join(", "),
            )));
        }
        let data_type = wrap_partition_type_in_dict(DataType::Utf8);
        Ok(columns.into_iter().map(|name| (name, data_type.clone())).collect())
    }

    /// Sets the delimiter to a tab for `.tsv` files, unless the options have one.
    fn with_delimiter_of_ending(&self, options: CsvFormatOptions) -> Result<CsvFormatOptions> {
        let tabs = self.files.iter().filter(|file| is_tsv(file.location.as_ref())).count();
        match tabs {
            _ if options.has_delimiter() => Ok(options),
            0 => Ok(options),
            _ if tabs == self.files.len() => Ok(options.with_delimiter(b'\t')),
            _ => Err(DataFusionError::Plan(format!(
                "'{}' holds both .csv and .tsv files: set delimiter, or name them by two globs",
                self.urls[0]
            ))),
        }
    }
}

/// The ending that makes a file a CSV file, as it is written: `.csv` or `.tsv`, with the extension
/// of a compression if it has one.
pub(super) fn csv_ending(path: &str) -> Option<&str> {
    let name = &path[path.rfind('/').map_or(0, |slash| slash + 1)..];
    let plain = match Compression::from_path(name) {
        None => name,
        Some(_) => &name[..name.rfind('.')?],
    };
    let dot = plain.rfind('.')?;
    let extension = plain[dot..].to_ascii_lowercase();
    EXTENSIONS.contains(&extension.as_str()).then(|| &name[dot..])
}

/// Whether a file is tab-separated by its name.
pub(super) fn is_tsv(path: &str) -> bool {
    csv_ending(path).is_some_and(|ending| ending.to_ascii_lowercase().starts_with(".tsv"))
}

async fn list(state: &SessionState, url: &ListingTableUrl) -> Result<Vec<ObjectMeta>> {
    let store = state.runtime_env().object_store(url)?;
    url.list_all_files(state, store.as_ref(), "").await?.try_collect().await
}

/// Parses a path as DataFusion does, with two differences: a local path that exists is never a
/// glob, and a URL may hold one.
fn parse(path: &str) -> Result<ListingTableUrl> {
    if path.contains(['*', '?', '[']) && Path::new(path).exists() {
        let url = Path::new(path).canonicalize().ok().and_then(|path| match path.is_dir() {
            true => url::Url::from_directory_path(path).ok(),
            false => url::Url::from_file_path(path).ok(),
        });
        if let Some(url) = url {
            return ListingTableUrl::try_new(url, None);
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings() {
        for (path, ending) in [
            ("a.csv", Some(".csv")),
            ("d/A.CSV", Some(".CSV")),
            ("d.x/a.tsv.gz", Some(".tsv.gz")),
            ("a.Csv.ZST", Some(".Csv.ZST")),
            ("a.csv.bak", None),
            ("a.gz", None),
            ("csv", None),
            ("d.csv/a", None),
            ("é.csv.gz", Some(".csv.gz")),
        ] {
            assert_eq!(csv_ending(path), ending, "{path}");
        }
        assert!(is_tsv("A.TSV.gz") && !is_tsv("a.csv"));
    }
}

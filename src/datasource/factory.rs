//! [`CsvStreamFormatFactory`]: from SQL's `OPTIONS` to a format.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::GetExt;
use datafusion::datasource::file_format::{FileFormat, FileFormatFactory};
use datafusion::error::Result;

use super::format::CsvStreamFormat;
use super::options::CsvFormatOptions;

/// Makes [`CsvStreamFormat`]s for `CREATE EXTERNAL TABLE`, `COPY` and tables named by path.
#[derive(Debug)]
pub struct CsvStreamFormatFactory {
    extension: &'static str,
    options: Option<CsvFormatOptions>,
}

impl CsvStreamFormatFactory {
    /// For `.csv`, starting from the session's CSV options.
    pub fn new() -> Self {
        CsvStreamFormatFactory { extension: "csv", options: None }
    }

    /// For `.csv`, starting from the given options rather than the session's.
    pub fn new_with_options(options: CsvFormatOptions) -> Self {
        CsvStreamFormatFactory { extension: "csv", options: Some(options) }
    }

    /// For `.tsv`: tab between fields, unless options say otherwise.
    pub fn tsv() -> Self {
        CsvStreamFormatFactory {
            extension: "tsv",
            options: Some(CsvFormatOptions::new().with_delimiter(b'\t')),
        }
    }
}

impl Default for CsvStreamFormatFactory {
    fn default() -> Self {
        Self::new()
    }
}

impl FileFormatFactory for CsvStreamFormatFactory {
    fn create(
        &self,
        state: &dyn Session,
        format_options: &HashMap<String, String>,
    ) -> Result<Arc<dyn FileFormat>> {
        let mut options = match &self.options {
            Some(options) => options.clone(),
            None => CsvFormatOptions::from_datafusion(&state.default_table_options().csv),
        };
        for (key, value) in format_options {
            // `execution.*` stands beside the format's options in COPY, and is the planner's.
            if !key.starts_with("execution.") {
                options.set(key, value)?;
            }
        }
        Ok(Arc::new(CsvStreamFormat::try_new(options)?.with_extension(self.extension)))
    }

    fn default(&self) -> Arc<dyn FileFormat> {
        let options = self.options.clone().unwrap_or_default();
        Arc::new(CsvStreamFormat::new(options).with_extension(self.extension))
    }
}

impl GetExt for CsvStreamFormatFactory {
    fn get_ext(&self) -> String {
        self.extension.to_owned()
    }
}

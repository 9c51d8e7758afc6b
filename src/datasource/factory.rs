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
    /// `None`: start from the session's `TableOptions::csv`.
    options: Option<CsvFormatOptions>,
    /// The format without further options.
    default: CsvStreamFormat,
}

impl CsvStreamFormatFactory {
    /// For `.csv`, starting from the session's CSV options.
    pub fn csv() -> Self {
        let default = CsvStreamFormat::default().with_extension("csv");
        CsvStreamFormatFactory { extension: "csv", options: None, default }
    }

    /// For `.tsv`: a tab between fields, unless options say otherwise.
    pub fn tsv() -> Self {
        let tabs = CsvFormatOptions::new().with_delimiter(b'\t');
        let default = CsvStreamFormat::try_new(tabs).expect("a tab goes with the defaults");
        CsvStreamFormatFactory { extension: "tsv", options: None, default: default.with_extension("tsv") }
    }

    /// Starts from these options rather than from the session's `TableOptions::csv`. They come before
    /// the session's `csv_stream.*`, which fill in the options that are not set.
    ///
    /// # Errors
    ///
    /// When the options contradict each other.
    pub fn try_with_options(mut self, options: CsvFormatOptions) -> Result<Self> {
        let default = CsvStreamFormat::try_new(self.with_delimiter(options.clone()))?;
        self.default = default.with_extension(self.extension);
        self.options = Some(options);
        Ok(self)
    }

    /// The options that it starts from, if they aren't the session's.
    pub(crate) fn options(&self) -> Option<&CsvFormatOptions> {
        self.options.as_ref()
    }

    /// With the delimiter of the extension, unless the options have one.
    fn with_delimiter(&self, options: CsvFormatOptions) -> CsvFormatOptions {
        let is_tsv = self.extension == "tsv" && !options.has_delimiter();
        if is_tsv { options.with_delimiter(b'\t') } else { options }
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
        let mut others = state.default_table_options();
        for (key, value) in format_options {
            // Keys with another prefix are the planner's (`execution.`), or a registered
            // extension's (`aws.`).
            let is_other = !key.starts_with("format.") && others.set(key, value).is_ok();
            if !is_other {
                options.set(key, value)?;
            }
        }
        // The session's delimiter comes before that of the extension.
        let options = self.with_delimiter(options.for_table(state.config_options()));
        let format = CsvStreamFormat::in_session(options, state.config_options())?;
        Ok(Arc::new(format.with_extension(self.extension)))
    }

    fn default(&self) -> Arc<dyn FileFormat> {
        Arc::new(self.default.clone())
    }
}

impl GetExt for CsvStreamFormatFactory {
    fn get_ext(&self) -> String {
        self.extension.to_owned()
    }
}

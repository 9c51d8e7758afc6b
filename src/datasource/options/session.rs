//! [`CsvStreamSessionOptions`]: the options of a session, for all of its tables.

use std::any::Any;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::error::Result;

use super::format_options::CsvFormatOptions;
use super::resolve::ReadOptions;
use super::table::{OPTIONS, OptionSpec};

/// The options of a session, for all tables of this crate: every key of [`OPTIONS`], as in
/// `SET csv_stream.memory_limit = '32MiB'`. A table's own options come before them.
///
/// A session has them from the first use of [`CsvSessionExt`](crate::CsvSessionExt) or
/// [`install`](crate::install) on, or from `SessionConfig::with_option_extension`. They apply to
/// tables that are created later, and those of memory, batches, pushdown and splitting to queries
/// that are planned later. Options that don't go together are found then. Tables over a reader
/// ([`CsvReaderTable`](crate::CsvReaderTable)) take none.
///
/// ```
/// use datafusion::prelude::{SessionConfig, SessionContext};
/// use datafusion_csv_stream::{CsvFormatOptions, CsvStreamSessionOptions};
///
/// let options = CsvFormatOptions::new().with_memory_limit(32 << 20);
/// let config = SessionConfig::new().with_option_extension(CsvStreamSessionOptions::new(options));
/// let ctx = SessionContext::new_with_config(config);
/// # let _ = ctx;
/// ```
#[derive(Debug, Clone, Default)]
pub struct CsvStreamSessionOptions(CsvFormatOptions);

impl CsvStreamSessionOptions {
    /// These options for a session's tables.
    pub fn new(options: CsvFormatOptions) -> Self {
        CsvStreamSessionOptions(options)
    }

    /// The options that are set.
    pub fn options(&self) -> &CsvFormatOptions {
        &self.0
    }
}

impl CsvFormatOptions {
    /// The options of a table that is created in a session.
    pub(crate) fn for_table(mut self, config: &ConfigOptions) -> Self {
        if let Some(session) = config.extensions.get::<CsvStreamSessionOptions>() {
            self.inherit_for_table(&session.0);
        }
        self.has_header.get_or_insert(config.catalog.has_header);
        self
    }
}

impl ReadOptions {
    /// The options of a table for one query in a session.
    ///
    /// # Errors
    ///
    /// When they contradict each other.
    pub(in crate::datasource) fn in_session(
        given: &CsvFormatOptions,
        config: &ConfigOptions,
    ) -> Result<Self> {
        let mut options = given.clone();
        if let Some(session) = config.extensions.get::<CsvStreamSessionOptions>() {
            options.inherit_for_query(&session.0);
        }
        options.has_header.get_or_insert(config.catalog.has_header);
        Ok(Self::new(options)?)
    }
}

impl ConfigExtension for CsvStreamSessionOptions {
    const PREFIX: &'static str = "csv_stream";
}

impl ExtensionOptions for CsvStreamSessionOptions {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        Ok(self.0.set(key, value)?)
    }

    /// With the prefix, as `SHOW` looks for them and as other processes set them.
    fn entries(&self) -> Vec<ConfigEntry> {
        let entry = |spec: &OptionSpec| ConfigEntry {
            key: format!("{}.{}", Self::PREFIX, spec.key),
            value: spec.get(&self.0),
            description: spec.doc,
        };
        OPTIONS.iter().map(entry).collect()
    }
}

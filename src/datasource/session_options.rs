//! [`CsvStreamSessionOptions`]: what a session can set for all tables.

use datafusion::common::config::{ConfigExtension, ConfigOptions};
use datafusion::common::extensions_options;

extensions_options! {
    /// Options of a session, for all tables of this crate: `SET csv_stream.pushdown_filters = false`. A session has them
    /// from the first use of [`CsvSessionExt`](crate::CsvSessionExt) or [`install`](crate::install) on, or from
    /// `SessionConfig::with_option_extension`.
    pub struct CsvStreamSessionOptions {
        /// Scans evaluate predicates, where the table's option `pushdown_filters` doesn't say otherwise.
        pub pushdown_filters: bool, default = true
    }
}

impl ConfigExtension for CsvStreamSessionOptions {
    const PREFIX: &'static str = "csv_stream";
}

impl CsvStreamSessionOptions {
    /// Those of a session, or the defaults.
    pub(super) fn of(config: &ConfigOptions) -> Self {
        config.extensions.get::<Self>().cloned().unwrap_or_default()
    }
}

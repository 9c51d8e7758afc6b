//! [`CsvStreamSessionOptions`]: what a session can set for all tables.

use datafusion::common::config::{ConfigExtension, ConfigOptions};
use datafusion::common::extensions_options;
use datafusion::prelude::SessionContext;

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
    /// Gives a session its options, unless it has them.
    pub(super) fn add_to(ctx: &SessionContext) {
        let state = ctx.state_ref();
        let mut state = state.write();
        let extensions = &mut state.config_mut().options_mut().extensions;
        if extensions.get::<Self>().is_none() {
            extensions.insert(Self::default());
        }
    }

    /// Those of a session, or the defaults.
    pub(super) fn of(config: &ConfigOptions) -> Self {
        config.extensions.get::<Self>().cloned().unwrap_or_default()
    }
}

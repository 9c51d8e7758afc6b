//! [`prepare`]: a session in which scans of this crate are right, and can be given options.

use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SessionContext;

use crate::datasource::{CsvStreamSessionOptions, filter_pushdown_rules, is_guarded};

/// Gives a session the options of this crate and filter pushdown that can be relied on, unless it has them.
pub(super) fn prepare(ctx: &SessionContext) {
    let state = ctx.state_ref();
    let mut state = state.write();
    let extensions = &mut state.config_mut().options_mut().extensions;
    if extensions.get::<CsvStreamSessionOptions>().is_none() {
        extensions.insert(CsvStreamSessionOptions::default());
    }
    if is_guarded(state.physical_optimizers()) {
        return;
    }
    let rules = filter_pushdown_rules(state.physical_optimizers());
    let creates_catalog = state.config().options().catalog.create_default_catalog_and_schema;
    let mut guarded = SessionStateBuilder::new_from_existing(state.clone())
        .with_session_id(state.session_id().to_owned())
        .with_physical_optimizer_rules(rules)
        .build();
    // The builder turns this off where the catalog is there already.
    guarded.config_mut().options_mut().catalog.create_default_catalog_and_schema = creates_catalog;
    *state = guarded;
}

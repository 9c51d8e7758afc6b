//! [`prepare`]: makes scans of this crate correct and configurable in a session.

use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SessionContext;

use crate::datasource::{CsvStreamSessionOptions, filter_pushdown_rules, is_guarded};

/// Adds this crate's options and its reliable filter pushdown to a session that doesn't have them.
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
    // The builder turns this off if the catalog already exists.
    guarded.config_mut().options_mut().catalog.create_default_catalog_and_schema = creates_catalog;
    *state = guarded;
}

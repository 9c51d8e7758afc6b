//! The filters and operators of DataFusion 55 for which pushdown is declined.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::reassign_expr_columns;
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::filter_pushdown::FilterPushdownPhase;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::sorts::sort::SortExec;

use super::origin::Origins;

/// Whether an operator may take a filter from above, to evaluate it or to hand it to its children.
pub(super) fn may_take(
    node: &dyn ExecutionPlan,
    origins: &Origins<'_>,
    filter: &Arc<dyn PhysicalExpr>,
    phase: FilterPushdownPhase,
) -> Result<bool> {
    if is_volatile(filter) || stops_early(node) {
        return Ok(false);
    }
    if phase != FilterPushdownPhase::Pre {
        return Ok(true);
    }
    match node.downcast_ref::<FilterExec>() {
        Some(filter_exec) if filter_exec.projection().is_some() => is_known_by_name(origins, filter),
        _ => Ok(!changes_rows(node)),
    }
}

/// Whether an operator's own filter drops only rows that it doesn't need.
///
/// `AggregateExec::init_dynamic_filter` ignores aggregates whose argument is not a plain column, for
/// example `max(b * 2)`, and later those that have seen only NULLs. Its filter drops rows that they
/// need. So only the filter of a single aggregate is right.
pub(super) fn own_filters_are_right(node: &dyn ExecutionPlan) -> bool {
    let Some(aggregate) = node.downcast_ref::<AggregateExec>() else { return true };
    match aggregate.aggr_expr() {
        [only] => matches!(only.expressions().as_slice(), [argument] if argument.is::<Column>()),
        _ => false,
    }
}

/// Whether an operator returns only its first rows. With a filter below it, other rows would come
/// first.
///
/// A `SortExec` with a limit needs no such rule: it refuses filters from above, and its own filter
/// follows from its limit.
pub(super) fn stops_early(node: &dyn ExecutionPlan) -> bool {
    let is_limited = |aggregate: &AggregateExec| aggregate.limit_options().is_some();
    (node.fetch().is_some() && !node.is::<SortExec>())
        || node.downcast_ref::<AggregateExec>().is_some_and(is_limited)
}

/// Whether an operator's rows differ from those of its input. The logical optimizer has already
/// moved a query's filters below such operators where that is right.
fn changes_rows(node: &dyn ExecutionPlan) -> bool {
    node.is::<HashJoinExec>() || node.is::<AggregateExec>()
}

/// Whether an operator finds the columns of a filter by name. `FilterExec` does so for the filters
/// that it evaluates itself, if it has a projection.
fn is_known_by_name(origins: &Origins<'_>, filter: &Arc<dyn PhysicalExpr>) -> Result<bool> {
    let Origins::Chosen { child, .. } = origins else { return Ok(true) };
    let by_place = origins.over_child(0, filter)?;
    let by_name = reassign_expr_columns(Arc::clone(filter), &child.schema())?;
    Ok(by_place.is_some_and(|by_place| by_place == by_name))
}

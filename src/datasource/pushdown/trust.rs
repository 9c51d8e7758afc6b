//! The filters and the operators of DataFusion 55 that are not to be believed.

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

/// Whether a filter from above may be told to an operator, to go on below it or to be done by it.
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

/// Whether an operator's own filter drops only rows that make no difference to it.
///
/// `AggregateExec::init_dynamic_filter` leaves out the aggregates whose argument is no plain column,
/// `max(b * 2)`, and later those that have seen only NULLs, though the rows that it drops are theirs
/// too. So only the filter of a single aggregate is right.
pub(super) fn own_filters_are_right(node: &dyn ExecutionPlan) -> bool {
    let Some(aggregate) = node.downcast_ref::<AggregateExec>() else { return true };
    match aggregate.aggr_expr() {
        [only] => matches!(only.expressions().as_slice(), [argument] if argument.is::<Column>()),
        _ => false,
    }
}

/// Whether an operator returns only some first rows. A filter below it would let others come first.
///
/// A `SortExec` with a limit is no such case: it refuses filters from above itself, and its own filter
/// is that of its limit.
pub(super) fn stops_early(node: &dyn ExecutionPlan) -> bool {
    let is_limited = |aggregate: &AggregateExec| aggregate.limit_options().is_some();
    (node.fetch().is_some() && !node.is::<SortExec>())
        || node.downcast_ref::<AggregateExec>().is_some_and(is_limited)
}

/// Whether an operator's rows are others than those of its input. The logical optimizer has moved a
/// query's own filters below such operators wherever that is right.
fn changes_rows(node: &dyn ExecutionPlan) -> bool {
    node.is::<HashJoinExec>() || node.is::<AggregateExec>()
}

/// Whether the columns of a filter are found by their names too: `FilterExec` looks so for those of
/// the filters that it does itself, if it has a projection.
fn is_known_by_name(origins: &Origins<'_>, filter: &Arc<dyn PhysicalExpr>) -> Result<bool> {
    let Origins::Chosen { child, .. } = origins else { return Ok(true) };
    let by_place = origins.over_child(0, filter)?;
    let by_name = reassign_expr_columns(Arc::clone(filter), &child.schema())?;
    Ok(by_place.is_some_and(|by_place| by_place == by_name))
}

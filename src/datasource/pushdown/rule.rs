//! [`PositionalFilterPushdown`]: DataFusion's rule `FilterPushdown`, with columns mapped by
//! position.

use std::any::Any;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::internal_err;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::filter_pushdown::FilterPushdown;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::filter_pushdown::{
    ChildFilterPushdownResult, ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation,
    PushedDown, PushedDownPredicate,
};

use super::super::source::CsvStreamSource;
use super::origin::Origins;
use super::trust::{may_take, own_filters_are_right};

type Rule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;
type Filter = Arc<dyn PhysicalExpr>;
type Propagation = FilterPushdownPropagation<Arc<dyn ExecutionPlan>>;

/// A session's physical optimizer rules, with DataFusion's `FilterPushdown` replaced by rules that
/// map columns by position. All other rules stay.
///
/// DataFusion 55 maps the columns of a filter by name through projections, joins and aggregates. It
/// also makes wrong dynamic filters for some aggregates. Queries then return wrong rows, whatever
/// the format of the files. The new rules map by position, and decline such filters.
///
/// [`install`](crate::install) and [`CsvSessionExt`](crate::CsvSessionExt) do this to a session.
/// Call it for a session that is built otherwise:
///
/// ```
/// use datafusion::execution::SessionStateBuilder;
/// use datafusion::prelude::SessionContext;
///
/// let state = SessionStateBuilder::new().with_default_features().build();
/// let rules = datafusion_csv_stream::filter_pushdown_rules(state.physical_optimizers());
/// let state = SessionStateBuilder::new_from_existing(state).with_physical_optimizer_rules(rules).build();
/// let ctx = SessionContext::new_with_state(state);
/// ```
pub fn filter_pushdown_rules(rules: &[Rule]) -> Vec<Rule> {
    let replace = |rule: &Rule| match phase_of(rule) {
        Some(phase) => Arc::new(PositionalFilterPushdown { phase }),
        None => Arc::clone(rule),
    };
    rules.iter().map(replace).collect()
}

/// Whether a session with these rules maps no filter's columns by name. A session without any rules
/// doesn't show them, and counts as one.
pub(crate) fn is_guarded(rules: &[Rule]) -> bool {
    !rules.is_empty() && rules.iter().all(|rule| phase_of(rule).is_none())
}

fn as_any(rule: &Rule) -> &dyn Any {
    rule.as_ref()
}

/// The phase of DataFusion's `FilterPushdown`. The rule doesn't tell it, so its name decides.
fn phase_of(rule: &Rule) -> Option<FilterPushdownPhase> {
    as_any(rule).downcast_ref::<FilterPushdown>()?;
    let is_first = rule.name() == FilterPushdown::new().name();
    Some(if is_first { FilterPushdownPhase::Pre } else { FilterPushdownPhase::Post })
}

/// One phase of filter pushdown.
#[derive(Debug)]
struct PositionalFilterPushdown {
    phase: FilterPushdownPhase,
}

impl PhysicalOptimizerRule for PositionalFilterPushdown {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let pushed = Pushdown { phase: self.phase, config }.through(&plan, Vec::new())?;
        Ok(pushed.updated_node.unwrap_or(plan))
    }

    /// The name of the rule that it stands for, so that `EXPLAIN VERBOSE` reads the same.
    fn name(&self) -> &str {
        match self.phase {
            FilterPushdownPhase::Pre => "FilterPushdown",
            FilterPushdownPhase::Post => "FilterPushdown(Post)",
        }
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// One walk over a plan.
struct Pushdown<'a> {
    phase: FilterPushdownPhase,
    config: &'a ConfigOptions,
}

impl Pushdown<'_> {
    /// Hands filters from above to an operator, and the operator's own to those below it.
    fn through(&self, node: &Arc<dyn ExecutionPlan>, filters: Vec<Filter>) -> Result<Propagation> {
        let origins = Origins::of(node.as_ref());
        let mut taken = Vec::with_capacity(filters.len());
        for filter in &filters {
            taken.push(may_take(node.as_ref(), &origins, filter, self.phase)?);
        }
        // For a filter with the answer no, the operator that it comes from evaluates it.
        let mut answers = vec![PushedDown::No; filters.len()];
        let (places, filters): (Vec<_>, Vec<_>) =
            filters.into_iter().enumerate().filter(|&(place, _)| taken[place]).unzip();
        let pushed = match self.at_scan(node, &filters)? {
            Some(pushed) => pushed,
            None => self.past_node(node, &origins, filters)?,
        };
        for (place, answer) in places.into_iter().zip(pushed.filters) {
            answers[place] = answer;
        }
        Ok(FilterPushdownPropagation { filters: answers, updated_node: pushed.updated_node })
    }

    /// Gives filters to a scan of this crate. It takes filters only from here.
    fn at_scan(&self, node: &Arc<dyn ExecutionPlan>, filters: &[Filter]) -> Result<Option<Propagation>> {
        let Some(exec) = node.downcast_ref::<DataSourceExec>() else { return Ok(None) };
        let Some((scan, source)) = exec.downcast_to_file_source::<CsvStreamSource>() else {
            return Ok(None);
        };
        let (answers, source) = source.with_filters(filters)?;
        let answer = FilterPushdownPropagation::with_parent_pushdown_result(answers);
        Ok(Some(match source {
            None => answer,
            Some(source) => {
                let mut scan = scan.clone();
                scan.file_source = Arc::new(source);
                answer.with_updated_node(Arc::new(exec.clone().with_data_source(Arc::new(scan))))
            }
        }))
    }

    /// Asks an operator which filters may go to which child, and lets them go there.
    fn past_node(
        &self,
        node: &Arc<dyn ExecutionPlan>,
        origins: &Origins<'_>,
        filters: Vec<Filter>,
    ) -> Result<Propagation> {
        let children = node.children();
        let described = node.gather_filters_for_pushdown(self.phase, filters.clone(), self.config)?;
        let (for_children, own_filters) = (described.parent_filters(), described.self_filters());
        let counts = [for_children.len(), own_filters.len()];
        if counts != [children.len(); 2] || for_children.iter().any(|child| child.len() != filters.len()) {
            return internal_err!("{} describes filters of other children than it has", node.name());
        }

        let mut results: Vec<_> = filters
            .into_iter()
            .map(|filter| ChildFilterPushdownResult { filter, child_results: Vec::new() })
            .collect();
        let mut own_results = Vec::with_capacity(children.len());
        let mut new_children = Vec::with_capacity(children.len());
        let keeps_own = own_filters_are_right(node.as_ref());
        for (index, ((child, allowed), own)) in
            children.into_iter().zip(for_children).zip(own_filters).enumerate()
        {
            let own_places: Vec<_> =
                (0..own.len()).filter(|&place| keeps_own && !is_volatile(&own[place])).collect();
            let mut down: Vec<_> = own_places.iter().map(|&place| Arc::clone(&own[place])).collect();
            let mut places = Vec::new();
            for (place, (result, allowed)) in results.iter_mut().zip(&allowed).enumerate() {
                result.child_results.push(PushedDown::No);
                if matches!(allowed.discriminant, PushedDown::Yes)
                    && let Some(filter) = origins.over_child(index, &result.filter)?
                {
                    places.push(place);
                    down.push(filter);
                }
            }

            let pushed = self.through(child, down)?;
            new_children.push(pushed.updated_node.unwrap_or_else(|| Arc::clone(child)));
            let (of_own, of_above) = pushed.filters.split_at(own_places.len());
            let mut own: Vec<_> = own.into_iter().map(PushedDownPredicate::unsupported).collect();
            for (&place, &answer) in own_places.iter().zip(of_own) {
                own[place].discriminant = answer;
            }
            own_results.push(own);
            for (place, &answer) in places.into_iter().zip(of_above) {
                results[place].child_results[index] = answer;
            }
        }

        let updated = replace_children_if_necessary(Arc::clone(node), new_children)?;
        let result = ChildPushdownResult { parent_filters: results, self_filters: own_results };
        let mut answer = updated.handle_child_pushdown_result(self.phase, result, self.config)?;
        if answer.updated_node.is_none() && !Arc::ptr_eq(&updated, node) {
            answer.updated_node = Some(updated);
        }
        Ok(answer)
    }
}

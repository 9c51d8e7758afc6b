//! [`Origins`]: the expression of a child that a column of its parent stands for, by position.
//!
//! DataFusion 55 looks columns up by name (`FilterRemapper`,
//! `ProjectionExec::collect_reverse_alias`). It finds the wrong column if two have the same name, as
//! `l.k` and `r.k` do above a join.

use std::sync::Arc;

use datafusion::common::JoinSide;
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::buffer::BufferExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::joins::utils::{ColumnIndex, build_join_schema};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::union::UnionExec;

use super::super::filter::replace_columns;

/// Where the columns of an operator come from.
pub(super) enum Origins<'a> {
    /// Each column is its child's, at the same place.
    Same(&'a Arc<dyn ExecutionPlan>),
    /// A union: each column is every child's, at the same place.
    Each(Vec<&'a Arc<dyn ExecutionPlan>>),
    /// Column `i` is the child's column `chosen[i]`.
    Chosen { child: &'a Arc<dyn ExecutionPlan>, chosen: &'a [usize] },
    /// Column `i` is expression `i` over the child; columns past the last one are made by the
    /// operator.
    Made(Vec<&'a Arc<dyn PhysicalExpr>>),
    /// Column `i` comes from one side of a join.
    Joined { join: &'a HashJoinExec, columns: Vec<ColumnIndex> },
    /// The operator is not known, so nothing is certain.
    Unknown,
}

impl<'a> Origins<'a> {
    /// The origins of an operator's columns.
    pub(super) fn of(node: &'a dyn ExecutionPlan) -> Self {
        if let Some(filter) = node.downcast_ref::<FilterExec>() {
            return match filter.projection() {
                Some(chosen) => Origins::Chosen { child: filter.input(), chosen },
                None => Origins::Same(filter.input()),
            };
        }
        if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
            return Origins::Made(projection.expr().iter().map(|made| &made.expr).collect());
        }
        if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
            let groups = aggregate.group_expr().expr().iter();
            return Origins::Made(groups.map(|(expr, _)| expr).collect());
        }
        if let Some(join) = node.downcast_ref::<HashJoinExec>() {
            let (left, right) = (join.left().schema(), join.right().schema());
            let (_, columns) = build_join_schema(&left, &right, join.join_type());
            let columns = match &join.projection {
                Some(chosen) => chosen.iter().map(|&column| columns[column].clone()).collect(),
                None => columns,
            };
            return Origins::Joined { join, columns };
        }
        if node.is::<UnionExec>() {
            return Origins::Each(node.children());
        }
        let keeps_columns = node.is::<BufferExec>()
            || node.is::<CoalescePartitionsExec>()
            || node.is::<CooperativeExec>()
            || node.is::<RepartitionExec>()
            || node.is::<SortExec>();
        match node.children().as_slice() {
            [child] if keeps_columns => Origins::Same(child),
            _ => Origins::Unknown,
        }
    }

    /// Rewrites an expression over the operator's columns as one over a child's columns. `None` if
    /// it uses a column that this child doesn't have.
    pub(super) fn over_child(
        &self,
        child: usize,
        expr: &Arc<dyn PhysicalExpr>,
    ) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let has_origin = |column: &Column| self.column(child, column.index()).is_some();
        if !collect_columns(expr).iter().all(has_origin) {
            return Ok(None);
        }
        replace_columns(expr, |column| self.column(child, column.index())).map(Some)
    }

    /// A column of the operator as an expression over a child.
    fn column(&self, child: usize, column: usize) -> Option<Arc<dyn PhysicalExpr>> {
        match self {
            Origins::Same(input) => column_of(input, column),
            Origins::Each(inputs) => column_of(inputs.get(child)?, column),
            Origins::Chosen { child: input, chosen } => column_of(input, *chosen.get(column)?),
            Origins::Made(exprs) => exprs.get(column).map(|&expr| Arc::clone(expr)),
            Origins::Joined { join, columns } => joined(join, child, columns.get(column)?),
            Origins::Unknown => None,
        }
    }
}

/// The column of a side that a column of a join's output stands for.
///
/// A semi join returns one side only. Its key column also stands for the other side's key.
fn joined(join: &HashJoinExec, child: usize, origin: &ColumnIndex) -> Option<Arc<dyn PhysicalExpr>> {
    let is_left = child == 0;
    let (side, input) = if is_left { (JoinSide::Left, join.left()) } else { (JoinSide::Right, join.right()) };
    if origin.side == side {
        return column_of(input, origin.index);
    }
    if origin.side == JoinSide::None {
        return None;
    }
    let index_of = |expr: &Arc<dyn PhysicalExpr>| expr.downcast_ref::<Column>().map(Column::index);
    join.on().iter().find_map(|(left, right)| {
        let (own, other) = if is_left { (left, right) } else { (right, left) };
        (index_of(other) == Some(origin.index)).then(|| column_of(input, index_of(own)?)).flatten()
    })
}

fn column_of(input: &Arc<dyn ExecutionPlan>, index: usize) -> Option<Arc<dyn PhysicalExpr>> {
    let schema = input.schema();
    let field = schema.fields().get(index)?;
    Some(Arc::new(Column::new(field.name(), index)))
}

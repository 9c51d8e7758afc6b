//! [`ScanPredicate`]: the predicate of a scan, as DataFusion's expression and as the decoder's
//! filters.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::BooleanArray;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::ScalarValue;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::physical_expr::expressions::{Column, DynamicFilterPhysicalExpr, lit};
use datafusion::physical_expr::scalar_subquery::ScalarSubqueryExpr;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, conjunction, split_conjunction};
use datafusion::physical_expr_common::physical_expr::is_volatile;

use crate::decode::{FilterError, RowFilter};

/// The most filters of one stream: each holds builders of its own. Further conjuncts join the last
/// one.
const MAX_FILTERS: usize = 8;

/// Whether a scan can evaluate a predicate on the columns of a table's files and partitions. It
/// can't evaluate a volatile function, nor a subquery, whose value comes from another part of the
/// plan.
pub(super) fn can_evaluate(expr: &Arc<dyn PhysicalExpr>, table_schema: &TableSchema) -> bool {
    let columns = table_schema.schema_without_virtual_columns();
    let is_known = |column: &Column| {
        columns.fields().get(column.index()).is_some_and(|field| field.name() == column.name())
    };
    let is_boolean = expr.data_type(columns).is_ok_and(|data_type| data_type == DataType::Boolean);
    let is_subquery = |node: &Arc<dyn PhysicalExpr>| node.downcast_ref::<ScalarSubqueryExpr>().is_some();
    let has_subquery = expr.exists(|node| Ok(is_subquery(node))).unwrap_or(true);
    collect_columns(expr).iter().all(is_known) && is_boolean && !is_volatile(expr) && !has_subquery
}

/// A scan's predicate, over the columns of the table.
#[derive(Debug, Clone)]
pub(super) struct ScanPredicate {
    expr: Arc<dyn PhysicalExpr>,
    opened: Arc<Mutex<Opened>>,
}

/// The partitions of a plan that have been opened.
#[derive(Debug, Default)]
struct Opened {
    partitions: HashSet<usize>,
    /// Whether one has been opened twice.
    again: bool,
}

impl ScanPredicate {
    pub(super) fn new(expr: Arc<dyn PhysicalExpr>) -> Self {
        ScanPredicate { expr, opened: Arc::default() }
    }

    pub(super) fn expr(&self) -> &Arc<dyn PhysicalExpr> {
        &self.expr
    }

    /// The predicate as one execution of a partition uses it.
    ///
    /// A plan that is executed again keeps the dynamic filters of the first execution in its scan.
    /// Their bounds are stale, so they are dropped. No operator relies on a dynamic filter.
    ///
    /// A dynamic filter that needs all columns of `projection` is dropped too, for example that of
    /// `max(a)` alone: no decoding would be saved.
    pub(super) fn to_execute(&self, partition: usize, projection: &[usize]) -> PredicateInUse {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.again |= !opened.partitions.insert(partition);
        let saves = |conjunct: &Arc<dyn PhysicalExpr>| {
            let columns: HashSet<_> = collect_columns(conjunct).iter().map(Column::index).collect();
            projection.iter().any(|column| !columns.contains(column))
        };
        let is_used =
            |conjunct: &&Arc<dyn PhysicalExpr>| match conjunct.downcast_ref::<DynamicFilterPhysicalExpr>() {
                Some(_) => !opened.again && saves(conjunct),
                None => true,
            };
        PredicateInUse {
            conjuncts: split_conjunction(&self.expr).into_iter().filter(is_used).cloned().collect(),
        }
    }
}

/// The conjuncts of a predicate in the order in which a query has them.
pub(super) struct PredicateInUse {
    conjuncts: Vec<Arc<dyn PhysicalExpr>>,
}

/// Conjuncts that are evaluated together, and the file's columns that they need.
#[derive(Default)]
struct Group {
    columns: BTreeSet<usize>,
    conjuncts: Vec<Arc<dyn PhysicalExpr>>,
}

impl PredicateInUse {
    /// The filters of one file, whose partition columns are constants.
    ///
    /// Filters that need no column come first. A conjunct joins an earlier filter that has decoded
    /// its columns.
    pub(super) fn of_file(
        &self,
        table_schema: &TableSchema,
        file: &PartitionedFile,
    ) -> Result<Vec<Arc<dyn RowFilter>>> {
        let width = table_schema.file_schema().fields().len();
        let mut constant = Group::default();
        let mut groups: Vec<Group> = Vec::new();
        for conjunct in &self.conjuncts {
            let conjunct = with_partition_values(conjunct, width, &file.partition_values)?;
            let columns: BTreeSet<_> = collect_columns(&conjunct).iter().map(Column::index).collect();
            let has_all = |group: &Group| columns.is_subset(&group.columns);
            let place = match groups.iter().position(has_all) {
                _ if columns.is_empty() => &mut constant,
                Some(place) => &mut groups[place],
                None => {
                    if groups.len() < MAX_FILTERS {
                        groups.push(Group::default());
                    }
                    let last = groups.len() - 1;
                    &mut groups[last]
                }
            };
            place.columns.extend(columns);
            place.conjuncts.push(conjunct);
        }
        groups.insert(0, constant);
        groups.into_iter().filter(|group| !group.conjuncts.is_empty()).map(Group::into_filter).collect()
    }
}

impl Group {
    fn into_filter(self) -> Result<Arc<dyn RowFilter>> {
        let columns: Vec<_> = self.columns.into_iter().collect();
        let expr = replace_columns(&conjunction(self.conjuncts), |column| {
            let place = columns.binary_search(&column.index()).ok()?;
            Some(Arc::new(Column::new(column.name(), place)))
        })?;
        Ok(Arc::new(ExprFilter { columns, expr }))
    }
}

/// An expression whose partition columns, those from `width` on, are replaced by one file's values.
fn with_partition_values(
    expr: &Arc<dyn PhysicalExpr>,
    width: usize,
    values: &[ScalarValue],
) -> Result<Arc<dyn PhysicalExpr>> {
    replace_columns(expr, |column| values.get(column.index().checked_sub(width)?).cloned().map(lit))
}

/// An expression in which some columns are replaced by other expressions.
pub(super) fn replace_columns(
    expr: &Arc<dyn PhysicalExpr>,
    other: impl Fn(&Column) -> Option<Arc<dyn PhysicalExpr>>,
) -> Result<Arc<dyn PhysicalExpr>> {
    let replace = |node: Arc<dyn PhysicalExpr>| {
        Ok(match node.downcast_ref::<Column>().and_then(&other) {
            // The expression in its place is not looked at again.
            Some(other) => Transformed::new(other, true, TreeNodeRecursion::Jump),
            None => Transformed::no(node),
        })
    };
    Arc::clone(expr).transform_down(replace).data()
}

/// An expression over the columns that it needs.
#[derive(Debug)]
struct ExprFilter {
    columns: Vec<usize>,
    expr: Arc<dyn PhysicalExpr>,
}

impl RowFilter for ExprFilter {
    fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray, FilterError> {
        let values = self.expr.evaluate(batch)?.into_array(batch.num_rows())?;
        Ok(as_boolean_array(&values)?.clone())
    }
}

//! [`CsvStreamSource`]: DataFusion's `FileSource`.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::physical_plan::{FileGroupPartitioner, FileOpener, FileScanConfig, FileSource};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryPool, UnboundedMemoryPool};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, conjunction};
use datafusion::physical_expr_common::physical_expr::fmt_sql;
use datafusion::physical_plan::filter_pushdown::PushedDown;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{DisplayFormatType, apply_expression_roots};
use object_store::ObjectStore;

use super::file_groups::{Split, are_whole, repartition};
use super::filter::{ScanPredicate, can_evaluate};
use super::headers::{FileShapes, KnownHeaders, TableColumns};
use super::marks::Marks;
use super::memory::ScanMemory;
use super::metrics::ScanMetrics;
use super::opener::CsvStreamOpener;
use super::options::{CsvFormatOptions, ReadOptions};
use super::per_file::PerFile;
use crate::decode::{COLUMN_BYTES, DEFAULT_BATCH_SIZE};
use crate::stream::internal::PrefixPass;

/// The source of a `FileScanConfig` whose files this crate reads.
///
/// It declines all filters that come through `FileSource::try_pushdown_filters`: DataFusion 55
/// hands down wrong ones, which can't be told from right ones there. The rules of
/// [`filter_pushdown_rules`](crate::filter_pushdown_rules) hand filters to it in another way.
#[derive(Debug, Clone)]
pub struct CsvStreamSource {
    options: Arc<ReadOptions>,
    table_schema: TableSchema,
    /// The columns whose types were inferred. `None` if the schema's own marks count.
    marks: Option<Marks>,
    columns: Arc<TableColumns>,
    shapes: Arc<FileShapes>,
    /// The columns to read from files, and the expressions over them.
    projection: SplitProjection,
    predicate: Option<ScanPredicate>,
    batch_size: Option<usize>,
    memory: Arc<ScanMemory>,
    prefix_passes: Arc<PerFile<PrefixPass>>,
    metrics: ExecutionPlanMetricsSet,
}

impl CsvStreamSource {
    /// A source of all columns. No memory pool accounts for it.
    ///
    /// # Errors
    ///
    /// When the options contradict each other.
    pub fn try_new(table_schema: impl Into<TableSchema>, options: CsvFormatOptions) -> Result<Self> {
        Ok(Self::with_read_options(table_schema.into(), Arc::new(ReadOptions::new(options)?), None, None))
    }

    /// A source of all columns, with options that have been checked. If the schema was inferred, it
    /// has the marks of its columns, and the headers that were read then.
    pub(super) fn with_read_options(
        table_schema: TableSchema,
        options: Arc<ReadOptions>,
        marks: Option<Marks>,
        headers: Option<Arc<KnownHeaders>>,
    ) -> Self {
        let unbounded: Arc<dyn MemoryPool> = Arc::new(UnboundedMemoryPool::default());
        CsvStreamSource {
            options,
            projection: SplitProjection::unprojected(&table_schema),
            columns: Arc::new(TableColumns::new(&table_schema, headers)),
            shapes: Arc::default(),
            table_schema,
            marks,
            predicate: None,
            batch_size: None,
            memory: Arc::new(ScanMemory::new(&unbounded)),
            prefix_passes: Arc::default(),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// Reserves the scan's memory in this pool.
    #[must_use]
    pub fn with_memory_pool(mut self, memory_pool: &Arc<dyn MemoryPool>) -> Self {
        self.memory = Arc::new(ScanMemory::new(memory_pool));
        self
    }

    /// The source of one query in a session: its options, and its memory pool.
    pub(super) fn for_query(self, options: Arc<ReadOptions>, memory_pool: &Arc<dyn MemoryPool>) -> Self {
        CsvStreamSource { options, prefix_passes: Arc::default(), shapes: Arc::default(), ..self }
            .with_memory_pool(memory_pool)
    }

    /// The options that files are read with.
    pub fn options(&self) -> &CsvFormatOptions {
        &self.options.given
    }

    /// Takes the filters over the scan's output that it can evaluate, if `pushdown_filters` is on.
    /// They are added to those that it has: a query's own filters are handed down first, and later
    /// the dynamic ones of sorts and joins.
    ///
    /// The answer for a filter is yes if the scan returns only rows that fulfil it. There is no new
    /// source if it takes none.
    pub(super) fn with_filters(
        &self,
        filters: &[Arc<dyn PhysicalExpr>],
    ) -> Result<(Vec<PushedDown>, Option<Self>)> {
        let is_on = self.options.pushdown_filters;
        let mut taken = Vec::new();
        let mut answers = Vec::with_capacity(filters.len());
        for filter in filters {
            let filter = self.projection.source.unproject_expr(filter)?;
            let is_taken = is_on && can_evaluate(&filter, &self.table_schema);
            answers.push(if is_taken { PushedDown::Yes } else { PushedDown::No });
            taken.extend(is_taken.then_some(filter));
        }
        if taken.is_empty() {
            return Ok((answers, None));
        }
        let predicate = ScanPredicate::new(conjunction(self.filter().into_iter().chain(taken)));
        Ok((answers, Some(CsvStreamSource { predicate: Some(predicate), ..self.clone() })))
    }

    /// The most partitions that there is memory for with so many columns.
    pub(super) fn most_readers(&self) -> usize {
        let filtered = self.predicate.as_ref().map_or(0, |predicate| collect_columns(predicate.expr()).len());
        let columns = self.projection.file_indices.len() + filtered;
        self.options.limits.most_readers(COLUMN_BYTES * columns)
    }

    /// Whether the columns that are read are the scan's output as they are, in that order and by
    /// their names. DataFusion's projection would take some 150 bytes a column and partition.
    fn is_of_columns_as_they_are(&self) -> bool {
        let (asked, read) = (self.projection.source.as_ref(), &self.projection.file_indices);
        let names = self.table_schema.file_schema().fields();
        asked.len() == read.len()
            && asked.iter().zip(read).all(|(asked, &read)| {
                let column = asked.expr.downcast_ref::<Column>();
                column.is_some_and(|column| column.index() == read) && asked.alias == *names[read].name()
            })
    }
}

impl FileSource for CsvStreamSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        base: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        // DataFusion cuts larger batches at the session's size, but holds all of them meanwhile.
        let most = self.batch_size.unwrap_or(DEFAULT_BATCH_SIZE);
        let batch_size = self.options.batch_size.map_or(most, |rows| rows.min(most));
        let mut split = self.options.split;
        if base.limit.is_some() {
            let front_is_enough = self.predicate.is_none() && are_whole(&base.file_groups);
            if front_is_enough {
                split = Split::None;
            }
        }
        let opener = CsvStreamOpener {
            options: Arc::clone(&self.options),
            limits: self.options.limits.shared_by(base.file_groups.len()),
            split,
            table_schema: self.table_schema.clone(),
            marks: self.marks.clone(),
            columns: Arc::clone(&self.columns),
            shapes: Arc::clone(&self.shapes),
            projection: self.projection.file_indices.clone(),
            predicate: self
                .predicate
                .as_ref()
                .map(|predicate| predicate.to_execute(partition, &self.projection.file_indices)),
            batch_size,
            limit: base.limit,
            store,
            is_local: base.object_store_url == ObjectStoreUrl::local_filesystem(),
            memory: Arc::clone(&self.memory),
            prefix_passes: Arc::clone(&self.prefix_passes),
            metrics: ScanMetrics::new(&self.metrics, partition, self.predicate.is_some()),
        };
        if self.is_of_columns_as_they_are() {
            return Ok(Arc::new(opener));
        }
        ProjectionOpener::try_new(self.projection.clone(), Arc::new(opener), self.table_schema.file_schema())
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(CsvStreamSource { batch_size: Some(batch_size), ..self.clone() })
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.table_schema.file_schema(), &merged);
        Ok(Some(Arc::new(CsvStreamSource { projection, ..self.clone() })))
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn filter(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.predicate.as_ref().map(|predicate| Arc::clone(predicate.expr()))
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        "csv"
    }

    fn supports_repartitioning(&self) -> bool {
        self.options.split != Split::None
    }

    fn repartitioned(
        &self,
        target_partitions: usize,
        repartition_file_min_size: usize,
        output_ordering: Option<LexOrdering>,
        config: &FileScanConfig,
    ) -> Result<Option<FileScanConfig>> {
        if !self.supports_repartitioning() {
            return Ok(None);
        }
        let most = self.most_readers().max(config.file_groups.len());
        let partitioner = FileGroupPartitioner::new()
            .with_target_partitions(target_partitions.min(most))
            .with_repartition_file_min_size(repartition_file_min_size)
            .with_preserve_order_within_groups(output_ordering.is_some());
        let groups = repartition(config, self.options.compression, partitioner);
        Ok(groups.map(|groups| {
            let mut config = config.clone();
            config.file_groups = groups;
            config
        }))
    }

    fn fmt_extra(&self, t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match t {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, ", has_header={}", self.options.dialect.has_header())?;
                match &self.predicate {
                    Some(predicate) => write!(f, ", predicate={}", predicate.expr()),
                    None => Ok(()),
                }
            }
            DisplayFormatType::TreeRender => match &self.predicate {
                Some(predicate) => writeln!(f, "predicate={}", fmt_sql(predicate.expr().as_ref())),
                None => Ok(()),
            },
        }
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let predicate = self.predicate.iter().map(ScanPredicate::expr);
        let projection = self.projection.source.iter().map(|projection| &projection.expr);
        apply_expression_roots(predicate.chain(projection), f)
    }
}

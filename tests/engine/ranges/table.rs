//! A table over bytes in memory that is read in given ranges, and the rows that `csv-core` expects.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl, PartitionedFile,
};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::error::Error;
use datafusion_csv_stream::{CsvFormatOptions, CsvStreamFormat};
use object_store::ObjectStoreExt;
use object_store::chunked::ChunkedStore;
use object_store::memory::InMemory;
use object_store::path::Path;

use crate::peer::Whole;
use crate::support::rows_in_turn;

/// The metrics that count the starts of ranges.
pub(super) const STARTS: [&str; 3] = ["starts_synchronised", "starts_by_proof", "starts_by_prefix_scan"];

/// A table over bytes in memory, and its scan.
pub(super) struct Table {
    pub(super) ctx: SessionContext,
    pub(super) config: FileScanConfig,
}

impl Table {
    /// A table of `width` text columns, so that every record is read, whatever its fields hold.
    pub(super) async fn new(bytes: &[u8], options: CsvFormatOptions, width: usize, sql: &str) -> Self {
        Self::of_files(&[("t.csv", bytes)], options, width, sql).await
    }

    /// A table of some files. If there is more than one, they are in a folder.
    pub(super) async fn of_files(
        files: &[(&str, &[u8])],
        options: CsvFormatOptions,
        width: usize,
        sql: &str,
    ) -> Self {
        let store = InMemory::new();
        for (name, bytes) in files {
            store.put(&Path::from(*name), bytes.to_vec().into()).await.unwrap();
        }
        let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
        ctx.register_object_store(
            &"mem://s/".parse().unwrap(),
            Arc::new(ChunkedStore::new(Arc::new(store), 32 << 10)),
        );
        let url = match files {
            [(name, _)] => format!("mem://s/{name}"),
            _ => "mem://s/".to_owned(),
        };
        let format = CsvStreamFormat::try_new(options).unwrap();
        let columns = (0..width).map(|column| Field::new(format!("c{column}"), DataType::Utf8, true));
        let listing = ListingOptions::new(Arc::new(format)).with_file_extension("");
        let table = ListingTableConfig::new(ListingTableUrl::parse(url).unwrap())
            .with_listing_options(listing)
            .with_schema(Arc::new(Schema::new(columns.collect::<Vec<_>>())));
        ctx.register_table("t", Arc::new(ListingTable::try_new(table).unwrap())).unwrap();
        let plan = ctx.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
        let config = scan_of(&plan);
        Table { ctx, config }
    }

    pub(super) fn file(&self) -> &PartitionedFile {
        &self.config.file_groups[0].files()[0]
    }

    pub(super) fn size(&self) -> i64 {
        self.file().object_meta.size as i64
    }

    /// A scan of the file in these ranges. Each range is a partition of its own, in order.
    pub(super) fn scan(&self, ranges: &[Range<i64>]) -> Arc<dyn ExecutionPlan> {
        let piece = |range: &Range<i64>| self.file().clone().with_range(range.start, range.end);
        self.scan_of_groups(ranges.iter().map(|range| vec![piece(range)]).collect())
    }

    /// A scan of partitions, each of which reads its own pieces of files.
    pub(super) fn scan_of_groups(&self, groups: Vec<Vec<PartitionedFile>>) -> Arc<dyn ExecutionPlan> {
        let config = FileScanConfigBuilder::from(self.config.clone())
            .with_file_groups(groups.into_iter().map(FileGroup::new).collect())
            .with_preserve_order(true)
            .build();
        DataSourceExec::from_data_source(config)
    }

    /// The rows of each partition of a plan, one partition after the other.
    pub(super) async fn run(&self, plan: &Arc<dyn ExecutionPlan>) -> Result<Vec<Vec<String>>> {
        rows_in_turn(&self.ctx, plan).await
    }

    /// The rows of each range if the file is cut at these bytes.
    pub(super) async fn read(&self, cuts: &[i64]) -> Result<Vec<Vec<String>>> {
        self.run(&self.scan(&ranges(cuts))).await
    }
}

pub(super) fn ranges(cuts: &[i64]) -> Vec<Range<i64>> {
    cuts.windows(2).map(|cut| cut[0]..cut[1]).collect()
}

/// The expected rows of a readable file: each record is in the range that holds its first byte.
pub(super) fn expected(whole: &Whole, has_header: bool, width: usize, cuts: &[i64]) -> Vec<Vec<String>> {
    let text = |value: &Vec<u8>| match value.is_empty() {
        true => "NULL".to_owned(),
        false => String::from_utf8_lossy(value).into_owned(),
    };
    let row = |fields: &[Vec<u8>]| {
        let missing = std::iter::repeat_n("NULL".to_owned(), width - fields.len());
        fields.iter().map(text).chain(missing).collect::<Vec<_>>().join("|")
    };
    let records = &whole.records[usize::from(has_header && !whole.records.is_empty())..];
    let of_range = |range: Range<i64>| {
        let records = records.iter().filter(|record| range.contains(&(record.start as i64)));
        records.map(|record| row(&record.fields)).collect()
    };
    ranges(cuts).into_iter().map(of_range).collect()
}

pub(super) fn scan_of(plan: &Arc<dyn ExecutionPlan>) -> FileScanConfig {
    match plan.downcast_ref::<DataSourceExec>() {
        Some(scan) => scan.data_source().downcast_ref::<FileScanConfig>().unwrap().clone(),
        None => scan_of(plan.children()[0]),
    }
}

/// This crate's own error inside DataFusion's.
pub(super) fn own(error: &DataFusionError) -> &Error {
    match error.find_root() {
        DataFusionError::External(inner) => inner.downcast_ref::<Error>().expect("an error of this crate"),
        other => panic!("{other:?}"),
    }
}

/// The options that describe a dialect.
pub(super) fn options(dialect: &Dialect) -> CsvFormatOptions {
    CsvFormatOptions::new()
        .with_has_header(dialect.has_header())
        .with_delimiter(dialect.delimiter())
        .with_quote(dialect.quote())
        .with_escape(dialect.escape())
        .with_double_quote(dialect.double_quote())
        .with_comment(dialect.comment())
        .with_terminator(dialect.terminator())
}

//! [`TableColumns`]: the places of a table's columns in each file, by the file's header.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::Array;
use datafusion::arrow::datatypes::Schema;
use datafusion::datasource::table_schema::TableSchema;
use futures::StreamExt;
use tokio::sync::OnceCell;

use super::marks::Marks;
use super::options::ReadOptions;
use super::per_file::{PerFile, Version, version};
use crate::decode::FileColumns;
use crate::error::{Error, ErrorKind, Result};
use crate::grammar::Dialect;
use crate::infer::internal::{HEADER_ADVICE, may_be_number};
use crate::infer::{MatchColumns, MatchRules, Matched, TableNames};
use crate::input::{self, Compression, Input};
use crate::stream::internal::FileRanges;
use crate::stream::{self, CsvStream};

/// Bytes at the front of a file that are requested for its header.
const HEADER_BYTES: u64 = 64 << 10;

/// The places of a table's columns in one file, and whether its first record is a header.
#[derive(Debug, Clone)]
pub(super) struct FileShape {
    pub(super) columns: FileColumns,
    pub(super) has_header: bool,
}

/// The headers that inference has read; empty for a file whose first record is data.
pub(super) type KnownHeaders = HashMap<Version, Arc<[String]>>;

/// The shapes of a scan's split files. The header of such a file is read once, for all of its ranges.
/// The shape of a whole file is needed no more once the file is open.
pub(super) type FileShapes = PerFile<OnceCell<FileShape>>;

/// The names of a table, and the facts by which files are matched with them.
#[derive(Debug)]
pub(super) struct TableColumns {
    names: TableNames,
    in_order: FileColumns,
    known: Arc<KnownHeaders>,
    /// Whether the table's names were inferred, so that they are those of some file's header.
    is_inferred: bool,
}

/// A file whose header is looked at.
pub(super) struct HeaderOf<'a> {
    pub(super) file: &'a FileRanges,
    pub(super) compression: Compression,
    pub(super) options: &'a ReadOptions,
    pub(super) table_schema: &'a TableSchema,
    pub(super) marks: Option<Marks>,
    /// Whether records are only counted.
    pub(super) only_counts: bool,
}

impl TableColumns {
    /// For a table, with the headers that inference has read if it has inferred the table's names.
    pub(super) fn new(table_schema: &TableSchema, known: Option<Arc<KnownHeaders>>) -> Self {
        let names =
            |schema: &Schema| schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        let partitions = table_schema.table_partition_cols();
        let names = TableNames::new(names(table_schema.file_schema()))
            .ignoring(partitions.iter().map(|field| field.name().as_str()));
        TableColumns {
            names,
            in_order: FileColumns::in_order(table_schema.file_schema().fields().len()),
            is_inferred: known.is_some(),
            known: known.unwrap_or_default(),
        }
    }

    /// The shape of a file, from its header.
    ///
    /// # Errors
    ///
    /// When the header can't be read, or shows no way to match it with the table.
    pub(super) async fn shape(&self, of: &HeaderOf<'_>) -> Result<FileShape> {
        let has_header = of.options.dialect.has_header();
        let as_listed = FileShape { columns: self.in_order.clone(), has_header };
        // A file without a size, such as a FIFO, can be read only once. Counting needs no column, but
        // it has to know whether the first record is one of those that it counts.
        let is_counted = of.only_counts && !self.is_inferred;
        let by_position = of.options.sample.match_columns == MatchColumns::Position;
        if !has_header || by_position || is_counted || of.file.meta.size == 0 {
            return Ok(as_listed);
        }
        let header = match self.known.get(&version(&of.file.meta)) {
            Some(header) if header.is_empty() => {
                return Ok(FileShape { columns: self.in_order.clone(), has_header: false });
            }
            Some(header) => Arc::clone(header),
            None => of.read().await?,
        };
        // A file without records has no header.
        if header.is_empty() {
            return Ok(as_listed);
        }
        let rules = MatchRules {
            how: of.options.sample.match_columns,
            truncated_rows: of.options.truncated_rows,
            may_be_renamed: !self.is_inferred,
        };
        match self.names.match_header(&header, rules)? {
            Matched::Columns(columns) => Ok(FileShape { columns, has_header: true }),
            Matched::NoName if self.is_inferred => match of.first_record_is_data().await? {
                true => Ok(FileShape { columns: self.in_order.clone(), has_header: false }),
                false => Err(may_be_data(&header)),
            },
            Matched::NoName => Ok(as_listed),
        }
    }
}

impl HeaderOf<'_> {
    /// Reads the names in the header.
    async fn read(&self) -> Result<Arc<[String]>> {
        let mut sampler = self.options.header_sampler();
        stream::sample(&mut self.open().await?, &mut sampler).await?;
        Ok(sampler.header().unwrap_or_default().into())
    }

    /// Whether a first record that shares no name with the table is plainly data: its values have the
    /// types of the columns, and a column that isn't text has one. A name that starts with a digit
    /// makes it unclear.
    async fn first_record_is_data(&self) -> Result<bool> {
        let dialect = without_header(&self.options.dialect)?;
        let builder = self.options.decoder_builder(self.table_schema.file_schema(), self.marks.clone());
        let decoder =
            builder.with_dialect(dialect).with_limits(self.file.limits).with_limit(Some(1)).build()?;
        let record = match CsvStream::new(self.open().await?, decoder).next().await {
            Some(Ok(record)) => record,
            Some(Err(error)) if matches!(error.kind(), ErrorKind::Io(_)) => return Err(error),
            _ => return Ok(false),
        };
        let schema = record.schema();
        let mut typed = record.columns().iter().zip(schema.fields()).filter(|(column, field)| {
            !field.data_type().is_string() && !column.data_type().is_null() && !column.is_null(0)
        });
        let is_unclear =
            schema.fields().iter().any(|field| !field.data_type().is_string() && may_be_number(field.name()));
        Ok(!is_unclear && typed.next().is_some())
    }

    /// The front of the file.
    async fn open(&self) -> Result<Input> {
        let FileRanges { store, meta, limits, counters, .. } = self.file;
        match self.compression {
            Compression::None => self.file.open(0..HEADER_BYTES.min(meta.size)).await,
            compression => input::open(store, meta, compression, limits, Arc::clone(counters)).await,
        }
    }
}

/// The error for a first record that shares no name with an inferred table.
fn may_be_data(first: &[String]) -> Error {
    let shown: Vec<_> = first.iter().take(5).map(|name| format!("{name:?}")).collect();
    let more = if first.len() > shown.len() { ", …" } else { "" };
    let reason = format!(
        "the first record ({}{more}) shares no name with the table's header, and may be data; {HEADER_ADVICE}",
        shown.join(", ")
    );
    Error::new(ErrorKind::Schema { reason })
}

/// The dialect of a file without a header.
pub(super) fn without_header(dialect: &Dialect) -> Result<Dialect> {
    dialect.to_builder().with_header(false).build()
}

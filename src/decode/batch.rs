//! [`BatchDecoder`]: records in, record batches out, bounded in rows and in bytes.

use std::cell::Cell;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use super::column::ColumnDecoder;
use super::fields::{Failure, Fields};
use super::file_columns::FileColumns;
use super::loss::Exactness;
use super::make::make;
use super::options::DecodeOptions;
use super::scratch::Scratch;
use super::utf8::Utf8;
use crate::error::{Error, ErrorKind, Result};
use crate::parse::Records;
use crate::parse::column::Spans;
use crate::simd::Backend;

/// Decodes the records of one table, batch by batch.
///
/// A batch is bounded only if the caller pushes no more records than [`room`](Self::room) allows.
#[derive(Debug)]
pub struct BatchDecoder {
    schema: SchemaRef,
    /// The projected columns, in the file's order, so that errors are found in that order.
    columns: Vec<ProjectedColumn>,
    /// The projected columns that the file lacks, by their indices in the batch.
    missing: Vec<usize>,
    options: DecodeOptions,
    /// Whether the values of any column have to be UTF-8.
    has_strings: bool,
    /// The number of the file's columns.
    width: usize,
    batch_rows: usize,
    batch_bytes: usize,
    /// Bytes that every row takes.
    row_bytes: usize,
    rows: usize,
    /// Rows that the builders have room for.
    capacity: usize,
    /// The rows of the last batch.
    last_rows: usize,
    scratch: Scratch,
    spans: Spans,
    backend: Backend,
    /// Values that were too long, and have become NULL or been truncated.
    oversized: Cell<usize>,
}

/// If at least one in this many records is selected, the text of all records is checked for UTF-8
/// at once, and not field by field.
const SPARSE: usize = 8;

#[derive(Debug)]
struct ProjectedColumn {
    /// The column's index in the file.
    file_index: usize,
    /// Its index in the batch.
    batch_index: usize,
    decoder: Box<dyn ColumnDecoder>,
}

impl BatchDecoder {
    /// A decoder for a file whose columns are those of `table`, in order.
    ///
    /// # Errors
    ///
    /// As [`of_file`](Self::of_file).
    pub fn new(
        table: &Schema,
        projection: &[usize],
        options: &DecodeOptions,
        batch_rows: usize,
        batch_bytes: usize,
    ) -> Result<Self> {
        let columns = FileColumns::in_order(table.fields().len());
        Self::of_file(table, &columns, projection, options, batch_rows, batch_bytes)
    }

    /// A decoder for a file with some columns of `table`. `projection` holds the indices of the
    /// columns to decode, in the order of the batches' columns; without any, rows are only counted.
    ///
    /// A batch has at most `batch_rows` rows (0 counts as 1), and ends when it has reached
    /// `batch_bytes` bytes.
    ///
    /// # Errors
    ///
    /// When a projected column's type [is not supported](super::supports), the projection names
    /// no column, or the file lacks a projected column that can't be NULL.
    pub fn of_file(
        table: &Schema,
        file_columns: &FileColumns,
        projection: &[usize],
        options: &DecodeOptions,
        batch_rows: usize,
        batch_bytes: usize,
    ) -> Result<Self> {
        let schema = Arc::new(table.project(projection).map_err(internal)?);
        let mut columns = Vec::with_capacity(projection.len());
        let mut missing = Vec::new();
        // A value takes some bits, and another one if it can be NULL.
        let mut row_bits = 0;
        for (batch_index, (&table_index, field)) in projection.iter().zip(schema.fields()).enumerate() {
            let exactness = Exactness::new(options.lossy_values(), options.inferred(table_index, field));
            let decoder = make(field.data_type(), exactness)?;
            row_bits += decoder.row_bits() + usize::from(field.is_nullable());
            match file_columns.field(table_index) {
                Some(file_index) => columns.push(ProjectedColumn { file_index, batch_index, decoder }),
                None if field.is_nullable() => missing.push(batch_index),
                None => return Err(lacks(field)),
            }
        }
        columns.sort_by_key(|column| column.file_index);
        let row_bytes = row_bits.div_ceil(8);
        let is_string = |column: &ProjectedColumn| schema.field(column.batch_index).data_type().is_string();
        let has_strings = columns.iter().any(is_string);
        Ok(BatchDecoder {
            schema,
            columns,
            missing,
            options: options.clone(),
            has_strings,
            width: file_columns.width(),
            batch_rows: batch_rows.max(1),
            batch_bytes,
            row_bytes,
            rows: 0,
            capacity: 0,
            last_rows: 0,
            scratch: Scratch::new(),
            spans: Spans::default(),
            backend: Backend::detect(),
            oversized: Cell::new(0),
        })
    }

    /// Decodes with this back end. Default: [`Backend::detect`].
    #[must_use]
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// The batches' schema: the projected columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How many records the batch still takes. It is 0 when the batch is full, and
    /// [`finish`](Self::finish) has to be called. An empty batch takes at least one.
    pub fn room(&self) -> usize {
        let bytes = self.batch_bytes.saturating_sub(self.bytes());
        let rows = self.batch_rows.saturating_sub(self.rows);
        let rows = match (bytes, self.row_bytes) {
            (0, _) => 0,
            (_, 0) => rows,
            (bytes, row_bytes) => rows.min(bytes / row_bytes),
        };
        let rows = self.columns.iter().fold(rows, |rows, column| rows.min(column.decoder.room()));
        rows.max(usize::from(self.rows == 0))
    }

    /// The number of records in the batch being built.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The most rows of a batch.
    pub fn batch_rows(&self) -> usize {
        self.batch_rows
    }

    /// Sets the most rows of a batch, starting with the one that is being built. 0 counts as 1.
    pub fn set_batch_rows(&mut self, rows: usize) {
        self.batch_rows = rows.max(1);
    }

    /// Decodes records into the batch being built. They should be no more than
    /// [`room`](Self::room); with more, the batch exceeds its bounds.
    ///
    /// # Errors
    ///
    /// When a field can't be read as its column's type: the first one, in the order of the file.
    /// The decoder is of no further use then.
    pub fn push(&mut self, records: &Records<'_>) -> Result<()> {
        self.push_rows(records, None)
    }

    /// Decodes only some of the records, as [`push`](Self::push) decodes all. They are given by
    /// their indices in ascending order. No error comes from a value in the other records.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    ///
    /// # Panics
    ///
    /// When an index is not below the number of records.
    pub fn push_selected(&mut self, records: &Records<'_>, selected: &[u32]) -> Result<()> {
        self.push_rows(records, Some(selected))
    }

    fn push_rows(&mut self, records: &Records<'_>, selected: Option<&[u32]>) -> Result<()> {
        let rows = selected.map_or(records.len(), <[u32]>::len);
        if rows == 0 {
            return Ok(());
        }
        if !self.columns.is_empty() && records.width() != Some(self.width) {
            let reason = format!("records of {:?} fields for a table of {}", records.width(), self.width);
            return Err(Error::new(ErrorKind::Internal(reason.into())));
        }
        self.reserve(rows);
        let text = match self.has_strings && rows >= records.len() / SPARSE {
            true => {
                let (start, end) = span(records, self.width);
                Utf8::new(records.column(0).bytes(), start, end)
            }
            false => None,
        };
        let mut first: Option<(Failure, usize, &Field)> = None;
        for column in &mut self.columns {
            // Report the earliest failing record: later columns are decoded only up to it.
            let before = first.as_ref().map_or(rows, |(failure, ..)| failure.record);
            let field = self.schema.field(column.batch_index);
            let fields = match selected {
                None => records.slice(0..before).column(column.file_index),
                Some(selected) => {
                    records.column(column.file_index).select(&selected[..before], &mut self.spans)
                }
            };
            let is_long = |(start, end): (u32, u32)| {
                self.options.field_limit().exceeded_by(end.saturating_sub(start) as usize).is_some()
            };
            let fields = Fields {
                column: fields,
                are_long: self.options.field_limit().is_set() && fields.spans().any(is_long),
                oversized: &self.oversized,
                options: &self.options,
                is_nullable: field.is_nullable(),
                backend: self.backend,
                text,
            };
            if let Err(failure) = column.decoder.push(&fields, &mut self.scratch) {
                first = Some((failure, column.file_index, field));
            }
        }
        if let Some((failure, file_index, field)) = first {
            let record = selected.map_or(failure.record, |selected| selected[failure.record] as usize);
            let error = records.error(failure.kind, record, Some(file_index));
            return Err(error.with_column_name(field.name()));
        }
        self.rows += rows;
        Ok(())
    }

    /// Finishes the batch, and starts the next one. Returns `None` if the batch has no rows.
    ///
    /// # Errors
    ///
    /// When Arrow refuses the arrays, which is a defect of this crate.
    pub fn finish(&mut self) -> Result<Option<RecordBatch>> {
        if self.rows == 0 {
            return Ok(None);
        }
        let mut arrays = self
            .columns
            .iter_mut()
            .map(|column| Ok((column.batch_index, column.decoder.finish().map_err(internal)?)))
            .collect::<Result<Vec<_>>>()?;
        let nulls = |&index: &usize| (index, new_null_array(self.schema.field(index).data_type(), self.rows));
        arrays.extend(self.missing.iter().map(nulls));
        arrays.sort_by_key(|(batch_index, _)| *batch_index);
        let arrays = arrays.into_iter().map(|(_, array)| array).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let batch =
            RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options).map_err(internal)?;
        self.last_rows = self.rows;
        self.rows = 0;
        self.capacity = 0;
        self.scratch.shrink();
        Ok(Some(batch))
    }

    /// How many values were too long, and have become NULL or been truncated, since the last call.
    pub fn take_oversized(&mut self) -> usize {
        self.oversized.take()
    }

    /// Bytes held: those of the batch being built, with what is reserved for it.
    pub fn allocated_bytes(&self) -> usize {
        let decoders = self.columns.iter().map(|column| column.decoder.allocated_bytes()).sum::<usize>();
        decoders + self.scratch.allocated_bytes() + self.spans.allocated_bytes()
    }

    /// Bytes of the batch being built.
    fn bytes(&self) -> usize {
        let variable = self.columns.iter().map(|column| column.decoder.variable_bytes()).sum::<usize>();
        self.rows * self.row_bytes + variable
    }

    /// Makes room for more rows: first for as many as the last batch had, then for twice as many
    /// each time, but not for more than a batch can have.
    fn reserve(&mut self, more: usize) {
        let needed = self.rows + more;
        if needed <= self.capacity {
            return;
        }
        let most = self.batch_rows.min(self.batch_bytes / self.row_bytes.max(1));
        let wanted = if self.capacity == 0 { self.last_rows } else { 2 * self.capacity };
        self.capacity = needed.max(wanted.min(most));
        for column in &mut self.columns {
            column.decoder.reserve(self.capacity, self.batch_bytes);
        }
    }
}

/// Where the first record starts and the last one ends.
fn span(records: &Records<'_>, width: usize) -> (usize, usize) {
    let (start, _) = records.column(0).span(0);
    let (_, end) = records.column(width - 1).span(records.len() - 1);
    (start as usize, end as usize)
}

/// The error for a column without values, which is not nullable.
fn lacks(field: &Field) -> Error {
    let reason = format!("the file has no column \"{}\", which can't be NULL", field.name());
    Error::new(ErrorKind::Schema { reason })
}

fn internal(error: ArrowError) -> Error {
    Error::new(ErrorKind::Internal(error.into()))
}

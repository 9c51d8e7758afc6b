//! [`DecoderBuilder`]: every option of a [`Decoder`].

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::batch::BatchDecoder;
use super::batches::Batches;
use super::counters::DecodeCounters;
use super::decoder::Decoder;
use super::file_columns::FileColumns;
use super::filter::{Filters, RowFilter};
use super::options::DecodeOptions;
use super::range_end::RangeEnd;
use super::work::Work;
use crate::budget::Limits;
use crate::error::Result;
use crate::grammar::Dialect;
use crate::parse::{FieldCount, Parser, RecordCounter, RecordStart};

/// Rows of a batch: 8192, DataFusion's own default.
pub const DEFAULT_BATCH_SIZE: usize = 8192;

/// Builds a [`Decoder`], and so the decoder of a [`Reader`](super::Reader) or of a `CsvStream`.
///
/// ```
/// use std::sync::Arc;
/// use arrow::datatypes::{DataType, Field, Schema};
/// use datafusion_csv_stream::{DecoderBuilder, Reader};
///
/// let schema = Arc::new(Schema::new(vec![
///     Field::new("id", DataType::Int64, true),
///     Field::new("name", DataType::Utf8View, true),
/// ]));
/// let decoder = DecoderBuilder::new(schema)
///     .with_projection(Some(vec![1]))
///     .with_limit(Some(1))
///     .build()?;
/// let batches = Reader::new(&b"id,name\n1,one\n2,two\n"[..], decoder).collect::<Result<Vec<_>, _>>()?;
/// assert_eq!((batches[0].num_columns(), batches[0].num_rows()), (1, 1));
/// # Ok::<(), datafusion_csv_stream::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct DecoderBuilder {
    schema: SchemaRef,
    file_columns: Option<FileColumns>,
    projection: Option<Vec<usize>>,
    filters: Vec<Arc<dyn RowFilter>>,
    dialect: Dialect,
    decode: DecodeOptions,
    truncated_rows: bool,
    limits: Limits,
    batch_size: usize,
    limit: Option<usize>,
    path: Option<String>,
    counters: Arc<DecodeCounters>,
    start: Option<RecordStart>,
    end: Option<u64>,
}

impl DecoderBuilder {
    /// For a file whose columns are the schema's, in order.
    pub fn new(schema: SchemaRef) -> Self {
        DecoderBuilder {
            schema,
            file_columns: None,
            projection: None,
            filters: Vec::new(),
            dialect: Dialect::default(),
            decode: DecodeOptions::default(),
            truncated_rows: false,
            limits: Limits::default(),
            batch_size: DEFAULT_BATCH_SIZE,
            limit: None,
            path: None,
            counters: Arc::default(),
            start: None,
            end: None,
        }
    }

    /// The places of the schema's columns in the file's records. Default: the schema's order.
    pub fn with_file_columns(mut self, columns: Option<FileColumns>) -> Self {
        self.file_columns = columns;
        self
    }

    /// The columns to decode, as indices into the schema, in the order of the batches' columns.
    /// Default: all.
    ///
    /// Without any column, records are only counted, which is several times faster. The number of
    /// their fields is not checked then.
    pub fn with_projection(mut self, projection: Option<Vec<usize>>) -> Self {
        self.projection = projection;
        self
    }

    /// Predicates, all of which a row has to fulfil. Default: none.
    ///
    /// They are evaluated in this order, each on the rows that those before it keep. The other
    /// columns are decoded only for the rows that are left. A value that is not decoded is not
    /// checked; the number of fields of each record, and its quotes, are.
    pub fn with_filters(mut self, filters: Vec<Arc<dyn RowFilter>>) -> Self {
        self.filters = filters;
        self
    }

    /// The file's delimiter, quote, header and so on. Default: [`Dialect::default`].
    pub fn with_dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// The rules for values that are NULL, for values that are too long, and for values that their
    /// type can't hold exactly. Default: an empty field is NULL, and a loss is an error.
    ///
    /// [`Limits::for_fields`] can set the length of the longest value too.
    pub fn with_decode_options(mut self, decode: DecodeOptions) -> Self {
        self.decode = decode;
        self
    }

    /// Whether a record with too few fields is padded with NULL. Default false: it is an error.
    pub fn with_truncated_rows(mut self, truncated_rows: bool) -> Self {
        self.truncated_rows = truncated_rows;
        self
    }

    /// The memory that the decoder may hold. Default: [`Limits::default`], 10 MiB.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The most rows of a batch. A batch that reaches [`Limits::batch_bytes`] has fewer. Default
    /// 8192; 0 counts as 1.
    pub fn with_batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size.max(1);
        self
    }

    /// The number of rows, of those that the filters keep, after which the decoder is done.
    /// Default: none.
    ///
    /// The columns of filters are also checked in up to
    /// [`PREDICATE_ROWS`](super::PREDICATE_ROWS) records after the last one.
    pub fn with_limit(mut self, limit: Option<usize>) -> Self {
        self.limit = limit;
        self
    }

    /// The name of the input, for errors. Default: none.
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Counters to share. Default: the decoder's own.
    pub fn with_counters(mut self, counters: Arc<DecodeCounters>) -> Self {
        self.counters = counters;
        self
    }

    /// Starts at a record of the file. The input has to start with the first byte of that record.
    /// Default: at the first byte of the file.
    pub fn starting_at(mut self, start: Option<RecordStart>) -> Self {
        self.start = start;
        self
    }

    /// Ends with the last record that starts before a byte of the file. Default: at the end of the
    /// input.
    ///
    /// The input has to go on past that byte, to the end of that record. The first record past the
    /// byte is then known: [`Decoder::next_start`].
    pub fn ending_before(mut self, byte: Option<u64>) -> Self {
        self.end = byte;
        self
    }

    /// The decoder.
    ///
    /// # Errors
    ///
    /// When a projected column, or a filter's column, isn't in the schema, its type can't be
    /// decoded, or the file lacks it and it can't be NULL.
    pub fn build(self) -> Result<Decoder> {
        let columns = self.schema.fields().len();
        let projection = self.projection.unwrap_or_else(|| (0..columns).collect());
        let decode = self.decode.within(&self.limits);
        let file_columns = self.file_columns.unwrap_or_else(|| FileColumns::in_order(columns));
        let table = Some((self.schema.as_ref(), &file_columns));
        let (max_record_bytes, cut_fields) = decode.record_bytes(&self.limits, table);
        let rows = self.batch_size.min(self.limit.unwrap_or(usize::MAX)).max(1);
        let batch_bytes = self.limits.batch_bytes();
        let decoder =
            BatchDecoder::of_file(&self.schema, &file_columns, &projection, &decode, rows, batch_bytes)?;
        let schema = Arc::clone(decoder.schema());
        let work = if projection.is_empty() && self.filters.is_empty() {
            let mut counter = RecordCounter::new(&self.dialect, max_record_bytes);
            if let Some(start) = self.start {
                counter = counter.starting_at(start);
            }
            Work::count(counter)
        } else {
            let field_count = FieldCount::of_table(file_columns.width(), self.truncated_rows);
            let mut parser = Parser::new(&self.dialect, field_count, max_record_bytes)
                .with_cut_fields(cut_fields)
                .with_index_fields(self.limits.index_fields());
            if let Some(start) = self.start {
                parser = parser.starting_at(start);
            }
            if self.end.is_some() {
                // The header may start past the end of the range. Then it is the first record
                // there.
                parser = parser.with_header_record();
            }
            let filters = if self.filters.is_empty() {
                None
            } else {
                let table = (self.schema.as_ref(), &file_columns);
                Some(Filters::new(self.filters, table, &decode, &self.limits, self.limit)?)
            };
            Work::decode(parser, Batches::new(filters, decoder))
        };
        Ok(Decoder {
            schema,
            work,
            batch_rows: rows,
            rows_left: self.limit.unwrap_or(usize::MAX),
            chunk_bytes: self.limits.chunk_bytes(),
            byte: self.start.map_or(0, |start| start.byte),
            end: self.end.map(RangeEnd::before),
            has_ended: false,
            path: self.path,
            counters: self.counters,
        })
    }
}

//! [`CsvStreamBuilder`]: what a stream reads, and how.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use tokio::io::AsyncBufRead;

use super::batches::Batches;
use super::counters::StreamCounters;
use super::csv_stream::CsvStream;
use super::filter::{Filters, RowFilter};
use super::range_end::RangeEnd;
use super::work::Work;
use crate::decode::{BatchDecoder, DecodeOptions};
use crate::error::Result;
use crate::grammar::Dialect;
use crate::limits::{DEFAULT_BATCH_SIZE, Limits};
use crate::parse::{FieldCount, Parser, RecordCounter, RecordStart};

/// Builds a [`CsvStream`]. Needs no DataFusion session.
///
/// ```
/// use std::sync::Arc;
/// use arrow::datatypes::{DataType, Field, Schema};
/// use datafusion_csv_stream::stream::CsvStreamBuilder;
/// use futures::TryStreamExt;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let schema = Arc::new(Schema::new(vec![
///     Field::new("id", DataType::Int64, true),
///     Field::new("name", DataType::Utf8, true),
/// ]));
/// let bytes = &b"id,name\n1,one\n2,\"t,wo\"\n"[..]; // or a file, a socket, stdin
/// let batches: Vec<_> = CsvStreamBuilder::new(schema).build(bytes)?.try_collect().await?;
/// assert_eq!(batches[0].num_rows(), 2);
/// # Ok::<(), datafusion::error::DataFusionError>(()) }).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct CsvStreamBuilder {
    schema: SchemaRef,
    projection: Option<Vec<usize>>,
    filters: Vec<Arc<dyn RowFilter>>,
    dialect: Dialect,
    decode: DecodeOptions,
    truncated_rows: bool,
    limits: Limits,
    batch_size: usize,
    limit: Option<usize>,
    path: Option<String>,
    counters: Arc<StreamCounters>,
    start: Option<RecordStart>,
    range_end: Option<RangeEnd>,
}

impl CsvStreamBuilder {
    /// For a file whose columns are the schema's, by position.
    pub fn new(schema: SchemaRef) -> Self {
        CsvStreamBuilder {
            schema,
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
            range_end: None,
        }
    }

    /// The columns to decode, as indices into the schema, in the order of the batches'. Default: all. Without any, records
    /// are only counted, several times faster: how many fields they have is not looked at then.
    pub fn with_projection(mut self, projection: Option<Vec<usize>>) -> Self {
        self.projection = projection;
        self
    }

    /// Predicates, all of which a row has to fulfil. They are evaluated in this order, each on the rows that those before
    /// it keep, and what else a row has is decoded only if it fulfils all. A value that is not decoded is not checked
    /// either; how many fields a record has, and its quotes, are. Default: none.
    pub fn with_filters(mut self, filters: Vec<Arc<dyn RowFilter>>) -> Self {
        self.filters = filters;
        self
    }

    /// How the file is written. Default: [`Dialect::default`].
    pub fn with_dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// What is NULL, and what becomes of long values, of which [`Limits::with_cut_fields`] can say too how long they may be.
    /// Default: an empty field is NULL.
    pub fn with_decode_options(mut self, decode: DecodeOptions) -> Self {
        self.decode = decode;
        self
    }

    /// Whether a record with too few fields is padded with NULLs rather than an error. Default false.
    pub fn with_truncated_rows(mut self, truncated_rows: bool) -> Self {
        self.truncated_rows = truncated_rows;
        self
    }

    /// What the stream may hold. Default: [`Limits::default`], 10 MiB.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Rows of a batch; one may have fewer, when it reaches [`Limits::batch_bytes`]. Default 8192; 0 counts as 1.
    pub fn with_batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size.max(1);
        self
    }

    /// Rows, of those that the filters keep, after which the stream ends and reads no more. The values that filters need are
    /// checked of up to [`PREDICATE_ROWS`](crate::limits::PREDICATE_ROWS) records behind the last one. Default: none.
    pub fn with_limit(mut self, limit: Option<usize>) -> Self {
        self.limit = limit;
        self
    }

    /// The name of the input, for errors. Default: none.
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Where to count. Default: counted, but seen by nobody.
    pub fn with_counters(mut self, counters: Arc<StreamCounters>) -> Self {
        self.counters = counters;
        self
    }

    /// Reads from a record on, with which the reader starts. Default: from the first byte of the file.
    pub fn starting_at(mut self, start: Option<RecordStart>) -> Self {
        self.start = start;
        self
    }

    /// Ends with the last record that starts before a byte. The reader has to go on behind it. Default: the reader's end.
    pub(crate) fn with_range_end(mut self, range_end: Option<RangeEnd>) -> Self {
        self.range_end = range_end;
        self
    }

    /// The stream of a reader's batches. Nothing is read before it is polled.
    ///
    /// # Errors
    ///
    /// When a projected column, or one that a filter needs, has a type that can't be decoded or isn't there.
    pub fn build(self, reader: impl AsyncBufRead + Send + 'static) -> Result<CsvStream> {
        let columns = self.schema.fields().len();
        let projection = self.projection.unwrap_or_else(|| (0..columns).collect());
        let field_count = FieldCount::of_table(columns, self.truncated_rows);
        let decode = self.decode.within(&self.limits);
        let (max_record_bytes, cut_fields) = decode.record_bytes(&self.limits, Some(&self.schema));
        let rows = self.batch_size.min(self.limit.unwrap_or(usize::MAX)).max(1);
        let decoder = BatchDecoder::new(&self.schema, &projection, &decode, rows, self.limits.batch_bytes())?;
        let schema = Arc::clone(decoder.schema());
        let filters = match self.filters.is_empty() {
            true => None,
            false => Some(Filters::new(self.filters, &self.schema, &decode, &self.limits, self.limit)?),
        };
        let work = match projection.is_empty() && filters.is_none() {
            true => {
                let mut counter = RecordCounter::new(&self.dialect, max_record_bytes);
                if let Some(start) = self.start {
                    counter = counter.starting_at(start);
                }
                Work::Count { counter, taken: 0, failed: None }
            }
            false => {
                let mut parser = Parser::new(&self.dialect, field_count, max_record_bytes)
                    .with_cut_fields(cut_fields)
                    .with_index_fields(self.limits.index_fields());
                if let Some(start) = self.start {
                    parser = parser.starting_at(start);
                }
                if self.range_end.is_some() {
                    // It may stand behind the end.
                    parser = parser.with_header_record();
                }
                Work::Decode { parser: Box::new(parser), batches: Batches::new(filters, decoder) }
            }
        };
        Ok(CsvStream {
            reader: (self.limit != Some(0)).then(|| Box::pin(reader) as _),
            schema,
            work,
            batch_rows: rows,
            chunk_bytes: self.limits.chunk_bytes(),
            rows_left: self.limit.unwrap_or(usize::MAX),
            has_ended: false,
            path: self.path,
            counters: self.counters,
            byte: self.start.map_or(0, |start| start.byte),
            range_end: self.range_end,
        })
    }
}

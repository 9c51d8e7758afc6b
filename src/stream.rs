//! [`CsvStream`]: any `AsyncBufRead` of CSV bytes → a stream of Arrow batches. The one place that waits.

mod filter;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::error::DataFusionError;
use datafusion::execution::RecordBatchStream;
use futures::Stream;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

use crate::decode::{BatchDecoder, DecodeOptions};
use crate::dialect::Dialect;
use crate::error::{Error, ErrorKind, Result};
use crate::infer::SchemaSampler;
use crate::limits::{DEFAULT_BATCH_SIZE, Limits};
use crate::parse::{FieldCount, Parser, RecordCounter, Step};

pub use filter::RowFilter;
use filter::{Failure, Filters};

/// Chunks that one poll reads before it lets others on its thread have their turn: 16 MiB at the default chunk size.
///
/// A batch normally ends a poll long before; a file of comments doesn't.
const CHUNKS_PER_POLL: usize = 64;

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

    /// What is NULL. Default: an empty field.
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

    /// Rows, of those that the filters keep, after which the stream ends and reads no more. Default: none.
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

    /// The stream of a reader's batches. Nothing is read before it is polled.
    ///
    /// # Errors
    ///
    /// When a projected column, or one that a filter needs, has a type that can't be decoded or isn't there.
    pub fn build(self, reader: impl AsyncBufRead + Send + 'static) -> Result<CsvStream> {
        let columns = self.schema.fields().len();
        let projection = self.projection.unwrap_or_else(|| (0..columns).collect());
        let field_count = match self.truncated_rows {
            true => FieldCount::UpTo(columns),
            false => FieldCount::Exactly(columns),
        };
        let max_record_bytes = self.limits.max_record_bytes();
        let rows = self.batch_size.min(self.limit.unwrap_or(usize::MAX)).max(1);
        let decoder =
            BatchDecoder::new(&self.schema, &projection, &self.decode, rows, self.limits.batch_bytes())?;
        let schema = Arc::clone(decoder.schema());
        let filters = match self.filters.is_empty() {
            true => None,
            false => Some(Filters::new(self.filters, &self.schema, &self.decode, &self.limits, self.limit)?),
        };
        let work = match projection.is_empty() && filters.is_none() {
            true => Work::Count { counter: RecordCounter::new(&self.dialect, max_record_bytes)?, taken: 0 },
            false => {
                let parser = Parser::new(&self.dialect, field_count, max_record_bytes)?;
                Work::Decode { parser, filters, decoder, rest: None }
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
        })
    }
}

/// A stream of the batches of one CSV file.
///
/// It decodes what it has before it reads more, reads no more after an error or its limit, and reads nothing once it
/// is dropped.
pub struct CsvStream {
    /// `None` once the stream has ended, so that whatever it reads from is let go at once.
    reader: Option<Pin<Box<dyn AsyncBufRead + Send>>>,
    schema: SchemaRef,
    work: Work,
    /// Rows of a batch.
    batch_rows: usize,
    /// Bytes that are parsed at once.
    chunk_bytes: usize,
    /// Rows that the limit leaves, those of the batch being built not taken off.
    rows_left: usize,
    /// After an error nothing more comes, not even what was decoded before it.
    has_ended: bool,
    path: Option<String>,
    counters: Arc<StreamCounters>,
}

/// What is done with the bytes.
enum Work {
    Decode {
        parser: Parser,
        filters: Option<Filters>,
        decoder: BatchDecoder,
        /// What is left of a batch that was larger than asked for: how many rows filters keep is not known before.
        rest: Option<RecordBatch>,
    },
    /// No column is asked for.
    Count {
        counter: RecordCounter,
        /// Records that batches have been made of.
        taken: u64,
    },
}

impl Work {
    /// Rows that wait for their batch.
    fn rows(&self) -> usize {
        match self {
            Work::Decode { decoder, rest, .. } => {
                decoder.rows() + rest.as_ref().map_or(0, RecordBatch::num_rows)
            }
            Work::Count { counter, taken } => (counter.records() - taken) as usize,
        }
    }

    /// Whether a batch of up to `rows` rows is full.
    fn is_full(&self, rows: usize) -> bool {
        match self {
            Work::Decode { decoder, rest, .. } if decoder.room() == 0 || rest.is_some() => true,
            _ => self.rows() >= rows,
        }
    }

    /// Takes some of a chunk, with which a batch gets no more than `rows` rows unless there are filters, and says how many
    /// bytes.
    fn push(&mut self, chunk: &[u8], rows: usize, counters: &StreamCounters) -> Result<usize, Failure> {
        let started = Instant::now();
        match self {
            Work::Decode { parser, filters, decoder, .. } => {
                let room = match filters {
                    Some(filters) => filters.room(),
                    None => decoder.room().min(rows - decoder.rows()),
                };
                let (taken, step) = parser.next(chunk, room)?;
                let parsed = StreamCounters::add_time(&counters.parsing_nanos, started);
                if let Step::Records(records) = step {
                    StreamCounters::add(&counters.records, records.len());
                    match filters {
                        Some(filters) => filters.push(&records, decoder, counters)?,
                        None => {
                            decoder.push(&records)?;
                            StreamCounters::add_time(&counters.decoding_nanos, parsed);
                        }
                    }
                }
                Ok(taken)
            }
            Work::Count { counter, .. } => {
                let before = counter.records();
                counter.push(chunk)?;
                StreamCounters::add(&counters.records, (counter.records() - before) as usize);
                StreamCounters::add_time(&counters.parsing_nanos, started);
                Ok(chunk.len())
            }
        }
    }

    /// Takes the last record, which may end without a terminator.
    fn finish(&mut self, counters: &StreamCounters) -> Result<(), Failure> {
        let started = Instant::now();
        match self {
            Work::Decode { parser, filters, decoder, .. } => {
                if let Some(records) = parser.finish()? {
                    StreamCounters::add(&counters.records, records.len());
                    match filters {
                        Some(filters) => return filters.push(&records, decoder, counters),
                        None => decoder.push(&records)?,
                    }
                }
            }
            Work::Count { counter, .. } => {
                let before = counter.records();
                StreamCounters::add(&counters.records, (counter.finish()? - before) as usize);
            }
        }
        StreamCounters::add_time(&counters.decoding_nanos, started);
        Ok(())
    }

    /// A batch of up to `rows` rows, if there are any.
    fn take_batch(&mut self, schema: &SchemaRef, rows: usize) -> Result<Option<RecordBatch>> {
        let rows = rows.min(self.rows());
        match self {
            Work::Decode { decoder, rest, .. } => {
                let batch = match rest.take() {
                    Some(batch) => batch,
                    None => match decoder.finish()? {
                        Some(batch) => batch,
                        None => return Ok(None),
                    },
                };
                if batch.num_rows() <= rows {
                    return Ok(Some(batch));
                }
                *rest = Some(batch.slice(rows, batch.num_rows() - rows));
                Ok(Some(batch.slice(0, rows)))
            }
            Work::Count { .. } if rows == 0 => Ok(None),
            Work::Count { taken, .. } => {
                *taken += rows as u64;
                let options = RecordBatchOptions::new().with_row_count(Some(rows));
                let batch = RecordBatch::try_new_with_options(Arc::clone(schema), Vec::new(), &options);
                let internal =
                    |error: ArrowError| Error::new(ErrorKind::Internal { reason: error.to_string() });
                batch.map(Some).map_err(internal)
            }
        }
    }

    fn allocated_bytes(&self) -> usize {
        match self {
            Work::Decode { parser, filters, decoder, rest } => {
                let filters = filters.as_ref().map_or(0, Filters::allocated_bytes);
                let rest = rest.as_ref().map_or(0, RecordBatch::get_array_memory_size);
                parser.allocated_bytes() + decoder.allocated_bytes() + filters + rest
            }
            Work::Count { .. } => 0,
        }
    }
}

/// What a [`CsvStream`] has done, counted while it runs.
#[derive(Debug, Default)]
pub struct StreamCounters {
    bytes: AtomicU64,
    records: AtomicU64,
    selected: AtomicU64,
    parsing_nanos: AtomicU64,
    filtering_nanos: AtomicU64,
    decoding_nanos: AtomicU64,
}

impl StreamCounters {
    /// Bytes parsed, after decompression.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Records read, those included that filters don't keep.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Records that all filters keep; 0 without any.
    pub fn selected(&self) -> u64 {
        self.selected.load(Ordering::Relaxed)
    }

    /// Time spent finding records and fields, in nanoseconds.
    pub fn parsing_nanos(&self) -> u64 {
        self.parsing_nanos.load(Ordering::Relaxed)
    }

    /// Time spent on filters, in nanoseconds: decoding the fields that they need, and evaluating them.
    pub fn filtering_nanos(&self) -> u64 {
        self.filtering_nanos.load(Ordering::Relaxed)
    }

    /// Time spent decoding fields into arrays, those for filters not included, in nanoseconds.
    pub fn decoding_nanos(&self) -> u64 {
        self.decoding_nanos.load(Ordering::Relaxed)
    }

    fn add(counter: &AtomicU64, more: usize) {
        counter.fetch_add(more as u64, Ordering::Relaxed);
    }

    fn add_time(counter: &AtomicU64, since: Instant) -> Instant {
        let now = Instant::now();
        counter.fetch_add((now - since).as_nanos() as u64, Ordering::Relaxed);
        now
    }
}

impl CsvStream {
    /// Bytes held: the partial record, the index and the builders. The reader's own are not known here.
    pub fn allocated_bytes(&self) -> usize {
        self.work.allocated_bytes()
    }

    /// Ends the stream: lets go of the reader, and of what has been decoded.
    pub(crate) fn close(&mut self) {
        self.reader = None;
        self.has_ended = true;
    }

    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<RecordBatch>, Failure>> {
        for _ in 0..CHUNKS_PER_POLL {
            let rows = self.batch_rows.min(self.rows_left);
            if self.work.is_full(rows) {
                return Poll::Ready(Ok(self.take_batch()?));
            }
            let Some(reader) = &mut self.reader else {
                return Poll::Ready(Ok(self.take_batch()?));
            };
            let chunk = ready!(reader.as_mut().poll_fill_buf(cx)).map_err(Error::from)?;
            if chunk.is_empty() {
                self.reader = None;
                self.work.finish(&self.counters)?;
                continue;
            }
            // A reader may have everything in memory; what is decoded in one step stays bounded all the same.
            let chunk = &chunk[..chunk.len().min(self.chunk_bytes)];
            let taken = self.work.push(chunk, rows, &self.counters)?;
            StreamCounters::add(&self.counters.bytes, taken);
            reader.as_mut().consume(taken);
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The batch that is being built, and an end to reading if the limit is reached with it.
    fn take_batch(&mut self) -> Result<Option<RecordBatch>> {
        let rows = self.batch_rows.min(self.rows_left);
        let batch = self.work.take_batch(&self.schema, rows)?;
        self.rows_left -= batch.as_ref().map_or(0, RecordBatch::num_rows);
        if self.rows_left == 0 {
            self.reader = None;
        } else if let Work::Decode { decoder, .. } = &mut self.work {
            decoder.set_batch_rows(self.batch_rows.min(self.rows_left));
        }
        Ok(batch)
    }
}

impl Stream for CsvStream {
    type Item = Result<RecordBatch, DataFusionError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let batch = ready!(self.poll_batch(cx));
        Poll::Ready(match batch {
            Ok(batch) => batch.map(Ok),
            Err(failure) => {
                self.close();
                Some(Err(match (failure, &self.path) {
                    (Failure::Csv(error), Some(path)) => error.with_path(path).into(),
                    (Failure::Csv(error), None) => error.into(),
                    (Failure::Filter(error), _) => error,
                }))
            }
        })
    }
}

impl RecordBatchStream for CsvStream {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// Shows a sampler the front of one file.
///
/// # Errors
///
/// Those of reading, and those of the records in the sample.
pub async fn sample(
    reader: &mut (impl AsyncBufRead + Unpin + ?Sized),
    sampler: &mut SchemaSampler,
) -> Result<()> {
    sampler.start_file();
    while !sampler.is_done() {
        let chunk = reader.fill_buf().await?;
        if chunk.is_empty() {
            return sampler.finish_file();
        }
        sampler.push(chunk)?;
        let taken = chunk.len();
        reader.consume(taken);
    }
    Ok(())
}

/// The schema of an input that can be read only once, and a reader that starts with the bytes of the sample, which it
/// holds.
///
/// # Errors
///
/// As [`sample`], and when half of the memory limit has been read without a record.
pub async fn infer_schema(
    mut reader: impl AsyncBufRead + Send + Unpin + 'static,
    mut sampler: SchemaSampler,
    limits: &Limits,
) -> Result<(SchemaRef, Pin<Box<dyn AsyncBufRead + Send>>)> {
    let mut seen = Vec::new();
    sampler.start_file();
    while !sampler.is_done() {
        let chunk = reader.fill_buf().await?;
        if chunk.is_empty() {
            sampler.finish_file()?;
            break;
        }
        // A reader may have everything in memory; what is copied stays near the sample.
        let chunk = &chunk[..chunk.len().min(limits.chunk_bytes())];
        if seen.len() + chunk.len() > limits.memory_limit() / 2 {
            let reason = format!("no record ends in the first {} bytes", seen.len());
            return Err(Error::new(ErrorKind::Schema { reason }));
        }
        seen.extend_from_slice(chunk);
        sampler.push(chunk)?;
        let taken = chunk.len();
        reader.consume(taken);
    }
    Ok((sampler.finish().schema, Box::pin(std::io::Cursor::new(seen).chain(reader))))
}

/// The one way from our errors to DataFusion's: what is wrong with the plan is a plan error, what does not fit is a
/// lack of resources, and all else keeps its type inside `External`, so that it can be downcast to [`Error`].
impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidOption { .. } => DataFusionError::Configuration(error.to_string()),
            ErrorKind::UnsupportedType { .. } => DataFusionError::NotImplemented(error.to_string()),
            ErrorKind::Memory { .. } => DataFusionError::ResourcesExhausted(error.to_string()),
            ErrorKind::Internal { .. } => DataFusionError::Internal(error.to_string()),
            _ => DataFusionError::External(Box::new(error)),
        }
    }
}

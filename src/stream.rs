//! [`CsvStream`]: any `AsyncBufRead` of CSV bytes → a stream of Arrow batches. The one place that waits.

mod range_end;

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
use crate::parse::{FieldCount, Parser, RecordCounter, RecordStart, Step};

pub(crate) use range_end::{RangeEnd, compare};

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

    /// Rows after which the stream ends and reads no more. Default: none.
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
    /// When a projected column has a type that can't be decoded, or the projection names a column that isn't there.
    pub fn build(self, reader: impl AsyncBufRead + Send + 'static) -> Result<CsvStream> {
        let columns = self.schema.fields().len();
        let projection = self.projection.unwrap_or_else(|| (0..columns).collect());
        let field_count = FieldCount::of_table(columns, self.truncated_rows);
        let max_record_bytes = self.limits.max_record_bytes();
        let rows = self.batch_size.min(self.limit.unwrap_or(usize::MAX)).max(1);
        let decoder =
            BatchDecoder::new(&self.schema, &projection, &self.decode, rows, self.limits.batch_bytes())?;
        let schema = Arc::clone(decoder.schema());
        let work = match projection.is_empty() {
            true => {
                let mut counter = RecordCounter::new(&self.dialect, max_record_bytes)?;
                if let Some(start) = self.start {
                    counter = counter.starting_at(start);
                }
                Work::Count { counter, taken: 0, failed: None }
            }
            false => {
                let mut parser = Parser::new(&self.dialect, field_count, max_record_bytes)?;
                if let Some(start) = self.start {
                    parser = parser.starting_at(start);
                }
                if self.range_end.is_some() {
                    // It may stand behind the end.
                    parser = parser.with_header_record();
                }
                Work::Decode { parser: Box::new(parser), decoder: Box::new(decoder) }
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
    /// The next byte's offset in the file.
    byte: u64,
    /// Where the records end, if that is before the reader does.
    range_end: Option<RangeEnd>,
}

/// What is done with the bytes.
enum Work {
    Decode {
        parser: Box<Parser>,
        decoder: Box<BatchDecoder>,
    },
    /// No column is asked for.
    Count {
        counter: RecordCounter,
        /// Records that batches have been made of.
        taken: u64,
        /// What is wrong behind the records that have been counted. A limit may end the stream before it gets there.
        failed: Option<Error>,
    },
}

impl Work {
    /// Rows that wait for their batch.
    fn rows(&self) -> usize {
        match self {
            Work::Decode { decoder, .. } => decoder.rows(),
            Work::Count { counter, taken, .. } => (counter.records() - taken) as usize,
        }
    }

    /// What is wrong behind the rows that wait.
    fn take_failure(&mut self) -> Option<Error> {
        match self {
            Work::Decode { .. } => None,
            Work::Count { failed, .. } => failed.take(),
        }
    }

    /// Whether a batch of up to `rows` rows is full.
    fn is_full(&self, rows: usize) -> bool {
        match self {
            Work::Decode { decoder, .. } if decoder.room() == 0 => true,
            _ => self.rows() >= rows,
        }
    }

    /// Takes some of a chunk that starts at byte `at`, with which a batch gets no more than `rows` rows, and says how many
    /// bytes.
    fn push(
        &mut self,
        (at, chunk): (u64, &[u8]),
        rows: usize,
        range_end: Option<&mut RangeEnd>,
        counters: &StreamCounters,
    ) -> Result<usize> {
        let started = Instant::now();
        match self {
            Work::Decode { parser, decoder } => {
                let room = decoder.room().min(rows - decoder.rows());
                let (taken, step) = parser.next(chunk, room)?;
                let parsed = StreamCounters::add_time(&counters.parsing_nanos, started);
                if let Step::Records(records) = step {
                    let records = match range_end {
                        Some(end) => end.cut(records),
                        None => records,
                    };
                    decoder.push(&records)?;
                    StreamCounters::add(&counters.records, records.len());
                    StreamCounters::add_time(&counters.decoding_nanos, parsed);
                }
                Ok(taken)
            }
            Work::Count { counter, failed, .. } => {
                let counted = match range_end {
                    Some(end) => end.count(counter, at, chunk),
                    None => counter.push(chunk),
                };
                *failed = counted.err();
                StreamCounters::add_time(&counters.parsing_nanos, started);
                Ok(chunk.len())
            }
        }
    }

    /// Takes the last record, which may end without a terminator.
    fn finish(&mut self, range_end: Option<&mut RangeEnd>, counters: &StreamCounters) -> Result<()> {
        let started = Instant::now();
        match self {
            Work::Decode { parser, decoder } => {
                if let Some(records) = parser.finish()? {
                    let records = match range_end {
                        Some(end) => end.cut(records),
                        None => records,
                    };
                    decoder.push(&records)?;
                    StreamCounters::add(&counters.records, records.len());
                }
            }
            Work::Count { counter, failed, .. } => *failed = counter.finish().err(),
        }
        StreamCounters::add_time(&counters.decoding_nanos, started);
        Ok(())
    }

    /// A batch of up to `rows` rows, if there are any.
    fn take_batch(
        &mut self,
        schema: &SchemaRef,
        rows: usize,
        counters: &StreamCounters,
    ) -> Result<Option<RecordBatch>> {
        let rows = rows.min(self.rows());
        match self {
            Work::Decode { decoder, .. } => decoder.finish(),
            Work::Count { .. } if rows == 0 => Ok(None),
            Work::Count { taken, .. } => {
                *taken += rows as u64;
                StreamCounters::add(&counters.records, rows);
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
            Work::Decode { parser, decoder } => parser.allocated_bytes() + decoder.allocated_bytes(),
            Work::Count { .. } => 0,
        }
    }
}

/// What a [`CsvStream`] has done, counted while it runs.
#[derive(Debug, Default)]
pub struct StreamCounters {
    bytes: AtomicU64,
    records: AtomicU64,
    verified: AtomicU64,
    parsing_nanos: AtomicU64,
    decoding_nanos: AtomicU64,
}

impl StreamCounters {
    /// Bytes parsed, after decompression.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Records decoded.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Ends of byte ranges at which it has been verified what the reader of the next range assumes.
    pub fn verified(&self) -> u64 {
        self.verified.load(Ordering::Relaxed)
    }

    /// Time spent finding records and fields, in nanoseconds.
    pub fn parsing_nanos(&self) -> u64 {
        self.parsing_nanos.load(Ordering::Relaxed)
    }

    /// Time spent decoding fields into arrays, in nanoseconds.
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

    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<RecordBatch>>> {
        for _ in 0..CHUNKS_PER_POLL {
            let rows = self.batch_rows.min(self.rows_left);
            if self.work.is_full(rows) {
                return Poll::Ready(self.take_batch());
            }
            if let Some(error) = self.work.take_failure() {
                return Poll::Ready(Err(error));
            }
            let Some(reader) = &mut self.reader else {
                return Poll::Ready(self.take_batch());
            };
            let chunk = ready!(reader.as_mut().poll_fill_buf(cx))?;
            let is_reached = self.range_end.as_ref().is_some_and(RangeEnd::is_reached);
            if chunk.is_empty() {
                self.reader = None;
                if !is_reached {
                    self.work.finish(self.range_end.as_mut(), &self.counters)?;
                }
                if let Some(end) = &mut self.range_end {
                    end.finish()?;
                    StreamCounters::add(&self.counters.verified, usize::from(end.is_verified()));
                }
                continue;
            }
            // A reader may have everything in memory; what is decoded in one step stays bounded all the same.
            let chunk = &chunk[..chunk.len().min(self.chunk_bytes)];
            let taken = match is_reached {
                true => chunk.len(),
                false => {
                    let chunk = (self.byte, chunk);
                    let taken = self.work.push(chunk, rows, self.range_end.as_mut(), &self.counters)?;
                    StreamCounters::add(&self.counters.bytes, taken);
                    taken
                }
            };
            let mut verified = None;
            if let Some(end) = &mut self.range_end {
                end.look(self.byte, &chunk[..taken]);
                verified = end.verify().map(|result| result.map(|()| end.is_verified()));
            }
            self.byte += taken as u64;
            reader.as_mut().consume(taken);
            if let Some(verified) = verified {
                StreamCounters::add(&self.counters.verified, usize::from(verified?));
                self.reader = None;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The batch that is being built, and an end to reading if the limit is reached with it.
    fn take_batch(&mut self) -> Result<Option<RecordBatch>> {
        let rows = self.batch_rows.min(self.rows_left);
        let batch = self.work.take_batch(&self.schema, rows, &self.counters)?;
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
            Err(error) => {
                self.close();
                let error = match &self.path {
                    Some(path) => error.with_path(path),
                    None => error,
                };
                Some(Err(error.into()))
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

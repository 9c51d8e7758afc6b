//! [`CsvStreamOpener`]: DataFusion's `FileOpener`, one [`CsvStream`] a file or range.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpenFuture, FileOpener};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, Stream, StreamExt};
use object_store::ObjectStore;
use tokio::sync::OnceCell;

use super::file_groups::{Split, byte_range};
use super::filter::PredicateInUse;
use super::headers::{FileShape, FileShapes, HeaderOf, TableColumns, without_header};
use super::marks::Marks;
use super::memory::{ScanMemory, Share};
use super::metrics::{Published, ScanMetrics};
use super::options::ReadOptions;
use super::per_file::PerFile;
use crate::budget::Limits;
use crate::decode::{COLUMN_BYTES, DecodeCounters, DecoderBuilder};
use crate::error::{self, Error};
use crate::input::{self, Compression, Input, InputCounters, ReadAhead};
use crate::parse::{FieldCount, RecordStart};
use crate::stream::CsvStream;
use crate::stream::internal::{ByteRange, FileRanges, Known, PrefixPass};

/// Opens the files of one partition.
pub(super) struct CsvStreamOpener {
    pub(super) options: Arc<ReadOptions>,
    /// The limits of one of the scan's readers.
    pub(super) limits: Limits,
    pub(super) split: Split,
    /// All columns of the files, and those of their partitions.
    pub(super) table_schema: TableSchema,
    /// The columns whose types were inferred. `None` if the schema's own marks count.
    pub(super) marks: Option<Marks>,
    pub(super) columns: Arc<TableColumns>,
    pub(super) shapes: Arc<FileShapes>,
    /// The columns to decode.
    pub(super) projection: Vec<usize>,
    pub(super) predicate: Option<PredicateInUse>,
    pub(super) batch_size: usize,
    /// Rows that are wanted at the most.
    pub(super) limit: Option<usize>,
    pub(super) store: Arc<dyn ObjectStore>,
    /// Whether it is the one of this machine's files.
    pub(super) is_local: bool,
    pub(super) memory: Arc<ScanMemory>,
    pub(super) prefix_passes: Arc<PerFile<PrefixPass>>,
    pub(super) metrics: ScanMetrics,
}

impl FileOpener for CsvStreamOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let path = file.object_meta.location.to_string();
        let compression = self.options.compression.resolve(&path);
        let Some(range) = byte_range(&file, compression, self.split) else {
            return Ok(futures::future::ready(Ok(futures::stream::empty().boxed())).boxed());
        };
        let connections = Arc::clone(self.memory.connections());
        let input_counters = Arc::new(InputCounters::with_connections(connections));
        let decode_counters = Arc::new(DecodeCounters::default());
        let filters = match &self.predicate {
            Some(predicate) => predicate.of_file(&self.table_schema, &file)?,
            None => Vec::new(),
        };
        let filtered: usize = filters.iter().map(|filter| filter.columns().len()).sum();
        let builder = self
            .options
            .decoder_builder(self.table_schema.file_schema(), self.marks.clone())
            .with_projection(Some(self.projection.clone()))
            .with_filters(filters)
            .with_batch_size(self.batch_size)
            .with_limit(self.limit)
            .with_path(&path)
            .with_counters(Arc::clone(&decode_counters));
        let only_counts = self.projection.is_empty() && self.predicate.is_none();
        let is_split = range != ByteRange::WHOLE;
        let shape = if is_split { self.shapes.of(&file.object_meta) } else { Arc::default() };
        // The range at 0 is the only one that knows its start.
        let prefix = if range.start > 0 { self.prefix_passes.of(&file.object_meta) } else { Arc::default() };
        let file_ranges = FileRanges {
            store: Arc::clone(&self.store),
            meta: file.object_meta,
            dialect: self.options.dialect.clone(),
            // It is set once the file's header has been read.
            field_count: FieldCount::Any,
            limits: self.limits,
            looks_around: self.split != Split::Exact,
            prefix,
            counters: Arc::clone(&input_counters),
        };
        let opening = Opening {
            options: Arc::clone(&self.options),
            table_schema: self.table_schema.clone(),
            marks: self.marks.clone(),
            columns: Arc::clone(&self.columns),
            shape,
            only_counts,
            file: file_ranges,
            range,
            compression,
            builder,
            column_bytes: COLUMN_BYTES * (self.projection.len() + filtered),
            is_local: self.is_local,
            share: self.memory.share(self.limits.memory_limit()),
            metrics: self.metrics.clone(),
            decode_counters,
        };
        Ok(opening.open().boxed())
    }
}

/// A file, or a range of it, that is about to be read.
struct Opening {
    options: Arc<ReadOptions>,
    table_schema: TableSchema,
    marks: Option<Marks>,
    columns: Arc<TableColumns>,
    /// The file's shape. The first range that needs it finds it for all ranges of the file.
    shape: Arc<OnceCell<FileShape>>,
    /// Whether no column is asked for.
    only_counts: bool,
    file: FileRanges,
    range: ByteRange,
    compression: Compression,
    builder: DecoderBuilder,
    /// Bytes that the columns take, beside their values.
    column_bytes: usize,
    /// Whether it is a file of this machine by its URL, and so not streamed.
    is_local: bool,
    share: Share,
    metrics: ScanMetrics,
    decode_counters: Arc<DecodeCounters>,
}

impl Opening {
    async fn open(mut self) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        // The readers that find the first record, one after the other, take from the same share.
        while !self.share.fits(self.reader_bytes() + self.column_bytes, &mut self.file.limits)? {}
        let mut published = Published::default();
        self.look_at_header().await.map_err(|error| self.file.named(error))?;
        let resolved = self.resolve().await;
        self.metrics.publish(&self.file.counters, &self.decode_counters, &mut published);
        let Some((start, known)) = resolved.map_err(|error| self.file.named(error))? else {
            return Ok(futures::stream::empty().boxed());
        };
        // Before the range's own reader is opened: this may read a part of the lead.
        let from = start.map_or(0, |start| start.byte);
        let next_range = match self.range.end {
            Some(end) => self.file.next_range(end, from).await.map_err(|error| self.file.named(error))?,
            None => None,
        };
        let mut reader = self.reader(start).await?;
        // Whether a store streams is known once it has answered.
        while !self.share.fits(reader.buffered_bytes() + self.column_bytes, &mut self.file.limits)? {
            // Before the smaller reader is opened: the larger one holds nothing any more.
            drop(reader);
            reader = self.reader(start).await?;
        }
        let fixed_bytes = reader.buffered_bytes() + self.column_bytes;
        let ByteRange { end, .. } = self.range;
        let builder = self.builder.with_limits(self.file.limits).starting_at(start).ending_before(end);
        let decoder = builder.build().map_err(|error| self.file.named(error))?;
        let stream = ScanStream {
            stream: CsvStream::new(reader, decoder).verifying(next_range),
            counted_from: start.map(|start| start.byte).filter(|_| known != Known::PrefixScan),
            locating: None,
            file: self.file,
            fixed_bytes,
            share: self.share,
            metrics: self.metrics,
            decode_counters: self.decode_counters,
            published,
        };
        Ok(stream.boxed())
    }

    /// Takes the places of the table's columns from the file's header.
    async fn look_at_header(&mut self) -> error::Result<()> {
        let header = HeaderOf {
            file: &self.file,
            compression: self.compression,
            options: &self.options,
            table_schema: &self.table_schema,
            marks: self.marks.clone(),
            only_counts: self.only_counts,
        };
        let FileShape { columns, has_header } =
            self.shape.get_or_try_init(|| self.columns.shape(&header)).await?.clone();
        // Records that are only counted may have any number of fields.
        if !self.only_counts {
            self.file.field_count = FieldCount::of_table(columns.width(), self.options.truncated_rows);
        }
        if has_header != self.file.dialect.has_header() {
            self.file.dialect = without_header(&self.file.dialect)?;
        }
        let builder = self.builder.clone().with_dialect(self.file.dialect.clone());
        self.builder = builder.with_file_columns(Some(columns));
        Ok(())
    }

    /// A reader of the range, from its first record on.
    async fn reader(&self, start: Option<RecordStart>) -> Result<Input> {
        let opened = match self.range {
            ByteRange { start: 0, end: None } => {
                let FileRanges { store, meta, limits, counters, .. } = &self.file;
                input::open(store, meta, self.compression, limits, Arc::clone(counters)).await
            }
            ByteRange { end, .. } => {
                let first = start.map_or(0, |start| start.byte);
                self.file.open(first..end.unwrap_or(self.file.meta.size)).await
            }
        };
        Ok(opened.map_err(|error| self.file.named(error))?)
    }

    /// Bytes that a reader of the file will hold, as far as is known before it is opened.
    fn reader_bytes(&self) -> usize {
        let FileRanges { limits, meta, .. } = &self.file;
        let is_compressed = self.compression != Compression::None;
        if self.is_local {
            limits.reader_bytes(is_compressed)
        } else {
            let decompressed = if is_compressed { limits.chunk_bytes() } else { 0 };
            ReadAhead::within(limits, 0).bytes(meta.size) + decompressed
        }
    }

    /// The range's first record, which is `None` at the file's first byte. Nothing if the range has
    /// no record.
    async fn resolve(&self) -> error::Result<Option<(Option<RecordStart>, Known)>> {
        let ByteRange { start: at, end } = self.range;
        if at == 0 {
            return Ok(Some((None, Known::PrefixScan)));
        }
        let since = Instant::now();
        let range_bytes = end.unwrap_or(self.file.meta.size).saturating_sub(at);
        let (first, known) = self.file.first_record(at, range_bytes).await?;
        self.metrics.add_start(known, since);
        let is_here = |start: RecordStart| end.is_none_or(|end| start.byte < end);
        if let Some(start) = first.filter(|&start| is_here(start)) {
            return Ok(Some((Some(start), known)));
        }
        if let Some(end) = end
            && self.file.verify(end, first).await?
        {
            self.metrics.add_verified();
        }
        Ok(None)
    }
}

/// A [`CsvStream`] whose memory is accounted for and whose counters are published, at every step.
struct ScanStream {
    stream: CsvStream,
    /// The byte from which lines and records were counted, if that is not the start of the file.
    counted_from: Option<u64>,
    /// An error whose place is being found.
    locating: Option<BoxFuture<'static, Error>>,
    file: FileRanges,
    /// Bytes that the reader may hold, without a decompressor's, and those of the columns.
    fixed_bytes: usize,
    share: Share,
    metrics: ScanMetrics,
    decode_counters: Arc<DecodeCounters>,
    published: Published,
}

impl ScanStream {
    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<RecordBatch>>> {
        if self.locating.is_none() {
            let error = match ready!(self.stream.poll_next_unpin(cx)) {
                Some(Err(error)) => error,
                batch => return Poll::Ready(batch.map(|batch| batch.map_err(DataFusionError::from))),
            };
            match self.counted_from {
                Some(start) if error.place().is_some() => {
                    self.locating = Some(self.file.clone().locate(start, error).boxed());
                }
                _ => return Poll::Ready(Some(Err(error.into()))),
            }
        }
        let Some(locating) = &mut self.locating else { return Poll::Ready(None) };
        let error = ready!(locating.poll_unpin(cx));
        self.locating = None;
        Poll::Ready(Some(Err(self.file.named(error).into())))
    }
}

impl Stream for ScanStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let polled = this.poll_batch(cx);
        this.metrics.publish(&this.file.counters, &this.decode_counters, &mut this.published);
        if this.stream.take_verified() {
            this.metrics.add_verified();
        }
        let reader_bytes = this.fixed_bytes + this.file.counters.decoder_bytes();
        this.share.after(polled, &mut this.stream, reader_bytes)
    }
}

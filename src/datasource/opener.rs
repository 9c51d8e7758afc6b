//! [`CsvStreamOpener`]: DataFusion's `FileOpener`, one [`CsvStream`] a file.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpenFuture, FileOpener};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use futures::{FutureExt, Stream, StreamExt};
use object_store::ObjectStore;

use super::filter::PredicateInUse;
use super::metrics::{Published, ScanMetrics};
use super::options::ReadOptions;
use crate::input::{self, Compression, InputCounters};
use crate::stream::{CsvStream, StreamCounters};

/// Opens the files of one partition.
pub(super) struct CsvStreamOpener {
    pub(super) options: ReadOptions,
    /// All columns of the files, and those of their partitions.
    pub(super) table_schema: TableSchema,
    /// The columns to decode.
    pub(super) projection: Vec<usize>,
    pub(super) predicate: Option<PredicateInUse>,
    pub(super) batch_size: usize,
    /// Rows after which nobody wants more.
    pub(super) limit: Option<usize>,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) memory_pool: Arc<dyn MemoryPool>,
    pub(super) metrics: ScanMetrics,
}

impl FileOpener for CsvStreamOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        // A file is one partition. Who cuts it by bytes all the same gets every record once: from the range that
        // holds its first byte.
        if file.range.as_ref().is_some_and(|range| range.start > 0) {
            return Ok(futures::future::ready(Ok(futures::stream::empty().boxed())).boxed());
        }
        let path = file.object_meta.location.to_string();
        let input_counters = Arc::new(InputCounters::default());
        let stream_counters = Arc::new(StreamCounters::default());
        let filters = match &self.predicate {
            Some(predicate) => predicate.of_file(&self.table_schema, &file)?,
            None => Vec::new(),
        };
        let builder = self
            .options
            .stream_builder(self.table_schema.file_schema())
            .with_projection(Some(self.projection.clone()))
            .with_filters(filters)
            .with_batch_size(self.batch_size)
            .with_limit(self.limit)
            .with_path(&path)
            .with_counters(Arc::clone(&stream_counters));
        let reservation = MemoryConsumer::new(format!("CsvStream[{path}]")).register(&self.memory_pool);
        let store = Arc::clone(&self.store);
        let compression = self.options.compression.resolve(&path);
        let limits = self.options.limits;
        let metrics = self.metrics.clone();
        let window_bytes = match compression {
            Compression::None => 0,
            _ => limits.window_bytes(),
        };
        let input_bytes = 2 * limits.chunk_bytes() + window_bytes;
        Ok(async move {
            reservation.try_grow(input_bytes)?;
            let counters = Arc::clone(&input_counters);
            let reader = input::open(&store, &file.object_meta, compression, &limits, counters).await?;
            let stream = ScanStream {
                stream: builder.build(reader)?,
                input_bytes,
                reservation,
                metrics,
                input_counters,
                stream_counters,
                published: Published::default(),
            };
            Ok(stream.boxed())
        }
        .boxed())
    }
}

/// A [`CsvStream`] whose memory is accounted for and whose counters are published, at every step.
struct ScanStream {
    stream: CsvStream,
    /// Bytes that the reader may hold.
    input_bytes: usize,
    reservation: MemoryReservation,
    metrics: ScanMetrics,
    input_counters: Arc<InputCounters>,
    stream_counters: Arc<StreamCounters>,
    published: Published,
}

impl Stream for ScanStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let polled = this.stream.poll_next_unpin(cx);
        this.metrics.publish(&this.input_counters, &this.stream_counters, &mut this.published);
        let held = match polled {
            Poll::Ready(None) => 0,
            _ => this.input_bytes + this.stream.allocated_bytes(),
        };
        if let Err(error) = this.reservation.try_resize(held) {
            this.stream.close();
            this.reservation.free();
            return Poll::Ready(Some(Err(error)));
        }
        polled
    }
}

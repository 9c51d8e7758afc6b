//! [`CsvReaderTable`]: a table over bytes that can be read only once, stdin or a socket.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::{Stream, StreamExt, stream};
use tokio::io::AsyncBufRead;

use super::marks::{InferredMarks, Marks};
use super::memory::{ScanMemory, Share};
use super::options::{CsvFormatOptions, ReadOptions};
use crate::decode::DecoderBuilder;
use crate::input::{self, InputCounters};
use crate::stream::{CsvStream, infer_schema};

/// A table over a reader. A query can read it once; the second is told so.
pub struct CsvReaderTable {
    name: String,
    schema: SchemaRef,
    marks: Marks,
    options: ReadOptions,
    /// The reader, until a query takes it.
    reader: Arc<Mutex<Option<OneReader>>>,
}

/// A reader that can be read only once.
struct OneReader {
    reader: Pin<Box<dyn AsyncBufRead + Send>>,
    /// Bytes that it holds at the most, without a decompressor's: its buffers, and the sample.
    held_bytes: usize,
    counters: Arc<InputCounters>,
}

impl CsvReaderTable {
    /// Reads the sample for the schema; the table then starts with those bytes. `name` stands in
    /// errors.
    ///
    /// With the compression `auto`, the name's extension says how the bytes are compressed. The
    /// options of a session don't apply, because there is none yet.
    ///
    /// # Errors
    ///
    /// When the options contradict each other, or the schema can't be inferred.
    pub async fn try_new(
        name: impl Into<String>,
        reader: impl AsyncBufRead + Send + 'static,
        options: &CsvFormatOptions,
    ) -> Result<Self> {
        let name = name.into();
        let options = ReadOptions::new(options.clone())?;
        let compression = options.compression.resolve(&name);
        let counters = Arc::new(InputCounters::default());
        let reader = input::decompress(reader, compression, &options.limits, Arc::clone(&counters));
        let buffered_bytes = reader.buffered_bytes();
        let sampler = options.sampler();
        let (schema, reader) =
            infer_schema(reader, sampler, &options.limits).await.map_err(|error| error.with_path(&name))?;
        let (schema, marks) = InferredMarks::take(schema);
        let marks = marks.of(&schema);
        let held_bytes = buffered_bytes + reader.held_bytes();
        let reader = OneReader { reader: Box::pin(reader), held_bytes, counters };
        Ok(CsvReaderTable { name, schema, marks, options, reader: Arc::new(Mutex::new(Some(reader))) })
    }
}

impl fmt::Debug for CsvReaderTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsvReaderTable").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for CsvReaderTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(projection) => Arc::new(self.schema.project(projection)?),
            None => Arc::clone(&self.schema),
        };
        let most = state.config().batch_size();
        let builder = self
            .options
            .decoder_builder(&self.schema, Some(Arc::clone(&self.marks)))
            .with_projection(projection.cloned())
            .with_batch_size(self.options.batch_size.map_or(most, |rows| rows.min(most)))
            .with_limit(limit)
            .with_path(&self.name);
        let partition = ReaderPartition {
            name: self.name.clone(),
            schema: Arc::clone(&schema),
            builder,
            memory_limit: self.options.limits.memory_limit(),
            reader: Arc::clone(&self.reader),
        };
        // The projection is done by the stream, so the plan is given none.
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![Arc::new(partition)], None, [], false, limit)?))
    }
}

#[derive(Clone)]
struct ReaderPartition {
    name: String,
    schema: SchemaRef,
    builder: DecoderBuilder,
    memory_limit: usize,
    reader: Arc<Mutex<Option<OneReader>>>,
}

impl ReaderPartition {
    fn start(&self, pool: &Arc<dyn MemoryPool>) -> Result<SendableRecordBatchStream> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        let reader = reader.ok_or_else(|| {
            DataFusionError::Execution(format!(
                "{} can be read only once, and this query reads it again; write it to a file first",
                self.name
            ))
        })?;
        let OneReader { reader, held_bytes, counters } = reader;
        let stream = CsvStream::new(reader, self.builder.clone().build()?);
        let schema = Arc::clone(stream.schema());
        let share = Arc::new(ScanMemory::new(pool)).share(self.memory_limit);
        let stream = ReservedStream { stream, share, held_bytes, counters };
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream)))
    }
}

/// A [`CsvStream`] whose memory is reserved in the pool, at every step.
struct ReservedStream {
    stream: CsvStream,
    share: Share,
    /// Bytes that the reader holds at the most, without a decompressor's.
    held_bytes: usize,
    counters: Arc<InputCounters>,
}

impl Stream for ReservedStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let polled = this.stream.poll_next_unpin(cx).map_err(DataFusionError::from);
        let reader_bytes = this.held_bytes + this.counters.decoder_bytes();
        this.share.after(polled, &mut this.stream, reader_bytes)
    }
}

impl fmt::Debug for ReaderPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaderPartition").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PartitionStream for ReaderPartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, ctx: Arc<TaskContext>) -> SendableRecordBatchStream {
        self.start(ctx.memory_pool()).unwrap_or_else(|error| {
            let failed = stream::iter([Err(error)]);
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), failed))
        })
    }
}

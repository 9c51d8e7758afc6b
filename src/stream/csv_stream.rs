//! [`CsvStream`]: batch after batch of one file.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::RecordBatchStream;
use futures::Stream;
use tokio::io::AsyncBufRead;

use super::counters::StreamCounters;
use super::filter::Failure;
use super::range_end::RangeEnd;
use super::work::Work;
use crate::error::{Error, ErrorKind, Result};

/// Chunks that one poll reads before it lets others on its thread have their turn: up to 16 MiB at the default chunk size.
///
/// A batch normally ends a poll long before; a file of comments doesn't.
const CHUNKS_PER_POLL: usize = 64;

/// A stream of the batches of one CSV file.
///
/// It decodes what it has before it reads more, reads no more after an error or its limit, and reads nothing once it
/// is dropped.
pub struct CsvStream {
    /// `None` once the stream has ended, so that whatever it reads from is let go at once.
    pub(super) reader: Option<Pin<Box<dyn AsyncBufRead + Send>>>,
    pub(super) schema: SchemaRef,
    pub(super) work: Work,
    /// Rows of a batch.
    pub(super) batch_rows: usize,
    /// Bytes that are parsed at once.
    pub(super) chunk_bytes: usize,
    /// Rows that the limit leaves, those of the batch being built not taken off.
    pub(super) rows_left: usize,
    /// After an error nothing more comes, not even what was decoded before it.
    pub(super) has_ended: bool,
    pub(super) path: Option<String>,
    pub(super) counters: Arc<StreamCounters>,
    /// The next byte's offset in the file.
    pub(super) byte: u64,
    /// Where the records end, if that is before the reader does.
    pub(super) range_end: Option<RangeEnd>,
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
            if let Some(error) = self.work.take_failure() {
                return Poll::Ready(Err(error.into()));
            }
            let Some(reader) = &mut self.reader else {
                return Poll::Ready(Ok(self.take_batch()?));
            };
            let chunk = ready!(reader.as_mut().poll_fill_buf(cx)).map_err(Error::from)?;
            let is_reached = self.range_end.as_ref().is_some_and(RangeEnd::is_reached);
            if chunk.is_empty() {
                self.reader = None;
                if !is_reached {
                    self.work.finish(self.range_end.as_mut(), &self.counters)?;
                }
                if let Some(end) = self.range_end.as_mut().filter(|_| !self.work.has_failed()) {
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
        } else if let Work::Decode { batches, .. } = &mut self.work {
            batches.set_batch_rows(self.batch_rows.min(self.rows_left));
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

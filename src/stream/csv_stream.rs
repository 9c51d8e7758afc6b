//! [`CsvStream`]: the batches of one file, from any `AsyncBufRead`.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use futures::Stream;
use tokio::io::AsyncBufRead;

use super::range::NextRange;
use crate::decode::{Decoded, Decoder};
use crate::error::Result;

/// Chunks that one poll reads before other tasks of its thread have their turn: up to 16 MiB at the
/// default chunk size. Normally a batch ends a poll long before; in a file of comments none does.
const CHUNKS_PER_POLL: usize = 64;

/// A stream of the batches of one CSV file: a [`Decoder`] over an [`AsyncBufRead`].
///
/// It hands on what it has before it reads more, and reads no more after an error, after its limit,
/// or once it is dropped.
pub struct CsvStream {
    /// `None` once nothing more is read, so that the input is let go at once.
    reader: Option<Pin<Box<dyn AsyncBufRead + Send>>>,
    decoder: Decoder,
    /// The next byte's offset in the file, also past the decoder's range.
    byte: u64,
    /// The next byte range, until it is verified.
    next_range: Option<NextRange>,
    has_verified: bool,
}

impl CsvStream {
    /// A stream of a file whose first byte, or whose
    /// [start](crate::decode::DecoderBuilder::starting_at), is `reader`'s next one. Nothing is read
    /// before it is polled.
    pub fn new(reader: impl AsyncBufRead + Send + 'static, decoder: Decoder) -> Self {
        let reader = (!decoder.is_done()).then(|| Box::pin(reader) as _);
        CsvStream { reader, byte: decoder.byte(), decoder, next_range: None, has_verified: false }
    }

    /// Verifies where the next byte range starts, before the last rows of this one are handed on.
    #[doc(hidden)]
    #[must_use]
    pub fn verifying(mut self, next_range: Option<NextRange>) -> Self {
        self.next_range = next_range;
        self
    }

    /// Whether the next byte range has been verified since the last call.
    #[doc(hidden)]
    pub fn take_verified(&mut self) -> bool {
        std::mem::take(&mut self.has_verified)
    }

    /// The schema of the batches: the projected columns.
    pub fn schema(&self) -> &SchemaRef {
        self.decoder.schema()
    }

    /// Bytes held by the decoder. The reader's are not known here.
    pub fn allocated_bytes(&self) -> usize {
        self.decoder.allocated_bytes()
    }

    /// Ends the stream, and lets go of the reader.
    pub fn close(&mut self) {
        self.reader = None;
        self.decoder.close();
    }

    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<RecordBatch>>> {
        for _ in 0..CHUNKS_PER_POLL {
            // A batch that is full already is handed on before anything waits for the reader.
            if let (_, Decoded::Batch(batch)) = self.decoder.push(&[])? {
                return Poll::Ready(Ok(Some(batch)));
            }
            let is_done = self.decoder.is_done();
            if is_done && self.next_range.is_none() {
                self.reader = None;
            }
            let Some(reader) = &mut self.reader else {
                return Poll::Ready(self.decoder.finish());
            };
            let chunk = ready!(reader.as_mut().poll_fill_buf(cx))?;
            if chunk.is_empty() {
                self.reader = None;
                let batch = self.decoder.finish()?;
                if let Some(mut next_range) = self.next_range.take() {
                    next_range.finish(self.decoder.next_start())?;
                    self.has_verified = true;
                }
                return Poll::Ready(Ok(batch));
            }
            // All bytes may be in memory; the work of one poll stays bounded.
            let chunk = &chunk[..chunk.len().min(self.decoder.chunk_bytes())];
            // Past the range, bytes are read only to verify the next one.
            let (taken, decoded) =
                if is_done { (chunk.len(), Decoded::End) } else { self.decoder.push(chunk)? };
            if let Some(next_range) = &mut self.next_range
                && next_range.check(self.byte, &chunk[..taken], self.decoder.next_start())?
            {
                self.next_range = None;
                self.has_verified = true;
            }
            self.byte += taken as u64;
            reader.as_mut().consume(taken);
            if let Decoded::Batch(batch) = decoded {
                return Poll::Ready(Ok(Some(batch)));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Stream for CsvStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let batch = ready!(self.poll_batch(cx)).map_err(|error| self.decoder.fail(error));
        if !self.decoder.wants_rows() {
            self.reader = None;
        }
        Poll::Ready(batch.transpose())
    }
}

impl fmt::Debug for CsvStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsvStream").field("decoder", &self.decoder).finish_non_exhaustive()
    }
}

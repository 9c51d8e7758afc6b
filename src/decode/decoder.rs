//! [`Decoder`]: bytes in, record batches out, no I/O.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::counters::DecodeCounters;
use super::range_end::RangeEnd;
use super::work::Work;
use crate::error::{Error, Result};
use crate::parse::RecordStart;

/// The outcome of pushing bytes to a [`Decoder`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Decoded {
    /// All bytes have been taken, and no batch is full.
    NeedInput,
    /// A batch is full. The bytes after those that were taken are still to be pushed.
    Batch(RecordBatch),
    /// No more bytes are needed: the limit, or the end of the byte range, has been reached. The
    /// rows that are left come from [`Decoder::finish`].
    End,
}

/// Decodes CSV that is pushed to it, batch by batch. It does no I/O and never waits.
///
/// Chunks may have any size and may end anywhere: the batches are the same. A batch has at most
/// [the rows asked for](super::DecoderBuilder::with_batch_size), and ends early when it reaches
/// [`Limits::batch_bytes`](crate::budget::Limits::batch_bytes). Between two calls the decoder holds
/// the batch that is being built and the partial record at the end of the input.
///
/// After an error it is done: no more rows come, not even those decoded before the error.
///
/// [`Reader`](super::Reader) does what this example does, over a [`BufRead`](std::io::BufRead).
///
/// ```
/// use std::sync::Arc;
/// use arrow::array::AsArray;
/// use arrow::datatypes::{DataType, Field, Int64Type, Schema};
/// use datafusion_csv_stream::{Decoded, DecoderBuilder};
///
/// let schema = Arc::new(Schema::new(vec![
///     Field::new("id", DataType::Int64, true),
///     Field::new("name", DataType::Utf8View, true),
/// ]));
/// let mut decoder = DecoderBuilder::new(schema).with_batch_size(2).build()?;
/// let mut batches = Vec::new();
/// for mut chunk in [&b"id,name\n1,one\n2,\"t"[..], b"wo\"\n3,three\n4,", b"four"] {
///     while !chunk.is_empty() {
///         let (taken, decoded) = decoder.push(chunk)?;
///         chunk = &chunk[taken..];
///         match decoded {
///             Decoded::Batch(batch) => batches.push(batch),
///             Decoded::NeedInput => {}
///             _ => break,
///         }
///     }
/// }
/// // The last record has no terminator.
/// while let Some(batch) = decoder.finish()? {
///     batches.push(batch);
/// }
/// let ids = batches.iter().map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec());
/// assert_eq!(ids.collect::<Vec<_>>(), [[1, 2], [3, 4]]);
/// # Ok::<(), datafusion_csv_stream::Error>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    pub(super) schema: SchemaRef,
    pub(super) work: Work,
    /// The most rows of a batch.
    pub(super) batch_rows: usize,
    /// Rows that the limit still allows, including those of the batch that is being built.
    pub(super) rows_left: usize,
    /// Bytes that are parsed and decoded at once.
    pub(super) chunk_bytes: usize,
    /// The next byte's offset in the file.
    pub(super) byte: u64,
    /// The end of the byte range, if there is one.
    pub(super) end: Option<RangeEnd>,
    /// Whether the input has ended.
    pub(super) has_ended: bool,
    pub(super) path: Option<String>,
    pub(super) counters: Arc<DecodeCounters>,
}

impl Decoder {
    /// The schema of the batches: the projected columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Takes bytes up to the next full batch, or all of them. Returns how many were taken.
    ///
    /// A batch that is full already comes first, and no byte is taken then. So `push(&[])` gets a
    /// batch out before more is read.
    ///
    /// # Errors
    ///
    /// When a record, or a value that is asked for, can't be read, or a filter can't be evaluated.
    /// Full batches of the rows before the error come before it.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(usize, Decoded)> {
        self.advance(bytes).map_err(|error| self.fail(error))
    }

    /// Ends the input, and returns the rows that are left: one batch a call, then `None`.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), and when the input ends inside quotes.
    pub fn finish(&mut self) -> Result<Option<RecordBatch>> {
        self.take_rest().map_err(|error| self.fail(error))
    }

    /// Whether no more bytes are needed: the limit, the end of the byte range or of the input has
    /// been reached, or an error.
    pub fn is_done(&self) -> bool {
        !self.wants_rows() || self.has_ended || self.next_start().is_some()
    }

    /// The first record at or after the end of the byte range, once it has been seen. `None` for
    /// good if the file ends before such a record.
    pub fn next_start(&self) -> Option<RecordStart> {
        self.end.as_ref().and_then(RangeEnd::next)
    }

    /// The offset in the file of the next byte to be pushed.
    pub fn byte(&self) -> u64 {
        self.byte
    }

    /// Bytes that are parsed and decoded at once. Larger chunks are no faster.
    pub fn chunk_bytes(&self) -> usize {
        self.chunk_bytes
    }

    /// Bytes held: the partial record, the index and the batch being built.
    pub fn allocated_bytes(&self) -> usize {
        self.work.allocated_bytes()
    }

    /// The work done so far.
    pub fn counters(&self) -> &Arc<DecodeCounters> {
        &self.counters
    }

    /// Whether more rows may come: neither the limit nor an error has been reached.
    pub(crate) fn wants_rows(&self) -> bool {
        self.rows_left > 0
    }

    /// Ends with an error, which may also be that of a reader: no row comes after it. Returns the
    /// error with the input's name.
    pub(crate) fn fail(&mut self, error: Error) -> Error {
        self.close();
        match &self.path {
            Some(path) => error.with_path(path),
            None => error,
        }
    }

    /// Ends early: no more rows come.
    pub(crate) fn close(&mut self) {
        self.rows_left = 0;
    }

    fn advance(&mut self, bytes: &[u8]) -> Result<(usize, Decoded)> {
        let mut taken = 0;
        while self.wants_rows() {
            let rows = self.batch_rows.min(self.rows_left);
            if self.work.is_full(rows)
                && let Some(batch) = self.take()?
            {
                return Ok((taken, Decoded::Batch(batch)));
            }
            if let Some(error) = self.work.take_failure() {
                return Err(error);
            }
            if self.is_done() {
                break;
            }
            let rest = &bytes[taken..];
            if rest.is_empty() {
                return Ok((taken, Decoded::NeedInput));
            }
            // All bytes may be in memory; a batch exceeds its bounds by no more than one chunk.
            let chunk = (self.byte, &rest[..rest.len().min(self.chunk_bytes)]);
            let more = self.work.push(chunk, rows, self.end.as_mut(), &self.counters)?;
            DecodeCounters::add(&self.counters.bytes, more);
            self.byte += more as u64;
            taken += more;
        }
        Ok((taken, Decoded::End))
    }

    fn take_rest(&mut self) -> Result<Option<RecordBatch>> {
        if !self.wants_rows() {
            return Ok(None);
        }
        let rows = self.batch_rows.min(self.rows_left);
        if !self.work.is_full(rows) && !self.is_done() {
            self.work.finish(self.end.as_mut(), &self.counters)?;
            self.has_ended = true;
        }
        if !self.work.is_full(rows)
            && let Some(error) = self.work.take_failure()
        {
            return Err(error);
        }
        self.take()
    }

    /// The batch that is being built, full or not, if it has rows.
    fn take(&mut self) -> Result<Option<RecordBatch>> {
        let rows = self.batch_rows.min(self.rows_left);
        let batch = self.work.take_batch(&self.schema, rows, &self.counters)?;
        self.rows_left -= batch.as_ref().map_or(0, RecordBatch::num_rows);
        if self.wants_rows() {
            self.work.set_batch_rows(self.batch_rows.min(self.rows_left));
        }
        Ok(batch)
    }
}

//! [`Reader`]: an iterator of batches over any [`BufRead`].

use std::io::{BufRead, ErrorKind as IoErrorKind};
use std::iter::FusedIterator;
use std::sync::Arc;

use arrow::array::RecordBatchReader;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::decoder::{Decoded, Decoder};
use crate::error::{Error, Result};

/// Reads the batches of one CSV file, without async.
///
/// It hands on a full batch before it reads more, and reads no more after an error or after its
/// limit. The chunks are those of the [`BufRead`]: 256 KiB is a good size, and larger ones are not
/// faster.
///
/// ```
/// use std::fs::File;
/// use std::io::{BufReader, Seek};
/// use datafusion_csv_stream::Dialect;
/// use datafusion_csv_stream::{DecoderBuilder, Reader, infer};
///
/// # fn main() -> Result<(), datafusion_csv_stream::Error> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/small/orders.csv");
/// let mut file = BufReader::with_capacity(256 << 10, File::open(path)?);
/// let schema = infer::read_schema(&mut file, &Dialect::default())?;
/// file.rewind()?;
///
/// let decoder = DecoderBuilder::new(schema).with_path(path).build()?;
/// let mut rows = 0;
/// for batch in Reader::new(file, decoder) {
///     rows += batch?.num_rows();
/// }
/// assert!(rows > 0);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Reader<R> {
    /// `None` once nothing more is read, so that a file is closed at once.
    reader: Option<R>,
    decoder: Decoder,
}

impl<R: BufRead> Reader<R> {
    /// A reader of a file whose first byte, or whose [start](super::DecoderBuilder::starting_at),
    /// is `reader`'s next one. Nothing is read before the first batch is asked for.
    pub fn new(reader: R, decoder: Decoder) -> Self {
        Reader { reader: Some(reader), decoder }
    }

    /// The schema of the batches: the projected columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(self.decoder.schema())
    }

    /// The decoder, which knows what has been read.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// The same as Arrow's [`RecordBatchReader`], whose errors are of Arrow's type.
    pub fn into_arrow(self) -> ArrowReader<R> {
        ArrowReader(self)
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        while let Some(reader) = &mut self.reader {
            // A batch that is full already is handed on before anything waits for the reader.
            if let (_, Decoded::Batch(batch)) = self.decoder.push(&[])? {
                return Ok(Some(batch));
            }
            if self.decoder.is_done() {
                break;
            }
            let chunk = match reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == IoErrorKind::Interrupted => continue,
                Err(error) => return Err(self.decoder.fail(error.into())),
            };
            if chunk.is_empty() {
                break;
            }
            let (taken, decoded) = self.decoder.push(chunk)?;
            reader.consume(taken);
            if let Decoded::Batch(batch) = decoded {
                return Ok(Some(batch));
            }
        }
        self.reader = None;
        self.decoder.finish()
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.next_batch().transpose();
        if !self.decoder.wants_rows() {
            self.reader = None;
        }
        batch
    }
}

impl<R: BufRead> FusedIterator for Reader<R> {}

/// A [`Reader`] as Arrow's [`RecordBatchReader`].
///
/// An error is an [`ArrowError::ExternalError`] that holds the [`Error`].
#[derive(Debug)]
pub struct ArrowReader<R>(Reader<R>);

impl<R: BufRead> Iterator for ArrowReader<R> {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|batch| batch.map_err(ArrowError::from))
    }
}

impl<R: BufRead> FusedIterator for ArrowReader<R> {}

impl<R: BufRead> RecordBatchReader for ArrowReader<R> {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }
}

impl From<Error> for ArrowError {
    fn from(error: Error) -> Self {
        ArrowError::ExternalError(Box::new(error))
    }
}

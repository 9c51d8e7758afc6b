//! A [`Decoder`](crate::decode::Decoder) over any `AsyncBufRead`: a stream of Arrow batches. This
//! is the one place that waits.
//!
//! ```text
//!  AsyncBufRead ─ bytes ─► CsvStream ─ push ─► Decoder ─► batch
//!                              └► range: does the next byte range start at the right record?
//!  sample: the front of an input, for its schema
//! ```
//!
//! ```
//! use std::sync::Arc;
//! use arrow::datatypes::{DataType, Field, Schema};
//! use datafusion_csv_stream::{CsvStream, DecoderBuilder};
//! use futures::TryStreamExt;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let schema = Arc::new(Schema::new(vec![
//!     Field::new("id", DataType::Int64, true),
//!     Field::new("name", DataType::Utf8, true),
//! ]));
//! let bytes = &b"id,name\n1,one\n2,\"t,wo\"\n"[..]; // or a file, a socket, stdin
//! let stream = CsvStream::new(bytes, DecoderBuilder::new(schema).build()?);
//! let batches: Vec<_> = stream.try_collect().await?;
//! assert_eq!(batches[0].num_rows(), 2);
//! # Ok::<(), datafusion_csv_stream::Error>(()) }).unwrap();
//! ```

mod csv_stream;
mod prefixed;
mod range;
mod sample;

pub use csv_stream::CsvStream;
pub use prefixed::Prefixed;
pub use sample::{infer_schema, sample};

/// Parts of the inside, for the data source and the tests of this crate. They are no part of the
/// API, and change without notice.
#[doc(hidden)]
pub mod internal {
    pub use super::range::{ByteRange, FileRanges, Known, NextRange, PrefixPass};
}

//! From bytes to record batches: a [`Decoder`] that bytes are pushed to, and a [`Reader`] over it.
//! Nothing here waits, and only [`Reader`] does I/O.
//!
//! ```text
//!  Reader ─fill_buf─┐                         ┌► filter ─► select: which records are kept
//!  CsvStream ───────┴► Decoder ─► work ─► batches ─► batch
//!                                   └► or only counts
//!  builder: every option             range_end: the records of a byte range
//! ```
//!
//! The fields of records are decoded column by column:
//!
//! ```text
//!  Records ──► batch ──column by column──► lanes ──64 at once──► integer, float, decimal, date ─► primitive ─┐
//!              │ room in rows and bytes    │ the others          boolean                                     ├─► arrays
//!              │ first error of all        ▼                     text, binary ─► bytes, views                │
//!              ▼                         fields ──one by one───► all of them, and times, dictionary, null ───┘
//!          RecordBatch                   │ unescape
//!                                        │ NULL? (options)       make: which type is decoded by what
//!                                                                loss: what a value would lose; clock, inferred
//! ```
//!
//! The columns of a filter are decoded first. The other columns are decoded only for the records
//! that the filter keeps.
//!
//! A field is read as `arrow-csv`, and so DataFusion's built-in reader, reads it. Code of this
//! crate reads the common shape of each type, and Arrow's own parsers read all other shapes.
//! Reading differs in these points:
//!
//! * A value that its type can't hold exactly is an error, unless [`LossyValues::Round`] is set.
//!   `arrow-csv` cuts, rounds or moves it. [`LossyValues`] lists these values. In a column whose
//!   type was [`Inferred`], a few more values are errors.
//! * Decimals with an exponent, or of hundreds of digits, are read correctly, or refused if the
//!   type has no room for them. `arrow-csv` wraps, panics, or refuses some that fit. An exponent
//!   with no digit before it (`e5`) is always refused.
//! * A decimal of negative scale is divided by the power of ten that the scale stands for. Arrow
//!   does so only if the value has an exponent.
//! * A batch ends when the dictionary of a column has no key left. `arrow-csv` panics.
//! * An empty field of a type other than a string, binary or dictionary type is NULL, whatever the
//!   null options say, because such a type has no empty value.
//! * A missing field of a short record is NULL, whatever the null options say. `arrow-csv` reads it
//!   as an empty field.
//! * A value in a column of the type Null is an error. `arrow-csv` drops it.
//! * Fields that are not projected, or not strings, need not be UTF-8.
//! * These types are supported beyond those of `arrow-csv`: Duration, LargeUtf8, Binary,
//!   LargeBinary, BinaryView, and dictionaries of other strings.

mod batch;
mod batches;
mod boolean;
mod builder;
mod by_lanes;
mod bytes;
mod clock;
mod column;
mod counters;
mod decimal;
mod decoder;
mod dictionary;
mod digits;
mod fields;
mod file_columns;
mod filter;
mod fixed;
mod float;
mod inferred;
mod integer;
mod lanes;
mod loss;
mod make;
mod null;
mod options;
mod primitive;
mod range_end;
mod reader;
mod scratch;
mod select;
mod temporal;
mod timestamp;
mod utf8;
mod views;
mod work;

pub use builder::{DEFAULT_BATCH_SIZE, DecoderBuilder};
pub use counters::DecodeCounters;
pub use decoder::{Decoded, Decoder};
pub use file_columns::FileColumns;
pub use filter::{FilterError, RowFilter};
pub use inferred::{Inferred, LeadingZeros};
pub(crate) use inferred::{has_exponent_of_label, has_zero_or_plus_before, is_held_as_f64};
pub use make::{COLUMN_BYTES, supports};
pub use options::{DecodeOptions, LossyValues};
pub use reader::{ArrowReader, Reader};
pub use select::PREDICATE_ROWS;

/// Internals for the tests of this crate. They are not part of the API, and change without notice.
#[doc(hidden)]
pub mod internal {
    pub use super::batch::BatchDecoder;
}

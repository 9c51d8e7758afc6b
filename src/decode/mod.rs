//! From fields to Arrow arrays: column by column, no I/O and nothing that waits.
//!
//! ```text
//!  Records ──► batch ──column by column──► lanes ──64 at once──► integer, float, decimal, date ─► primitive ─┐
//!              │ room in rows and bytes    │ the others          boolean                                     ├─► arrays
//!              │ first error of all        ▼                     text, binary ─► bytes, views                │
//!              ▼                         fields ──one by one───► all of them, and times, dictionary, null ───┘
//!          RecordBatch                   │ unescape
//!                                        │ NULL? (options)       make: which type is decoded by what
//! ```
//!
//! A predicate's columns can be decoded first, by `select`: then the others are of the records that it keeps only.
//!
//! A field is read as `arrow-csv`, and so DataFusion's built-in reader, reads it: the common shape of each type by code
//! of our own, all others by Arrow's own parsers. What we read differently, and why:
//!
//! * Decimals with an exponent, or of hundreds of digits, are read right, or refused if the type has no room for them.
//!   `arrow-csv` wraps, panics, or refuses some that fit. An exponent with no digit before it (`e5`) is always refused.
//! * A decimal of negative scale is divided by the power of ten that it counts. Arrow does so only if it has an exponent.
//! * More keys in a batch than a dictionary's key type has values are an error. `arrow-csv` panics.
//! * An empty field of a type other than a string's is NULL, whatever the null options: no such type has an empty value.
//! * A missing field of a short record is NULL, whatever the null options. `arrow-csv` takes it for an empty one.
//! * A value in a column of the type Null is an error. `arrow-csv` drops it.
//! * Fields that are not projected, or not strings, need not be UTF-8.
//! * Beyond `arrow-csv`'s types: Duration, LargeUtf8, Binary, LargeBinary, BinaryView, and dictionaries of other strings.

mod batch;
mod boolean;
mod by_lanes;
mod bytes;
mod column;
mod decimal;
mod dictionary;
mod digits;
mod fields;
mod fixed;
mod float;
mod integer;
mod lanes;
mod make;
mod null;
mod options;
mod primitive;
mod scratch;
mod select;
mod temporal;
mod utf8;
mod views;

pub use batch::BatchDecoder;
pub use make::supports;
pub use options::{DecodeOptions, OversizedFields};
pub use select::{RecordSelector, Selected};

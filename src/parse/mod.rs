//! From bytes to fields: sans-IO, `&[u8]` in, spans of whole records out.
//!
//! ```text
//!  input ──► parser ──► scanner ──► index      64-byte blocks, which bytes are b
//!  &[u8]      │  ▲         │  └───► mask       u64 algebra, which of them are structure
//!             │  │         └──────► reference  one byte at a time, where a comment stands
//!             │  └─ carry: the partial record between two chunks
//!             ▼
//!         Records ──► unescape ──► values
//! ```
//!
//! [`RecordCounter`] goes the same way without an index, and keeps nothing.
//!
//! The grammar is `csv-core`'s; [`mod@reference`] states it as a table. What we read differently, and why:
//!
//! * An input that ends inside a quoted field is [an error](crate::error::ErrorKind::UnclosedQuote). `csv-core` takes
//!   the rest of the file for the field's value, and a query then answers without the records in it.
//! * A BOM is stripped wherever the chunks cut it. `csv-core` needs its three bytes in one chunk.
//! * An empty chunk is just an empty chunk. To `csv-core` it is the end of the input, and so is a first chunk that is
//!   just the BOM.
//! * A comment ends with LF, or with the input, and is no record. `csv-core` says so too, but its table makes a record
//!   of one that the input ends, and lets one go on to there where LF has no other meaning in the dialect.
//! * A record longer than `max_record_bytes` is [an error](crate::error::ErrorKind::RecordTooLong). If [`CutFields`] say so, fields
//!   of a long one are cut while it is read, so that it need not be held whole.
//!
//! `testdata/divergences.toml` has examples; the tests fail on a difference that is not listed there.

mod bom;
pub mod boundary;
mod count;
mod cut;
mod field_index;
mod lines;
mod mask;
mod parser;
mod records;
pub mod reference;
mod scanner;
mod start;
mod unescape;

pub use boundary::{Boundary, BoundaryFinder};
pub use count::RecordCounter;
pub use cut::CutFields;
pub use parser::{FieldCount, Parser, Step};
pub use records::{Column, Records, Spans};
pub use start::RecordStart;
pub use unescape::Unescape;

/// The UTF-8 byte order mark, which is no part of the first field.
pub const BOM: &[u8] = b"\xef\xbb\xbf";

//! The grammar of a CSV file: which bytes mean what, and what a machine does with each of them.
//!
//! ```text
//!  dialect    public, checked when it is built: the bytes, the header, trimming
//!     │
//!  rules      the bytes alone, as one small value that is copied
//!     ├─► machine    the specification: one byte at a time, the oracle of everything faster
//!     └─► unescape   from a field as it stands in the file to its value
//!  bom        the byte order mark, which stands before the grammar begins
//! ```
//!
//! The grammar is `csv-core`'s; `machine.rs` states it as a table. It differs in these points:
//!
//! * An input that ends inside a quoted field is [an
//!   error](crate::error::ErrorKind::UnclosedQuote). `csv-core` reads the rest of the file as the
//!   field's value. A query then answers without the records in it.
//! * A BOM is stripped wherever the chunks cut it. `csv-core` needs its three bytes in one chunk.
//! * An empty chunk is just an empty chunk. To `csv-core` it is the end of the input, and so is a
//!   first chunk that is just the BOM.
//! * A comment ends with LF, or with the input, and is no record. `csv-core` says so too. But its
//!   table makes a record of a comment that the input ends. And where LF has another meaning in the
//!   dialect, a comment goes on to the end of the input.
//! * A record longer than `max_record_bytes` is [an error](crate::error::ErrorKind::RecordTooLong).
//!
//! `testdata/divergences.toml` has examples; the tests fail on a difference that is not listed
//! there.

pub(crate) mod bom;
mod dialect;
pub(crate) mod machine;
mod rules;
mod unescape;

pub(crate) use bom::{BOM, BomMatcher, FileStart};
pub use dialect::{Dialect, DialectBuilder, Trim};
pub(crate) use machine::{Action, Machine, State};
pub(crate) use rules::Grammar;
pub use rules::Terminator;
pub use unescape::Unescape;

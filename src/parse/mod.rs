//! From bytes to fields: sans-IO, `&[u8]` in, spans of whole records out.
//!
//! ```text
//!  input ──► parser ──► scanner ──► blocks ──► byte_masks    which bytes are b, 64 at once
//!  &[u8]      │  ▲         │           └─────► structure     u64 algebra: which of them are structure
//!             │  │         ├──► grammar::machine             one byte at a time, where a comment stands
//!             │  │         └──► sink: field_index            where fields end and records start
//!             │  └─ carry: the partial record between two chunks
//!             ▼
//!         Records ──► Unescape ──► values
//! ```
//!
//! [`RecordCounter`] uses the same scanner. Its sink is a tally instead of the index, and it keeps
//! nothing.
//!
//! The grammar is that of [`crate::grammar`]. If `CutFields` say so, fields of a long record are
//! cut while it is read, so that it need not be held whole.

mod blocks;
pub(crate) mod boundary;
mod byte_masks;
mod carry;
mod checks;
pub(crate) mod column;
pub mod cost;
mod counter;
pub(crate) mod cut;
mod field_count;
mod field_index;
mod hypotheses;
mod hypothesis;
mod limit;
mod lines;
mod origin;
mod parser;
mod records;
mod scanner;
mod sink;
mod start;
mod structure;
mod tally;

pub use column::Column;
pub use cost::{DEFAULT_MAX_RECORD_BYTES, INDEX_FIELDS, MAX_FIELDS, MAX_MAX_RECORD_BYTES};
pub use counter::RecordCounter;
pub use field_count::FieldCount;
pub use parser::{Parser, Step};
pub use records::Records;
pub use start::RecordStart;

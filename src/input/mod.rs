//! Where bytes come from: any object store, any of its files, in any compression; nothing here knows CSV.
//!
//! ```text
//!  ObjectStore ──get──► File ────► local       positional reads: cached bytes at once, others one chunk ahead
//!                  └──► Stream ──► object      frames as they come, counted against the listed size
//!                                    │          range: from any byte on, as far as it is wanted
//!                                    │
//!  stdin ────────────────────────────┴──► decompress ──► Input: AsyncBufRead, its errors carry the path
//!                                          ahead: on a task of its own
//! ```
//!
//! An input gives exactly the bytes that were listed, or an error: an object that has been replaced, that ends early, or
//! whose compressed data does, is never taken for a shorter one.

mod ahead;
mod cached;
mod compression;
mod counters;
mod decompress;
mod head;
mod local;
mod object;
mod range;
mod reader;

pub use compression::{Compression, CompressionOption};
pub use counters::InputCounters;
pub use decompress::decompress;
pub use object::open;
pub use range::open_range;
pub use reader::Input;

//! Where bytes come from: any object store, any of its files, in any compression; nothing here knows CSV.
//!
//! ```text
//!                           ┌► local: positional reads: cached bytes at once, others one chunk ahead ───────────┐
//!  ObjectStore ──► object ──┤                                                                                   ├─► decompress ──► Input
//!              for what was └► fetch: a block; what breaks ──► remote: blocks in order, some of them ahead ─────┤
//!                 listed       is resumed where it broke                                               stdin ──┘
//!
//!  ahead: decompression, on a task of its own
//!  task: a task that ends with its owner
//!  extent: which bytes, those of a range and then those behind it as far as they are wanted
//! ```
//!
//! An [`Input`] is an `AsyncBufRead`, whose errors carry the path.
//!
//! An input gives exactly the bytes that were listed, or an error: an object that has been replaced, that ends early, or
//! whose compressed data does, is never taken for a shorter one.

mod ahead;
mod cached;
mod compression;
mod counters;
mod decompress;
mod extent;
mod fetch;
mod head;
mod local;
mod object;
mod open;
mod read_ahead;
mod reader;
mod remote;
mod task;

pub use compression::{Compression, CompressionOption};
pub use counters::InputCounters;
pub use decompress::decompress;
pub use open::{open, open_range};
pub use read_ahead::ReadAhead;
pub use reader::Input;

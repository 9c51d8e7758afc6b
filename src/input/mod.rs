//! The inputs: bytes of any file of any object store, in any compression. Nothing here knows CSV.
//!
//! ```text
//!                           ┌► local: positional reads, from the page cache ────────┐
//!  ObjectStore ──► object ──┤         at once, else one chunk ahead                 ├─► decompress
//!              requests for └► fetch: a range,   ─┬► remote: blocks, some ahead ────┤        │
//!              the object             resumed when└► streamed: as it is wanted ─────┤        ▼
//!              as it was listed       a body breaks                         stdin ──┘      Input
//!
//!  read_ahead: blocks or one stream, by the memory that there is
//!  connections: the memory of streams, which readers lend each other
//!  ahead: decompression, on a task of its own
//!  task: a task that ends with its owner
//!  extent: the bytes to read: those of a range, then those after it as far as they are wanted
//! ```
//!
//! An [`Input`] is an `AsyncBufRead`, whose errors carry the path.
//!
//! An input gives exactly the bytes that were listed, or an error. If an object has been replaced,
//! ends early, or holds compressed data that ends early, it is never taken for a shorter one.

mod ahead;
mod cached;
mod compression;
mod connections;
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
mod streamed;
mod task;

pub use compression::{Compression, CompressionOption};
pub use connections::Connections;
pub use counters::InputCounters;
pub use decompress::decompress;
pub use open::{open, open_range};
pub use read_ahead::ReadAhead;
pub use reader::Input;

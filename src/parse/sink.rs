//! [`Sink`]: the receiver of what a [`Scanner`](super::scanner::Scanner) finds, from blocks or from
//! single bytes.

use super::structure::Structure;
use crate::simd::Simd;

/// Takes the structure of a buffer, in order. Places are offsets in the buffer.
pub(super) trait Sink {
    /// See [`blocks`](Self::blocks).
    type Blocks<'a>: BlockSink<Filled = Self::Filled>
    where
        Self: 'a;
    /// The result of appending to [`Blocks`](Self::Blocks).
    type Filled;

    /// Whether the scan has to stop.
    fn is_full(&self) -> bool;

    /// Room for some blocks. It consists of slices and numbers, so that the compiler can keep them
    /// in registers.
    fn blocks(&mut self) -> Self::Blocks<'_>;

    /// Takes over what has been appended to that room.
    fn fill(&mut self, filled: Self::Filled);

    /// A record starts with the byte at `at`.
    fn start_record(&mut self, at: usize);

    /// The byte at `at` ends a field, but not the record.
    fn end_field(&mut self, at: usize);

    /// The byte at `at` ends a field and the record.
    fn end_record(&mut self, at: usize);
}

/// Room for some blocks.
pub(super) trait BlockSink {
    /// Whether it needs the ends of fields. Where it doesn't, delimiters are not looked for outside
    /// quotes.
    const NEEDS_FIELDS: bool;

    /// See [`filled`](Self::filled).
    type Filled;

    /// Whether there is room for one more block.
    fn is_left(&self) -> bool;

    /// Appends a block, whose first byte is at `base`. There has to be [room](Self::is_left).
    fn append<S: Simd>(&mut self, simd: S, base: usize, structure: Structure);

    /// The number of fields that have ended; zero if they are not needed.
    fn fields(&self) -> usize;

    /// The result of appending.
    fn filled(self) -> Self::Filled;
}

//! [`Tally`]: the sink that counts records.

use super::sink::{BlockSink, Sink};
use super::structure::Structure;
use crate::simd::Simd;

/// The records of a buffer, counted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    /// Records that end in the buffer.
    pub(super) records: u64,
    /// The last start of a record in the buffer.
    pub(super) last_start: Option<usize>,
}

/// The records of some blocks, counted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TallyBlocks {
    records: u64,
    /// The last block in which a record starts, and where in it.
    start_block: usize,
    starts: u64,
}

impl Sink for Tally {
    type Blocks<'a> = TallyBlocks;
    type Filled = TallyBlocks;

    #[inline(always)]
    fn is_full(&self) -> bool {
        false
    }

    #[inline(always)]
    fn blocks(&mut self) -> TallyBlocks {
        TallyBlocks::default()
    }

    #[inline(always)]
    fn fill(&mut self, filled: TallyBlocks) {
        self.records += filled.records;
        if filled.starts != 0 {
            self.last_start = Some(filled.start_block + filled.starts.ilog2() as usize);
        }
    }

    fn start_record(&mut self, at: usize) {
        self.last_start = Some(at);
    }

    fn end_field(&mut self, _at: usize) {}

    fn end_record(&mut self, _at: usize) {
        self.records += 1;
    }
}

impl BlockSink for TallyBlocks {
    const NEEDS_FIELDS: bool = false;

    type Filled = TallyBlocks;

    #[inline(always)]
    fn is_left(&self) -> bool {
        true
    }

    #[inline(always)]
    fn append<S: Simd>(&mut self, _simd: S, base: usize, structure: Structure) {
        self.records += u64::from(structure.record_ends.count_ones());
        if structure.starts != 0 {
            (self.start_block, self.starts) = (base, structure.starts);
        }
    }

    #[inline(always)]
    fn fields(&self) -> usize {
        0
    }

    #[inline(always)]
    fn filled(self) -> TallyBlocks {
        self
    }
}

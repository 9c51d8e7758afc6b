//! What a back end can do, and what can be run on one.

/// Bytes of a block: one bit of a `u64` each.
pub(in crate::parse) const BLOCK: usize = 64;

/// A back end's primitives. A value of an implementing type is the proof that the CPU has the instructions.
pub(in crate::parse) trait Simd: Copy {
    /// 64 bytes in registers.
    type Block: Copy;

    /// Loads a block.
    fn load(self, bytes: &[u8; BLOCK]) -> Self::Block;

    /// Bit *i* is set where byte *i* of the block is `byte`.
    fn eq(self, block: Self::Block, byte: u8) -> u64;

    /// Bit *i* is the xor of bits 0 to *i*.
    #[inline(always)]
    fn prefix_xor(self, mask: u64) -> u64 {
        crate::parse::mask::prefix_xor(mask)
    }

    /// Writes `base` plus the position of each set bit, in order, to the front of `out`. What stands behind them in
    /// `out` afterwards is arbitrary.
    #[inline(always)]
    fn positions(self, mask: u64, base: u32, out: &mut [u32; BLOCK]) {
        let count = mask.count_ones() as usize;
        let mut rest = mask;
        // Eight at a time without looking: fewer mispredicted branches than one at a time.
        for eight in out.chunks_exact_mut(8).take(count.div_ceil(8)) {
            for out in eight {
                *out = base.wrapping_add(rest.trailing_zeros());
                rest &= rest.wrapping_sub(1);
            }
        }
    }
}

/// An algorithm over [`Simd`], compiled once for each back end.
///
/// `run` has to be `#[inline(always)]`, or it isn't compiled with the back end's instructions.
pub(in crate::parse) trait Kernel {
    /// What it returns.
    type Output;

    /// Runs with a back end's primitives.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

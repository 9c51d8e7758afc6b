//! [`Simd`]: the primitives of a back end. [`Kernel`]: an algorithm over them.

use super::positions::positions;
use super::prefix_xor::prefix_xor;

/// The number of bytes in a block. One bit of a `u64` stands for each byte.
pub(crate) const BLOCK: usize = 64;

/// The primitives of a back end. A value of an implementing type proves that the CPU has the
/// instructions.
pub(crate) trait Simd: Copy {
    /// 64 bytes in registers.
    type Block: Copy;

    /// Loads a block.
    fn load(self, bytes: &[u8; BLOCK]) -> Self::Block;

    /// Bit *i* is set where byte *i* of the block is `byte`.
    fn eq(self, block: Self::Block, byte: u8) -> u64;

    /// Whether a block of the group has the byte.
    #[inline(always)]
    fn any_eq<const N: usize>(self, group: &[Self::Block; N], byte: u8) -> bool {
        let mut any = 0;
        for &block in group {
            any |= self.eq(block, byte);
        }
        any != 0
    }

    /// Bit *i* is the xor of bits 0 to *i*.
    #[inline(always)]
    fn prefix_xor(self, mask: u64) -> u64 {
        prefix_xor(mask)
    }

    /// Bit *i* is set where the *i*-th set bit of `of` is set in `mask` too.
    #[inline(always)]
    fn extract(self, mask: u64, of: u64) -> u64 {
        let (mut extracted, mut rest) = (0, mask & of);
        while rest != 0 {
            let lowest = rest & rest.wrapping_neg();
            extracted |= 1 << (of & (lowest - 1)).count_ones();
            rest ^= lowest;
        }
        extracted
    }

    /// Writes `base` plus the position of each set bit, in order, to the front of `out`. The rest
    /// of `out` is arbitrary afterwards.
    #[inline(always)]
    fn positions(self, mask: u64, base: u32, out: &mut [u32; BLOCK]) {
        positions(mask, base, out);
    }
}

/// An algorithm over [`Simd`], compiled once for each back end.
///
/// `run` has to be `#[inline(always)]`: otherwise it isn't compiled with the back end's
/// instructions.
pub(crate) trait Kernel {
    /// The result.
    type Output;

    /// Runs with the primitives of a back end.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

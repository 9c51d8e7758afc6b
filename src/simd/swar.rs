//! The portable back end: eight bytes in a `u64`.

use super::kernel::{BLOCK, Simd};

const LOW: u64 = 0x0101_0101_0101_0101;
const LOW_SEVEN: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const HIGH: u64 = !LOW_SEVEN;
/// Moves bit 8 × i to bit 56 + i.
const GATHER: u64 = 0x0102_0408_1020_4080;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Swar;

impl Simd for Swar {
    type Block = [u64; 8];

    #[inline(always)]
    fn load(self, bytes: &[u8; BLOCK]) -> Self::Block {
        let (words, _) = bytes.as_chunks::<8>();
        std::array::from_fn(|i| u64::from_le_bytes(words[i]))
    }

    #[inline(always)]
    fn eq(self, block: Self::Block, byte: u8) -> u64 {
        let wanted = LOW * u64::from(byte);
        let mut mask = 0;
        for (i, word) in block.into_iter().enumerate() {
            let difference = word ^ wanted;
            // The high bit of each byte of `other` is set where the byte differs. No carry leaves a
            // byte.
            let other = ((difference & LOW_SEVEN) + LOW_SEVEN) | difference;
            let equal = (!other >> 7) & LOW;
            mask |= (equal.wrapping_mul(GATHER) >> 56) << (8 * i);
        }
        mask
    }

    #[inline(always)]
    fn any_eq<const N: usize>(self, group: &[Self::Block; N], byte: u8) -> bool {
        let wanted = LOW * u64::from(byte);
        let mut any = 0;
        for word in group.as_flattened() {
            let difference = word ^ wanted;
            // A borrow can only leave a byte that is equal.
            any |= difference.wrapping_sub(LOW) & !difference;
        }
        any & HIGH != 0
    }
}

//! The prefix xor of a mask, in portable code.

/// Bit *i* is the xor of bits 0 to *i*.
#[inline(always)]
pub(crate) fn prefix_xor(mut mask: u64) -> u64 {
    mask ^= mask << 1;
    mask ^= mask << 2;
    mask ^= mask << 4;
    mask ^= mask << 8;
    mask ^= mask << 16;
    mask ^= mask << 32;
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_xor_is_a_running_parity() {
        for mask in [0, 1, 0b1001, u64::MAX, 0x8000_0000_0000_0001, 0x0123_4567_89ab_cdef] {
            let first_bits = |count: u32| mask & (u64::MAX >> (64 - count));
            let slow: u64 = (0..64).map(|i| u64::from(first_bits(i + 1).count_ones() % 2) << i).sum();
            assert_eq!(prefix_xor(mask), slow);
        }
    }
}

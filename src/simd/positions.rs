//! The positions of the set bits of a mask, in portable code.

/// Writes `base` plus the position of each set bit, in order, to the front of `out`, which has room
/// for 64. The rest of `out` is arbitrary afterwards.
#[inline(always)]
pub(super) fn positions(mut mask: u64, base: u32, out: &mut [u32]) {
    // Eight at a time, as a branch on each one can't be predicted.
    for eight in out.as_chunks_mut::<8>().0 {
        mask = first_positions(mask, base, eight);
        if mask == 0 {
            break;
        }
    }
}

/// Fills `out` with `base` plus the positions of the first set bits, and returns the other bits. Past
/// the last one `out` is arbitrary.
#[inline(always)]
pub(crate) fn first_positions(mut mask: u64, base: u32, out: &mut [u32]) -> u64 {
    for out in out {
        *out = base.wrapping_add(mask.trailing_zeros());
        mask &= mask.wrapping_sub(1);
    }
    mask
}

//! [`Lanes`]: up to 64 fields of one column side by side, so that their values are computed by
//! vectors.
//!
//! Loading a field is scalar work: its span, then one load of the sixteen bytes before its end. All
//! that follows is the same arithmetic on each lane without a branch, which the compiler turns into
//! vectors of the back end that it runs on.

use crate::parse::Column;

/// How many fields: one bit of a `u64` each.
pub(super) const LANES: usize = 64;

/// Some fields of a column: where they are, and what they end with.
#[derive(Debug)]
pub(super) struct Lanes {
    /// Where each field starts.
    pub(super) start: [u32; LANES],
    /// Where each field ends; before its start where it is missing.
    pub(super) end: [u32; LANES],
    /// Bytes of each field; more than any value has where it is missing.
    pub(super) len: [u64; LANES],
    /// The last eight bytes before each field's end, the very last one the highest. What stands
    /// before the field is arbitrary.
    pub(super) last: [u64; LANES],
    /// The eight bytes before those.
    pub(super) before: [u64; LANES],
}

impl Lanes {
    pub(super) fn new() -> Self {
        Lanes { start: [0; LANES], end: [0; LANES], len: [0; LANES], last: [0; LANES], before: [0; LANES] }
    }

    /// Finds the fields of the records from `from` on, and says how many.
    #[inline(always)]
    pub(super) fn find(&mut self, column: &Column<'_>, from: usize) -> usize {
        let count = column.copy_spans(from, &mut self.start, &mut self.end);
        for lane in 0..LANES {
            self.len[lane] = u64::from(self.end[lane].wrapping_sub(self.start[lane]));
        }
        count
    }

    /// Loads the sixteen bytes before each field's end.
    #[inline(always)]
    pub(super) fn load(&mut self, bytes: &[u8]) {
        for lane in 0..LANES {
            let end = self.end[lane] as usize;
            let double = match bytes.get(..end).and_then(|bytes| bytes.last_chunk()) {
                Some(&double) => u128::from_le_bytes(double),
                None => first_double(bytes, end),
            };
            (self.before[lane], self.last[lane]) = (double as u64, (double >> 64) as u64);
        }
    }

    /// The length of the longest field.
    #[inline(always)]
    pub(super) fn longest(&self) -> u64 {
        self.len.iter().fold(0, |longest, &len| longest.max(len))
    }
}

/// The sixteen bytes before `end`, zeros where there are fewer.
#[cold]
fn first_double(bytes: &[u8], end: usize) -> u128 {
    let mut double = [0; 16];
    let bytes = &bytes[..end.min(bytes.len())];
    let bytes = &bytes[bytes.len().saturating_sub(16)..];
    double[16 - bytes.len()..].copy_from_slice(bytes);
    u128::from_le_bytes(double)
}

/// The lanes of the first `count` that have nothing wrong, one bit each.
#[inline(always)]
pub(super) fn right(wrong: &[u64; LANES], count: usize) -> u64 {
    let first = u64::MAX >> (LANES - count);
    if wrong.iter().fold(0, |all, wrong| all | wrong) == 0 {
        return first;
    }
    let bit = |(lane, &wrong): (usize, &u64)| u64::from(wrong == 0) << lane;
    wrong.iter().enumerate().map(bit).sum::<u64>() & first
}

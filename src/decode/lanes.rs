//! [`Lanes`]: up to 64 fields of one column side by side, so that their values are computed by
//! vectors.
//!
//! Loading a field is scalar work: its span, then one load of the sixteen bytes before its end.
//! After that, each lane goes through the same arithmetic without a branch. The compiler turns that
//! into vector instructions of the back end in use.

use crate::parse::Column;

/// The number of fields. One bit of a `u64` stands for each.
pub(super) const LANES: usize = 64;

/// Some fields of a column: their places, and the last bytes of each.
#[derive(Debug)]
pub(super) struct Lanes {
    /// Where each field starts.
    pub(super) start: [u32; LANES],
    /// Where each field ends; before its start if the field is missing.
    pub(super) end: [u32; LANES],
    /// The length of each field in bytes. For a missing field it is longer than any value.
    pub(super) len: [u64; LANES],
    /// The last eight bytes before each field's end, the very last one highest. Bytes before the
    /// field's start are arbitrary.
    pub(super) last: [u64; LANES],
    /// The eight bytes before those.
    pub(super) before: [u64; LANES],
}

impl Lanes {
    pub(super) fn new() -> Self {
        Lanes { start: [0; LANES], end: [0; LANES], len: [0; LANES], last: [0; LANES], before: [0; LANES] }
    }

    /// Finds the fields of the records from `from` on, and returns their number.
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

/// The sixteen bytes before `end`, with zeros in front if there are fewer.
#[cold]
fn first_double(bytes: &[u8], end: usize) -> u128 {
    let mut double = [0; 16];
    let bytes = &bytes[..end.min(bytes.len())];
    let bytes = &bytes[bytes.len().saturating_sub(16)..];
    double[16 - bytes.len()..].copy_from_slice(bytes);
    u128::from_le_bytes(double)
}

/// Those of the first `count` lanes that have nothing wrong, one bit each.
#[inline(always)]
pub(super) fn right(wrong: &[u64; LANES], count: usize) -> u64 {
    let first = u64::MAX >> (LANES - count);
    if wrong.iter().fold(0, |all, wrong| all | wrong) == 0 {
        return first;
    }
    let bit = |(lane, &wrong): (usize, &u64)| u64::from(wrong == 0) << lane;
    wrong.iter().enumerate().map(bit).sum::<u64>() & first
}

//! [`Extent`]: the bytes of an object that are read.

use std::ops::Range;

/// The bytes that are read first after a range: some records of most files. Each further read is
/// twice as long.
const FIRST_BYTES_BEHIND: u64 = 64 << 10;

/// The bytes of a range, and then the bytes after it, as far as they are wanted.
#[derive(Debug, Clone)]
pub(super) struct Extent {
    /// The next byte. `at <= end <= size`
    at: u64,
    end: u64,
    /// The object's size, as it was listed.
    size: u64,
    /// The number of bytes by which the next [`extend`](Self::extend) moves the end.
    more: u64,
}

impl Extent {
    pub(super) fn whole(size: u64) -> Self {
        Extent::range(0..size, size)
    }

    /// A range, cut off at the object's end.
    pub(super) fn range(range: Range<u64>, size: u64) -> Self {
        let end = range.end.min(size);
        Extent { at: range.start.min(end), end, size, more: FIRST_BYTES_BEHIND }
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// The number of bytes before the end, at most `usize::MAX`.
    pub(super) fn left(&self) -> usize {
        usize::try_from(self.end - self.at).unwrap_or(usize::MAX)
    }

    /// The number of bytes to the end of the object.
    pub(super) fn left_in_object(&self) -> u64 {
        self.size - self.at
    }

    /// Takes the next bytes, `most` of them at the most, off the front.
    pub(super) fn take(&mut self, most: usize) -> Range<u64> {
        let start = self.at;
        self.at += self.left().min(most) as u64;
        start..self.at
    }

    /// Moves the end on, because bytes after it are wanted. False at the end of the object.
    pub(super) fn extend(&mut self) -> bool {
        if self.end == self.size {
            return false;
        }
        self.end = self.end.saturating_add(self.more).min(self.size);
        self.more = self.more.saturating_mul(2);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_a_range_is_taken_in_growing_parts() {
        let size = 1 << 20;
        let mut extent = Extent::range(10..100, size);
        assert_eq!([extent.take(60), extent.take(60), extent.take(60)], [10..70, 70..100, 100..100]);
        let mut ends = Vec::new();
        while extent.extend() {
            assert_eq!(extent.take(usize::MAX).end, extent.end());
            ends.push(extent.end());
        }
        assert_eq!(ends, [65_636, 196_708, 458_852, 983_140, size]);
    }

    #[test]
    fn an_extent_ends_where_the_object_does() {
        let mut extent = Extent::range(50..200, 100);
        assert_eq!(extent.take(1000), 50..100);
        assert!(!extent.extend());
        let mut extent = Extent::range(200..300, 100);
        assert_eq!((extent.take(1000), extent.extend()), (100..100, false));
        let mut extent = Extent::whole(0);
        assert_eq!((extent.take(1000), extent.extend()), (0..0, false));
        assert_eq!(Extent::whole(u64::MAX).take(5), 0..5);
    }
}

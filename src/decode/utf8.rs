//! UTF-8 validation of a whole chunk, so that fields need only boundary checks.

use simdutf8::{basic, compat};

/// A part of a file that is UTF-8.
#[derive(Debug, Clone, Copy)]
pub(super) struct Utf8<'a> {
    bytes: &'a [u8],
    /// The validated part of `bytes`, which starts at `bytes[first]`.
    text: &'a str,
    first: usize,
    is_ascii: bool,
}

impl<'a> Utf8<'a> {
    /// `bytes[first..end]`, if that is UTF-8.
    pub(super) fn new(bytes: &'a [u8], first: usize, end: usize) -> Option<Self> {
        let text = basic::from_utf8(&bytes[first..end]).ok()?;
        Some(Utf8 { bytes, text, first, is_ascii: text.is_ascii() })
    }

    /// The bytes that this is a part of.
    #[inline(always)]
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether all of it is ASCII.
    #[inline]
    pub(super) fn is_ascii(&self) -> bool {
        self.is_ascii
    }

    /// Whether a place in it is between two characters. A place next to a delimiter may not be, if
    /// the delimiter isn't ASCII.
    #[inline(always)]
    pub(super) fn is_boundary(&self, at: u32) -> bool {
        let at = (at as usize).wrapping_sub(self.first);
        if self.is_ascii { at <= self.text.len() } else { self.text.is_char_boundary(at) }
    }

    /// The text from one place to another, if both are [boundaries](Self::is_boundary).
    #[inline(always)]
    pub(super) fn part(&self, start: u32, end: u32) -> Option<&'a str> {
        self.text.get((start as usize).checked_sub(self.first)?..(end as usize).checked_sub(self.first)?)
    }
}

/// The index of the first byte of `value` that isn't UTF-8, if there is one.
pub(super) fn first_invalid(value: &[u8]) -> Option<usize> {
    compat::from_utf8(value).err().map(|error| error.valid_up_to())
}

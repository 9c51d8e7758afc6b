//! [`BomMatcher`]: the byte order mark at the start of a file, wherever chunks cut it.

/// The UTF-8 byte order mark, which is no part of the first field.
pub const BOM: &[u8] = b"\xef\xbb\xbf";

/// How far the BOM has been recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BomMatcher {
    /// This many of its bytes have been taken.
    Matched(usize),
    /// The start of the file is over: it was a BOM, or there is none.
    Passed,
}

/// The outcome of matching the start of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileStart {
    /// Not decided yet, or already decided in an earlier chunk.
    Open,
    /// A whole BOM.
    Bom,
    /// These bytes, which look like the start of a BOM but are the first bytes of the content.
    Content(&'static [u8]),
}

impl BomMatcher {
    /// Before the first byte of a file.
    pub(crate) const START: BomMatcher = BomMatcher::Matched(0);

    /// Takes the bytes from the front of `chunk` that can be part of a BOM. Returns how many.
    pub(crate) fn take(&mut self, chunk: &[u8]) -> (usize, FileStart) {
        let BomMatcher::Matched(before) = *self else {
            return (0, FileStart::Open);
        };
        let here = BOM[before..].iter().zip(chunk).take_while(|(bom, byte)| bom == byte).count();
        if before + here == BOM.len() {
            *self = BomMatcher::Passed;
            (here, FileStart::Bom)
        } else if here == chunk.len() {
            *self = BomMatcher::Matched(before + here);
            (here, FileStart::Open)
        } else {
            *self = BomMatcher::Passed;
            (0, FileStart::Content(&BOM[..before]))
        }
    }

    /// The input has ended. Returns the bytes that have been taken but don't form a whole BOM.
    pub(crate) fn finish(&mut self) -> &'static [u8] {
        match std::mem::replace(self, BomMatcher::Passed) {
            BomMatcher::Matched(matched) => &BOM[..matched],
            BomMatcher::Passed => &[],
        }
    }
}

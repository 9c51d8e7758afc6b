//! [`Bom`]: the byte order mark at the start of a file, wherever chunks cut it.

use super::BOM;

/// How far the BOM has been recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bom {
    /// So many of its bytes have been taken.
    Matched(usize),
    /// What follows is the first record, or what stands before it.
    Passed,
}

/// What the bytes that have been taken turn out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Not known yet, or nothing.
    Open,
    /// A whole BOM.
    Bom,
    /// Bytes that look like the start of a BOM but are the file's first.
    Content(&'static [u8]),
}

impl Bom {
    /// Takes what can be part of a BOM from the front of `input`: how many bytes.
    pub(super) fn pass(&mut self, input: &[u8]) -> (usize, Taken) {
        let Bom::Matched(before) = *self else {
            return (0, Taken::Open);
        };
        let here = BOM[before..].iter().zip(input).take_while(|(bom, byte)| bom == byte).count();
        if before + here == BOM.len() {
            *self = Bom::Passed;
            (here, Taken::Bom)
        } else if here == input.len() {
            *self = Bom::Matched(before + here);
            (here, Taken::Open)
        } else {
            *self = Bom::Passed;
            (0, Taken::Content(&BOM[..before]))
        }
    }

    /// The input has ended: what was taken, and is no whole BOM.
    pub(super) fn end(&mut self) -> &'static [u8] {
        match std::mem::replace(self, Bom::Passed) {
            Bom::Matched(matched) => &BOM[..matched],
            Bom::Passed => &[],
        }
    }
}

//! [`ByteMasks`]: where the bytes that the grammar knows stand in a block.

use crate::grammar::{Grammar, Terminator};
use crate::simd::{BLOCK, Simd};

/// Where the bytes that the grammar knows stand in a block, whatever they mean there. A mask is
/// zero where the dialect has no such byte.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ByteMasks {
    pub(super) delimiter: u64,
    pub(super) quote: u64,
    pub(super) escape: u64,
    pub(super) comment: u64,
    /// LF with the default terminator, else the one byte.
    pub(super) lf: u64,
    /// CR with the default terminator, else zero.
    pub(super) cr: u64,
}

impl ByteMasks {
    /// Finds them in a block.
    #[inline(always)]
    pub(super) fn find<S: Simd>(simd: S, grammar: &Grammar, bytes: &[u8; BLOCK]) -> Self {
        let block = simd.load(bytes);
        ByteMasks {
            delimiter: simd.eq(block, grammar.delimiter),
            ..Self::find_without_delimiter(simd, grammar, block)
        }
    }

    /// Finds them in a block, but looks for a delimiter only in its last byte. A delimiter there
    /// tells that the next block starts a field. No other delimiter matters where the ends of
    /// fields are not needed.
    #[inline(always)]
    pub(super) fn find_for_records<S: Simd>(simd: S, grammar: &Grammar, bytes: &[u8; BLOCK]) -> Self {
        let delimiter = u64::from(bytes[BLOCK - 1] == grammar.delimiter) << (BLOCK - 1);
        ByteMasks { delimiter, ..Self::find_without_delimiter(simd, grammar, simd.load(bytes)) }
    }

    #[inline(always)]
    fn find_without_delimiter<S: Simd>(simd: S, grammar: &Grammar, block: S::Block) -> Self {
        let (lf, cr) = match grammar.terminator {
            Terminator::CrLf => (simd.eq(block, b'\n'), simd.eq(block, b'\r')),
            Terminator::Byte(terminator) => (simd.eq(block, terminator), 0),
        };
        ByteMasks {
            delimiter: 0,
            quote: find_optional(simd, block, grammar.quote),
            escape: find_optional(simd, block, grammar.escape),
            comment: find_optional(simd, block, grammar.comment),
            lf,
            cr,
        }
    }

    /// Where any of them stands.
    #[inline(always)]
    pub(super) fn any(&self) -> u64 {
        self.delimiter | self.quote | self.escape | self.comment | self.lf | self.cr
    }
}

#[inline(always)]
fn find_optional<S: Simd>(simd: S, block: S::Block, byte: Option<u8>) -> u64 {
    match byte {
        Some(byte) => simd.eq(block, byte),
        None => 0,
    }
}

//! [`BlockScan`]: whole blocks into a sink, with vector instructions, up to a block in which a
//! comment starts.
//!
//! Blocks are processed in groups, and each group in the way that suits the group before it. A
//! branch for each block on whether it has quotes can't be predicted; a branch for each group can.

use super::byte_masks::{ByteMasks, find_quotes};
use super::sink::{BlockSink, Sink};
use super::structure::{BlockState, Structure};
use crate::grammar::{Grammar, Terminator};
use crate::simd::{BLOCK, Kernel, Simd};

/// Blocks of a group.
const GROUP: usize = 8;

/// Blocks of a group where the ends of fields are not needed. The rest is so little work that it
/// pays to look for quotes in the whole group first.
const RECORDS_GROUP: usize = 4;

/// A buffer that is scanned from `at` on. `run` returns false at a block in which a comment starts;
/// else it has got to the end of the bytes, or the sink is full.
pub(super) struct BlockScan<'a, 'b, K> {
    pub(super) grammar: Grammar,
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) state: BlockState,
    pub(super) sink: &'b mut K,
    /// Lines that end in the blocks.
    pub(super) line_breaks: u64,
}

impl<K: Sink> Kernel for &mut BlockScan<'_, '_, K> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        match self.grammar {
            // The usual dialect, as constants that the compiler can use.
            Grammar {
                delimiter,
                quote: Some(quote),
                escape: None,
                double_quote: true,
                comment: None,
                terminator: Terminator::CrLf,
            } => self.run_with(simd, &Grammar { delimiter, quote: Some(quote), ..Grammar::DEFAULT }),
            grammar => self.run_with(simd, &grammar),
        }
    }
}

impl<K: Sink> BlockScan<'_, '_, K> {
    #[inline(always)]
    fn run_with<S: Simd>(&mut self, simd: S, grammar: &Grammar) -> bool {
        let mut is_resolved = true;
        while is_resolved && self.at < self.bytes.len() && !self.sink.is_full() {
            let filled = {
                let mut blocks = Blocks {
                    simd,
                    grammar,
                    bytes: self.bytes,
                    at: self.at,
                    state: self.state,
                    line_breaks: self.line_breaks,
                    sink: self.sink.blocks(),
                };
                is_resolved = blocks.run();
                (self.at, self.state, self.line_breaks) = (blocks.at, blocks.state, blocks.line_breaks);
                blocks.sink.filled()
            };
            self.sink.fill(filled);
        }
        is_resolved
    }
}

/// Blocks that go into one room of a sink. All of it can stay in registers.
struct Blocks<'a, S, R> {
    simd: S,
    grammar: &'a Grammar,
    bytes: &'a [u8],
    at: usize,
    state: BlockState,
    line_breaks: u64,
    sink: R,
}

/// The kind of group that is expected next.
enum Expected {
    /// Blocks without quotes.
    Unquoted,
    /// Blocks with quotes.
    Quoted,
    /// Blocks without a byte of the grammar: they are the middle of a long field.
    Unmarked,
    /// Nothing: there is no whole block, or no room for one.
    End,
    /// A block in which a comment starts.
    Comment,
}

impl<'a, S: Simd, R: BlockSink> Blocks<'a, S, R> {
    /// Returns false at a block in which a comment starts; else it has got to the end of the bytes,
    /// or of the room.
    #[inline(always)]
    fn run(&mut self) -> bool {
        let mut expected = self.any();
        loop {
            expected = match expected {
                Expected::Unquoted if R::NEEDS_FIELDS => self.unquoted(),
                Expected::Unquoted => self.unquoted_records(),
                Expected::Quoted => self.quoted(),
                Expected::Unmarked => {
                    self.at += unmarked_bytes(self.simd, self.grammar, &self.bytes[self.at..]);
                    self.any()
                }
                Expected::End => break,
                Expected::Comment => return false,
            }
        }
        let rest = &self.bytes[self.at..];
        if rest.is_empty() || rest.len() >= BLOCK || !self.sink.is_left() {
            return true;
        }
        let mut block = [0; BLOCK];
        block[..rest.len()].copy_from_slice(rest);
        let masks = ByteMasks::find(self.simd, self.grammar, &block);
        self.quoted_block(masks, rest.len())
    }

    /// The kind of group to expect when nothing is known of its blocks.
    #[inline(always)]
    fn any(&self) -> Expected {
        if self.state.is_inside_quotes() { Expected::Quoted } else { Expected::Unquoted }
    }

    #[inline(always)]
    fn block(&self) -> Option<&'a [u8; BLOCK]> {
        self.bytes[self.at..].first_chunk().filter(|_| self.sink.is_left())
    }

    /// A group that starts outside quotes, up to the first quote.
    #[inline(always)]
    fn unquoted(&mut self) -> Expected {
        let fields = self.sink.fields();
        for _ in 0..GROUP {
            let Some(block) = self.block() else {
                return Expected::End;
            };
            let masks = ByteMasks::find(self.simd, self.grammar, block);
            if masks.quote != 0 {
                return Expected::Quoted;
            }
            if !self.unquoted_block(masks) {
                return Expected::Comment;
            }
        }
        if self.sink.fields() == fields && self.state.is_in_field() {
            Expected::Unmarked
        } else {
            Expected::Unquoted
        }
    }

    /// Groups outside quotes, up to one in which a quote stands. Only records are looked for.
    #[inline(always)]
    fn unquoted_records(&mut self) -> Expected {
        let (groups, _) = self.bytes[self.at..].as_chunks::<{ RECORDS_GROUP * BLOCK }>();
        for group in groups {
            let (blocks, _) = group.as_chunks::<BLOCK>();
            let mut quotes = 0;
            for block in blocks {
                quotes |= find_quotes(self.simd, self.grammar, block);
            }
            if quotes != 0 {
                break;
            }
            for block in blocks {
                if !self.unquoted_block(ByteMasks::find_for_records(self.simd, self.grammar, block)) {
                    return Expected::Comment;
                }
            }
        }
        Expected::Quoted
    }

    /// A group that may have quotes.
    #[inline(always)]
    fn quoted(&mut self) -> Expected {
        let fields = self.sink.fields();
        let mut quotes = 0;
        for _ in 0..if R::NEEDS_FIELDS { GROUP } else { RECORDS_GROUP } {
            let Some(block) = self.block() else {
                return Expected::End;
            };
            let masks = ByteMasks::find(self.simd, self.grammar, block);
            quotes |= masks.quote;
            if !self.quoted_block(masks, BLOCK) {
                return Expected::Comment;
            }
        }
        if R::NEEDS_FIELDS && self.sink.fields() == fields && self.state.is_in_field() {
            Expected::Unmarked
        } else if R::NEEDS_FIELDS && quotes != 0 {
            Expected::Quoted
        } else {
            self.any()
        }
    }

    #[inline(always)]
    fn unquoted_block(&mut self, masks: ByteMasks) -> bool {
        let mut state = self.state;
        let structure = state.resolve_unquoted(self.grammar, masks);
        self.append(structure, state, BLOCK)
    }

    #[inline(always)]
    fn quoted_block(&mut self, masks: ByteMasks, len: usize) -> bool {
        let mut state = self.state;
        let prefix_xor = |mask| self.simd.prefix_xor(mask);
        let structure = state.resolve_quoted(self.grammar, masks, len, prefix_xor);
        self.append(structure, state, len)
    }

    /// Passes a block that has been resolved. Returns false if it could not be resolved, because a
    /// comment starts in it.
    #[inline(always)]
    fn append(&mut self, structure: Option<Structure>, state: BlockState, len: usize) -> bool {
        let Some(structure) = structure else {
            return false;
        };
        self.sink.append(self.simd, self.at, structure);
        self.line_breaks += u64::from(structure.line_breaks);
        self.state = state;
        self.at += len;
        true
    }
}

/// The number of bytes in the whole blocks at the front that have no byte of the grammar.
#[inline(always)]
fn unmarked_bytes<S: Simd>(simd: S, grammar: &Grammar, bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let mut unmarked = 0;
    // No closure: it would not be compiled with the back end's instructions.
    for block in blocks {
        if ByteMasks::find(simd, grammar, block).any() != 0 {
            break;
        }
        unmarked += BLOCK;
    }
    unmarked
}

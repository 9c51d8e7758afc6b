//! [`BlockScan`]: whole blocks into a sink, with vector instructions, up to a block in which a
//! comment starts.
//!
//! Blocks are processed in groups, and each group in the way that suits the group before it. A
//! branch for each block on whether it has quotes can't be predicted; a branch for each group can.
//!
//! Few groups of most files have a CR or a comment byte. A group without them is resolved with a
//! grammar without them, so that the compiler leaves out the masks of these bytes, and what follows
//! from them.

use super::byte_masks::ByteMasks;
use super::sink::{BlockSink, Sink};
use super::structure::{BlockState, Structure};
use crate::grammar::{Grammar, Terminator};
use crate::simd::{BLOCK, Kernel, Simd};

/// Blocks of a group.
const GROUP: usize = 8;

/// Blocks of a group where the ends of fields are not needed. The rest is so little work that it
/// pays to look through the whole group first, for the bytes that make more of it.
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
                    was_plain: true,
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
    /// The last group had no CR and no comment byte. A file has such bytes in most of its groups, or
    /// in few, so the next group is looked through for them first only if the last one had none.
    was_plain: bool,
    sink: R,
}

/// The kind of group that is expected next.
enum Expected {
    /// Blocks without quotes.
    Unquoted,
    /// Blocks with quotes.
    Quoted,
    /// Blocks of which only the records are needed.
    Records,
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
                Expected::Unquoted => self.unquoted(),
                Expected::Quoted => self.quoted(),
                Expected::Records => self.records(),
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
        self.quoted_block(self.grammar, masks, rest.len())
    }

    /// The kind of group to expect when nothing is known of its blocks.
    #[inline(always)]
    fn any(&self) -> Expected {
        if !R::NEEDS_FIELDS {
            Expected::Records
        } else if self.state.is_inside_quotes() {
            Expected::Quoted
        } else {
            Expected::Unquoted
        }
    }

    #[inline(always)]
    fn block(&self) -> Option<&'a [u8; BLOCK]> {
        self.bytes[self.at..].first_chunk().filter(|_| self.sink.is_left())
    }

    /// A group that starts outside quotes, up to the first quote.
    #[inline(always)]
    fn unquoted(&mut self) -> Expected {
        match self.next_is_plain() {
            true => self.unquoted_with(&self.grammar.plain()),
            false => self.unquoted_with(self.grammar),
        }
    }

    #[inline(always)]
    fn unquoted_with(&mut self, grammar: &Grammar) -> Expected {
        let (fields, mut rare) = (self.sink.fields(), 0);
        for _ in 0..GROUP {
            let Some(block) = self.block() else {
                return Expected::End;
            };
            let masks = ByteMasks::find(self.simd, grammar, block);
            if masks.quote != 0 {
                self.was_plain = rare == 0;
                return Expected::Quoted;
            }
            rare |= masks.cr | masks.comment;
            if !self.unquoted_block(grammar, masks) {
                return Expected::Comment;
            }
        }
        self.was_plain = rare == 0;
        if self.sink.fields() == fields && self.state.is_in_field() {
            Expected::Unmarked
        } else {
            Expected::Unquoted
        }
    }

    /// A group that may have quotes.
    #[inline(always)]
    fn quoted(&mut self) -> Expected {
        match self.next_is_plain() {
            true => self.quoted_with(&self.grammar.plain()),
            false => self.quoted_with(self.grammar),
        }
    }

    #[inline(always)]
    fn quoted_with(&mut self, grammar: &Grammar) -> Expected {
        let (fields, mut quotes, mut rare) = (self.sink.fields(), 0, 0);
        for _ in 0..GROUP {
            let Some(block) = self.block() else {
                return Expected::End;
            };
            let masks = ByteMasks::find(self.simd, grammar, block);
            quotes |= masks.quote;
            rare |= masks.cr | masks.comment;
            if !self.quoted_block(grammar, masks, BLOCK) {
                return Expected::Comment;
            }
        }
        self.was_plain = rare == 0;
        if self.sink.fields() == fields && self.state.is_in_field() {
            Expected::Unmarked
        } else if quotes != 0 {
            Expected::Quoted
        } else {
            self.any()
        }
    }

    /// Whether a whole group follows, and is plain.
    #[inline(always)]
    fn next_is_plain(&self) -> bool {
        let (blocks, _) = self.bytes[self.at..].as_chunks::<BLOCK>();
        blocks.first_chunk::<GROUP>().is_some_and(|group| self.is_plain(&load(self.simd, group)))
    }

    /// Whether the next group means the same to the [plain grammar](Grammar::plain).
    #[inline(always)]
    fn is_plain<const N: usize>(&self, group: &[S::Block; N]) -> bool {
        self.was_plain
            && !self.state.is_after_cr()
            && !has(self.simd, group, self.grammar.cr())
            && !has(self.simd, group, self.grammar.comment)
    }

    /// All whole groups, of which only the records are looked for. The blocks that are left go the
    /// way of those with quotes.
    #[inline(always)]
    fn records(&mut self) -> Expected {
        let (blocks, _) = self.bytes[self.at..].as_chunks::<BLOCK>();
        let (groups, _) = blocks.as_chunks::<RECORDS_GROUP>();
        let (grammar, plain) = (self.grammar, self.grammar.plain());
        for group in groups {
            let loaded = load(self.simd, group);
            let is_plain = self.is_plain(&loaded);
            let is_quoted = self.state.is_inside_quotes() || has(self.simd, &loaded, grammar.quote);
            let is_resolved = match (is_quoted, is_plain) {
                (false, true) => self.unquoted_records(&plain, group),
                (false, false) => self.unquoted_records(grammar, group),
                (true, true) => self.quoted_records(&plain, group),
                (true, false) => self.quoted_records(grammar, group),
            };
            if !is_resolved {
                return Expected::Comment;
            }
        }
        Expected::Quoted
    }

    /// The records of a group without quotes. Returns false at a block in which a comment starts.
    #[inline(always)]
    fn unquoted_records(&mut self, grammar: &Grammar, group: &[[u8; BLOCK]; RECORDS_GROUP]) -> bool {
        let mut rare = 0;
        for block in group {
            let masks = ByteMasks::find_for_records(self.simd, grammar, block);
            rare |= masks.cr | masks.comment;
            if !self.unquoted_block(grammar, masks) {
                return false;
            }
        }
        self.was_plain = rare == 0;
        true
    }

    /// [`unquoted_records`](Self::unquoted_records) for a group that may have quotes.
    #[inline(always)]
    fn quoted_records(&mut self, grammar: &Grammar, group: &[[u8; BLOCK]; RECORDS_GROUP]) -> bool {
        let mut rare = 0;
        for block in group {
            let masks = ByteMasks::find(self.simd, grammar, block);
            rare |= masks.cr | masks.comment;
            if !self.quoted_block(grammar, masks, BLOCK) {
                return false;
            }
        }
        self.was_plain = rare == 0;
        true
    }

    #[inline(always)]
    fn unquoted_block(&mut self, grammar: &Grammar, masks: ByteMasks) -> bool {
        let mut state = self.state;
        let structure = state.resolve_unquoted(grammar, masks);
        self.append(structure, state, BLOCK)
    }

    #[inline(always)]
    fn quoted_block(&mut self, grammar: &Grammar, masks: ByteMasks, len: usize) -> bool {
        let mut state = self.state;
        let prefix_xor = |mask| self.simd.prefix_xor(mask);
        let structure = state.resolve_quoted(grammar, masks, len, prefix_xor);
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

#[inline(always)]
fn load<S: Simd, const N: usize>(simd: S, group: &[[u8; BLOCK]; N]) -> [S::Block; N] {
    let mut loaded = [simd.load(&group[0]); N];
    for (loaded, block) in loaded.iter_mut().zip(group) {
        *loaded = simd.load(block);
    }
    loaded
}

/// Whether a block has the byte, if the grammar has such a byte.
#[inline(always)]
fn has<S: Simd, const N: usize>(simd: S, group: &[S::Block; N], byte: Option<u8>) -> bool {
    match byte {
        Some(byte) => simd.any_eq(group, byte),
        None => false,
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

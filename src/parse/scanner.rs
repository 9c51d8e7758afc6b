//! [`Scanner`]: bytes → [`Index`], by masks, but for comments.
//!
//! ```text
//! loop:
//!     masks:    block by block, to one in which a comment starts
//!     machine:  byte by byte through that block, to the comment
//!     memchr:   to the comment's end
//! ```

use memchr::memchr;

use super::field_index::{Index, Room};
use super::lines::line_breaks;
use super::mask::{Carries, Raw, Structure, Syntax};
use super::reference::{Action, Machine, State};
use crate::dialect::{Dialect, Terminator};
use crate::simd::{BLOCK, Backend, Kernel, Simd};

/// Finds the fields and records of a buffer that starts between two records. The buffer may grow between calls.
#[derive(Debug)]
pub(super) struct Scanner {
    backend: Backend,
    syntax: Syntax,
    machine: Machine,
    mode: Mode,
    /// Whether the byte before the buffer was a CR.
    after_cr: bool,
    /// Lines that end in what has been scanned of the buffer.
    line_breaks: u64,
}

#[derive(Debug, Clone, Copy)]
enum Mode {
    Masks(Carries),
    Comment,
}

impl Scanner {
    pub(super) fn new(dialect: &Dialect) -> Self {
        let syntax = Syntax::new(dialect);
        Scanner {
            backend: Backend::detect(),
            syntax,
            machine: Machine::new(dialect),
            mode: Mode::Masks(Carries::at_record_start(&syntax, false)),
            after_cr: false,
            line_breaks: 0,
        }
    }

    pub(super) fn set_backend(&mut self, backend: Backend) {
        self.backend = backend;
    }

    /// Starts over, on a buffer that starts between two records.
    pub(super) fn restart(&mut self, after_cr: bool) {
        self.mode = Mode::Masks(Carries::at_record_start(&self.syntax, after_cr));
        self.after_cr = after_cr;
        self.line_breaks = 0;
    }

    /// Goes on as if the buffer had started later, behind `lines` of its lines, at its first record.
    pub(super) fn rebase(&mut self, lines: u64, after_cr: bool) {
        self.after_cr = after_cr;
        self.line_breaks -= lines;
    }

    /// Whether what was scanned ends in a comment.
    pub(super) fn inside_comment(&self) -> bool {
        matches!(self.mode, Mode::Comment)
    }

    /// Whether what was scanned ends inside quotes.
    pub(super) fn inside_quotes(&self) -> bool {
        matches!(self.mode, Mode::Masks(carries) if carries.inside())
    }

    /// Lines that end in what has been scanned of the buffer.
    pub(super) fn line_breaks(&self) -> u64 {
        self.line_breaks
    }

    /// Scans `bytes` from `from`, up to which an earlier call has scanned them, to their end, or until there are
    /// `max_records` records or enough fields. Returns up to where.
    pub(super) fn scan(&mut self, bytes: &[u8], from: usize, index: &mut Index, max_records: usize) -> usize {
        let mut at = from;
        while at < bytes.len() && !index.is_full(max_records) {
            let (reached, mode) = match self.mode {
                Mode::Masks(carries) => {
                    let mut scan = MaskScan {
                        syntax: self.syntax,
                        bytes,
                        at,
                        carries,
                        index,
                        max_records,
                        line_breaks: 0,
                    };
                    let resolved = self.backend.run(&mut scan);
                    let MaskScan { at: reached, carries, line_breaks: breaks, .. } = scan;
                    self.line_breaks += breaks;
                    at = reached;
                    match resolved {
                        true => (at, Mode::Masks(carries)),
                        false => self.step_through(bytes, at, carries.state(), index, max_records),
                    }
                }
                Mode::Comment => match memchr(b'\n', &bytes[at..]) {
                    Some(lf) => (at + lf + 1, self.masks(State::StartRecord, bytes, at + lf + 1)),
                    None => (bytes.len(), Mode::Comment),
                },
            };
            self.line_breaks +=
                line_breaks(self.syntax.terminator, self.is_after_cr(bytes, at), &bytes[at..reached]);
            (at, self.mode) = (reached, mode);
        }
        at
    }

    /// Runs the machine from `at` to the start of a comment, to the end of a block, or until the index is full.
    fn step_through(
        &self,
        bytes: &[u8],
        mut at: usize,
        mut state: State,
        index: &mut Index,
        max_records: usize,
    ) -> (usize, Mode) {
        let end = bytes.len().min(at + BLOCK);
        while at < end {
            let (next, action) = self.machine.step(state, bytes[at]);
            if state == State::StartRecord && !matches!(next, State::StartRecord | State::Comment) {
                index.start_record(at as u32);
            }
            match action {
                Action::Discard | Action::Copy => {}
                Action::EndField => index.end_field(at as u32),
                Action::EndRecord => index.end_record(at as u32),
            }
            at += 1;
            state = next;
            if state == State::Comment || (action == Action::EndRecord && index.is_full(max_records)) {
                break;
            }
        }
        (at, self.masks(state, bytes, at))
    }

    /// How to go on where the machine is in `state` before `bytes[at]`.
    fn masks(&self, state: State, bytes: &[u8], at: usize) -> Mode {
        let carries = Carries::at(&self.syntax, state, self.is_after_cr(bytes, at));
        carries.map_or(Mode::Comment, Mode::Masks)
    }

    fn is_after_cr(&self, bytes: &[u8], at: usize) -> bool {
        at.checked_sub(1).map_or(self.after_cr, |before| bytes[before] == b'\r')
    }
}

/// The mask path, from `at` on: whether it got to the end of the bytes, or of its task, before a block with a comment.
struct MaskScan<'a, 'b> {
    syntax: Syntax,
    bytes: &'a [u8],
    at: usize,
    carries: Carries,
    index: &'b mut Index,
    max_records: usize,
    line_breaks: u64,
}

impl Kernel for &mut MaskScan<'_, '_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        match self.syntax {
            // The usual dialect, known to the compiler.
            Syntax { escape: None, comment: None, terminator: Terminator::CrLf, .. } => {
                let syntax =
                    Syntax { escape: None, comment: None, terminator: Terminator::CrLf, ..self.syntax };
                self.run_with(simd, &syntax)
            }
            syntax => self.run_with(simd, &syntax),
        }
    }
}

impl MaskScan<'_, '_> {
    #[inline(always)]
    fn run_with<S: Simd>(&mut self, simd: S, syntax: &Syntax) -> bool {
        let mut resolved = true;
        while resolved && self.at < self.bytes.len() && !self.index.is_full(self.max_records) {
            let mut blocks = Blocks {
                simd,
                syntax,
                bytes: self.bytes,
                at: self.at,
                carries: self.carries,
                line_breaks: self.line_breaks,
                room: self.index.room(self.max_records),
            };
            resolved = blocks.run();
            (self.at, self.carries, self.line_breaks) = (blocks.at, blocks.carries, blocks.line_breaks);
            let filled = blocks.room.filled();
            self.index.fill(filled);
        }
        resolved
    }
}

/// Blocks that go into one [`Room`].
///
/// Whether there are quotes, and whether there is anything, is asked for groups of blocks, as what the last group was
/// like says well what the next one is like. Of single blocks it can't be predicted.
struct Blocks<'a, 'b, S> {
    simd: S,
    syntax: &'a Syntax,
    bytes: &'a [u8],
    at: usize,
    carries: Carries,
    line_breaks: u64,
    room: Room<'b>,
}

/// Blocks of a group.
const GROUP: usize = 8;

/// What the next blocks are expected to be.
enum Next {
    Unquoted,
    Quoted,
    /// No byte of the grammar stands in them: they are the middle of a long field.
    Unmarked,
    /// There are none that are whole, or no room for them.
    End,
    /// A comment starts in the next one.
    Comment,
}

impl<S: Simd> Blocks<'_, '_, S> {
    /// Whether it got to the end of the bytes, or of the room, before a block with a comment.
    #[inline(always)]
    fn run(&mut self) -> bool {
        let mut next = self.any();
        loop {
            next = match next {
                Next::Unquoted => self.unquoted(),
                Next::Quoted => self.quoted(),
                Next::Unmarked => {
                    self.at += unmarked(self.simd, self.syntax, &self.bytes[self.at..]);
                    self.any()
                }
                Next::End => break,
                Next::Comment => return false,
            }
        }
        let rest = &self.bytes[self.at..];
        if rest.is_empty() || rest.len() >= BLOCK || !self.room.is_left() {
            return true;
        }
        let mut block = [0; BLOCK];
        block[..rest.len()].copy_from_slice(rest);
        let raw = find(self.simd, self.syntax, &block);
        self.quoted_block(raw, rest.len())
    }

    /// Blocks that may be anything.
    #[inline(always)]
    fn any(&self) -> Next {
        if self.carries.inside() { Next::Quoted } else { Next::Unquoted }
    }

    #[inline(always)]
    fn block(&self) -> Option<&[u8; BLOCK]> {
        self.bytes[self.at..].first_chunk().filter(|_| self.room.is_left())
    }

    /// A group that starts outside quotes, up to the first quote.
    #[inline(always)]
    fn unquoted(&mut self) -> Next {
        let fields = self.room.fields();
        for _ in 0..GROUP {
            let Some(block) = self.block() else {
                return Next::End;
            };
            let raw = find(self.simd, self.syntax, block);
            if (raw.quote | raw.escape) != 0 {
                return Next::Quoted;
            }
            let mut carries = self.carries;
            let structure = carries.resolve_unquoted(raw);
            if !self.pass(structure, carries, BLOCK) {
                return Next::Comment;
            }
        }
        match self.room.fields() == fields && self.carries.in_field() {
            true => Next::Unmarked,
            false => Next::Unquoted,
        }
    }

    #[inline(always)]
    fn quoted(&mut self) -> Next {
        let fields = self.room.fields();
        let mut quotes = 0;
        for _ in 0..GROUP {
            let Some(block) = self.block() else {
                return Next::End;
            };
            let raw = find(self.simd, self.syntax, block);
            quotes |= raw.quote | raw.escape;
            if !self.quoted_block(raw, BLOCK) {
                return Next::Comment;
            }
        }
        match self.room.fields() == fields && self.carries.in_field() {
            true => Next::Unmarked,
            false if quotes == 0 => self.any(),
            false => Next::Quoted,
        }
    }

    #[inline(always)]
    fn quoted_block(&mut self, raw: Raw, len: usize) -> bool {
        let mut carries = self.carries;
        let prefix_xor = |mask| self.simd.prefix_xor(mask);
        let structure = carries.resolve_quoted(self.syntax, raw, len, prefix_xor);
        self.pass(structure, carries, len)
    }

    /// Goes on behind a block that has been resolved.
    #[inline(always)]
    fn pass(&mut self, structure: Option<Structure>, carries: Carries, len: usize) -> bool {
        let Some(structure) = structure else {
            return false;
        };
        self.room.append(self.simd, self.at as u32, structure);
        self.line_breaks += u64::from(structure.line_breaks);
        self.carries = carries;
        self.at += len;
        true
    }
}

/// Bytes of the whole blocks at the front that no byte of the grammar stands in.
#[inline(always)]
fn unmarked<S: Simd>(simd: S, syntax: &Syntax, bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let mut unmarked = 0;
    // Not by a closure, which would not be compiled with the back end's instructions.
    for block in blocks {
        if find(simd, syntax, block).any() != 0 {
            break;
        }
        unmarked += BLOCK;
    }
    unmarked
}

/// Where the dialect's bytes stand in a block.
#[inline(always)]
pub(super) fn find<S: Simd>(simd: S, syntax: &Syntax, bytes: &[u8; BLOCK]) -> Raw {
    let block = simd.load(bytes);
    Raw { delimiter: simd.eq(block, syntax.delimiter), ..find_undelimited(simd, syntax, block) }
}

/// Where the dialect's bytes stand in a block, but for the delimiter.
#[inline(always)]
pub(super) fn find_undelimited<S: Simd>(simd: S, syntax: &Syntax, block: S::Block) -> Raw {
    let optional = |byte: Option<u8>| byte.map_or(0, |byte| simd.eq(block, byte));
    let (lf, cr) = match syntax.terminator {
        Terminator::CrLf => (simd.eq(block, b'\n'), simd.eq(block, b'\r')),
        Terminator::Byte(terminator) => (simd.eq(block, terminator), 0),
    };
    Raw {
        delimiter: 0,
        quote: optional(syntax.quote),
        escape: optional(syntax.escape),
        comment: optional(syntax.comment),
        lf,
        cr,
    }
}

//! [`Scanner`]: bytes → [`Index`], by masks, but for comments.
//!
//! ```text
//! loop:
//!     masks:    block by block, to one in which a comment starts
//!     machine:  byte by byte through that block, to the comment
//!     memchr:   to the comment's end
//! ```

use memchr::memchr;

use super::field_index::Index;
use super::index::{BLOCK, Backend, Kernel, Simd};
use super::lines::line_breaks;
use super::mask::{Carries, Raw, Structure, Syntax};
use super::reference::{Action, Machine, State};
use crate::dialect::{Dialect, Terminator};

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
    pub(super) fn new(dialect: &Dialect, backend: Backend) -> Self {
        let syntax = Syntax::new(dialect);
        Scanner {
            backend,
            syntax,
            machine: Machine::new(dialect),
            mode: Mode::Masks(Carries::at_record_start(&syntax, false)),
            after_cr: false,
            line_breaks: 0,
        }
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
        let MaskScan { syntax, bytes, mut at, mut carries, max_records, mut line_breaks, .. } = *self;
        let mut resolved = true;
        while resolved && at < bytes.len() && !self.index.is_full(max_records) {
            let mut room = self.index.room(max_records);
            while room.is_left() && at < bytes.len() {
                let before = carries;
                let rest = &bytes[at..];
                let (structure, len) = match rest.first_chunk::<BLOCK>() {
                    Some(block) => (resolve(simd, &syntax, &mut carries, block, BLOCK), BLOCK),
                    None => {
                        let mut block = [0; BLOCK];
                        block[..rest.len()].copy_from_slice(rest);
                        (resolve(simd, &syntax, &mut carries, &block, rest.len()), rest.len())
                    }
                };
                let Some(structure) = structure else {
                    carries = before;
                    resolved = false;
                    break;
                };
                room.append(simd, at as u32, structure);
                line_breaks += u64::from(structure.line_breaks);
                at += len;
            }
            let filled = room.filled();
            self.index.fill(filled);
        }
        (self.at, self.carries, self.line_breaks) = (at, carries, line_breaks);
        resolved
    }
}

/// What the first `len` bytes of a block mean.
#[inline(always)]
fn resolve<S: Simd>(
    simd: S,
    syntax: &Syntax,
    carries: &mut Carries,
    bytes: &[u8; BLOCK],
    len: usize,
) -> Option<Structure> {
    let raw = find(simd, syntax, bytes);
    carries.resolve(syntax, raw, len, |mask| simd.prefix_xor(mask))
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

//! [`Scanner`]: bytes → [`Index`], by masks, and by the machine where a comment makes a block irregular.
//!
//! ```text
//! loop:
//!     masks:    block by block; where one is irregular, forget what follows the last whole record, and
//!     machine:  byte by byte from there, to the first end of a record behind that block's start
//! ```

use memchr::{memchr, memchr2};

use super::index::{BLOCK, Backend, Kernel, Simd};
use super::lines::line_breaks;
use super::mask::{Carries, Raw, Structure, Syntax};
use super::reference::{Action, Machine, State};
use crate::dialect::{Dialect, Terminator};
use crate::limits::{INDEX_FIELDS, INDEX_SLACK};

/// Fields or records that the index first makes room for, which is enough but for a record that has more.
const INDEX_ROOM: usize = INDEX_FIELDS + INDEX_SLACK;
const _: () = assert!(INDEX_SLACK == 2 * BLOCK);

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
    Machine(State),
}

/// Where the fields of a buffer end and its records start.
#[derive(Debug)]
pub(super) struct Index {
    /// Valid up to `fields`; what stands behind is left over.
    ends: Vec<u32>,
    fields: usize,
    /// Valid up to `started`.
    starts: Vec<u32>,
    started: usize,
    /// Valid up to `records`: how many of `ends` belong to the records up to this one.
    field_counts: Vec<u32>,
    /// `records ≤ started ≤ records + 1`
    records: usize,
    /// The most fields of a first record whose ends are kept.
    max_fields: usize,
    /// How many of the first record's ends are not kept. It is an error then, that says how many fields there are.
    excess: usize,
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
        matches!(self.mode, Mode::Machine(State::Comment))
    }

    /// Whether what was scanned ends inside quotes.
    pub(super) fn inside_quotes(&self) -> bool {
        match self.mode {
            Mode::Masks(carries) => carries.inside(),
            Mode::Machine(state) => matches!(state, State::Quoted | State::AfterEscape),
        }
    }

    /// Lines that end in what has been scanned of the buffer.
    pub(super) fn line_breaks(&self) -> u64 {
        self.line_breaks
    }

    /// Scans `bytes` from `from`, up to which an earlier call has scanned them, to their end, or until there are
    /// `max_records` records or enough fields. Returns up to where.
    pub(super) fn scan(&mut self, bytes: &[u8], from: usize, index: &mut Index, max_records: usize) -> usize {
        let mut at = from;
        // Where the masks last started: between two records.
        let mut masks_from = 0;
        // Where the block that they could not resolve starts.
        let mut irregular = 0;
        while at < bytes.len() && !index.is_full(max_records) {
            match self.mode {
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
                    let regular = self.backend.run(&mut scan);
                    let MaskScan { at: reached, carries, line_breaks: breaks, .. } = scan;
                    self.line_breaks += breaks;
                    at = reached;
                    self.mode = Mode::Masks(carries);
                    if !regular {
                        irregular = at;
                        at = index.forget_partial().map_or(masks_from, |end| end.max(masks_from));
                        self.line_breaks -= self.line_breaks_in(bytes, at, irregular);
                        self.mode = Mode::Machine(State::StartRecord);
                    }
                }
                Mode::Machine(state) => {
                    let (reached, state) = self.step_through(bytes, at, irregular, state, index, max_records);
                    self.line_breaks += self.line_breaks_in(bytes, at, reached);
                    at = reached;
                    self.mode = Mode::Machine(state);
                    if state == State::StartRecord && at >= irregular {
                        let after_cr = self.is_after_cr(bytes, at);
                        self.mode = Mode::Masks(Carries::at_record_start(&self.syntax, after_cr));
                        masks_from = at;
                    }
                }
            }
        }
        at
    }

    /// Runs the machine from `at` to the first end of a record at or behind `until`, or until the index is full; at
    /// least one byte.
    fn step_through(
        &self,
        bytes: &[u8],
        mut at: usize,
        until: usize,
        mut state: State,
        index: &mut Index,
        max_records: usize,
    ) -> (usize, State) {
        while at < bytes.len() {
            // The long jumps: no byte before the one found can change the state.
            let jump = match (state, self.syntax.quote, self.syntax.escape) {
                (State::Quoted, Some(quote), Some(escape)) => memchr2(quote, escape, &bytes[at..]),
                (State::Quoted, Some(quote), None) => memchr(quote, &bytes[at..]),
                (State::Comment, ..) => memchr(b'\n', &bytes[at..]),
                _ => Some(0),
            };
            let Some(jump) = jump else {
                return (bytes.len(), state);
            };
            at += jump;
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
            let is_full =
                matches!(action, Action::EndField | Action::EndRecord) && index.is_full(max_records);
            if is_full || (state == State::StartRecord && at >= until) {
                break;
            }
        }
        (at, state)
    }

    fn line_breaks_in(&self, bytes: &[u8], from: usize, to: usize) -> u64 {
        line_breaks(self.syntax.terminator, self.is_after_cr(bytes, from), &bytes[from..to])
    }

    fn is_after_cr(&self, bytes: &[u8], at: usize) -> bool {
        at.checked_sub(1).map_or(self.after_cr, |before| bytes[before] == b'\r')
    }
}

/// The mask path, from `at` on: whether it got to the end of the bytes, or of its task, before an irregular block.
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
        let syntax = self.syntax;
        let prefix_xor = |mask| simd.prefix_xor(mask);
        while self.at < self.bytes.len() && !self.index.is_full(self.max_records) {
            let rest = &self.bytes[self.at..];
            let (raw, len) = match rest.first_chunk::<BLOCK>() {
                Some(block) => (find(simd, &syntax, block), BLOCK),
                None => {
                    let mut block = [0; BLOCK];
                    block[..rest.len()].copy_from_slice(rest);
                    (find(simd, &syntax, &block), rest.len())
                }
            };
            let Some(structure) = self.carries.resolve(&syntax, raw, len, prefix_xor) else {
                return false;
            };
            self.line_breaks += u64::from(structure.line_breaks);
            self.index.append(simd, self.at as u32, structure);
            self.at += len;
        }
        true
    }
}

/// Where the dialect's bytes stand in a block.
#[inline(always)]
fn find<S: Simd>(simd: S, syntax: &Syntax, bytes: &[u8; BLOCK]) -> Raw {
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

impl Index {
    /// An index of records that should have no more than `max_fields` fields.
    pub(super) fn new(max_fields: usize) -> Self {
        Index {
            ends: Vec::new(),
            fields: 0,
            starts: Vec::new(),
            started: 0,
            field_counts: Vec::new(),
            records: 0,
            max_fields,
            excess: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        (self.fields, self.started, self.records, self.excess) = (0, 0, 0, 0);
    }

    /// The number of whole records.
    pub(super) fn records(&self) -> usize {
        self.records
    }

    /// Where the first record starts, whole or not.
    pub(super) fn first_start(&self) -> Option<usize> {
        self.starts[..self.started].first().map(|&start| start as usize)
    }

    /// The spans of the first `records` records: the ends of fields, the starts of records, the counts of fields.
    pub(super) fn spans(&self, records: usize) -> (&[u32], &[u32], &[u32]) {
        let fields = self.first_field(records);
        (&self.ends[..fields], &self.starts[..records], &self.field_counts[..records])
    }

    /// How many fields the first `records` records have together.
    fn first_field(&self, records: usize) -> usize {
        match records {
            0 => 0,
            _ => self.field_counts[records - 1] as usize,
        }
    }

    /// The byte behind the terminator of the last of the first `records` records.
    pub(super) fn end_of(&self, records: usize) -> Option<usize> {
        let fields = self.first_field(records);
        (fields > 0).then(|| self.ends[fields - 1] as usize + 1)
    }

    /// Ends the partial record at the end of the input; no more than that may follow.
    pub(super) fn end_input(&mut self, end: u32) {
        if self.started > self.records {
            self.end_record(end);
        }
    }

    /// How many fields the first record has beside those in [`spans`](Self::spans).
    pub(super) fn excess(&self) -> usize {
        self.excess
    }

    /// Gives each of the first `records` records `width` fields, which none of them exceeds: those that are missing end
    /// where the field before them ends. No more may be scanned then.
    pub(super) fn pad(&mut self, records: usize, width: usize) {
        let fields = self.first_field(records);
        if fields == records * width {
            return;
        }
        if self.ends.len() < records * width {
            self.ends.resize(records * width, 0);
        }
        let mut to = fields;
        // From the last, so that what a record moves over has been moved itself.
        for record in (0..records).rev() {
            let from = self.first_field(record);
            let (first, behind) = (record * width, (record + 1) * width);
            let last = self.ends[to - 1];
            self.ends.copy_within(from..to, first);
            self.ends[first + to - from..behind].fill(last);
            self.field_counts[record] = behind as u32;
            to = from;
        }
    }

    /// Goes on as if the buffer had started `start` bytes later, where the first record starts; none is whole yet.
    pub(super) fn rebase(&mut self, start: usize) {
        for offset in self.ends[..self.fields].iter_mut().chain(&mut self.starts[..self.started]) {
            *offset -= start as u32;
        }
    }

    /// Bytes held.
    pub(super) fn allocated_bytes(&self) -> usize {
        (self.ends.capacity() + self.starts.capacity() + self.field_counts.capacity()) * size_of::<u32>()
    }

    fn is_full(&self, max_records: usize) -> bool {
        self.records >= max_records || (self.fields >= INDEX_FIELDS && self.records > 0)
    }

    /// Forgets the partial record, and says where the last whole one ended, if there is one.
    fn forget_partial(&mut self) -> Option<usize> {
        self.started = self.records;
        self.fields = self.first_field(self.records);
        if self.records == 0 {
            self.excess = 0;
        }
        self.end_of(self.records)
    }

    fn start_record(&mut self, at: u32) {
        self.reserve();
        self.starts[self.started] = at;
        self.started += 1;
    }

    fn end_field(&mut self, at: u32) {
        self.reserve();
        self.ends[self.fields] = at;
        self.fields += 1;
    }

    fn end_record(&mut self, at: u32) {
        self.end_field(at);
        self.field_counts[self.records] = self.fields as u32;
        self.records += 1;
    }

    /// Makes room for what a block can hold.
    #[inline(always)]
    fn reserve(&mut self) {
        // Only a first record can have many more fields than the index has room for: behind others, the index is full.
        if self.records == 0 && self.fields > self.max_fields {
            self.excess += self.fields - self.max_fields;
            self.fields = self.max_fields;
        }
        if self.ends.len() < self.fields + BLOCK {
            grow(&mut self.ends, INDEX_ROOM);
        }
        if self.starts.len() < self.started + BLOCK {
            grow(&mut self.starts, 4 * BLOCK);
        }
        if self.field_counts.len() < self.records + BLOCK {
            grow(&mut self.field_counts, 4 * BLOCK);
        }
    }

    /// Appends what a block at `base` holds.
    #[inline(always)]
    fn append<S: Simd>(&mut self, simd: S, base: u32, structure: Structure) {
        self.reserve();
        let Structure { fields, record_ends, starts, .. } = structure;

        let mut rest = record_ends;
        while rest != 0 {
            let up_to_end = rest ^ rest.wrapping_sub(1);
            let before = (fields & up_to_end).count_ones() as usize;
            self.field_counts[self.records] = (self.fields + before) as u32;
            self.records += 1;
            rest &= rest.wrapping_sub(1);
        }
        let mut rest = starts;
        while rest != 0 {
            self.starts[self.started] = base + rest.trailing_zeros();
            self.started += 1;
            rest &= rest.wrapping_sub(1);
        }
        if let Some(out) = self.ends[self.fields..].first_chunk_mut() {
            simd.positions(fields, base, out);
        }
        self.fields += fields.count_ones() as usize;
    }
}

/// Doubles, from `first` on, with a stop at what a full index needs.
#[cold]
#[inline(never)]
fn grow(vec: &mut Vec<u32>, first: usize) {
    let doubled = (vec.len() * 2).max(first);
    let len = if vec.len() < INDEX_ROOM { doubled.min(INDEX_ROOM) } else { doubled };
    vec.reserve_exact(len - vec.len());
    vec.resize(len, 0);
}

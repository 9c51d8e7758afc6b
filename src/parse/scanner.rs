//! [`Scanner`]: the one driver. It takes bytes and fills a [`Sink`]: the index of fields, or a
//! tally.
//!
//! ```text
//! loop:
//!     blocks:   with vector instructions, up to a block in which a comment starts
//!     machine:  byte by byte through that block, up to the comment
//!     memchr:   to the end of the comment
//! ```
//!
//! It knows where in the file the buffer starts, so it passes the BOM and counts lines too.

use super::blocks::BlockScan;
use super::lines::line_breaks;
use super::origin::Origin;
use super::sink::Sink;
use super::start::RecordStart;
use super::structure::BlockState;
use crate::grammar::{Action, BOM, BomMatcher, FileStart, Grammar, Machine, State};
use crate::simd::{BLOCK, Backend};

/// Finds the records of a buffer. The buffer may grow between two calls, and is followed by others.
#[derive(Debug)]
pub(super) struct Scanner {
    backend: Backend,
    grammar: Grammar,
    bom: BomMatcher,
    /// The place of the buffer's first byte.
    origin: Origin,
    mode: Mode,
    /// Lines that end in the part of the buffer that has been scanned.
    line_breaks: u64,
}

#[derive(Debug, Clone, Copy)]
enum Mode {
    Blocks(BlockState),
    Comment,
}

impl Scanner {
    /// A scanner for a whole file.
    pub(super) fn new(grammar: Grammar, start: RecordStart) -> Self {
        Scanner {
            backend: Backend::detect(),
            grammar,
            bom: BomMatcher::START,
            origin: Origin::at(start, grammar.terminator),
            mode: Mode::Blocks(BlockState::at_record_start(&grammar, false)),
            line_breaks: 0,
        }
    }

    pub(super) fn set_backend(&mut self, backend: Backend) {
        self.backend = backend;
    }

    /// The buffer starts with this record of the file.
    pub(super) fn start_at(&mut self, start: RecordStart) {
        self.bom = BomMatcher::Passed;
        self.origin = Origin::at(start, self.grammar.terminator);
        self.restart();
    }

    /// The place of the buffer's first byte.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn machine(&self) -> Machine {
        Machine::with_grammar(self.grammar)
    }

    /// The machine's state after the bytes that have been scanned, or one that leads to the same.
    pub(super) fn state(&self) -> State {
        match self.mode {
            Mode::Blocks(state) => state.machine_state(),
            Mode::Comment => State::Comment,
        }
    }

    /// Takes the bytes from the front of an input that are part of a BOM, or can be, and returns
    /// their number. Also returns bytes of earlier inputs that turn out to be the first bytes of
    /// the content.
    pub(super) fn pass_bom(&mut self, input: &[u8]) -> (usize, &'static [u8]) {
        let (taken, start) = self.bom.take(input);
        match start {
            FileStart::Open => (taken, &[]),
            FileStart::Bom => {
                self.origin.pass(BOM, 0);
                (taken, &[])
            }
            FileStart::Content(content) => (taken, content),
        }
    }

    /// The input has ended. Returns the bytes that could have started a BOM, but are content.
    pub(super) fn finish_bom(&mut self) -> &'static [u8] {
        self.bom.finish()
    }

    /// Scans `bytes` from `from`, where the last call has stopped, to their end, or until the sink
    /// is full. Returns where it has stopped.
    pub(super) fn scan<K: Sink>(&mut self, bytes: &[u8], from: usize, sink: &mut K) -> usize {
        let mut at = from;
        while at < bytes.len() && !sink.is_full() {
            at = match self.mode {
                Mode::Blocks(state) => self.scan_blocks(bytes, at, state, sink),
                Mode::Comment => self.skip_comment(bytes, at),
            };
        }
        at
    }

    /// The whole buffer has been scanned, and another one follows it. `records` have ended in it.
    pub(super) fn pass_buffer(&mut self, bytes: &[u8], records: u64) {
        self.origin.pass(bytes, self.line_breaks);
        self.origin.record += records;
        self.line_breaks = 0;
    }

    /// The next buffer starts after `end`, where `records` of this one have ended. The bytes
    /// between `end` and the end of `scanned` are scanned again. `dropped` bytes had been cut out
    /// of the records.
    pub(super) fn pass_records(&mut self, scanned: &[u8], end: usize, records: u64, dropped: u64) {
        let (passed, again) = scanned.split_at(end);
        let after_cr = passed.last() == Some(&b'\r');
        let lines = self.line_breaks - line_breaks(self.grammar.terminator, after_cr, again);
        self.origin.pass(passed, lines);
        self.origin.byte += dropped;
        self.origin.record += records;
        self.restart();
    }

    /// The buffer now starts after `before`, its first bytes, in which no record starts.
    pub(super) fn pass_before_record(&mut self, before: &[u8]) {
        let lines = line_breaks(self.grammar.terminator, self.origin.after_cr, before);
        self.origin.pass(before, lines);
        self.line_breaks -= lines;
    }

    /// The input has ended, and with it the record that was open.
    pub(super) fn end_record(&mut self) {
        self.origin.record += 1;
        self.restart();
    }

    /// The start of a record in a buffer that has been scanned, at `start`, after `records` others.
    pub(super) fn record_start(&self, bytes: &[u8], start: usize, records: u64) -> RecordStart {
        // Lines are counted from the end, which is near a last record.
        let after = line_breaks(self.grammar.terminator, false, &bytes[start..]);
        RecordStart {
            byte: self.origin.byte + start as u64,
            line: self.origin.lines + self.line_breaks - after + 1,
            record: self.origin.record + records,
        }
    }

    /// A buffer follows that starts between two records.
    fn restart(&mut self) {
        self.mode = Mode::Blocks(BlockState::at_record_start(&self.grammar, self.origin.after_cr));
        self.line_breaks = 0;
    }

    fn scan_blocks<K: Sink>(&mut self, bytes: &[u8], at: usize, state: BlockState, sink: &mut K) -> usize {
        let mut scan = BlockScan { grammar: self.grammar, bytes, at, state, sink, line_breaks: 0 };
        let is_resolved = self.backend.run(&mut scan);
        let BlockScan { at, state, line_breaks, .. } = scan;
        self.line_breaks += line_breaks;
        self.mode = Mode::Blocks(state);
        if is_resolved { at } else { self.step_through(bytes, at, state.machine_state(), sink) }
    }

    /// Runs the machine from `at` to the start of a comment, to the end of a block, or until the
    /// sink is full.
    fn step_through<K: Sink>(&mut self, bytes: &[u8], from: usize, state: State, sink: &mut K) -> usize {
        let (machine, end) = (self.machine(), bytes.len().min(from + BLOCK));
        let (mut at, mut state) = (from, state);
        while at < end {
            let (next, action) = machine.step(state, bytes[at]);
            if state.starts_record(next) {
                sink.start_record(at);
            }
            match action {
                Action::Discard | Action::Copy => {}
                Action::EndField => sink.end_field(at),
                Action::EndRecord => sink.end_record(at),
            }
            at += 1;
            state = next;
            if state == State::Comment || (action == Action::EndRecord && sink.is_full()) {
                break;
            }
        }
        self.stand_at(bytes, from, at, state);
        at
    }

    fn skip_comment(&mut self, bytes: &[u8], from: usize) -> usize {
        let lf = from + self.machine().skip(State::Comment, &bytes[from..]);
        let (at, state) = if lf < bytes.len() { (lf + 1, State::StartRecord) } else { (lf, State::Comment) };
        self.stand_at(bytes, from, at, state);
        at
    }

    /// The machine has got from `from` to `at`, and is in `state` there.
    fn stand_at(&mut self, bytes: &[u8], from: usize, at: usize, state: State) {
        let after_cr = |at: usize| at.checked_sub(1).map_or(self.origin.after_cr, |at| bytes[at] == b'\r');
        let passed = line_breaks(self.grammar.terminator, after_cr(from), &bytes[from..at]);
        let state = BlockState::from_machine(&self.grammar, state, after_cr(at));
        self.mode = state.map_or(Mode::Comment, Mode::Blocks);
        self.line_breaks += passed;
    }
}

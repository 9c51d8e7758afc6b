//! [`Hypothesis`]: a state that the machine may have at a byte of a file, and the run from there.

use memchr::{memchr, memchr2, memchr3};

use super::field_count::FieldCount;
use super::limit::RecordLimit;
use crate::grammar::{Action, Grammar, Machine, State, Terminator};

/// The number of whole records after `at` that a hypothesis is tried with.
pub const WHOLE_RECORDS: u32 = 16;

/// How it is known where a record starts. The later ones assume more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// All states that the machine can have at the first byte lead there. This is true of every
    /// file, also of one that can't be read. The start of the file counts as this too: one state is
    /// possible there.
    Synchronised,
    /// Otherwise more than `max_record_bytes` would follow inside quotes without a quote. This is
    /// true of a file that can be read.
    NoQuote,
    /// Otherwise a record would have a wrong number of fields or would be too long, or the file
    /// would end inside quotes. This is true of a file that can be read.
    Contradiction,
}

/// The rules that all hypotheses are tried by.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    pub(super) machine: Machine,
    pub(super) grammar: Grammar,
    pub(super) field_count: FieldCount,
    pub(super) limit: RecordLimit,
    /// The first byte that is looked at.
    pub(super) first: u64,
    /// The first byte at which the record may start.
    pub(super) at: u64,
    /// The byte after the last one that is looked at.
    pub(super) end: u64,
}

/// A state that the machine may have had at the first byte, and the run from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hypothesis {
    /// The states at the first byte of which this is the run.
    pub(super) entries: Entries,
    pub(super) state: State,
    pub(super) found: FirstStart,
    pub(super) verdict: Verdict,
    /// Where the record ended that may have started before the first byte.
    pub(super) part_end: Option<u64>,
    /// Fields that have ended in the open record. If it `is_partial`, there may have been more
    /// before.
    fields: usize,
    /// The open record may have started before the first byte.
    is_partial: bool,
    /// Where the open record starts, or the first byte.
    pub(super) start: u64,
    /// Whether no quote stands in the open record, but for its first byte.
    is_quiet: bool,
    /// Whole records that have started and ended at `at` or after it.
    records: u32,
}

/// The first record start at or after `at`, as a hypothesis has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstStart {
    Unknown,
    At(u64),
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Open,
    Stands,
    /// In a readable file it is false, by this.
    Fails(Proof),
}

/// A set of states: a bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entries(u8);

impl Entries {
    pub(super) fn of(state: State) -> Self {
        Entries(1 << state as u8)
    }

    pub(super) fn with(self, other: Entries) -> Self {
        Entries(self.0 | other.0)
    }

    pub(super) fn contains(self, state: State) -> bool {
        self.0 & Entries::of(state).0 != 0
    }

    /// The bits' numbers.
    pub(super) fn indices(self) -> impl Iterator<Item = usize> {
        (0..8).filter(move |bit| self.0 >> bit & 1 != 0)
    }
}

impl Trial {
    /// The states that the machine can have at the first byte.
    pub(super) fn states(&self) -> impl Iterator<Item = State> {
        let Grammar { quote, escape, comment, .. } = self.grammar;
        let is_inside = self.first > 0;
        let states = [
            (true, State::StartRecord),
            (is_inside, State::StartField),
            (is_inside, State::Field),
            (is_inside && quote.is_some(), State::Quoted),
            (is_inside && quote.is_some(), State::AfterQuote),
            (is_inside && escape.is_some(), State::AfterEscape),
            (is_inside && comment.is_some(), State::Comment),
        ];
        states.into_iter().filter_map(|(is_possible, state)| is_possible.then_some(state))
    }

    /// The number of bytes at the front of a field that are neither a quote nor a terminator.
    fn part_of_record(&self, bytes: &[u8]) -> usize {
        let next = match (self.grammar.terminator, self.grammar.quote) {
            (Terminator::CrLf, Some(quote)) => memchr3(b'\n', b'\r', quote, bytes),
            (Terminator::CrLf, None) => memchr2(b'\n', b'\r', bytes),
            (Terminator::Byte(terminator), Some(quote)) => memchr2(terminator, quote, bytes),
            (Terminator::Byte(terminator), None) => memchr(terminator, bytes),
        };
        next.unwrap_or(bytes.len())
    }
}

impl Hypothesis {
    /// Nothing is known of a record that is open in this state. So hypotheses whose states become
    /// the same become equal.
    pub(super) fn new(state: State, first: u64) -> Self {
        Hypothesis {
            entries: Entries::of(state),
            state,
            found: FirstStart::Unknown,
            verdict: Verdict::Open,
            part_end: None,
            fields: 0,
            is_partial: true,
            start: first,
            is_quiet: true,
            records: 0,
        }
    }

    pub(super) fn with_entries(self, entries: Entries) -> Self {
        Hypothesis { entries, ..self }
    }

    /// Whether more bytes tell more.
    pub(super) fn is_active(&self) -> bool {
        self.found == FirstStart::Unknown || self.verdict == Verdict::Open
    }

    pub(super) fn fails(&self) -> Option<Proof> {
        match self.verdict {
            Verdict::Fails(proof) => Some(proof),
            Verdict::Open | Verdict::Stands => None,
        }
    }

    /// Whether the two will never differ.
    pub(super) fn is_same_as(&self, other: &Hypothesis) -> bool {
        *self == Hypothesis { entries: self.entries, part_end: self.part_end, ..*other }
    }

    /// Takes all of `bytes`, which start at `base` in the file and end before `at`.
    pub(super) fn pass(&mut self, trial: &Trial, base: u64, bytes: &[u8]) {
        let mut at = 0;
        loop {
            if self.state == State::Field {
                at += self.pass_fields(trial, &bytes[at..]);
            } else {
                at += trial.machine.skip(self.state, &bytes[at..]);
            }
            self.check_length(trial, base + at as u64);
            let Some(&byte) = bytes.get(at) else { return };
            self.step(trial, base + at as u64, byte);
            at += 1;
        }
    }

    /// Takes bytes of a record, the first of which are in a field, up to a quote or a terminator.
    /// Returns how many.
    fn pass_fields(&mut self, trial: &Trial, bytes: &[u8]) -> usize {
        let bytes = &bytes[..trial.part_of_record(bytes)];
        let delimiter = trial.grammar.delimiter;
        self.fields += bytes.iter().filter(|&&byte| byte == delimiter).count();
        self.check_fields(trial, self.fields + 1, true);
        if bytes.last() == Some(&delimiter) {
            self.state = State::StartField;
        }
        bytes.len()
    }

    /// The number of bytes at the front that change nothing. The first of them is at `place`.
    pub(super) fn skip(&self, trial: &Trial, place: u64, bytes: &[u8]) -> usize {
        let mut bytes = bytes;
        if self.verdict == Verdict::Open && self.state.is_in_record() {
            let room = (trial.limit.bytes() as u64 + 1).saturating_sub(place - self.start);
            bytes = &bytes[..room.min(bytes.len() as u64) as usize];
        }
        if self.state != State::Field {
            return trial.machine.skip(self.state, bytes);
        }
        let delimiter = trial.grammar.delimiter;
        let end = bytes.iter().position(|&byte| byte == delimiter || trial.grammar.terminator.is(byte));
        end.unwrap_or(bytes.len())
    }

    /// Takes the byte at `place`.
    #[inline]
    pub(super) fn step(&mut self, trial: &Trial, place: u64, byte: u8) {
        let (next, action) = trial.machine.step(self.state, byte);
        if self.state.starts_record(next) {
            self.start_record(trial, place);
        }
        if trial.grammar.quote == Some(byte) && place > self.start {
            self.is_quiet = false;
        }
        self.state = next;
        match action {
            Action::Discard | Action::Copy => {}
            Action::EndField => {
                self.fields += 1;
                self.check_fields(trial, self.fields + 1, true);
            }
            Action::EndRecord => self.end_record(trial, place),
        }
        if next == State::StartRecord {
            // Hypotheses without an open record are equal, however they got there.
            (self.fields, self.is_partial) = (0, false);
            (self.start, self.is_quiet) = (place, true);
        }
    }

    /// The file has ended, at `place`.
    pub(super) fn end(&mut self, trial: &Trial, place: u64) {
        if self.found == FirstStart::Unknown {
            self.found = FirstStart::End;
        }
        self.check_length(trial, place);
        if self.state.is_inside_quotes() {
            self.fail(Proof::Contradiction);
        } else if self.state.is_in_record() {
            self.check_fields(trial, self.fields + 1, self.is_partial);
        }
    }

    /// Fails if the open record, up to `place`, is too long.
    #[inline]
    pub(super) fn check_length(&mut self, trial: &Trial, place: u64) {
        if self.state.is_in_record() && trial.limit.is_exceeded_by(place - self.start) {
            let is_no_quote = self.is_quiet && self.state.is_inside_quotes();
            self.fail(if is_no_quote { Proof::NoQuote } else { Proof::Contradiction });
        }
    }

    #[inline]
    fn start_record(&mut self, trial: &Trial, place: u64) {
        (self.start, self.is_quiet) = (place, true);
        // The first byte starts a record in one of the hypotheses only, which then could not become
        // equal to others.
        self.is_partial = place == trial.first;
        if place >= trial.at && self.found == FirstStart::Unknown {
            self.found = FirstStart::At(place);
        }
    }

    #[inline]
    fn end_record(&mut self, trial: &Trial, place: u64) {
        self.check_fields(trial, self.fields + 1, self.is_partial);
        self.records += u32::from(!self.is_partial && self.start >= trial.at);
        if self.records == WHOLE_RECORDS && self.verdict == Verdict::Open {
            self.verdict = Verdict::Stands;
        }
        self.part_end = self.part_end.or(Some(place));
    }

    /// Fails if no record may have `fields` fields; with `or_more`, if none may have as many or
    /// more.
    fn check_fields(&mut self, trial: &Trial, fields: usize, or_more: bool) {
        let is_possible = if or_more {
            trial.field_count.allows_at_least(fields)
        } else {
            trial.field_count.allows(fields)
        };
        if !is_possible {
            self.fail(Proof::Contradiction);
        }
    }

    fn fail(&mut self, proof: Proof) {
        if self.verdict == Verdict::Open {
            self.verdict = Verdict::Fails(proof);
        }
    }
}

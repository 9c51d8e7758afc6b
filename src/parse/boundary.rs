//! [`BoundaryFinder`]: the first record start at or after a byte, from the bytes that follow it
//! alone.
//!
//! A byte range `[a, b)` of a file owns the records whose first bytes it holds. The first of them
//! depends on whether `a` is inside quotes. Only the whole prefix `[0, a)` tells that for certain.
//! But the bytes after `a` nearly always leave one possibility.
//!
//! ```text
//!                         a
//! bytes         1,one,"two⏎2,two",x⏎2,…
//! in a field              ⏎2,two",x⏎         a record of three fields, in a table of four: fails
//! inside quotes           ⏎2,two",x⏎2,…      stands: a record starts at the second 2
//! ```
//!
//! # The proof
//!
//! The [machine](crate::grammar::machine) is run over the bytes from `a - 1` on, once from each
//! state that it can be in there. Each run is a hypothesis. The byte at `a - 1` is looked at
//! because it tells whether a record starts right at `a`: that needs a terminator before it, or the
//! LF of a comment. From the next byte on, hardly more than three different states are left: in a
//! field, inside quotes, in a comment. The true one is among them, whatever stands there: an
//! escaped byte, the second of two quotes, the LF of a CRLF.
//!
//! A hypothesis *fails* if, under it, the file can't be read without an error:
//!
//! * a record that starts after `a` has a wrong number of fields, or the rest of the record in
//!   which `a` stands has too many;
//! * a record is longer than `max_record_bytes`. So the hypothesis "inside quotes" fails if no
//!   quote follows within that many bytes. Blank lines and comments have no limit, so they prove
//!   nothing;
//! * the file ends inside quotes.
//!
//! In a file that can be read without an error the true hypothesis never fails. So if all
//! hypotheses that stand lead to the same record, that record is proven to be the first. They may
//! include one that was wrong about `a`, but leads there nevertheless.
//!
//! Nothing else is concluded, however likely it is. `6",` is the end of a quoted field, or six
//! inches. `"a"b` is a quoted part seen from outside, or a legal field. Files have both. A reader
//! that goes by likelihood returns wrong rows for some of them. It finds out only at the end of the
//! range before, which a query with a limit never gets to.
//!
//! A hypothesis has been tried enough after [`WHOLE_RECORDS`] whole records. The argument above
//! doesn't need that number: a higher one lets fewer false hypotheses stand. As soon as two stand
//! that lead to different records, no more bytes are looked at.
//!
//! # Places that stay undecided
//!
//! A closing quote can be followed by another quoted field before the record has too many fields.
//! So most places before a quoted field are undecided in a table with few columns, or with any
//! number of fields. The middle of a quoted field that holds another table of the same width is
//! undecided too, and so are places near stray quotes. In such places a
//! [`RecordCounter`](super::RecordCounter) over the prefix decides.
//!
//! In the first bytes of a file the counter always decides, because a BOM may stand there.
//!
//! # The header
//!
//! If only blank lines and comments stand before `a`, the record that is found is the first of the
//! file, and may be the header. That can't be seen from `a`. The reader of the range that ends
//! there sees it, because it has read no record.
//!
//! # One answer for all readers
//!
//! The answer depends only on the bytes from `a - 1` on, and not on how they are cut. The reader of
//! the range that ends at `a` gets there knowing the truth. So it can compute the conclusion of the
//! next reader, and check it.

use super::cost::DEFAULT_MAX_RECORD_BYTES;
use super::field_count::FieldCount;
use super::limit::RecordLimit;
use crate::grammar::{Action, BOM, Dialect, Machine, State};

/// The number of whole records that a hypothesis is tried with.
pub const WHOLE_RECORDS: u32 = 16;

/// Where the first record starts at or after a byte, in a file that can be read without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// At this byte of the file, and nowhere else.
    Start(u64),
    /// No record starts there before the end of the file.
    End,
    /// The bytes that follow leave more than one possibility.
    Undecided,
}

/// Finds the first record start at or after a byte of a file, without the bytes before it. The
/// module's documentation says how.
///
/// It holds a few words, whatever it is fed.
///
/// ```
/// use datafusion_csv_stream::Dialect;
/// use datafusion_csv_stream::internal::{Boundary, BoundaryFinder};
/// use datafusion_csv_stream::parse::FieldCount;
///
/// let file = b"id,name,of\n1,\"one\none\",two\n2,two,three\n";
/// let mut finder = BoundaryFinder::new(&Dialect::default(), FieldCount::Exactly(3), 1 << 20, 17);
/// assert_eq!(finder.push(&file[finder.first_byte() as usize..]), None);
/// assert_eq!(finder.finish(), Boundary::Start(27));
/// ```
#[derive(Debug, Clone)]
pub struct BoundaryFinder {
    trial: Trial,
    hypotheses: Vec<Hypothesis>,
    /// The offset in the file of the next byte.
    byte: u64,
}

/// The rules that all hypotheses are tried by.
#[derive(Debug, Clone)]
struct Trial {
    machine: Machine,
    field_count: FieldCount,
    limit: RecordLimit,
    /// The first byte at which the record may start.
    at: u64,
    /// The byte after the last one that is looked at.
    end: u64,
}

/// A state that the machine may have had at `at - 1`, and the run from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hypothesis {
    state: State,
    /// Fields that have ended in the open record. If it `is_partial`, there may have been more
    /// before.
    fields: usize,
    /// The open record may have started before the first byte.
    is_partial: bool,
    /// Where the open record starts, or the first byte.
    start: u64,
    found: FirstStart,
    /// Whole records that have ended.
    records: u32,
    verdict: Verdict,
}

/// The first record start according to a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FirstStart {
    Unknown,
    At(u64),
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Open,
    Stands,
    Fails,
}

impl BoundaryFinder {
    /// A finder of the first record start at or after byte `at` of a file that is read with these
    /// options.
    ///
    /// `max_record_bytes` is [`MAX_MAX_RECORD_BYTES`] at most.
    pub fn new(dialect: &Dialect, field_count: FieldCount, max_record_bytes: usize, at: u64) -> Self {
        let first = at.saturating_sub(1);
        let limit = RecordLimit::new(max_record_bytes);
        let has_quote = dialect.quote().is_some();
        let states = [
            (true, State::StartRecord),
            (true, State::StartField),
            (true, State::Field),
            (has_quote, State::Quoted),
            (has_quote, State::AfterQuote),
            (dialect.escape().is_some(), State::AfterEscape),
            (dialect.comment().is_some(), State::Comment),
        ];
        let possible = states.into_iter().filter(|&(is_possible, _)| is_possible && at > BOM.len() as u64);
        BoundaryFinder {
            trial: Trial {
                machine: Machine::new(dialect),
                field_count,
                limit,
                at,
                end: first.saturating_add(window_bytes(limit.bytes() as u64, at)),
            },
            hypotheses: possible.map(|(_, state)| Hypothesis::new(state, first)).collect(),
            byte: first,
        }
    }

    /// The offset in the file of the first byte that has to be pushed: the one before `at`.
    pub fn first_byte(&self) -> u64 {
        self.trial.at.saturating_sub(1)
    }

    /// The end of the window in the file: the byte after the last one that is asked for.
    ///
    /// The window holds the rest of a longest record, another one, and their terminators. Records
    /// can be allowed to be longer than 2 MiB. Then the window holds no more bytes than stand
    /// before `at`, because reading those costs the same and decides for certain. If fewer bytes
    /// stand there than a record may have, the window is that of records of 2 MiB.
    pub fn end_byte(&self) -> u64 {
        self.trial.end
    }

    /// Looks at the next bytes of the file, however many. Returns `None` if more are needed.
    pub fn push(&mut self, chunk: &[u8]) -> Option<Boundary> {
        let Some((first, rest)) = chunk.split_first_chunk::<1>() else {
            return self.decided();
        };
        if self.byte == self.first_byte() {
            self.scan(first);
            self.merge();
            self.scan(rest);
        } else {
            self.scan(chunk);
        }
        self.decided()
    }

    /// The answer at the end of the file.
    pub fn finish(&mut self) -> Boundary {
        // Bytes after the window don't count for the answer, so the end of the file doesn't count
        // there either.
        if self.byte < self.trial.end {
            for hypothesis in &mut self.hypotheses {
                hypothesis.end(&self.trial);
            }
        }
        self.judge()
    }

    /// Whether it is known that the answer will be this record start or undecided.
    ///
    /// This is known long before the answer: as soon as one hypothesis that leads there has been
    /// tried enough.
    pub fn finds_nothing_but(&self, byte: u64) -> bool {
        self.standing().any(|found| found == FirstStart::At(byte))
    }

    fn scan(&mut self, bytes: &[u8]) {
        let room = self.trial.end - self.byte;
        let bytes = &bytes[..room.min(bytes.len() as u64) as usize];
        for hypothesis in &mut self.hypotheses {
            hypothesis.scan(&self.trial, self.byte, bytes);
        }
        self.byte += bytes.len() as u64;
    }

    /// Removes duplicates among the hypotheses, because some have become the same.
    fn merge(&mut self) {
        let mut different = Vec::with_capacity(self.hypotheses.len());
        for &hypothesis in &self.hypotheses {
            if !different.contains(&hypothesis) {
                different.push(hypothesis);
            }
        }
        self.hypotheses = different;
    }

    fn decided(&self) -> Option<Boundary> {
        let all_tried = self.hypotheses.iter().all(|hypothesis| hypothesis.verdict != Verdict::Open);
        let is_disputed = self.standing().next().is_some() && unanimous(self.standing()).is_none();
        (all_tried || is_disputed || self.byte == self.trial.end).then(|| self.judge())
    }

    /// The record starts of the hypotheses that have been tried enough.
    fn standing(&self) -> impl Iterator<Item = FirstStart> {
        self.hypotheses
            .iter()
            .filter(|hypothesis| hypothesis.verdict == Verdict::Stands)
            .map(|stands| stands.found)
    }

    fn judge(&self) -> Boundary {
        let possible = self.hypotheses.iter().filter(|hypothesis| hypothesis.verdict != Verdict::Fails);
        match unanimous(possible.map(|possible| possible.found)) {
            Some(FirstStart::At(byte)) => Boundary::Start(byte),
            Some(FirstStart::End) => Boundary::End,
            Some(FirstStart::Unknown) | None => Boundary::Undecided,
        }
    }
}

/// The size of the window, which starts one byte before `at`.
fn window_bytes(max_record_bytes: u64, at: u64) -> u64 {
    let records = |bytes: u64| 2 * (bytes + 1);
    // Without a quote, fewer bytes than a record may have can't prove that no quote is open.
    let most = if at > max_record_bytes { at } else { 0 };
    records(max_record_bytes).min(most.max(records(DEFAULT_MAX_RECORD_BYTES as u64)))
}

/// The record start, if all have found the same.
fn unanimous(mut found: impl Iterator<Item = FirstStart>) -> Option<FirstStart> {
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

impl Hypothesis {
    /// Nothing is known of a record that is open in this state. So hypotheses whose states become
    /// the same are equal.
    fn new(state: State, first: u64) -> Self {
        Hypothesis {
            state,
            fields: 0,
            is_partial: true,
            start: first,
            found: FirstStart::Unknown,
            records: 0,
            verdict: Verdict::Open,
        }
    }

    /// Tries the hypothesis with the bytes that start at `base` in the file.
    fn scan(&mut self, trial: &Trial, base: u64, bytes: &[u8]) {
        let mut at = 0;
        while self.verdict == Verdict::Open && at < bytes.len() {
            at += trial.machine.skip(self.state, &bytes[at..]);
            self.check_length(trial, base + at as u64);
            if let Some(&byte) = bytes.get(at) {
                self.step(trial, base + at as u64, byte);
                at += 1;
            }
        }
    }

    /// Takes the byte at `place`.
    fn step(&mut self, trial: &Trial, place: u64, byte: u8) {
        let (next, action) = trial.machine.step(self.state, byte);
        if self.state.starts_record(next) {
            self.start_record(trial, place);
        } else if self.state == State::StartRecord {
            self.is_partial = false;
        }
        self.state = next;
        match action {
            Action::Discard | Action::Copy => {}
            Action::EndField => {
                self.fields += 1;
                self.check_fields(trial, self.fields + 1, true);
            }
            Action::EndRecord => {
                self.check_fields(trial, self.fields + 1, self.is_partial);
                self.records += u32::from(!self.is_partial);
                (self.fields, self.is_partial) = (0, false);
                if self.records == WHOLE_RECORDS && self.verdict == Verdict::Open {
                    self.verdict = Verdict::Stands;
                }
            }
        }
    }

    fn start_record(&mut self, trial: &Trial, place: u64) {
        self.start = place;
        self.is_partial = place < trial.at;
        if place >= trial.at && self.found == FirstStart::Unknown {
            self.found = FirstStart::At(place);
        }
    }

    /// The file has ended.
    fn end(&mut self, trial: &Trial) {
        if self.verdict != Verdict::Open {
            return;
        }
        if self.state.is_inside_quotes() {
            self.verdict = Verdict::Fails;
        } else if self.state.is_in_record() {
            self.check_fields(trial, self.fields + 1, self.is_partial);
        }
        if self.found == FirstStart::Unknown {
            self.found = FirstStart::End;
        }
    }

    /// Fails if the open record, up to `place`, is too long.
    fn check_length(&mut self, trial: &Trial, place: u64) {
        if self.state.is_in_record() && trial.limit.is_exceeded_by(place - self.start) {
            self.verdict = Verdict::Fails;
        }
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
            self.verdict = Verdict::Fails;
        }
    }
}

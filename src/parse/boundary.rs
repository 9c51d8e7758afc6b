//! [`BoundaryFinder`]: the first record start at or after a byte, from bytes around it.
//!
//! A byte range `[a, b)` of a file owns the records whose first bytes it holds. The first of them
//! depends on whether `a` is inside quotes. The whole prefix `[0, a)` tells that. Nearly always a
//! few bytes before `a`, the *lead*, tell it too.
//!
//! ```text
//!                   a - W                          a
//! bytes             n⏎2,"one,⏎two",x⏎3,"three,⏎four",y⏎5,…
//! from a field      n⏎2,           ,x⏎3,           ,y⏎5,…   a record starts at the 5
//! from quotes       n⏎2,"          ,x⏎ …                    the same from the comma on
//! ```
//!
//! # The proof
//!
//! The [machine](crate::grammar::machine) is run from byte `a - W` on, once from each state that it
//! can have there. Each run is a hypothesis. The file's own run passes `a - W` in one of these
//! states. So one hypothesis is the true one, whatever the file holds. There are four steps.
//!
//! 1. **Synchronise.** The next state depends only on the state and the byte. So two runs that get
//!    into one state stay together. After a byte of text three states are left: in a field, inside
//!    quotes, and in a comment, which ends at the next LF. A quote after text brings them together,
//!    if a separator follows. In `two",` the quote closes the field for the run inside quotes. It is
//!    a part of the field for the other run, because it isn't at the field's start. The comma ends
//!    the field for both. Where all runs have one state, it is the true one. Where all lead to one
//!    record start, it is the true one. This is a theorem about the machine. It assumes nothing
//!    about the table. It holds in a file that can't be read.
//! 2. **No quote.** In a file that can be read, no more than `max_record_bytes` follow inside quotes
//!    without a quote. A hypothesis that has more of them is false. It doesn't matter where they
//!    stand, before `a` or after it.
//! 3. **Contradiction.** In a file that can be read, the true hypothesis meets no error. It sees
//!    records as they are from the first one on that starts after `a - W`. So a hypothesis is false
//!    if one of these has a wrong number of fields, or if any is longer than `max_record_bytes`. Of
//!    the record that is open at `a - W` only a part is seen. So nothing follows from too few fields
//!    of that part. But it is false too if that part has too many fields or is too long. A
//!    hypothesis is also false if the file ends inside quotes. Blank lines and comments have no
//!    limit, so they prove nothing. The runs that are left at `a` are tried in this way with
//!    [`WHOLE_RECORDS`] whole records after it.
//! 4. **Undecided.** Two hypotheses are left, and lead to different records.
//!
//! If the hypotheses that are left after steps 2 and 3 lead to one record, it is proven to be the
//! first. They may include one that was wrong about `a`, but leads there nevertheless.
//! [`BoundaryFinder::proof`] tells which of the steps was needed.
//!
//! Nothing else is concluded, however likely it is. `6",` is the end of a quoted field, or six
//! inches. A reader that goes by likelihood returns wrong rows for some files.
//!
//! # The front of the file
//!
//! If the lead reaches the front of the file, one state is possible there: no record has started.
//! Bytes of a BOM are passed. So the answer is certain, and counts as synchronised. A lead that
//! would start inside the first three bytes starts at the front instead, because a BOM may stand
//! there.
//!
//! # How long a lead
//!
//! After a few hundred bytes of most files with quotes the runs are together. So the first lead is
//! [`FIRST_LEAD_BYTES`] long. If it leaves two states, the bytes after `a` are looked at for steps 2
//! and 3. That decides a file without quotes. If two hypotheses are left there,
//! [`with_longer_lead`](BoundaryFinder::with_longer_lead) gives a finder with twice the lead, up to
//! `max_record_bytes`. It looks only at the bytes that its lead has more, and goes on with the runs
//! that are there. So no byte is looked at twice. All tries for one range look at no more bytes than
//! the longest lead and one record of the greatest length have together.
//!
//! The places that stay undecided are those where both hypotheses make sense for longer than that.
//! One is the middle of a table inside a field of a table. Another is a part of the file where
//! quotes stand only between separators and other quotes. There a
//! [`RecordCounter`](super::RecordCounter) over the prefix decides.
//!
//! # The header
//!
//! If only blank lines and comments stand before `a`, the record that is found is the first of the
//! file, and may be the header. That can't be seen from a lead that doesn't reach the front. The
//! reader of the range that ends there sees it, because it has read no record.
//!
//! # One answer for all readers
//!
//! The answer depends only on the lead and on the bytes from its first one on. It doesn't depend on
//! how they are cut. The reader of the range that ends at `a` gets there knowing the truth. The
//! proof tells it whether to check the next reader's conclusion:
//!
//! * A synchronised answer is true whatever else the file holds, so no check is needed.
//! * An answer by steps 2 or 3 is wrong only in a file that can't be read. The reader draws the same
//!   conclusion, by the same finders in the same order, and compares.
//! * Undecided assumes nothing.

use super::cost::DEFAULT_MAX_RECORD_BYTES;
use super::field_count::FieldCount;
use super::hypotheses::Hypotheses;
use super::hypothesis::{FirstStart, Trial};
pub use super::hypothesis::{Proof, WHOLE_RECORDS};
use super::limit::RecordLimit;
use crate::grammar::{BOM, BomMatcher, Dialect, FileStart, Machine};

/// The lead to start with: 64 KiB. Few files need more, and a request to a store has to be as long
/// to be worth it.
pub const FIRST_LEAD_BYTES: u64 = 64 << 10;

/// Runs that have come together are looked for after so many bytes at the latest.
const MERGE_BYTES: u64 = 4 << 10;

/// Where the first record starts at or after a byte. [`BoundaryFinder::proof`] tells in which files
/// this is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// At this byte of the file, and nowhere else.
    Start(u64),
    /// No record starts there before the end of the file.
    End,
    /// The bytes that were looked at leave more than one possibility.
    Undecided,
}

/// Finds the first record start at or after a byte of a file, from the bytes around it. The module's
/// documentation says how.
///
/// It holds a few words, whatever it is fed.
///
/// ```
/// use datafusion_csv_stream::Dialect;
/// use datafusion_csv_stream::internal::{Boundary, BoundaryFinder, Proof};
/// use datafusion_csv_stream::parse::FieldCount;
///
/// let file = b"id,name,of\n1,\"one\none\",two\n2,\"two\",three\n";
/// let finder = BoundaryFinder::new(&Dialect::default(), FieldCount::Any, 1 << 20, 24);
/// let mut finder = finder.with_lead(8);
/// assert_eq!(finder.first_byte(), 16);
/// assert_eq!(finder.push(&file[16..]), Some(Boundary::Start(27)));
/// assert_eq!(finder.proof(), Some(Proof::Synchronised));
/// ```
#[derive(Debug, Clone)]
pub struct BoundaryFinder {
    /// The first byte at which the record may start.
    at: u64,
    /// The bytes before `trial.at` are the lead, or the part of it that has not been looked at yet.
    trial: Trial,
    hypotheses: Hypotheses,
    /// The runs from `trial.at` on, if a finder with a shorter lead has looked at them, and the byte
    /// up to which it did.
    later: Option<(Hypotheses, u64)>,
    /// Bytes of a BOM that have been taken and are not counted in `byte` yet.
    bom: BomMatcher,
    /// The offset in the file of the next byte.
    byte: u64,
    answer: Option<(Boundary, Option<Proof>)>,
}

impl BoundaryFinder {
    /// A finder of the first record start at or after byte `at` of a file that is read with these
    /// options. Its lead is one byte.
    ///
    /// `max_record_bytes` is [`MAX_MAX_RECORD_BYTES`](super::MAX_MAX_RECORD_BYTES) at most.
    pub fn new(dialect: &Dialect, field_count: FieldCount, max_record_bytes: usize, at: u64) -> Self {
        let limit = RecordLimit::new(max_record_bytes);
        let first = at.saturating_sub(1);
        let end = first.saturating_add(window_bytes(limit.bytes() as u64, at));
        let (machine, grammar) = (Machine::new(dialect), dialect.grammar());
        Self::starting_at(first, Trial { machine, grammar, field_count, limit, first, at, end })
    }

    /// Looks at so many bytes before `at`, at least at one. No byte may have been pushed.
    ///
    /// With more than one, fewer bytes after `at` are looked at: as many as the longest record may
    /// have.
    #[must_use]
    pub fn with_lead(self, bytes: u64) -> Self {
        let mut trial = self.trial;
        if bytes > 1 {
            trial.end = self.at.saturating_add(forward_bytes(trial.limit.bytes() as u64, self.at));
        }
        Self::starting_at(self.at.saturating_sub(bytes.max(1)), trial)
    }

    /// The finder to ask next, if this one has left the start undecided. Its lead is twice as long.
    ///
    /// It asks only for the bytes that its lead has more, and goes on with what this one has found.
    /// `None` if a longer lead would not help, or if it would be longer than records may be. A lead
    /// is never longer than 2 MiB, because one scan of the prefix for all ranges is cheaper then.
    #[must_use]
    pub fn with_longer_lead(&self) -> Option<Self> {
        let longest = (self.trial.limit.bytes() as u64).min(DEFAULT_MAX_RECORD_BYTES as u64);
        let longest = (longest + 2).max(FIRST_LEAD_BYTES);
        let lead = self.lead().saturating_mul(2).clamp(FIRST_LEAD_BYTES, longest);
        self.with_longer_lead_of(lead)
    }

    /// The same, with a lead of so many bytes.
    #[must_use]
    pub fn with_longer_lead_of(&self, lead: u64) -> Option<Self> {
        let is_undecided = matches!(self.answer, Some((Boundary::Undecided, _)));
        // If all lead to the same place, it is only too far away.
        if !is_undecided || lead <= self.lead() || self.hypotheses.are_together() {
            return None;
        }
        let seam = self.trial.first;
        let looked_up_to = self.later.as_ref().map_or(self.byte, |&(_, byte)| byte);
        let trial = Trial { at: seam, end: seam, ..self.trial.clone() };
        let finder = Self::starting_at(self.at.saturating_sub(lead), trial);
        Some(BoundaryFinder { at: self.at, later: Some((self.hypotheses.clone(), looked_up_to)), ..finder })
    }

    /// With a trial from byte `first` on, or from the front if a BOM may stand there.
    fn starting_at(first: u64, trial: Trial) -> Self {
        let first = if first < BOM.len() as u64 { 0 } else { first };
        // A BOM is passed as a whole.
        let end = trial.end.max(BOM.len() as u64);
        let trial = Trial { first, end, ..trial };
        BoundaryFinder {
            at: trial.at,
            hypotheses: Hypotheses::new(&trial),
            later: None,
            bom: if first == 0 { BomMatcher::START } else { BomMatcher::Passed },
            byte: first,
            answer: None,
            trial,
        }
    }

    /// The offset in the file of the first byte that has to be pushed.
    pub fn first_byte(&self) -> u64 {
        self.trial.first
    }

    /// The end of the window in the file: the byte after the last one that is asked for.
    ///
    /// With a lead of one byte, the window holds the rest of a longest record, another one, and
    /// their terminators. With a longer lead, it holds the rest of a longest record after `at`.
    /// Records can be allowed to be longer than 2 MiB. Then the window holds no more bytes than
    /// stand before `at`, because reading those costs the same and decides for certain. If fewer
    /// bytes stand there than a record may have, the window is that of records of 2 MiB.
    pub fn end_byte(&self) -> u64 {
        self.trial.end
    }

    /// The number of bytes before `at` that this finder and those before it look at.
    pub fn lead(&self) -> u64 {
        self.at - self.trial.first
    }

    /// The number of bytes that have been looked at by this finder: those of the lead, and those
    /// after it as far as they were needed.
    pub fn bytes_looked_at(&self) -> u64 {
        self.byte - self.trial.first
    }

    /// How the answer was reached. `None` as long as there is none, and where it is undecided.
    pub fn proof(&self) -> Option<Proof> {
        self.answer.and_then(|(_, proof)| proof)
    }

    /// Looks at the next bytes of the file, however many. Returns `None` if more are needed.
    pub fn push(&mut self, chunk: &[u8]) -> Option<Boundary> {
        let (taken, start) = self.bom.take(chunk);
        match start {
            FileStart::Open => {}
            FileStart::Bom => self.byte = BOM.len() as u64,
            FileStart::Content(bytes) => self.scan(bytes),
        }
        self.scan(&chunk[taken..]);
        self.answer.map(|(boundary, _)| boundary)
    }

    /// The answer at the end of the file.
    pub fn finish(&mut self) -> Boundary {
        let content = self.bom.finish();
        self.scan(content);
        if self.answer.is_none() {
            // Bytes after the window have no part in the answer, so the end of the file has none
            // there either. Nor does a file end between two leads.
            if self.byte < self.trial.end && self.later.is_none() {
                self.hypotheses.end(&self.trial, self.byte);
            }
            self.judge();
        }
        self.answer.map_or(Boundary::Undecided, |(boundary, _)| boundary)
    }

    /// Whether it is known that the answer will be this record start or undecided.
    ///
    /// It is known long before the answer is, as soon as one hypothesis that leads there has been
    /// tried enough.
    pub fn finds_nothing_but(&self, byte: u64) -> bool {
        match self.answer {
            Some((Boundary::Start(start), _)) => start == byte,
            _ => self.hypotheses.standing().any(|found| found == FirstStart::At(byte)),
        }
    }

    fn scan(&mut self, bytes: &[u8]) {
        if self.answer.is_some() {
            return;
        }
        let before = self.trial.at.saturating_sub(self.byte).min(bytes.len() as u64);
        let (lead, rest) = bytes.split_at(before as usize);
        self.scan_lead(lead);
        if self.answer.is_none() && !rest.is_empty() {
            let room = self.trial.end - self.byte;
            let rest = &rest[..room.min(rest.len() as u64) as usize];
            let (byte, is_decided) = self.hypotheses.pass_until_decided(&self.trial, self.byte, rest);
            self.byte = byte;
            if is_decided || self.byte == self.trial.end {
                self.judge();
            }
        }
    }

    /// Takes bytes before `trial.at`.
    fn scan_lead(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            // Most runs come together soon, so that is looked for soon.
            let block = (self.byte - self.trial.first).clamp(1, MERGE_BYTES);
            let (bytes, after) = rest.split_at(rest.len().min(block as usize));
            self.hypotheses.pass(&self.trial, self.byte, bytes);
            self.byte += bytes.len() as u64;
            rest = after;
        }
        if bytes.is_empty() || self.byte < self.trial.at {
            return;
        }
        if let Some((later, byte)) = &self.later {
            self.hypotheses.go_on(&self.trial, later, *byte);
            self.judge();
        } else if self.hypotheses.are_decided() {
            self.judge();
        }
    }

    fn judge(&mut self) {
        self.answer = Some(match self.hypotheses.judge() {
            Some((FirstStart::At(byte), proof)) => (Boundary::Start(byte), Some(proof)),
            Some((FirstStart::End, proof)) => (Boundary::End, Some(proof)),
            Some((FirstStart::Unknown, _)) | None => (Boundary::Undecided, None),
        });
    }
}

/// The size of the window of a lead of one byte, which starts one byte before `at`.
fn window_bytes(max_record_bytes: u64, at: u64) -> u64 {
    let records = |bytes: u64| 2 * (bytes + 1);
    // Without a quote, fewer bytes than a record may have can't prove that no quote is open.
    let most = if at > max_record_bytes { at } else { 0 };
    records(max_record_bytes).min(most.max(records(DEFAULT_MAX_RECORD_BYTES as u64)))
}

/// The size of the window after `at`, with a longer lead: the rest of a record, and a CRLF.
fn forward_bytes(max_record_bytes: u64, at: u64) -> u64 {
    let most = if at > max_record_bytes { max_record_bytes } else { DEFAULT_MAX_RECORD_BYTES as u64 };
    max_record_bytes.min(most) + 2
}

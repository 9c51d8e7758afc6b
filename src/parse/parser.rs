//! [`Parser`]: chunks in, whole records out, the partial one kept.

use memchr::memchr;

use super::BOM;
use super::bom::{Bom, Taken};
use super::cut::{CutFields, Cutter};
use super::field_index::Index;
use super::lines::line_breaks;
use super::records::{Anchor, Records};
use super::reference::{Machine, State};
use super::scanner::Scanner;
use super::start::RecordStart;
use super::unescape::Unescape;
use crate::dialect::Dialect;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{MAX_FIELDS, MAX_MAX_RECORD_BYTES, RECORD_STEP_BYTES};
use crate::simd::Backend;

/// Bytes of an input that are looked at together, so that offsets in them, and in the carry, stay `u32`.
const MAX_PIECE: usize = MAX_MAX_RECORD_BYTES;

/// How many fields a record has to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldCount {
    /// Any number up to [`MAX_FIELDS`], in each record another.
    Any,
    /// Exactly this one.
    Exactly(usize),
    /// At most this one: shorter records are padded with missing fields.
    UpTo(usize),
}

impl FieldCount {
    /// For a table of so many columns, whose records may have fewer fields if `truncated_rows` says so.
    pub fn of_table(columns: usize, truncated_rows: bool) -> Self {
        match truncated_rows {
            true => FieldCount::UpTo(columns),
            false => FieldCount::Exactly(columns),
        }
    }
}

/// What comes next.
#[derive(Debug)]
pub enum Step<'a> {
    /// All input has been taken, and no whole record is left in it.
    NeedInput,
    /// Some records, at least one.
    Records(Records<'a>),
}

/// A CSV parser that does no I/O.
///
/// Bytes come in chunks of any size; records come out as spans over those same bytes, so nothing is copied but the
/// record that a chunk's end cuts in two. That partial record is all that is kept between two chunks.
///
/// ```
/// use datafusion_csv_stream::{dialect::Dialect, parse::{FieldCount, Parser, Step}};
///
/// let mut parser = Parser::new(&Dialect::default(), FieldCount::Exactly(2), 1 << 20);
/// let mut seen = Vec::new();
/// for chunk in [&b"id,name\n1,on"[..], b"e\n2,\"t,", b"wo\"\n3,three"] {
///     let mut rest = chunk;
///     loop {
///         let (taken, step) = parser.next(rest, usize::MAX)?;
///         rest = &rest[taken..];
///         let Step::Records(records) = step else { break };
///         seen.extend((0..records.len()).map(|r| records.raw(r, 1).unwrap().to_vec()));
///     }
/// }
/// if let Some(records) = parser.finish()? {
///     seen.push(records.raw(0, 1).unwrap().to_vec());
/// }
/// assert_eq!(seen, [&b"one"[..], b"\"t,wo\"", b"three"]);
/// # Ok::<(), datafusion_csv_stream::error::Error>(())
/// ```
#[derive(Debug)]
pub struct Parser {
    scanner: Scanner,
    index: Index,
    /// The partial record, from its first byte on. Empty, or `scanner` and `index` are those of all its bytes.
    carry: Vec<u8>,
    /// The carry's record has been handed out: empty it first.
    carry_is_spent: bool,
    /// The input so far ends in a comment.
    inside_comment: bool,
    bom: Bom,
    /// The place of the carry's first byte, or of the next input byte.
    anchor: Anchor,
    header_is_next: bool,
    field_count: FieldCount,
    max_record_bytes: usize,
    /// Cuts fields of records that are longer than what is held of one.
    cutter: Option<Cutter>,
    dialect: Dialect,
    unescape: Unescape,
}

/// Records that have been found, before they are borrowed.
#[derive(Debug, Clone, Copy)]
struct Found {
    place: Place,
    /// Records of the index, the header among them.
    records: usize,
    /// Records to skip: 1 for the header.
    skip: usize,
    width: Option<usize>,
    anchor: Anchor,
}

/// Where the bytes of an index are.
#[derive(Debug, Clone, Copy)]
enum Place {
    Carry,
    /// In the input, from this byte on.
    Input(usize),
}

impl Parser {
    /// A parser for a whole file.
    ///
    /// If the dialect has a header, the first record is checked as the others are, and skipped.
    /// `max_record_bytes` is [`MAX_MAX_RECORD_BYTES`] at most.
    pub fn new(dialect: &Dialect, field_count: FieldCount, max_record_bytes: usize) -> Self {
        Parser {
            scanner: Scanner::new(dialect),
            index: Index::new(match field_count {
                FieldCount::Any => MAX_FIELDS,
                FieldCount::Exactly(width) | FieldCount::UpTo(width) => width,
            }),
            carry: Vec::new(),
            carry_is_spent: false,
            inside_comment: false,
            bom: Bom::Matched(0),
            anchor: Anchor::at(RecordStart::of_file(dialect), dialect.terminator()),
            header_is_next: dialect.has_header(),
            field_count,
            max_record_bytes: max_record_bytes.min(MAX_MAX_RECORD_BYTES),
            cutter: None,
            dialect: dialect.clone(),
            unescape: Unescape::fields(dialect),
        }
    }

    /// Parses with this back end. Default: [`Backend::detect`].
    #[must_use]
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.scanner.set_backend(backend);
        self
    }

    /// Hands out the header too, as record 0, for those who read its names.
    pub fn with_header_record(mut self) -> Self {
        self.header_is_next = false;
        self
    }

    /// Indexes this many fields before it hands out their records, at least those of one record. Default
    /// [`INDEX_FIELDS`](crate::limits::INDEX_FIELDS).
    pub fn with_index_fields(mut self, fields: usize) -> Self {
        self.index.set_enough_fields(fields);
        self
    }

    /// Cuts fields of records that are longer than what is held of one, which may be less than `max_record_bytes`. The header
    /// is never cut. Default: a record is held whole.
    pub fn with_cut_fields(mut self, fields: Option<CutFields>) -> Self {
        self.cutter = fields.map(|fields| Cutter::new(&self.dialect, fields));
        self
    }

    /// Reads from a record of the file on, as if what stands before it had been read. The next input byte is the record's
    /// first.
    pub fn starting_at(mut self, start: RecordStart) -> Self {
        self.bom = Bom::Passed;
        self.anchor = Anchor::at(start, self.dialect.terminator());
        self.header_is_next = start.record == 0;
        self
    }

    /// The next records of the input, at most `max_records` (and at least one), and how many bytes of `input` they
    /// take: the next call's input starts behind those. An empty input means no more than that there is none yet.
    ///
    /// # Errors
    ///
    /// When the first record that is left is too long, or has the wrong number of fields, or too many. Records before it have
    /// been handed out by then; the parser is of no further use.
    pub fn next<'a>(&'a mut self, input: &'a [u8], max_records: usize) -> Result<(usize, Step<'a>)> {
        let max_records = match self.field_count {
            // Padded they take as much room as full ones.
            FieldCount::UpTo(width) => max_records.min(self.index.enough_fields() / width.max(1)),
            FieldCount::Any | FieldCount::Exactly(_) => max_records,
        };
        let mut taken = 0;
        loop {
            let from = taken;
            let piece = &input[from..input.len().min(from + self.piece_bytes())];
            let (more, found) = self.advance(piece, max_records.max(1))?;
            taken += more;
            match found {
                None if taken == input.len() => return Ok((taken, Step::NeedInput)),
                None => {}
                Some(found) if found.records == found.skip => {}
                Some(found) => return Ok((taken, Step::Records(self.records(found, &input[from..])))),
            }
        }
    }

    /// The last record, if the input doesn't end with a terminator.
    ///
    /// # Errors
    ///
    /// When the input ended inside quotes, or the record has the wrong number of fields.
    pub fn finish(&mut self) -> Result<Option<Records<'_>>> {
        self.drop_spent_carry();
        let content = self.bom.end();
        if !content.is_empty() {
            self.start_with(content);
        }
        if self.scanner.inside_quotes() && !self.carry.is_empty() {
            let start = self.index.first_start().unwrap_or(0);
            self.check_length(&self.carry, start, self.carry.len())?;
            return Err(self.error(ErrorKind::UnclosedQuote, &self.carry, start));
        }
        self.index.end_input(self.carry.len() as u32);
        if self.carry.is_empty() || self.index.records() == 0 {
            return Ok(None);
        }
        self.cut_fields()?;
        let carry = std::mem::take(&mut self.carry);
        let found = self.settle(Place::Carry, 1, &carry);
        self.carry = carry;
        self.carry_is_spent = true;
        let found = found?;
        Ok((found.records > found.skip).then(|| self.records(found, &[])))
    }

    /// Bytes held: the carry and the index.
    pub fn allocated_bytes(&self) -> usize {
        self.carry.capacity() + self.index.allocated_bytes()
    }

    /// Takes input up to the next records, or all of it.
    fn advance(&mut self, input: &[u8], max_records: usize) -> Result<(usize, Option<Found>)> {
        self.drop_spent_carry();
        let mut taken = self.pass_bom(input);
        taken += self.pass_comment(&input[taken..]);
        let rest = &input[taken..];
        let (more, found) = match (rest.is_empty(), self.carry.is_empty()) {
            (true, _) => (0, None),
            (false, true) => self.advance_in_input(taken, rest, max_records)?,
            (false, false) => self.advance_in_carry(rest)?,
        };
        Ok((taken + more, found))
    }

    /// The records of `input`, which starts between two records; without a whole one, its bytes go to the carry.
    fn advance_in_input(
        &mut self,
        offset: usize,
        input: &[u8],
        max_records: usize,
    ) -> Result<(usize, Option<Found>)> {
        self.scanner.restart(self.anchor.after_cr);
        self.index.clear();
        let scanned = self.scanner.scan(input, 0, &mut self.index, max_records);
        if self.index.records() > 0 {
            let records = self.index.records().min(max_records);
            let found = self.settle(Place::Input(offset), records, input)?;
            let taken = self.pass(found.records, input, scanned);
            return Ok((taken, Some(found)));
        }
        match self.index.first_start() {
            Some(start) => {
                self.check_length(input, start, input.len())?;
                self.start_carry(input, start);
            }
            None => {
                self.inside_comment = self.scanner.inside_comment();
                self.anchor.pass(input, self.scanner.line_breaks());
            }
        }
        Ok((input.len(), None))
    }

    /// The record that the carry holds the start of, ended by `input`.
    fn advance_in_carry(&mut self, input: &[u8]) -> Result<(usize, Option<Found>)> {
        let mut taken = 0;
        let mut growth = RECORD_STEP_BYTES;
        while taken < input.len() {
            let more = growth.min(input.len() - taken).min(self.carry_room());
            growth = growth.saturating_mul(2);
            let from = self.carry.len();
            self.extend_carry(&input[taken..taken + more]);
            taken += more;
            let scanned = self.scanner.scan(&self.carry, from, &mut self.index, 1);
            let scanned = scanned - self.cut_fields()?;
            if self.index.records() > 0 {
                let carry = std::mem::take(&mut self.carry);
                let found = self.settle(Place::Carry, 1, &carry)?;
                let end = self.pass(1, &carry, scanned);
                let given_back = carry.len() - end;
                self.carry = carry;
                self.carry_is_spent = true;
                return Ok((taken - given_back, Some(found)));
            }
            if let Some(start) = self.index.first_start() {
                self.check_length(&self.carry, start, self.carry.len())?;
            }
        }
        Ok((taken, None))
    }

    /// Checks the first `records` of the index; those before the first wrong one are what is found.
    fn settle(&mut self, place: Place, records: usize, bytes: &[u8]) -> Result<Found> {
        let mut records = records;
        if bytes.len() > self.max_record_bytes {
            let (ends, starts, field_counts) = self.index.spans(records);
            let end = |record: usize| ends[field_counts[record] as usize - 1] as usize;
            let too_long =
                (0..records).position(|record| end(record) - starts[record] as usize > self.max_record_bytes);
            match too_long {
                Some(0) => self.check_length(bytes, starts[0] as usize, end(0))?,
                Some(record) => records = record,
                None => {}
            }
        }
        let width = match self.field_count {
            FieldCount::Any => {
                self.check_fields(records, bytes)?;
                None
            }
            FieldCount::Exactly(width) => {
                records = self.count_right(records, bytes, width, |found| found == width)?;
                Some(width)
            }
            FieldCount::UpTo(width) => {
                records = self.count_right(records, bytes, width, |found| found <= width)?;
                self.index.pad(records, width);
                Some(width)
            }
        };
        let skip = usize::from(std::mem::take(&mut self.header_is_next));
        Ok(Found { place, records, skip, width, anchor: self.anchor })
    }

    /// How many records from the first have a right number of fields.
    fn count_right(
        &self,
        records: usize,
        bytes: &[u8],
        expected: usize,
        is_right: impl Fn(usize) -> bool,
    ) -> Result<usize> {
        let (_, starts, field_counts) = self.index.spans(records);
        // All records of a good file, told without a branch for each.
        let is_regular = |pair: &[u32]| pair[1].wrapping_sub(pair[0]) as usize == expected;
        if self.index.excess() == 0
            && field_counts.first().is_some_and(|&first| first as usize == expected)
            && field_counts.windows(2).fold(true, |all, pair| all & is_regular(pair))
        {
            return Ok(records);
        }
        let mut before = 0;
        for (record, &count) in field_counts.iter().enumerate() {
            let mut found = (count - before) as usize;
            before = count;
            if record == 0 {
                found += self.index.excess();
            }
            if !is_right(found) {
                return match record {
                    0 => {
                        Err(self.error(ErrorKind::FieldCount { expected, found }, bytes, starts[0] as usize))
                    }
                    _ => Ok(record),
                };
            }
        }
        Ok(records)
    }

    /// An error if the first of some records has more fields than any record may have. One that others stand before
    /// never has: the index is full before it ends.
    fn check_fields(&self, records: usize, bytes: &[u8]) -> Result<()> {
        let (_, starts, field_counts) = self.index.spans(records);
        match (starts, field_counts, self.index.excess()) {
            (&[start, ..], &[stored, ..], excess) if stored as usize + excess > MAX_FIELDS => {
                let found = stored as usize + excess;
                let reason = format!(
                    "the record that starts here has {found} fields, more than {MAX_FIELDS}; check delimiter and \
                     quote, or give the schema"
                );
                Err(self.error(ErrorKind::Schema { reason }, bytes, start as usize))
            }
            _ => Ok(()),
        }
    }

    /// Moves the anchor behind the first `records` records of the index, and returns where that is.
    fn pass(&mut self, records: usize, bytes: &[u8], scanned: usize) -> usize {
        let end = self.index.end_of(records).unwrap_or(0);
        let after_cr = end > 0 && bytes[end - 1] == b'\r';
        let behind = line_breaks(self.anchor.terminator, after_cr, &bytes[end..scanned]);
        self.anchor.pass(&bytes[..end], self.scanner.line_breaks() - behind);
        self.anchor.byte += self.cutter.as_mut().map_or(0, Cutter::start_record);
        self.anchor.record += records as u64;
        end
    }

    /// An error if `bytes[start..end]`, all that is known of a record, is too long.
    fn check_length(&self, bytes: &[u8], start: usize, end: usize) -> Result<()> {
        let limit = self.max_record_bytes;
        if end - start <= limit {
            return Ok(());
        }
        // Looked at anew, as far as the limit, so that the message doesn't depend on where chunks end.
        let machine = Machine::new(&self.dialect);
        let state = bytes[start..start + limit]
            .iter()
            .fold(State::StartRecord, |state, &byte| machine.step(state, byte).0);
        let in_quotes = matches!(state, State::Quoted | State::AfterEscape);
        Err(self.error(ErrorKind::RecordTooLong { limit, in_quotes }, bytes, start))
    }

    /// An error about the next record, which starts at `bytes[start]`.
    fn error(&self, kind: ErrorKind, bytes: &[u8], start: usize) -> Error {
        Error::at(kind, self.anchor.position(bytes, start, 0, None))
    }

    fn records<'a>(&'a self, found: Found, input: &'a [u8]) -> Records<'a> {
        let (ends, starts, field_counts) = self.index.spans(found.records);
        let bytes = match found.place {
            Place::Carry => &self.carry,
            Place::Input(offset) => &input[offset..],
        };
        let records = Records {
            bytes,
            ends,
            starts,
            field_counts,
            first: 0,
            width: found.width,
            unescape: self.unescape,
            anchor: found.anchor,
        };
        records.slice(found.skip..found.records)
    }

    fn drop_spent_carry(&mut self) {
        if std::mem::take(&mut self.carry_is_spent) {
            self.carry.clear();
        }
    }

    /// Keeps the partial record that starts at `bytes[start]`, and moves the anchor there.
    fn start_carry(&mut self, bytes: &[u8], start: usize) {
        let (before, record) = bytes.split_at(start);
        let lines = line_breaks(self.anchor.terminator, self.anchor.after_cr, before);
        self.anchor.pass(before, lines);
        self.scanner.rebase(lines, self.anchor.after_cr);
        self.index.rebase(start);
        self.extend_carry(record);
    }

    /// Grows the carry, by doubling, but to no more than it may hold.
    fn extend_carry(&mut self, bytes: &[u8]) {
        let needed = self.carry.len() + bytes.len();
        if needed > self.carry.capacity() {
            let doubled = (2 * self.carry.capacity()).min(self.carry_bytes());
            self.carry.reserve_exact(needed.max(doubled) - self.carry.len());
        }
        self.carry.extend_from_slice(bytes);
    }

    /// Bytes that the carry may hold: the longest record and its terminator, or what is held of one and a step more.
    fn carry_bytes(&self) -> usize {
        let most = self.max_record_bytes + 1;
        self.cutter.as_ref().map_or(most, |cutter| most.min(cutter.held_bytes() + RECORD_STEP_BYTES))
    }

    /// Bytes that the carry may take now, at least 1: one byte more than the longest record may have is its terminator, or one
    /// too many.
    fn carry_room(&self) -> usize {
        let record = self.carry.len() as u64 + self.dropped();
        let to_limit = (self.max_record_bytes as u64 + 1).saturating_sub(record) as usize;
        to_limit.min(self.carry_bytes().saturating_sub(self.carry.len())).max(1)
    }

    /// Bytes of an input that are looked at together: no more than are held of a record, if it may have more, so that a longer
    /// one gets into the carry, where it is cut.
    fn piece_bytes(&self) -> usize {
        let held = self.cutter.as_ref().map(Cutter::held_bytes).filter(|&held| held < self.max_record_bytes);
        held.map_or(MAX_PIECE, |held| held.clamp(1, MAX_PIECE))
    }

    /// Bytes of the carry's record that have been dropped.
    fn dropped(&self) -> u64 {
        self.cutter.as_ref().map_or(0, Cutter::dropped)
    }

    /// Cuts the fields of the carry's record if it is too long to be held, and returns how many bytes that drops.
    fn cut_fields(&mut self) -> Result<usize> {
        let whole = |index: &Index| index.end_of(index.records().min(1)).map(|behind| behind - 1);
        let Some(cutter) = &mut self.cutter else { return Ok(0) };
        let limit = cutter.held_bytes();
        if whole(&self.index).unwrap_or(self.carry.len()) <= cutter.whole_bytes() && cutter.dropped() == 0 {
            return Ok(0);
        }
        let is_header = self.anchor.record == 0;
        let dropped = if is_header { 0 } else { cutter.cut(&mut self.carry, &mut self.index) };
        let whole = whole(&self.index);
        if whole.is_none() && self.carry.len() as u64 + cutter.dropped() > self.max_record_bytes as u64 {
            let (limit, in_quotes) = (self.max_record_bytes, self.scanner.inside_quotes());
            return Err(self.error(ErrorKind::RecordTooLong { limit, in_quotes }, &self.carry, 0));
        }
        // Of an open field one byte more is there than is kept in the end.
        if whole.unwrap_or(self.carry.len() - 1) > limit {
            return Err(self.error(ErrorKind::RecordTooLarge { limit }, &self.carry, 0));
        }
        Ok(dropped)
    }

    /// Takes what can be part of a BOM at the start of the file.
    fn pass_bom(&mut self, input: &[u8]) -> usize {
        let (taken, what) = self.bom.pass(input);
        match what {
            Taken::Open => {}
            Taken::Bom => self.anchor.pass(BOM, 0),
            Taken::Content(content) => self.start_with(content),
        }
        taken
    }

    /// What looked like a BOM wasn't one: the bytes of it that have been taken are the first of the file.
    fn start_with(&mut self, bytes: &[u8]) {
        self.scanner.restart(false);
        self.index.clear();
        self.scanner.scan(bytes, 0, &mut self.index, usize::MAX);
        match self.index.first_start() {
            Some(start) => self.start_carry(bytes, start),
            None => {
                self.inside_comment = self.scanner.inside_comment();
                self.anchor.pass(bytes, self.scanner.line_breaks());
            }
        }
    }

    /// Takes the rest of a comment that an earlier input started.
    fn pass_comment(&mut self, input: &[u8]) -> usize {
        if !self.inside_comment {
            return 0;
        }
        let taken = match memchr(b'\n', input) {
            Some(lf) => {
                self.inside_comment = false;
                lf + 1
            }
            None => input.len(),
        };
        let comment = &input[..taken];
        self.anchor.pass(comment, line_breaks(self.anchor.terminator, self.anchor.after_cr, comment));
        taken
    }
}

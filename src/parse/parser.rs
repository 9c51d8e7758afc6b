//! [`Parser`]: chunks in, whole records out. The partial record is kept.

use super::carry::Carry;
use super::checks::RecordChecks;
use super::cost::RECORD_STEP_BYTES;
use super::cut::{CutFields, Cutter};
use super::field_count::FieldCount;
use super::field_index::FieldIndex;
use super::limit::RecordLimit;
use super::origin::Origin;
use super::records::Records;
use super::scanner::Scanner;
use super::start::RecordStart;
use crate::error::{Error, ErrorKind, Result};
use crate::grammar::{Dialect, Machine, Unescape};
use crate::simd::Backend;

/// The answer to some input.
#[derive(Debug)]
pub enum Step<'a> {
    /// All input has been taken, and no whole record is left in it.
    NeedInput,
    /// Some records, at least one.
    Records(Records<'a>),
}

/// A CSV parser that does no I/O.
///
/// Bytes come in chunks of any size. Records come out as spans over those same bytes. Only a record
/// that the end of a chunk cuts in two is copied, and only that is kept between two chunks.
///
/// ```
/// use datafusion_csv_stream::{Dialect, parse::{FieldCount, Parser, Step}};
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
    /// It stands before the next input byte, or at the end of the carry.
    scanner: Scanner,
    index: FieldIndex,
    /// The partial record. Unless it is empty, `scanner` and `index` describe all its bytes.
    carry: Carry,
    checks: RecordChecks,
    header_is_next: bool,
    dialect: Dialect,
}

/// Records that have been found, before they are borrowed.
#[derive(Debug, Clone, Copy)]
struct Found {
    bytes: IndexedBytes,
    /// Records of the index, the header among them.
    records: usize,
    /// Records to skip: 1 for the header.
    skip: usize,
    origin: Origin,
}

/// Where the bytes of an index are.
#[derive(Debug, Clone, Copy)]
enum IndexedBytes {
    Carry,
    /// In the input, from this byte on.
    Input(usize),
}

impl Parser {
    /// A parser for a whole file.
    ///
    /// If the dialect has a header, the first record is checked as the others are, and skipped.
    /// `max_record_bytes` is [`MAX_MAX_RECORD_BYTES`](super::MAX_MAX_RECORD_BYTES) at most.
    pub fn new(dialect: &Dialect, field_count: FieldCount, max_record_bytes: usize) -> Self {
        let limit = RecordLimit::new(max_record_bytes);
        Parser {
            scanner: Scanner::new(dialect.grammar(), RecordStart::of_file(dialect)),
            index: FieldIndex::new(field_count.most()),
            carry: Carry::new(limit),
            checks: RecordChecks { machine: Machine::new(dialect), limit, field_count },
            header_is_next: dialect.has_header(),
            dialect: dialect.clone(),
        }
    }

    /// Parses with this back end. Default: [`Backend::detect`].
    #[must_use]
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.scanner.set_backend(backend);
        self
    }

    /// Hands out the header too, as record 0, to a caller that reads its names.
    #[must_use]
    pub fn with_header_record(mut self) -> Self {
        self.header_is_next = false;
        self
    }

    /// Indexes this many fields before it hands out their records, but at least one record. Default
    /// [`INDEX_FIELDS`](super::INDEX_FIELDS).
    #[must_use]
    pub fn with_index_fields(mut self, fields: usize) -> Self {
        self.index.set_enough_fields(fields);
        self
    }

    /// Cuts the fields of records that are too long to be held whole. A record may be held in fewer
    /// bytes than `max_record_bytes`. The header is never cut. Default: a record is held whole.
    #[doc(hidden)]
    #[must_use]
    pub fn with_cut_fields(mut self, fields: Option<CutFields>) -> Self {
        self.carry.set_cutter(fields.map(|fields| Cutter::new(&self.dialect, fields)));
        self
    }

    /// Reads from a record of the file on, as if everything before it had been read. The next input
    /// byte is the record's first.
    #[must_use]
    pub fn starting_at(mut self, start: RecordStart) -> Self {
        self.scanner.start_at(start);
        self.header_is_next = start.record == 0;
        self
    }

    /// The next records of the input, at most `max_records` (and at least one), and how many bytes
    /// of `input` they take. The next call's input starts after those. An empty input is not the
    /// end of the file; it only brings no record.
    ///
    /// # Errors
    ///
    /// When the first record that is left is too long, or has the wrong number of fields, or too
    /// many. Records before it have been handed out by then. The parser is of no further use.
    pub fn next<'a>(&'a mut self, input: &'a [u8], max_records: usize) -> Result<(usize, Step<'a>)> {
        let max_records = match self.checks.field_count {
            // Padded records take as much room as full ones.
            FieldCount::UpTo(width) => max_records.min(self.index.enough_fields() / width.max(1)),
            FieldCount::Any | FieldCount::Exactly(_) => max_records,
        };
        let mut taken = 0;
        loop {
            let from = taken;
            let piece = &input[from..input.len().min(from + self.carry.piece_bytes())];
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
        self.carry.drop_spent();
        let content = self.scanner.finish_bom();
        if !content.is_empty() {
            self.start_with(content);
        }
        if self.scanner.state().is_inside_quotes() && !self.carry.is_empty() {
            self.check_open_record()?;
            return Err(self.error_in_carry(ErrorKind::UnclosedQuote));
        }
        self.index.end_input(self.carry.len());
        if self.carry.is_empty() || self.index.records() == 0 {
            return Ok(None);
        }
        self.cut_fields()?;
        let found = self.check_carry()?;
        self.carry.set_spent();
        Ok((found.records > found.skip).then(|| self.records(found, &[])))
    }

    /// Bytes held: the carry and the index.
    pub fn allocated_bytes(&self) -> usize {
        self.carry.allocated_bytes() + self.index.allocated_bytes()
    }

    /// Takes input up to the next records, or all of it.
    fn advance(&mut self, input: &[u8], max_records: usize) -> Result<(usize, Option<Found>)> {
        self.carry.drop_spent();
        let (taken, content) = self.scanner.pass_bom(input);
        if !content.is_empty() {
            self.start_with(content);
        }
        let rest = &input[taken..];
        let (more, found) = if rest.is_empty() {
            (0, None)
        } else if self.carry.is_empty() {
            self.advance_in_input(taken, rest, max_records)?
        } else {
            self.advance_in_carry(rest)?
        };
        Ok((taken + more, found))
    }

    /// The records of `input`, which starts between two records or in a comment. Without a whole
    /// record, its bytes go to the carry.
    fn advance_in_input(
        &mut self,
        offset: usize,
        input: &[u8],
        max_records: usize,
    ) -> Result<(usize, Option<Found>)> {
        self.index.clear();
        let scanned = self.scanner.scan(input, 0, &mut self.index.fill_to(max_records));
        if self.index.records() > 0 {
            let records = self.index.records().min(max_records);
            let origin = *self.scanner.origin();
            let records = self.checks.right_records(&mut self.index, records, input, &origin)?;
            let found = self.found(IndexedBytes::Input(offset), records, origin);
            let taken = self.index.end_of(records).unwrap_or(0);
            self.scanner.pass_records(&input[..scanned], taken, records as u64, self.carry.start_record());
            return Ok((taken, Some(found)));
        }
        if let Some(start) = self.index.first_start() {
            if let Some(kind) = self.checks.limit.check(&self.checks.machine, &input[start..]) {
                return Err(Error::at(kind, self.scanner.origin().place(input, start, 0, None)));
            }
            self.start_carry(input, start);
        } else {
            self.scanner.pass_buffer(input, 0);
        }
        Ok((input.len(), None))
    }

    /// The record that the carry holds the start of, ended by `input`.
    fn advance_in_carry(&mut self, input: &[u8]) -> Result<(usize, Option<Found>)> {
        let mut taken = 0;
        let mut growth = RECORD_STEP_BYTES;
        while taken < input.len() {
            let more = growth.min(input.len() - taken).min(self.carry.room());
            growth = growth.saturating_mul(2);
            let from = self.carry.len();
            self.carry.extend(&input[taken..taken + more]);
            taken += more;
            let scanned = self.scanner.scan(self.carry.bytes(), from, &mut self.index.fill_to(1));
            let scanned = scanned - self.cut_fields()?;
            if self.index.records() > 0 {
                let found = self.check_carry()?;
                let end = self.index.end_of(1).unwrap_or(0);
                let dropped = self.carry.start_record();
                self.scanner.pass_records(&self.carry.bytes()[..scanned], end, 1, dropped);
                let given_back = self.carry.len() - end;
                self.carry.set_spent();
                return Ok((taken - given_back, Some(found)));
            }
            self.check_open_record()?;
        }
        Ok((taken, None))
    }

    /// Checks the record in the carry, which is whole.
    fn check_carry(&mut self) -> Result<Found> {
        let origin = *self.scanner.origin();
        let records = self.checks.right_records(&mut self.index, 1, self.carry.bytes(), &origin)?;
        Ok(self.found(IndexedBytes::Carry, records, origin))
    }

    /// Checks the length of the record in the carry, which is not whole.
    fn check_open_record(&self) -> Result<()> {
        let Some(start) = self.index.first_start() else {
            return Ok(());
        };
        match self.checks.limit.check(&self.checks.machine, &self.carry.bytes()[start..]) {
            Some(kind) => Err(self.error_in_carry(kind)),
            None => Ok(()),
        }
    }

    /// Cuts the fields of the carry's record if it is too long to be held. Returns how many bytes
    /// that drops.
    fn cut_fields(&mut self) -> Result<usize> {
        let is_header = self.scanner.origin().record == 0;
        let in_quotes = self.scanner.state().is_inside_quotes();
        self.carry.cut(&mut self.index, is_header, in_quotes).map_err(|kind| self.error_in_carry(kind))
    }

    /// An error about the record in the carry.
    fn error_in_carry(&self, kind: ErrorKind) -> Error {
        let start = self.index.first_start().unwrap_or(0);
        Error::at(kind, self.scanner.origin().place(self.carry.bytes(), start, 0, None))
    }

    fn found(&mut self, bytes: IndexedBytes, records: usize, origin: Origin) -> Found {
        let skip = usize::from(std::mem::take(&mut self.header_is_next));
        Found { bytes, records, skip, origin }
    }

    fn records<'a>(&'a self, found: Found, input: &'a [u8]) -> Records<'a> {
        let (ends, starts, field_counts) = self.index.spans(found.records);
        let bytes = match found.bytes {
            IndexedBytes::Carry => self.carry.bytes(),
            IndexedBytes::Input(offset) => &input[offset..],
        };
        let records = Records {
            bytes,
            ends,
            starts,
            field_counts,
            first: 0,
            width: self.checks.field_count.columns(),
            unescape: Unescape::fields(&self.dialect),
            origin: found.origin,
        };
        records.slice(found.skip..found.records)
    }

    /// Takes bytes that looked like the start of a BOM, but are the first of the file.
    fn start_with(&mut self, bytes: &[u8]) {
        self.index.clear();
        self.scanner.scan(bytes, 0, &mut self.index.fill_to(usize::MAX));
        match self.index.first_start() {
            Some(start) => self.start_carry(bytes, start),
            None => self.scanner.pass_buffer(bytes, 0),
        }
    }

    /// Keeps the partial record that starts at `bytes[start]`.
    fn start_carry(&mut self, bytes: &[u8], start: usize) {
        let (before, record) = bytes.split_at(start);
        self.scanner.pass_before_record(before);
        self.index.rebase(start);
        self.carry.extend(record);
    }
}

//! [`RecordCounter`]: records without their fields, for `count(*)` and for the start of a byte
//! range.

use super::limit::RecordLimit;
use super::scanner::Scanner;
use super::start::RecordStart;
use super::tally::Tally;
use crate::error::{ErrorKind, Result};
use crate::grammar::{Action, Dialect};
use crate::simd::Backend;

/// Counts the records that a [`Parser`](super::Parser) would find, and finds where they start,
/// several times faster.
///
/// It holds a few words, whatever it is fed: no index, and no part of a record. Errors and their
/// places are the parser's, except one kind: the number of fields of a record is not checked.
///
/// ```
/// use datafusion_csv_stream::{Dialect, parse::RecordCounter};
///
/// let mut counter = RecordCounter::new(&Dialect::default(), 1 << 20);
/// for chunk in [&b"id,name\n1,on"[..], b"e\n2,\"t\n", b"wo\"\n3,three"] {
///     counter.push(chunk)?;
/// }
/// assert_eq!(counter.finish()?, 3);
/// # Ok::<(), datafusion_csv_stream::error::Error>(())
/// ```
#[derive(Debug)]
pub struct RecordCounter {
    /// Its buffer is empty between two calls.
    scanner: Scanner,
    limit: RecordLimit,
    /// The last record that has started.
    last: RecordStart,
    /// The first record's number.
    first_record: u64,
}

impl RecordCounter {
    /// A counter for a whole file.
    ///
    /// If the dialect has a header, the first record is checked as the others are, and not counted.
    /// `max_record_bytes` is [`MAX_MAX_RECORD_BYTES`](super::MAX_MAX_RECORD_BYTES) at most.
    pub fn new(dialect: &Dialect, max_record_bytes: usize) -> Self {
        let start = RecordStart::of_file(dialect);
        RecordCounter {
            scanner: Scanner::new(dialect.grammar(), start),
            limit: RecordLimit::new(max_record_bytes),
            last: start,
            first_record: start.record,
        }
    }

    /// Counts with this back end. Default: [`Backend::detect`].
    #[must_use]
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.scanner.set_backend(backend);
        self
    }

    /// Counts from a record of the file on, as if everything before it had been read. The next byte
    /// is the record's first.
    #[must_use]
    pub fn starting_at(mut self, start: RecordStart) -> Self {
        self.scanner.start_at(start);
        self.first_record = start.record;
        self
    }

    /// Counts the records that end in a chunk, which may be of any size.
    ///
    /// # Errors
    ///
    /// When a record is longer than `max_record_bytes`. Those before it have been counted. The
    /// counter is of no further use.
    pub fn push(&mut self, chunk: &[u8]) -> Result<()> {
        let (taken, content) = self.scanner.pass_bom(chunk);
        self.count(content)?;
        self.count(&chunk[taken..])
    }

    /// Counts the last record, if the input doesn't end with a terminator, and returns how many
    /// there are.
    ///
    /// # Errors
    ///
    /// When the input ended inside quotes.
    pub fn finish(&mut self) -> Result<u64> {
        let content = self.scanner.finish_bom();
        self.count(content)?;
        if self.scanner.state().is_in_record() {
            self.check_length(None)?;
            if self.inside_quotes() {
                return Err(self.last.error(ErrorKind::UnclosedQuote));
            }
            self.scanner.end_record();
        }
        Ok(self.records())
    }

    /// Goes on to the first record whose first byte is at byte `offset` of the file or after it.
    /// Returns its start.
    ///
    /// `chunk` is counted up to there, and the rest is not taken. Without such a record in it, all
    /// of it is counted. A record that started in an earlier chunk is not looked for, so nothing
    /// after `offset` may have been pushed.
    ///
    /// With an `offset` below 3 the start can lie before `chunk`, among bytes that could have been
    /// those of a BOM; they are counted too then. An input that ends after such bytes is two bytes
    /// long at most, and has no start.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn first_record_start_at_or_after(
        &mut self,
        offset: u64,
        chunk: &[u8],
    ) -> Result<Option<RecordStart>> {
        let (taken, content) = self.scanner.pass_bom(chunk);
        if let Some(start) = self.seek(offset, content)? {
            self.count(&content[start.byte as usize..])?;
            return Ok(Some(start));
        }
        self.seek(offset, &chunk[taken..])
    }

    /// The records that have ended so far, without the header.
    pub fn records(&self) -> u64 {
        self.scanner.origin().record.saturating_sub(self.first_record.max(1))
    }

    /// The next byte's offset in the file.
    pub fn byte(&self) -> u64 {
        self.scanner.origin().byte
    }

    /// Whether the next byte is inside quotes. False after a quote that may be the first of two.
    pub fn inside_quotes(&self) -> bool {
        self.scanner.state().is_inside_quotes()
    }

    /// Counts up to the first start of a record at or after `offset`, or all of `bytes`.
    fn seek(&mut self, offset: u64, bytes: &[u8]) -> Result<Option<RecordStart>> {
        let before = offset.saturating_sub(self.byte()).min(bytes.len() as u64);
        let (before, rest) = bytes.split_at(before as usize);
        self.count(before)?;
        let (machine, mut state) = (self.scanner.machine(), self.scanner.state());
        let start = rest.iter().position(|&byte| {
            let (next, _) = machine.step(state, byte);
            std::mem::replace(&mut state, next).starts_record(next)
        });
        self.count(&rest[..start.unwrap_or(rest.len())])?;
        Ok(start.map(|_| self.scanner.origin().record_start()))
    }

    /// Counts in spans that end where the open record becomes too long. A record that starts in a
    /// span can't become too long before the span ends. So lengths are compared only there, where
    /// the state is known.
    fn count(&mut self, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while let Some(&next) = rest.first() {
            let mut room = self.limit.bytes() as u64;
            if self.scanner.state().is_in_record() {
                self.check_length(Some(next))?;
                room = room.saturating_sub(self.byte() - self.last.byte);
            }
            let (span, after) = rest.split_at(room.clamp(1, rest.len() as u64) as usize);
            self.scan(span);
            rest = after;
        }
        Ok(())
    }

    /// An error if the open record is too long. `next` is its next byte, or its terminator.
    fn check_length(&self, next: Option<u8>) -> Result<()> {
        let state = self.scanner.state();
        let ends = next.is_none_or(|next| self.scanner.machine().step(state, next).1 == Action::EndRecord);
        let length = self.byte() - self.last.byte;
        if !self.limit.is_exceeded_by(length + u64::from(!ends)) {
            return Ok(());
        }
        // If records may have no byte at all, the first byte is already one too many, and has been
        // scanned.
        let in_quotes = state.is_inside_quotes() && length == self.limit.bytes() as u64;
        Err(self.last.error(self.limit.error(in_quotes)))
    }

    /// Scans bytes in which no record becomes too long.
    fn scan(&mut self, bytes: &[u8]) {
        let mut tally = Tally::default();
        self.scanner.scan(bytes, 0, &mut tally);
        if let Some(start) = tally.last_start {
            // That record may have ended, but only the place of an open one is asked for.
            self.last = self.scanner.record_start(bytes, start, tally.records);
        }
        self.scanner.pass_buffer(bytes, tally.records);
    }
}

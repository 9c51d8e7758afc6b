//! [`RecordCounter`]: records without their fields, for `count(*)` and for the start of a byte range.

use memchr::memchr;

use super::BOM;
use super::bom::{Bom, Taken};
use super::lines::line_breaks;
use super::mask::{Carries, Raw, Structure, Syntax};
use super::records::Anchor;
use super::reference::{Action, Machine, State};
use super::scanner::{find, find_undelimited};
use super::start::RecordStart;
use crate::dialect::Dialect;
use crate::error::{ErrorKind, Result};
use crate::limits::MAX_MAX_RECORD_BYTES;
use crate::simd::{BLOCK, Backend, Kernel, Simd};

/// Bytes that are looked at together, whether there are quotes among them: in tables where few fields are quoted a branch
/// on each block is guessed wrong too often.
const GROUP: usize = 4 * BLOCK;

/// Counts the records that a [`Parser`](super::Parser) would find, and finds where they start, several times faster.
///
/// It holds some words, whatever it is fed: no index, and no part of a record. Errors and their places are those that the
/// parser has, but for one kind: how many fields a record has is not looked at.
///
/// ```
/// use datafusion_csv_stream::{dialect::Dialect, parse::RecordCounter};
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
    backend: Backend,
    syntax: Syntax,
    machine: Machine,
    /// After all bytes so far, or another one from which the machine does the same.
    state: State,
    bom: Bom,
    /// The place of the next byte. Its record is the one that is open, or the next one.
    here: Anchor,
    /// The last record that has started.
    last: RecordStart,
    /// The first record's number.
    first_record: u64,
    max_record_bytes: u64,
}

impl RecordCounter {
    /// A counter for a whole file.
    ///
    /// If the dialect has a header, the first record is checked as the others are, and not counted. `max_record_bytes` is
    /// [`MAX_MAX_RECORD_BYTES`] at most.
    pub fn new(dialect: &Dialect, max_record_bytes: usize) -> Self {
        let start = RecordStart::of_file(dialect);
        RecordCounter {
            backend: Backend::detect(),
            syntax: Syntax::new(dialect),
            machine: Machine::new(dialect),
            state: State::StartRecord,
            bom: Bom::Matched(0),
            here: Anchor::at(start, dialect.terminator()),
            last: start,
            first_record: start.record,
            max_record_bytes: max_record_bytes.min(MAX_MAX_RECORD_BYTES) as u64,
        }
    }

    /// Counts with this back end. Default: [`Backend::detect`].
    #[must_use]
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// Counts from a record of the file on, as if what stands before it had been read. The next byte is the record's first.
    pub fn starting_at(mut self, start: RecordStart) -> Self {
        self.bom = Bom::Passed;
        self.here = Anchor::at(start, self.syntax.terminator);
        self.first_record = start.record;
        self
    }

    /// Counts the records that end in a chunk, which may be of any size.
    ///
    /// # Errors
    ///
    /// When a record is longer than `max_record_bytes`. Those before it have been counted; the counter is of no further
    /// use.
    pub fn push(&mut self, chunk: &[u8]) -> Result<()> {
        let (taken, content) = self.pass_bom(chunk);
        self.count(content)?;
        self.count(&chunk[taken..])
    }

    /// Counts the last record, if the input doesn't end with a terminator, and returns how many there are.
    ///
    /// # Errors
    ///
    /// When the input ended inside quotes.
    pub fn finish(&mut self) -> Result<u64> {
        let content = self.bom.end();
        self.count(content)?;
        if self.is_in_record() {
            self.check_length(None)?;
            if self.inside_quotes() {
                return Err(self.last.error(ErrorKind::UnclosedQuote));
            }
            self.here.record += 1;
            self.state = State::StartRecord;
        }
        Ok(self.records())
    }

    /// Goes on to where the first record starts whose first byte is byte `offset` of the file or one behind it.
    ///
    /// `chunk` is counted up to there, and what follows is not taken. Without such a record in it, all of it is counted.
    /// A record that started in an earlier chunk is not looked for, so nothing behind `offset` may have been pushed.
    ///
    /// With an `offset` below 3 the start can lie before `chunk`, among bytes that could have been those of a BOM; they are
    /// counted too then. An input that ends after such bytes has been no more than two bytes long, and has no start.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn first_record_start_at_or_after(
        &mut self,
        offset: u64,
        chunk: &[u8],
    ) -> Result<Option<RecordStart>> {
        let (taken, content) = self.pass_bom(chunk);
        if let Some(start) = self.seek(offset, content)? {
            self.count(&content[start.byte as usize..])?;
            return Ok(Some(start));
        }
        self.seek(offset, &chunk[taken..])
    }

    /// The records that have ended so far, without the header.
    pub fn records(&self) -> u64 {
        self.here.record.saturating_sub(self.first_record.max(1))
    }

    /// The next byte's offset in the file.
    pub fn byte(&self) -> u64 {
        self.here.byte
    }

    /// Whether the next byte is inside quotes. Not so behind a quote that may be the first of two.
    pub fn inside_quotes(&self) -> bool {
        matches!(self.state, State::Quoted | State::AfterEscape)
    }

    fn is_in_record(&self) -> bool {
        !matches!(self.state, State::StartRecord | State::Comment)
    }

    /// How many bytes of `chunk` are part of a BOM, or can be, and bytes taken before that turn out to be the file's first.
    fn pass_bom(&mut self, chunk: &[u8]) -> (usize, &'static [u8]) {
        let (taken, what) = self.bom.pass(chunk);
        match what {
            Taken::Open => (taken, &[]),
            Taken::Bom => {
                self.here.pass(BOM, 0);
                (taken, &[])
            }
            Taken::Content(content) => (taken, content),
        }
    }

    /// Counts up to the first start of a record at or after `offset`, or all of `bytes`.
    fn seek(&mut self, offset: u64, bytes: &[u8]) -> Result<Option<RecordStart>> {
        let before = offset.saturating_sub(self.here.byte).min(bytes.len() as u64);
        let (before, rest) = bytes.split_at(before as usize);
        self.count(before)?;
        let mut state = self.state;
        let start = rest.iter().position(|&byte| {
            let (next, _) = self.machine.step(state, byte);
            starts_record(std::mem::replace(&mut state, next), next)
        });
        self.count(&rest[..start.unwrap_or(rest.len())])?;
        Ok(start.map(|_| self.here.record_start()))
    }

    /// Counts in spans that end where the open record becomes too long. A record that starts in one can't become too long
    /// before its end, so only there has anything to be compared, and the state is known there.
    fn count(&mut self, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while let Some(&next) = rest.first() {
            let mut room = self.max_record_bytes;
            if self.is_in_record() {
                self.check_length(Some(next))?;
                room = room.saturating_sub(self.here.byte - self.last.byte);
            }
            let (span, behind) = rest.split_at(room.clamp(1, rest.len() as u64) as usize);
            self.scan(span);
            rest = behind;
        }
        Ok(())
    }

    /// An error if the open record is too long, `next` being its next byte or its terminator.
    fn check_length(&self, next: Option<u8>) -> Result<()> {
        let length = self.here.byte - self.last.byte;
        let ends = next.is_none_or(|next| self.machine.step(self.state, next).1 == Action::EndRecord);
        if length < self.max_record_bytes || (length == self.max_record_bytes && ends) {
            return Ok(());
        }
        // Where no byte is allowed the first one is one too many, and has been scanned.
        let in_quotes = self.inside_quotes() && length == self.max_record_bytes;
        let limit = self.max_record_bytes as usize;
        Err(self.last.error(ErrorKind::RecordTooLong { limit, in_quotes }))
    }

    /// Scans bytes in which no record becomes too long.
    fn scan(&mut self, bytes: &[u8]) {
        let mut tally = Tally::default();
        let mut at = 0;
        while at < bytes.len() {
            let after_cr = at.checked_sub(1).map_or(self.here.after_cr, |before| bytes[before] == b'\r');
            let Some(carries) = Carries::at(&self.syntax, self.state, after_cr) else {
                at += self.skip_comment(&bytes[at..], after_cr, &mut tally);
                continue;
            };
            let mut masks =
                MaskCount { syntax: self.syntax, bytes, at, carries, tally, start_block: 0, starts: 0 };
            let resolved = self.backend.run(&mut masks);
            (at, tally, self.state) = (masks.at, masks.tally, masks.carries.state());
            if !resolved {
                at = self.step_through(bytes, at, at + BLOCK, masks.carries.after_cr(), &mut tally);
            }
        }
        if let Some(start) = tally.last_start {
            // The record may have ended; only an open one's place is asked for.
            let lines = line_breaks(self.syntax.terminator, false, &bytes[start..]);
            self.last = RecordStart {
                byte: self.here.byte + start as u64,
                line: self.here.lines + tally.line_breaks - lines + 1,
                record: self.here.record + tally.records,
            };
        }
        self.here.pass(bytes, tally.line_breaks);
        self.here.record += tally.records;
    }

    /// Passes what is left of a comment. Returns how many bytes.
    fn skip_comment(&mut self, bytes: &[u8], after_cr: bool, tally: &mut Tally) -> usize {
        let end = match memchr(b'\n', bytes) {
            Some(lf) => {
                self.state = State::StartRecord;
                lf + 1
            }
            None => bytes.len(),
        };
        tally.line_breaks += line_breaks(self.syntax.terminator, after_cr, &bytes[..end]);
        end
    }

    /// Runs the machine from `at` to before `end`, or to the end of the bytes. Returns up to where.
    fn step_through(
        &mut self,
        bytes: &[u8],
        at: usize,
        end: usize,
        after_cr: bool,
        tally: &mut Tally,
    ) -> usize {
        let end = end.min(bytes.len());
        for (at, &byte) in bytes[..end].iter().enumerate().skip(at) {
            let (next, action) = self.machine.step(self.state, byte);
            if starts_record(self.state, next) {
                tally.last_start = Some(at);
            }
            tally.records += u64::from(action == Action::EndRecord);
            self.state = next;
        }
        tally.line_breaks += line_breaks(self.syntax.terminator, after_cr, &bytes[at..end]);
        end
    }
}

fn starts_record(state: State, next: State) -> bool {
    state == State::StartRecord && !matches!(next, State::StartRecord | State::Comment)
}

/// What stands in some bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    /// Records that end in them.
    records: u64,
    /// Lines that end in them.
    line_breaks: u64,
    /// Where the last record starts that starts in them.
    last_start: Option<usize>,
}

/// The mask path, from `at` on: whether it got to the end of the bytes before a block with a comment, which it stops at.
#[derive(Debug, Clone, Copy)]
struct MaskCount<'a> {
    syntax: Syntax,
    bytes: &'a [u8],
    at: usize,
    carries: Carries,
    tally: Tally,
    /// The last block in which a record starts, and where in it.
    start_block: usize,
    starts: u64,
}

impl Kernel for &mut MaskCount<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        // A copy, which stays in registers.
        let mut scan = *self;
        let resolved = scan.run(simd);
        if scan.starts != 0 {
            scan.tally.last_start = Some(scan.start_block + scan.starts.ilog2() as usize);
        }
        *self = scan;
        resolved
    }
}

impl MaskCount<'_> {
    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S) -> bool {
        let (groups, rest) = self.bytes[self.at..].as_chunks::<GROUP>();
        for group in groups {
            let (blocks, _) = group.as_chunks::<BLOCK>();
            let quotes = blocks.iter().fold(0, |all, block| all | find_quotes(simd, &self.syntax, block));
            let needs_quotes = self.carries.inside() || quotes != 0;
            for block in blocks {
                let resolved = match needs_quotes {
                    true => self.quoted(simd, block, BLOCK),
                    false => self.unquoted(simd, block),
                };
                if !resolved {
                    return false;
                }
            }
        }
        for bytes in rest.chunks(BLOCK) {
            let mut block = [0; BLOCK];
            block[..bytes.len()].copy_from_slice(bytes);
            if !self.quoted(simd, &block, bytes.len()) {
                return false;
            }
        }
        true
    }

    #[inline(always)]
    fn quoted<S: Simd>(&mut self, simd: S, block: &[u8; BLOCK], len: usize) -> bool {
        let raw = find(simd, &self.syntax, block);
        let mut carries = self.carries;
        let structure = carries.resolve_quoted(&self.syntax, raw, len, |mask| simd.prefix_xor(mask));
        self.pass(structure, carries, len)
    }

    #[inline(always)]
    fn unquoted<S: Simd>(&mut self, simd: S, block: &[u8; BLOCK]) -> bool {
        let raw = find_undelimited(simd, &self.syntax, simd.load(block));
        // Of the delimiters only one before the next block's first byte can matter.
        let delimiter = u64::from(block[BLOCK - 1] == self.syntax.delimiter) << (BLOCK - 1);
        let mut carries = self.carries;
        let structure = carries.resolve_unquoted(Raw { delimiter, ..raw });
        self.pass(structure, carries, BLOCK)
    }

    /// Goes on behind a block that has been resolved.
    #[inline(always)]
    fn pass(&mut self, structure: Option<Structure>, carries: Carries, len: usize) -> bool {
        let Some(Structure { record_ends, starts, line_breaks, .. }) = structure else {
            return false;
        };
        self.tally.records += u64::from(record_ends.count_ones());
        self.tally.line_breaks += u64::from(line_breaks);
        if starts != 0 {
            (self.start_block, self.starts) = (self.at, starts);
        }
        self.carries = carries;
        self.at += len;
        true
    }
}

/// Where a block has bytes that mean something inside quotes.
#[inline(always)]
fn find_quotes<S: Simd>(simd: S, syntax: &Syntax, block: &[u8; BLOCK]) -> u64 {
    let block = simd.load(block);
    let optional = |byte: Option<u8>| byte.map_or(0, |byte| simd.eq(block, byte));
    optional(syntax.quote) | optional(syntax.escape)
}

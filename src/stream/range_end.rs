//! [`RangeEnd`]: where a byte range's records end, and whether the next range starts with the one behind them.

use crate::error::{Error, ErrorKind, Result};
use crate::parse::boundary::{Boundary, BoundaryFinder};
use crate::parse::{RecordCounter, RecordStart, Records};

/// The end of a byte range, and what is known of the first record behind it.
///
/// A record belongs to the range that holds its first byte, so the range is read on to the end of its last one. Whoever
/// gets there knows where the next record starts; the reader of the next range has concluded it from what follows. The
/// same is concluded here, from the same bytes, and compared.
#[derive(Debug, Clone)]
pub(crate) struct RangeEnd {
    /// The first byte that is no longer the range's.
    byte: u64,
    /// Looks at what follows as the reader of the next range does; `None` if that one has read what is before it.
    finder: Option<BoundaryFinder>,
    /// What the finder has found.
    assumed: Option<Boundary>,
    next: Next,
}

/// The first record behind the range.
#[derive(Debug, Clone, Copy)]
enum Next {
    Unknown,
    Starts(RecordStart),
    /// The file ends before one starts.
    End,
}

impl RangeEnd {
    /// The end before `byte`. With a `finder`, what it finds is verified.
    pub(crate) fn new(byte: u64, finder: Option<BoundaryFinder>) -> Self {
        RangeEnd { byte, finder, assumed: None, next: Next::Unknown }
    }

    /// Whether all records of the range have been seen.
    pub(super) fn is_reached(&self) -> bool {
        !matches!(self.next, Next::Unknown)
    }

    /// The records of these that are the range's, without the header.
    pub(super) fn cut<'a>(&mut self, records: Records<'a>) -> Records<'a> {
        let starts_before = |record| records.start_byte(record) < self.byte;
        let own = match records.len() {
            0 => 0,
            all if starts_before(all - 1) => all,
            all => (0..all).position(|record| !starts_before(record)).unwrap_or(all),
        };
        if own < records.len() {
            self.next = Next::Starts(records.start(own));
        }
        let header = usize::from(own > 0 && records.number(0) == 0);
        records.slice(header..own)
    }

    /// Counts the records of the range in a chunk that starts at byte `at`.
    pub(super) fn count(&mut self, counter: &mut RecordCounter, at: u64, chunk: &[u8]) -> Result<()> {
        let own = self.byte.saturating_sub(at).min(chunk.len() as u64);
        let (own, behind) = chunk.split_at(own as usize);
        counter.push(own)?;
        if let Some(start) = counter.first_record_start_at_or_after(self.byte, behind)? {
            self.next = Next::Starts(start);
        }
        Ok(())
    }

    /// Looks at bytes, the first of which is byte `at`.
    pub(super) fn look(&mut self, at: u64, bytes: &[u8]) {
        let Some(finder) = &mut self.finder else { return };
        let before = finder.first_byte().saturating_sub(at).min(bytes.len() as u64);
        let bytes = &bytes[before as usize..];
        if self.assumed.is_none() && !bytes.is_empty() {
            self.assumed = finder.push(bytes);
        }
    }

    /// Whether the next range starts with the right record; `None` if more has to be looked at.
    ///
    /// # Errors
    ///
    /// When it doesn't.
    pub(super) fn verify(&self) -> Option<Result<()>> {
        let (next, finder) = match (self.next, &self.finder) {
            (Next::Unknown, _) => return None,
            (_, None) => return Some(Ok(())),
            (Next::Starts(start), Some(finder)) => (Some(start), finder),
            (Next::End, Some(finder)) => (None, finder),
        };
        match (self.assumed, next) {
            (Some(assumed), _) => Some(compare(self.byte, assumed, next)),
            (None, Some(start)) if start.record > 0 && finder.finds_nothing_but(start.byte) => Some(Ok(())),
            (None, _) => None,
        }
    }

    /// The file has ended.
    pub(super) fn finish(&mut self) -> Result<()> {
        if !self.is_reached() {
            self.next = Next::End;
        }
        if let (Some(finder), None) = (&mut self.finder, self.assumed) {
            self.assumed = Some(finder.finish());
        }
        self.verify().unwrap_or(Ok(()))
    }

    /// Whether anything is compared here.
    pub(super) fn is_verified(&self) -> bool {
        self.finder.is_some()
    }
}

/// Whether what is assumed of the first record at or after `byte` is so.
///
/// # Errors
///
/// When it isn't. So it is where the record is the header, which the reader of that range takes for a record like others.
pub(crate) fn compare(byte: u64, assumed: Boundary, actual: Option<RecordStart>) -> Result<()> {
    let assumed = match assumed {
        // Who isn't told reads what is before.
        Boundary::Undecided => return Ok(()),
        Boundary::Start(byte) => Some(byte),
        Boundary::End => None,
    };
    let is_header = actual.is_some_and(|start| start.record == 0);
    let actual = actual.map(|start| start.byte);
    match assumed == actual && !is_header {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::RangeStart { range: byte, assumed, actual })),
    }
}

//! [`RangeEnd`]: the byte at which a range of a file ends, and the records before it.

use crate::error::Result;
use crate::parse::{RecordCounter, RecordStart, Records};

/// The end of a byte range.
///
/// A record belongs to the range that holds its first byte. So a range is read past its end, to the
/// end of its last record, and then the start of the next record is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct RangeEnd {
    /// The first byte past the range.
    byte: u64,
    /// The first record past the range, once it has been seen.
    next: Option<RecordStart>,
}

impl RangeEnd {
    pub(super) fn before(byte: u64) -> Self {
        RangeEnd { byte, next: None }
    }

    /// The first record past the range, once it has been seen.
    pub(super) fn next(&self) -> Option<RecordStart> {
        self.next
    }

    /// Those of the records that belong to the range, without the header.
    pub(super) fn cut<'a>(&mut self, records: Records<'a>) -> Records<'a> {
        let starts_before = |record| records.start_byte(record) < self.byte;
        let own = match records.len() {
            0 => 0,
            all if starts_before(all - 1) => all,
            all => (0..all).position(|record| !starts_before(record)).unwrap_or(all),
        };
        if own < records.len() {
            self.next = Some(records.start(own));
        }
        let header = usize::from(own > 0 && records.number(0) == 0);
        records.slice(header..own)
    }

    /// Counts the records of the range in a chunk that starts at byte `at`.
    pub(super) fn count(&mut self, counter: &mut RecordCounter, at: u64, chunk: &[u8]) -> Result<()> {
        let own = self.byte.saturating_sub(at).min(chunk.len() as u64);
        let (own, rest) = chunk.split_at(own as usize);
        counter.push(own)?;
        if let Some(start) = counter.first_record_start_at_or_after(self.byte, rest)? {
            self.next = Some(start);
        }
        Ok(())
    }
}

//! [`Carry`]: the partial record between two chunks.

use super::cost::{MAX_MAX_RECORD_BYTES, RECORD_STEP_BYTES};
use super::cut::Cutter;
use super::field_index::FieldIndex;
use super::limit::RecordLimit;
use crate::error::ErrorKind;

/// The most bytes of an input that are looked at together, so that offsets in them, and in the
/// carry, fit a `u32`.
const MAX_PIECE: usize = MAX_MAX_RECORD_BYTES;

/// The bytes of a record that has started in an earlier chunk.
#[derive(Debug)]
pub(super) struct Carry {
    /// From the record's first byte on.
    bytes: Vec<u8>,
    /// The record has been handed out, and its bytes are to be dropped.
    is_spent: bool,
    limit: RecordLimit,
    /// Cuts the fields of records that are too long to be held whole.
    cutter: Option<Cutter>,
}

impl Carry {
    pub(super) fn new(limit: RecordLimit) -> Self {
        Carry { bytes: Vec::new(), is_spent: false, limit, cutter: None }
    }

    pub(super) fn set_cutter(&mut self, cutter: Option<Cutter>) {
        self.cutter = cutter;
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// The record is handed out: its bytes are needed until [`drop_spent`](Self::drop_spent).
    pub(super) fn set_spent(&mut self) {
        self.is_spent = true;
    }

    /// Drops a record that has been handed out.
    pub(super) fn drop_spent(&mut self) {
        if std::mem::take(&mut self.is_spent) {
            self.bytes.clear();
        }
    }

    /// Grows, by doubling, but to no more than it may hold.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let needed = self.bytes.len() + bytes.len();
        if needed > self.bytes.capacity() {
            let doubled = (2 * self.bytes.capacity()).min(self.most_bytes());
            self.bytes.reserve_exact(needed.max(doubled) - self.bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The most bytes that it may hold: the longest record and its terminator or, if fields are
    /// cut, the bytes held of a record and a step more.
    fn most_bytes(&self) -> usize {
        let most = self.limit.bytes() + 1;
        self.cutter.as_ref().map_or(most, |cutter| most.min(cutter.held_bytes() + RECORD_STEP_BYTES))
    }

    /// Bytes that it may take now, at least 1. The byte after the longest record is its terminator,
    /// or one too many.
    pub(super) fn room(&self) -> usize {
        let record = self.bytes.len() as u64 + self.dropped();
        let to_limit = (self.limit.bytes() as u64 + 1).saturating_sub(record) as usize;
        to_limit.min(self.most_bytes().saturating_sub(self.bytes.len())).max(1)
    }

    /// Bytes of an input that are looked at together. If a record may be longer than the bytes held
    /// of it, a piece has at most that many bytes. So such a record gets into the carry, where it
    /// is cut.
    pub(super) fn piece_bytes(&self) -> usize {
        let held = self.cutter.as_ref().map(Cutter::held_bytes).filter(|&held| held < self.limit.bytes());
        held.map_or(MAX_PIECE, |held| held.clamp(1, MAX_PIECE))
    }

    /// Bytes that have been cut out of the record.
    fn dropped(&self) -> u64 {
        self.cutter.as_ref().map_or(0, Cutter::dropped)
    }

    /// Another record starts. Returns how many bytes have been cut out of the one before.
    pub(super) fn start_record(&mut self) -> u64 {
        self.cutter.as_mut().map_or(0, Cutter::start_record)
    }

    /// Cuts the fields of the record if it is too long to be held. Returns how many bytes that
    /// drops. A header is never cut. `in_quotes` tells whether the carry ends inside quotes.
    ///
    /// # Errors
    ///
    /// When the record is too long, or too large even with its fields cut.
    pub(super) fn cut(
        &mut self,
        index: &mut FieldIndex,
        is_header: bool,
        in_quotes: bool,
    ) -> Result<usize, ErrorKind> {
        let whole_bytes = |index: &FieldIndex| index.end_of(index.records().min(1)).map(|end| end - 1);
        let Some(cutter) = &mut self.cutter else { return Ok(0) };
        let limit = cutter.held_bytes();
        let is_short = whole_bytes(index).unwrap_or(self.bytes.len()) <= cutter.whole_bytes();
        if is_short && cutter.dropped() == 0 {
            return Ok(0);
        }
        let dropped = if is_header { 0 } else { cutter.cut(&mut self.bytes, index) };
        let whole = whole_bytes(index);
        if whole.is_none() && self.limit.is_exceeded_by(self.bytes.len() as u64 + cutter.dropped()) {
            return Err(self.limit.error(in_quotes));
        }
        // An open field still has one byte more than is kept in the end.
        if whole.unwrap_or(self.bytes.len() - 1) > limit {
            return Err(ErrorKind::RecordTooLarge { limit });
        }
        Ok(dropped)
    }
}

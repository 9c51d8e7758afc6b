//! [`Origin`]: the place in the file that the offsets of a buffer are relative to.

use super::lines::line_breaks;
use super::start::RecordStart;
use crate::error::Place;
use crate::grammar::Terminator;

/// The place of a buffer's first byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    /// Its offset in the file.
    pub(super) byte: u64,
    /// Lines that have ended before it.
    pub(super) lines: u64,
    /// The number of the record that starts first in the buffer, from 1; 0 is the header.
    pub(super) record: u64,
    /// The byte before it was a CR, so that an LF would end no line.
    pub(super) after_cr: bool,
    terminator: Terminator,
}

impl Origin {
    /// The first byte of a record.
    pub(super) fn at(start: RecordStart, terminator: Terminator) -> Self {
        Origin {
            byte: start.byte,
            lines: start.line.saturating_sub(1),
            record: start.record,
            // It would only make a difference before an LF, and an LF starts no record.
            after_cr: false,
            terminator,
        }
    }

    /// The record that starts here.
    pub(super) fn record_start(&self) -> RecordStart {
        RecordStart { byte: self.byte, line: self.lines + 1, record: self.record }
    }

    /// Moves past `bytes`, in which `lines` lines end.
    pub(super) fn pass(&mut self, bytes: &[u8], lines: u64) {
        self.byte += bytes.len() as u64;
        self.lines += lines;
        if let Some(&last) = bytes.last() {
            self.after_cr = last == b'\r';
        }
    }

    /// The same place for a list of records that starts `records` later.
    pub(super) fn after_records(self, records: u64) -> Self {
        Origin { record: self.record + records, ..self }
    }

    /// The place of the record that starts at `bytes[start]`, `records` after the first one.
    pub(super) fn place(&self, bytes: &[u8], start: usize, records: usize, column: Option<usize>) -> Place {
        let line = self.lines + line_breaks(self.terminator, self.after_cr, &bytes[..start]) + 1;
        Place::of_record(self.byte + start as u64, line, self.record + records as u64).with_column(column)
    }
}

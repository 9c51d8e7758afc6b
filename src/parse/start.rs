//! [`RecordStart`]: a place in a file from which reading can go on.

use crate::error::{Error, ErrorKind, Place};
use crate::grammar::Dialect;

/// Where a record starts.
///
/// A [`Parser`](super::Parser) or a [`RecordCounter`](super::RecordCounter) can start there, as no
/// BOM and no open quote reaches beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordStart {
    /// Offset of the record's first byte in the file.
    pub byte: u64,
    /// The line in which it stands, from 1.
    pub line: u64,
    /// The record's number, from 1; 0 is the header.
    pub record: u64,
}

impl RecordStart {
    /// The start of a record that is not the header, where nothing before it has been counted.
    /// Lines and records are numbered from here, and [`Error::with_counted_before`] corrects the
    /// place of an error later.
    pub fn at_byte(byte: u64) -> Self {
        RecordStart { byte, line: 1, record: 1 }
    }

    /// The first byte of a file, where its first record would stand.
    pub(super) fn of_file(dialect: &Dialect) -> Self {
        RecordStart { byte: 0, line: 1, record: u64::from(!dialect.has_header()) }
    }

    /// The record's place.
    pub fn place(&self) -> Place {
        Place::of_record(self.byte, self.line, self.record)
    }

    /// An error about the record.
    pub(super) fn error(&self, kind: ErrorKind) -> Error {
        Error::at(kind, self.place())
    }
}

//! [`RecordStart`]: a place in a file from which it can be read on.

use crate::dialect::Dialect;
use crate::error::{Error, ErrorKind, Position};

/// Where a record starts.
///
/// Neither a BOM nor an open quote reaches beyond it, so a [`Parser`](super::Parser) or a
/// [`RecordCounter`](super::RecordCounter) can start there.
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
    /// The start of a record, no header, before which nothing has been counted: lines and records are numbered from here.
    /// [`Error::with_counted_before`] puts an error right once they have been.
    pub fn at_byte(byte: u64) -> Self {
        RecordStart { byte, line: 1, record: 1 }
    }

    /// The first byte of a file, where its first record would stand.
    pub(super) fn of_file(dialect: &Dialect) -> Self {
        RecordStart { byte: 0, line: 1, record: u64::from(!dialect.has_header()) }
    }

    /// The record's place.
    pub fn position(&self) -> Position {
        Position { byte: self.byte, line: self.line, record: self.record, ..Position::default() }
    }

    /// An error about the record.
    pub(super) fn error(&self, kind: ErrorKind) -> Error {
        Error::at(kind, self.position())
    }
}

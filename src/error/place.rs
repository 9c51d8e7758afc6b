//! [`Place`]: a record, or a field of one, in a file.

use std::fmt;

/// A place in a file. Bytes and lines are those of the decompressed file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The byte at which the record starts, from 0.
    pub byte: u64,
    /// The line at which the record starts, from 1. A line ends at each of the dialect's
    /// terminators, quoted or not.
    pub line: u64,
    /// The record, from 1; the header is not counted, and is record 0.
    pub record: u64,
    /// The column's index in the table, from 0, where the error is about one field.
    pub column: Option<usize>,
    /// The column's name, where it is known.
    pub column_name: Option<String>,
}

impl Place {
    /// The place of a record.
    pub fn of_record(byte: u64, line: u64, record: u64) -> Self {
        Place { byte, line, record, column: None, column_name: None }
    }

    /// The place of a field of the record.
    #[must_use]
    pub fn with_column(mut self, column: Option<usize>) -> Self {
        self.column = column;
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, ", self.line)?;
        match self.record {
            0 => write!(f, "header")?,
            record => write!(f, "record {record}")?,
        }
        write!(f, ", byte {}", self.byte)?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
            if let Some(name) = &self.column_name {
                write!(f, " ({name:?})")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_record_zero() {
        assert_eq!(Place::of_record(0, 1, 0).to_string(), "line 1, header, byte 0");
        let field = Place::of_record(9, 2, 1).with_column(Some(3));
        assert_eq!(field.to_string(), "line 2, record 1, byte 9, column 3");
    }
}

//! [`Error`]: what is wrong, where, and which option would accept the input.

use std::fmt;

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A value in a message is cut to this many characters.
pub const MAX_VALUE_CHARS: usize = 80;

/// What is wrong, where, and what to do about it.
///
/// One word wide. Each layer adds the part of the [`Position`] that it knows.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    position: Option<Position>,
}

/// What is wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An option has a value that it can't have.
    InvalidOption {
        /// The option's name.
        option: String,
        /// The value that was given.
        value: String,
        /// What is allowed, as a sentence.
        allowed: String,
    },
    /// The input ended inside a quoted field.
    UnclosedQuote,
    /// A record is larger than `max_record_bytes`.
    RecordTooLong {
        /// The limit, in bytes.
        limit: usize,
        /// Whether the record's last field is an open quoted one.
        in_quotes: bool,
    },
    /// A record does not fit into memory, even with its oversized values cut.
    RecordTooLarge {
        /// The room for it, in bytes.
        limit: usize,
    },
    /// A record has more or fewer fields than the table has columns.
    FieldCount {
        /// The table's number of columns.
        expected: usize,
        /// The record's number of fields.
        found: usize,
    },
    /// A field that becomes a string is not valid UTF-8.
    InvalidUtf8 {
        /// The field, invalid bytes escaped, cut to [`MAX_VALUE_CHARS`].
        value: String,
        /// The first invalid byte's offset in the field.
        at: usize,
    },
    /// A field can't be read as its column's type.
    InvalidValue {
        /// The field, cut to [`MAX_VALUE_CHARS`].
        value: String,
        /// The column's type.
        data_type: String,
        /// More than "not that type", where more is known: out of range, say.
        reason: Option<String>,
    },
    /// A value is longer than the options allow.
    FieldTooLong {
        /// The value, cut if it is long.
        value: String,
        /// Its length.
        bytes: usize,
        /// The most it can be.
        limit: usize,
    },
    /// There is no decoder for the type.
    UnsupportedType {
        /// The type.
        data_type: String,
    },
    /// The schema can't be found from the sample.
    Schema {
        /// Why.
        reason: String,
    },
    /// A byte range of a file has been read from another place on than where its first record starts. No row of it is right.
    RangeStart {
        /// The first byte of the range.
        range: u64,
        /// Where its reader takes its first record to start; `None` if in no byte of the file.
        assumed: Option<u64>,
        /// Where that record starts.
        actual: Option<u64>,
    },
    /// Bytes could not be read: from the file, the store, or out of their compression.
    Io(std::io::Error),
    /// The memory limit leaves no room for what the input needs.
    Memory {
        /// What needed room.
        what: String,
        /// The limit, in bytes.
        limit: usize,
        /// The option to raise.
        option: &'static str,
    },
    /// A row filter could not be evaluated.
    Filter(Box<dyn std::error::Error + Send + Sync>),
    /// An array could not be built, which is a defect of this crate.
    Internal {
        /// What Arrow said.
        reason: String,
    },
}

/// Where. Bytes and lines are those of the decompressed file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Position {
    /// The file, where one is known.
    pub path: Option<String>,
    /// The byte at which the record starts, from 0.
    pub byte: u64,
    /// The line at which the record starts, from 1. A line ends where the dialect's terminator stands, quoted or not.
    pub line: u64,
    /// The record, from 1; the header is not counted, and is record 0.
    pub record: u64,
    /// The column, from 0.
    pub column: Option<usize>,
    /// The column's name, where one is known.
    pub column_name: Option<String>,
}

impl Error {
    /// An error without a position.
    pub fn new(kind: ErrorKind) -> Self {
        Error(Box::new(Inner { kind, position: None }))
    }

    /// An error at a position.
    pub fn at(kind: ErrorKind, position: Position) -> Self {
        Error(Box::new(Inner { kind, position: Some(position) }))
    }

    /// A bad option: its name, the value given, and what is allowed, as a sentence.
    pub fn invalid_option(
        option: impl Into<String>,
        value: impl Into<String>,
        allowed: impl Into<String>,
    ) -> Self {
        Self::new(ErrorKind::InvalidOption {
            option: option.into(),
            value: value.into(),
            allowed: allowed.into(),
        })
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What is wrong, taken out.
    pub fn into_kind(self) -> ErrorKind {
        self.0.kind
    }

    /// Where, if the error is about a place in the input.
    pub fn position(&self) -> Option<&Position> {
        self.0.position.as_ref()
    }

    /// Adds the file, unless one is there.
    pub fn with_path(mut self, path: &str) -> Self {
        let position = match (&mut self.0.position, &self.0.kind) {
            (Some(position), _) => position,
            (
                none,
                ErrorKind::Io(_)
                | ErrorKind::Schema { .. }
                | ErrorKind::RangeStart { .. }
                | ErrorKind::Memory { .. },
            ) => none.insert(Position::default()),
            (None, _) => return self,
        };
        position.path.get_or_insert_with(|| path.to_owned());
        self
    }

    /// Adds the lines and records before the place from which those of the position were counted.
    pub fn with_counted_before(mut self, lines: u64, records: u64) -> Self {
        if let Some(position) = &mut self.0.position {
            position.line += lines;
            position.record += records;
        }
        self
    }

    /// Adds the column's name, unless one is there.
    pub fn with_column_name(mut self, name: &str) -> Self {
        if let Some(position) = &mut self.0.position {
            position.column_name.get_or_insert_with(|| name.to_owned());
        }
        self
    }
}

/// A field as it stands in a message: bytes that are not UTF-8 escaped, cut to [`MAX_VALUE_CHARS`].
pub fn shown(value: &[u8]) -> String {
    let mut shown = String::new();
    let mut room = MAX_VALUE_CHARS;
    for chunk in value.utf8_chunks() {
        for c in chunk.valid().chars() {
            if room == 0 {
                return shown + "…";
            }
            room -= 1;
            shown.push(c);
        }
        for byte in chunk.invalid() {
            if room == 0 {
                return shown + "…";
            }
            room -= 1;
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shown
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        // What this crate put into an `io::Error` to pass it through a reader comes back as it was.
        match error.downcast::<Error>() {
            Ok(own) => own,
            Err(other) => Self::new(ErrorKind::Io(other)),
        }
    }
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        std::io::Error::new(std::io::ErrorKind::InvalidData, error)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            ErrorKind::Io(error) => Some(error),
            // Its own text is this error's text.
            ErrorKind::Filter(error) => error.source(),
            _ => None,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.0.kind).field("position", &self.0.position).finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = &self.0.position {
            write!(f, "{position}: ")?;
        }
        self.0.kind.fmt(f)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{path}")?;
            if self.line == 0 {
                return Ok(());
            }
            write!(f, ": ")?;
        }
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

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ErrorKind::InvalidOption { option, value, allowed } => {
                write!(f, "option {option} can't be {value:?}: {allowed}")
            }
            ErrorKind::UnclosedQuote => write!(
                f,
                "the input ends inside a quoted field of the record that starts here: unclosed quote? If quotes are \
                 ordinary bytes in this file, set quote to '' (off)"
            ),
            ErrorKind::RecordTooLong { limit, in_quotes } => {
                write!(f, "the record that starts here is longer than max_record_bytes ({limit} bytes)")?;
                match in_quotes {
                    true => write!(
                        f,
                        ", inside a quoted field: unclosed quote? If it is meant, raise max_record_bytes, or set \
                         oversized_fields to null or truncate; if quotes are ordinary bytes in this file, set quote to '' \
                         (off)"
                    ),
                    false => write!(
                        f,
                        ": raise max_record_bytes, set oversized_fields to null or truncate, or check terminator and \
                         delimiter"
                    ),
                }
            }
            ErrorKind::RecordTooLarge { limit } => write!(
                f,
                "the record that starts here does not fit into {limit} bytes, the part of memory_limit for one record, with \
                 its oversized values cut: raise memory_limit, or lower max_field_bytes if it has many of them (a header, and \
                 values of other types than string, binary and dictionary, are not cut)"
            ),
            ErrorKind::FieldCount { expected, found } => {
                write!(f, "the record has {found} fields, the table has {expected} columns")?;
                match found < expected {
                    true => write!(f, "; truncated_rows = true pads short records with NULL"),
                    false => write!(f, "; check delimiter and quote, or give the schema that fits"),
                }
            }
            ErrorKind::InvalidUtf8 { value, at } => write!(
                f,
                "not valid UTF-8 at byte {at} of the field \"{value}\"; read the column as Binary, or convert the \
                 file to UTF-8"
            ),
            ErrorKind::InvalidValue { value, data_type, reason } => {
                write!(f, "can't read \"{value}\" as {data_type}")?;
                if let Some(reason) = reason {
                    write!(f, " ({reason})")?;
                }
                write!(
                    f,
                    "; null_values or null_regex can make it NULL, a schema with another type (Utf8, say) accepts it"
                )
            }
            ErrorKind::FieldTooLong { value, bytes, limit } => write!(
                f,
                "the value \"{value}\" has {bytes} bytes, more than max_field_bytes ({limit} bytes): raise it, or set \
                 oversized_fields to null or truncate"
            ),
            ErrorKind::UnsupportedType { data_type } => write!(
                f,
                "no CSV decoder for the type {data_type}; read the column as Utf8 and cast it in the query"
            ),
            ErrorKind::Schema { reason } => write!(f, "the schema can't be inferred: {reason}"),
            ErrorKind::RangeStart { range, assumed, actual } => {
                let place = |byte: &Option<u64>| match byte {
                    Some(byte) => format!("at byte {byte}"),
                    None => "nowhere".to_owned(),
                };
                write!(
                    f,
                    "the first record from byte {range} on starts {}, not {} as it has to in a table that can be \
                     read: an unclosed quote, or records that are not the table's? split = exact tells",
                    place(actual),
                    place(assumed)
                )
            }
            ErrorKind::Io(error) => write!(f, "{error}"),
            ErrorKind::Filter(error) => write!(f, "{error}"),
            ErrorKind::Memory { what, limit, option } => {
                write!(f, "{what} does not fit into {option} ({limit} bytes): raise {option}")
            }
            ErrorKind::Internal { reason } => write!(f, "internal error, please report it: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> Position {
        Position {
            path: Some("a.csv".into()),
            byte: 40,
            line: 3,
            record: 2,
            column: Some(4),
            column_name: Some("amount".into()),
        }
    }

    #[test]
    fn every_kind_says_what_to_do() {
        let kinds = [
            (ErrorKind::UnclosedQuote, "unclosed quote?"),
            (ErrorKind::RecordTooLong { limit: 9, in_quotes: true }, "unclosed quote?"),
            (ErrorKind::RecordTooLong { limit: 9, in_quotes: false }, "raise max_record_bytes"),
            (ErrorKind::RecordTooLarge { limit: 9 }, "raise memory_limit, or lower max_field_bytes if"),
            (
                ErrorKind::FieldCount { expected: 3, found: 2 },
                "2 fields, the table has 3 columns; truncated_rows",
            ),
            (
                ErrorKind::FieldCount { expected: 3, found: 4 },
                "4 fields, the table has 3 columns; check delimiter",
            ),
            (
                ErrorKind::FieldTooLong { value: "abcd".into(), bytes: 4, limit: 3 },
                "max_field_bytes (3 bytes): raise it, or set oversized_fields",
            ),
            (ErrorKind::InvalidUtf8 { value: shown(b"a\xff"), at: 1 }, "byte 1 of the field \"a\\xff\""),
            (
                ErrorKind::InvalidValue {
                    value: "300".into(),
                    data_type: "Int8".into(),
                    reason: Some("out of range".into()),
                },
                "can't read \"300\" as Int8 (out of range); null_values",
            ),
            (ErrorKind::UnsupportedType { data_type: "Map".into() }, "no CSV decoder for the type Map"),
            (ErrorKind::Schema { reason: "no files".into() }, "can't be inferred: no files"),
            (
                ErrorKind::RangeStart { range: 5, assumed: Some(7), actual: None },
                "from byte 5 on starts nowhere, not at byte 7",
            ),
            (ErrorKind::Io(std::io::Error::other("connection reset")), "connection reset"),
            (
                ErrorKind::Memory { what: "a window of 128 MiB".into(), limit: 10, option: "memory_limit" },
                "raise memory_limit",
            ),
            (ErrorKind::Internal { reason: "x".into() }, "please report"),
            (
                ErrorKind::InvalidOption {
                    option: "trim".into(),
                    value: "x".into(),
                    allowed: "none, headers, fields or all".into(),
                },
                "option trim can't be \"x\": none, headers, fields or all",
            ),
        ];
        for (kind, part) in kinds {
            let text = Error::at(kind, position()).to_string();
            assert!(text.contains(part), "{text}");
            assert!(text.starts_with("a.csv: line 3, record 2, byte 40, column 4 (\"amount\"): "), "{text}");
        }
    }

    #[test]
    fn the_header_is_record_zero() {
        let position = Position { line: 1, ..Position::default() };
        assert_eq!(position.to_string(), "line 1, header, byte 0");
    }

    #[test]
    fn a_path_is_added_once_and_only_where_it_helps() {
        let error =
            Error::new(ErrorKind::Io(std::io::Error::other("gone"))).with_path("b.csv").with_path("c.csv");
        assert_eq!(error.to_string(), "b.csv: gone");
        let error = Error::invalid_option("trim", "x", "none").with_path("b.csv");
        assert!(error.position().is_none());
    }

    #[test]
    fn what_was_counted_later_is_added() {
        let error = Error::at(ErrorKind::UnclosedQuote, position()).with_counted_before(100, 10);
        assert_eq!(error.position(), Some(&Position { line: 103, record: 12, ..position() }));
    }

    #[test]
    fn an_error_survives_the_way_through_a_reader() {
        let through: Error = std::io::Error::from(Error::at(ErrorKind::UnclosedQuote, position())).into();
        assert!(matches!(through.kind(), ErrorKind::UnclosedQuote));
        assert_eq!(through.position(), Some(&position()));
    }

    #[test]
    fn long_values_are_cut() {
        let text = shown(&[b'x'; 1000]);
        assert_eq!(text.chars().count(), MAX_VALUE_CHARS + 1);
        assert!(text.ends_with('…'));
    }
}

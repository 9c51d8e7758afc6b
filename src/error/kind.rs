//! [`ErrorKind`]: what can be wrong.

/// The defect of an input, or of an option.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An option has a value that it can't have.
    InvalidOption {
        /// The option's name.
        option: String,
        /// The value that was given.
        value: String,
        /// The values that are allowed, as a sentence.
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
        /// The field, invalid bytes escaped, cut to [`MAX_VALUE_CHARS`](super::MAX_VALUE_CHARS).
        value: String,
        /// The first invalid byte's offset in the field.
        at: usize,
    },
    /// A field can't be read as its column's type.
    InvalidValue {
        /// The field, cut to [`MAX_VALUE_CHARS`](super::MAX_VALUE_CHARS).
        value: String,
        /// The column's type.
        data_type: String,
        /// The reason, where more is known than "not of that type": out of range, for example.
        reason: Option<String>,
    },
    /// A field can be read as its column's type, but would lose something.
    LossyValue {
        /// The field, cut to [`MAX_VALUE_CHARS`](super::MAX_VALUE_CHARS).
        value: String,
        /// The column's type.
        data_type: String,
        /// The part that would be lost, as a sentence.
        loss: String,
        /// The first thing to try that loses nothing.
        instead: String,
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
    /// The first record of a byte range starts at another byte than its reader assumed. No row of
    /// the range is right.
    RangeStart {
        /// The first byte of the range.
        range: u64,
        /// The byte at which its reader assumed its first record; `None` for no record.
        assumed: Option<u64>,
        /// The byte at which its first record starts; `None` if there is none.
        actual: Option<u64>,
    },
    /// Bytes could not be read: from the file, the store, or out of their compression.
    Io(std::io::Error),
    /// The memory limit leaves no room for what the input needs.
    Memory {
        /// The thing that needed room.
        what: String,
        /// The limit, in bytes.
        limit: usize,
        /// The option to raise.
        option: &'static str,
    },
    /// A row filter could not be evaluated.
    Filter(Box<dyn std::error::Error + Send + Sync>),
    /// An array could not be built, which is a defect of this crate.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl ErrorKind {
    /// Whether a file has the defect, also where no place in it is known.
    pub(super) fn is_about_a_file(&self) -> bool {
        matches!(
            self,
            ErrorKind::Io(_)
                | ErrorKind::Schema { .. }
                | ErrorKind::RangeStart { .. }
                | ErrorKind::Memory { .. }
        )
    }
}

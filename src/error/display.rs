//! The message of an [`ErrorKind`]: what is wrong, and the first thing to try.

use std::fmt;

use super::kind::ErrorKind;

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
                if *in_quotes {
                    write!(
                        f,
                        ", inside a quoted field: unclosed quote? If it is meant, raise max_record_bytes, or set \
                         oversized_fields to null or truncate; if quotes are ordinary bytes in this file, set \
                         quote to '' (off)"
                    )
                } else {
                    write!(
                        f,
                        ": raise max_record_bytes, set oversized_fields to null or truncate, or check terminator \
                         and delimiter"
                    )
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
                if found < expected {
                    write!(f, "; truncated_rows = true pads short records with NULL")
                } else {
                    write!(f, "; check delimiter and quote, or give the schema that fits")
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
            ErrorKind::LossyValue { value, data_type, loss, instead } => write!(
                f,
                "can't read \"{value}\" as {data_type} without loss ({loss}); {instead}; lossy_values = round \
                 accepts the loss"
            ),
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
                write!(f, "byte range from {range} on: ")?;
                if let Some(byte) = actual
                    && assumed == actual
                {
                    return write!(
                        f,
                        "its first record, at byte {byte}, is the file's header, after many comments or blank lines: \
                         set split to exact"
                    );
                }
                write!(f, "expected ")?;
                match assumed {
                    Some(byte) => write!(f, "its first record at byte {byte}")?,
                    None => write!(f, "no record")?,
                }
                match actual {
                    Some(byte) => write!(f, ", found one at byte {byte}")?,
                    None => write!(f, ", found none")?,
                }
                write!(
                    f,
                    "; the file can't be read: a quote that is never closed, or records with a wrong number of \
                     fields? Set split to exact, and the error says where"
                )
            }
            ErrorKind::Io(error) => write!(f, "{error}"),
            ErrorKind::Filter(error) => write!(f, "{error}"),
            ErrorKind::Memory { what, limit, option } => {
                write!(f, "{what} does not fit into {option} ({limit} bytes): raise {option}")
            }
            ErrorKind::Internal(cause) => write!(f, "internal error, please report it: {cause}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::shown::shown;
    use super::*;

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
            (
                ErrorKind::LossyValue {
                    value: "12:00:00.5".into(),
                    data_type: "Time32(s)".into(),
                    loss: "the fraction is finer than the unit".into(),
                    instead: "declare the column TIME".into(),
                },
                "as Time32(s) without loss (the fraction is finer than the unit); declare the column TIME; lossy_values",
            ),
            (ErrorKind::UnsupportedType { data_type: "Map".into() }, "no CSV decoder for the type Map"),
            (ErrorKind::Schema { reason: "no files".into() }, "can't be inferred: no files"),
            (
                ErrorKind::RangeStart { range: 5, assumed: Some(7), actual: None },
                "byte range from 5 on: expected its first record at byte 7, found none",
            ),
            (
                ErrorKind::RangeStart { range: 5, assumed: Some(7), actual: Some(7) },
                "its first record, at byte 7, is the file's header",
            ),
            (ErrorKind::Filter("division by zero".into()), "division by zero"),
            (ErrorKind::Io(std::io::Error::other("connection reset")), "connection reset"),
            (
                ErrorKind::Memory { what: "a window of 128 MiB".into(), limit: 10, option: "memory_limit" },
                "raise memory_limit",
            ),
            (ErrorKind::Internal("x".into()), "please report"),
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
            let text = kind.to_string();
            assert!(text.contains(part), "{text}");
        }
    }
}

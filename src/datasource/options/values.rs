//! Option values as text: each kind's parser and its way back.

use std::fmt::{Debug, Display};

use datafusion::common::parsers::CsvQuoteStyle;

use crate::budget::{MIN_MEMORY_LIMIT, OversizedFields};
use crate::datasource::file_groups::Split;
use crate::decode::DecodeOptions;
use crate::decode::{LeadingZeros, LossyValues};
use crate::grammar::{Dialect, Terminator, Trim};
use crate::infer::MatchColumns;
use crate::input::CompressionOption;
use crate::parse::{DEFAULT_MAX_RECORD_BYTES, FieldCount, Parser, Step};

pub(super) const BOOL: &str = "true or false";
pub(super) const BYTE: &str = "one byte, also `\\t`, `\\x1f` and the like";
pub(super) const BYTE_OR_OFF: &str = "one byte, also `\\t`, `\\x1f` and the like; nothing for off";
pub(super) const SIZE: &str = "bytes, also as `64KiB`, `10MB`, `1GiB`";

/// The error adds to the description of the values; it is empty where there is no more to say.
type Parsed<T> = Result<T, String>;

pub(super) fn bool(value: &str) -> Parsed<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(String::new()),
    }
}

pub(super) fn byte(value: &str) -> Parsed<u8> {
    some_byte(value)?.ok_or_else(String::new)
}

pub(super) fn some_byte(value: &str) -> Parsed<Option<u8>> {
    match value.as_bytes() {
        [] => Ok(None),
        [byte] if byte.is_ascii() => Ok(Some(*byte)),
        b"\\t" => Ok(Some(b'\t')),
        b"\\n" => Ok(Some(b'\n')),
        b"\\r" => Ok(Some(b'\r')),
        b"\\0" => Ok(Some(0)),
        b"\\\\" => Ok(Some(b'\\')),
        [b'\\', b'x', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
            u8::from_str_radix(&value[2..], 16).map(Some).map_err(|_| String::new())
        }
        _ => Err(": it is longer than one byte".to_owned()),
    }
}

pub(super) fn terminator(value: &str) -> Parsed<Terminator> {
    if value.eq_ignore_ascii_case("crlf") || value == "\r\n" || value == "\\r\\n" {
        return Ok(Terminator::CrLf);
    }
    byte(value).map(Terminator::Byte)
}

/// One of these, by the name that [`show_name`] gives it.
fn named<T: Debug + Copy>(value: &str, all: &[T]) -> Parsed<T> {
    let is_named = |kind: &&T| show_name(*kind).eq_ignore_ascii_case(value);
    all.iter().find(is_named).copied().ok_or_else(String::new)
}

pub(super) fn trim(value: &str) -> Parsed<Trim> {
    named(value, &[Trim::None, Trim::Headers, Trim::Fields, Trim::All])
}

pub(super) fn compression(value: &str) -> Parsed<CompressionOption> {
    value.parse().map_err(|_| String::new())
}

pub(super) fn split(value: &str) -> Parsed<Split> {
    named(value, &[Split::Auto, Split::Exact, Split::None])
}

pub(super) fn match_columns(value: &str) -> Parsed<MatchColumns> {
    named(value, &[MatchColumns::Auto, MatchColumns::Name, MatchColumns::Position])
}

pub(super) fn lossy_values(value: &str) -> Parsed<LossyValues> {
    named(value, &[LossyValues::Error, LossyValues::Round])
}

pub(super) fn leading_zeros(value: &str) -> Parsed<LeadingZeros> {
    named(value, &[LeadingZeros::Text, LeadingZeros::Number])
}

pub(super) fn oversized_fields(value: &str) -> Parsed<OversizedFields> {
    named(value, &[OversizedFields::Error, OversizedFields::Null, OversizedFields::Truncate])
}

pub(super) fn quote_style(value: &str) -> Parsed<CsvQuoteStyle> {
    value.parse().map_err(|_| String::new())
}

pub(super) fn count(value: &str) -> Parsed<usize> {
    value.trim().parse().map_err(|_| String::new())
}

/// Bytes: a number and a unit. `K`, `KB` and `KiB` all mean 1024, as in DataFusion's own settings.
pub(super) fn size(value: &str) -> Parsed<usize> {
    let value = value.trim();
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let unit: usize = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return Err(String::new()),
    };
    let number: usize = number.parse().map_err(|_| String::new())?;
    number.checked_mul(unit).ok_or_else(|| ": it is too large".to_owned())
}

/// A memory limit: at least 1 MiB.
pub(super) fn memory(value: &str) -> Parsed<usize> {
    match size(value)? {
        bytes if bytes < MIN_MEMORY_LIMIT => Err(format!(": at least {MIN_MEMORY_LIMIT} (1 MiB)")),
        bytes => Ok(bytes),
    }
}

/// A number of rows: at least 1.
pub(super) fn rows(value: &str) -> Parsed<usize> {
    match count(value)? {
        0 => Err(": at least 1".to_owned()),
        rows => Ok(rows),
    }
}

/// A regular expression, or nothing.
pub(super) fn regex(value: &str) -> Parsed<Option<String>> {
    DecodeOptions::default().with_null_regex(Some(value)).map_err(|error| format!(": {}", error.kind()))?;
    some_string(value)
}

pub(super) fn some_string(value: &str) -> Parsed<Option<String>> {
    Ok((!value.is_empty()).then(|| value.to_owned()))
}

/// A list written as one CSV record, read by this crate's own parser.
pub(super) fn list(value: &str) -> Parsed<Vec<String>> {
    let one_line = || ": it has to be one record".to_owned();
    let dialect = Dialect::builder().with_header(false).build().map_err(|e| e.to_string())?;
    let mut parser = Parser::new(&dialect, FieldCount::Any, DEFAULT_MAX_RECORD_BYTES);
    let (_, Step::NeedInput) = parser.next(value.as_bytes(), 1).map_err(|_| one_line())? else {
        return Err(one_line());
    };
    let Some(records) = parser.finish().map_err(|e| format!(": {}", e.kind()))? else {
        return Ok(Vec::new());
    };
    let mut scratch = Vec::new();
    (0..records.field_count(0))
        .map(|field| {
            let raw = records.raw(0, field).unwrap_or_default();
            let value = records.unescape().value(raw, &mut scratch);
            String::from_utf8(value.to_vec()).map_err(|_| one_line())
        })
        .collect()
}

pub(super) fn show<T: Display>(value: &T) -> String {
    value.to_string()
}

pub(super) fn show_some<T: Display>(value: &Option<T>) -> String {
    value.as_ref().map(T::to_string).unwrap_or_default()
}

pub(super) fn show_debug<T: Debug>(value: &T) -> String {
    format!("{value:?}")
}

pub(super) fn show_byte(byte: &u8) -> String {
    match byte {
        b' '..=b'~' => (*byte as char).to_string(),
        _ => byte.escape_ascii().to_string(),
    }
}

pub(super) fn show_some_byte(byte: &Option<u8>) -> String {
    byte.as_ref().map(show_byte).unwrap_or_default()
}

pub(super) fn show_terminator(terminator: &Terminator) -> String {
    match terminator {
        Terminator::CrLf => "crlf".to_owned(),
        Terminator::Byte(byte) => show_byte(byte),
    }
}

/// One of a few kinds of a single word each.
pub(super) fn show_name<T: Debug>(kind: &T) -> String {
    format!("{kind:?}").to_ascii_lowercase()
}

pub(super) fn show_compression(compression: &CompressionOption) -> String {
    compression.to_string()
}

pub(super) fn show_size(bytes: &usize) -> String {
    match bytes {
        0 => "0".to_owned(),
        _ if bytes.is_multiple_of(1 << 30) => format!("{}GiB", bytes >> 30),
        _ if bytes.is_multiple_of(1 << 20) => format!("{}MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{}KiB", bytes >> 10),
        _ => bytes.to_string(),
    }
}

pub(super) fn show_list(list: &[String]) -> String {
    let quoted: Vec<_> = list
        .iter()
        .map(|value| {
            if value.is_empty() || value.contains([',', '"', '\r', '\n']) {
                format!("\"{}\"", value.replace('"', "\"\""))
            } else {
                value.clone()
            }
        })
        .collect();
    quoted.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("1024"), Ok(1024));
        assert_eq!(size("64KiB"), Ok(64 << 10));
        assert_eq!(size("10 MB"), Ok(10 << 20));
        assert_eq!(size("1g"), Ok(1 << 30));
        for wrong in ["", "MB", "-1", "1.5MB", "10TB", "99999999999999999999", "18446744073709551615K"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        for bytes in [0, 1, 1 << 10, 3 << 20, 5 << 30, 1_000_000] {
            assert_eq!(size(&show_size(&bytes)), Ok(bytes));
        }
    }

    #[test]
    fn bytes() {
        for (text, value) in
            [(",", b','), ("\\t", b'\t'), ("\t", b'\t'), ("\\x1f", 0x1f), ("\\xFF", 0xff), ("\\", b'\\')]
        {
            assert_eq!(byte(text), Ok(value));
        }
        for wrong in ["", "ab", "é", "\\xg0", "\\x+1", "\\q"] {
            assert!(byte(wrong).is_err(), "{wrong}");
        }
        for value in 0..=255 {
            assert_eq!(byte(&show_byte(&value)), Ok(value));
        }
    }

    #[test]
    fn lists_are_records() {
        for (text, values) in [
            ("", vec![]),
            ("\"\"", vec![""]),
            ("NA,N/A", vec!["NA", "N/A"]),
            ("\"a,b\",\"\",c", vec!["a,b", "", "c"]),
            ("a,", vec!["a", ""]),
        ] {
            assert_eq!(list(text).unwrap(), values, "{text}");
        }
        assert!(list("a\nb").is_err());
        assert!(list("\"a").is_err());
        for values in [vec![], vec![String::new()], vec!["a\"b".to_owned(), ",".to_owned()]] {
            assert_eq!(list(&show_list(&values)).unwrap(), values);
        }
    }
}

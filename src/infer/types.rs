//! [`ColumnType`]: infers the type of a column from its values, without keeping them.

use arrow::compute::kernels::cast_utils::Parser;
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Float64Type, Int64Type, TimeUnit, TimestampNanosecondType, UInt64Type,
};

use crate::decode::{LeadingZeros, has_exponent_of_label, has_zero_or_plus_before, is_held_as_f64};

/// The most digits of decimals of 128 and of 256 bits.
const MAX_DIGITS_128: usize = 38;
const MAX_DIGITS_256: usize = 76;

/// The zone of timestamps with an offset, as DataFusion writes it. Programs without the database
/// of zones know it too.
const UTC: &str = "+00:00";

/// The facts about a column that the values seen so far give.
///
/// Shapes are only added, and readings only removed. So the order of the values makes no
/// difference, nor does the way in which they are spread over files.
#[derive(Debug, Clone, Copy)]
pub(super) struct ColumnType {
    /// The shapes of the values: a bit for each [`Shape`] that occurred.
    shapes: u16,
    /// The types that all values can be read as: a bit for each [`Reading`].
    readings: u16,
}

/// The pattern that a value matches: those of arrow-csv in its order, and `Text` for a value that
/// matches none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Boolean,
    Integer,
    Float,
    Date,
    TimestampSecond,
    TimestampMillisecond,
    TimestampMicrosecond,
    TimestampNanosecond,
    Text,
}

/// A type that a value can be read as without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Boolean,
    Int64,
    UInt64,
    Decimal128,
    Decimal256,
    Float64,
    Date32,
    /// In seconds, milliseconds or microseconds, which hold every year of four digits.
    Timestamp,
    /// In nanoseconds, which hold the years from 1677 to 2262.
    TimestampNanosecond,
    /// A timestamp in a type without a zone.
    Local,
    /// A timestamp in a type with a zone.
    Zoned,
}

impl Shape {
    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl Reading {
    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

const INTEGER: u16 = Shape::Integer.bit();
const NUMBER: u16 = Shape::Integer.bit() | Shape::Float.bit();
const TIMESTAMP: u16 = Shape::TimestampSecond.bit()
    | Shape::TimestampMillisecond.bit()
    | Shape::TimestampMicrosecond.bit()
    | Shape::TimestampNanosecond.bit();
const TEMPORAL: u16 = Shape::Date.bit() | TIMESTAMP;

impl Default for ColumnType {
    fn default() -> Self {
        ColumnType { shapes: 0, readings: u16::MAX }
    }
}

impl ColumnType {
    /// Takes note of a value that is not NULL.
    pub(super) fn observe(&mut self, value: &[u8], leading_zeros: LeadingZeros) {
        if self.shapes & Shape::Text.bit() != 0 {
            return;
        }
        let (shape, readings) = match str::from_utf8(value) {
            Ok(text) => {
                let shape = Shape::of(value, leading_zeros);
                (shape, readings(shape, text))
            }
            Err(_) => (Shape::Text, 0),
        };
        self.shapes |= shape.bit();
        self.readings &= readings;
    }

    /// Takes note of a value that is text.
    pub(super) fn observe_text(&mut self) {
        self.shapes |= Shape::Text.bit();
        self.readings = 0;
    }

    /// The type, with `string` for text.
    pub(super) fn data_type(&self, string: &DataType) -> DataType {
        if self.shapes == 0 {
            return DataType::Null;
        }
        let only = |shapes: u16| self.shapes & !shapes == 0;
        let candidates: &[(Reading, DataType)] = if only(Shape::Boolean.bit()) {
            &[(Reading::Boolean, DataType::Boolean)]
        } else if only(INTEGER) {
            &[
                (Reading::Int64, DataType::Int64),
                (Reading::UInt64, DataType::UInt64),
                (Reading::Decimal128, DataType::Decimal128(MAX_DIGITS_128 as u8, 0)),
                (Reading::Decimal256, DataType::Decimal256(MAX_DIGITS_256 as u8, 0)),
            ]
        } else if only(NUMBER) {
            &[(Reading::Float64, DataType::Float64)]
        } else if only(Shape::Date.bit()) {
            &[(Reading::Date32, DataType::Date32)]
        } else if only(TEMPORAL) {
            &[self.timestamp()]
        } else {
            &[]
        };
        candidates
            .iter()
            .find(|(reading, _)| self.readings & reading.bit() != 0)
            .map_or_else(|| string.clone(), |(_, data_type)| data_type.clone())
    }

    /// The finest timestamp that occurred, with a zone if all values have one.
    fn timestamp(&self) -> (Reading, DataType) {
        let has = |shape: Shape| self.shapes & shape.bit() != 0;
        let (reading, unit) = if has(Shape::TimestampNanosecond) {
            (Reading::TimestampNanosecond, TimeUnit::Nanosecond)
        } else if has(Shape::TimestampMicrosecond) {
            (Reading::Timestamp, TimeUnit::Microsecond)
        } else if has(Shape::TimestampMillisecond) {
            (Reading::Timestamp, TimeUnit::Millisecond)
        } else {
            (Reading::Timestamp, TimeUnit::Second)
        };
        let can_be = |reading: Reading| self.readings & reading.bit() != 0;
        match (can_be(Reading::Local), can_be(Reading::Zoned)) {
            (true, _) => (reading, DataType::Timestamp(unit, None)),
            (false, true) => (reading, DataType::Timestamp(unit, Some(UTC.into()))),
            (false, false) => (Reading::Local, DataType::Timestamp(unit, None)),
        }
    }
}

/// The types that a value of a shape can be read as: those types of the shape whose parser in Arrow
/// accepts the value, and that hold it exactly.
fn readings(shape: Shape, text: &str) -> u16 {
    let if_read = |reading: Reading, is_read: bool| if is_read { reading.bit() } else { 0 };
    match shape {
        Shape::Boolean => Reading::Boolean.bit(),
        Shape::Integer => {
            let is_int64 = Int64Type::parse(text).is_some();
            let is_negative = text.starts_with('-');
            // Digits are counted here, because Arrow's decimal parser overflows its own count at
            // 256.
            let digits = text.trim_start_matches('-').trim_start_matches('0').len();
            if_read(Reading::Int64, is_int64)
                | if_read(Reading::UInt64, !is_negative && UInt64Type::parse(text).is_some())
                | if_read(Reading::Decimal128, digits <= MAX_DIGITS_128)
                | if_read(Reading::Decimal256, digits <= MAX_DIGITS_256)
                | if_read(Reading::Float64, is_int64 && is_held_as_f64(text.as_bytes()))
        }
        Shape::Float => {
            let is_written_as_infinite = !text.bytes().any(|byte| byte.is_ascii_digit());
            let is_read = |number: f64| number.is_finite() || is_written_as_infinite;
            let is_held = is_held_as_f64(text.as_bytes());
            if_read(Reading::Float64, is_held && Float64Type::parse(text).is_some_and(is_read))
        }
        Shape::Date
        | Shape::TimestampSecond
        | Shape::TimestampMillisecond
        | Shape::TimestampMicrosecond
        | Shape::TimestampNanosecond => {
            // No type has the second 60. The clock stands after the date, and ends before byte 19.
            let is_leap_second = text.as_bytes().get(17..19) == Some(b"60");
            let has_zone = has_zone(text.as_bytes());
            if_read(Reading::Date32, shape == Shape::Date && Date32Type::parse(text).is_some())
                | if_read(Reading::Local, !has_zone)
                | if_read(Reading::Zoned, has_zone)
                // The parser of Date64 is the only one of a date and time without the bounds of
                // nanoseconds.
                | if_read(Reading::Timestamp, !is_leap_second && Date64Type::parse(text).is_some())
                | if_read(
                    Reading::TimestampNanosecond,
                    !is_leap_second && TimestampNanosecondType::parse(text).is_some(),
                )
        }
        Shape::Text => 0,
    }
}

impl Shape {
    /// The shape by arrow-csv's `REGEX_SET` and the additions of `InferredDataType::update`, in
    /// ASCII. Infinity has more spellings than there. Numbers that are labels are text: see
    /// [`has_zero_or_plus_before`] and [`has_exponent_of_label`].
    ///
    /// | shape | pattern |
    /// |---|---|
    /// | `Boolean` | `true` or `false`, in any case |
    /// | `Integer` | `-?\d+` |
    /// | `Float` | `-?(\d*\.\d+\|\d+\.\d*)([eE][-+]?\d+)?`, `-?\d+[eE][-+]?\d+`, `NaN`, `nan`, `NAN`, `-?(inf\|infinity)` in any case |
    /// | `Date` | `\d{4}-\d\d-\d\d` |
    /// | `Timestamp…` | a date, `T` or a space, `\d\d:\d\d:\d\d`, a fraction of 0, 1–3, 4–6 or 7–9 digits, then nothing, or what does not go on with it: a time zone |
    fn of(value: &[u8], leading_zeros: LeadingZeros) -> Self {
        if value.eq_ignore_ascii_case(b"true") || value.eq_ignore_ascii_case(b"false") {
            Shape::Boolean
        } else {
            number(value, leading_zeros).or_else(|| temporal(value)).unwrap_or(Shape::Text)
        }
    }
}

fn number(value: &[u8], leading_zeros: LeadingZeros) -> Option<Shape> {
    let unsigned = value.strip_prefix(b"-").unwrap_or(value);
    let is_infinite = unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity");
    if is_infinite || matches!(value, b"NaN" | b"nan" | b"NAN") {
        return Some(Shape::Float);
    }
    if leading_zeros == LeadingZeros::Text && has_zero_or_plus_before(value) {
        return None;
    }
    let (whole, rest) = digits(unsigned);
    let (fraction, rest, has_point) = match rest.strip_prefix(b".") {
        Some(rest) => {
            let (fraction, rest) = digits(rest);
            (fraction, rest, true)
        }
        None => (0, rest, false),
    };
    if whole + fraction == 0 {
        return None;
    }
    match rest {
        [] if has_point => Some(Shape::Float),
        [] => Some(Shape::Integer),
        [b'e' | b'E', exponent @ ..] => {
            let exponent = exponent.strip_prefix(b"-").or(exponent.strip_prefix(b"+")).unwrap_or(exponent);
            (matches!(digits(exponent), (1.., [])) && !has_exponent_of_label(value)).then_some(Shape::Float)
        }
        _ => None,
    }
}

fn temporal(value: &[u8]) -> Option<Shape> {
    let rest = pattern(value, b"0000-00-00")?;
    let rest = match rest {
        [] => return Some(Shape::Date),
        // No pattern of arrow-csv matches across a newline.
        rest if rest.contains(&b'\n') => return None,
        [b'T' | b' ', rest @ ..] => pattern(rest, b"00:00:00")?,
        _ => return None,
    };
    let Some(rest) = rest.strip_prefix(b".") else {
        return (!rest.first().is_some_and(u8::is_ascii_digit)).then_some(Shape::TimestampSecond);
    };
    match digits(rest).0 {
        1..=3 => Some(Shape::TimestampMillisecond),
        4..=6 => Some(Shape::TimestampMicrosecond),
        7..=9 => Some(Shape::TimestampNanosecond),
        _ => None,
    }
}

/// Whether a timestamp goes on after its fraction.
fn has_zone(timestamp: &[u8]) -> bool {
    let rest = timestamp.get(19..).unwrap_or_default();
    let rest = rest.strip_prefix(b".").map_or(rest, |rest| digits(rest).1);
    !rest.is_empty()
}

/// The number of digits that `value` starts with, and the bytes after them.
fn digits(value: &[u8]) -> (usize, &[u8]) {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits, &value[digits..])
}

/// The bytes after the pattern, if `value` starts with it. A `0` in the pattern matches any digit,
/// and every other byte matches itself.
fn pattern<'a>(value: &'a [u8], pattern: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = value.split_at_checked(pattern.len())?;
    head.iter()
        .zip(pattern)
        .all(|(byte, expected)| match expected {
            b'0' => byte.is_ascii_digit(),
            expected => byte == expected,
        })
        .then_some(rest)
}

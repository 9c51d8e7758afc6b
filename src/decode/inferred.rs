//! [`Inferred`]: the mark of a column whose type was inferred, and the numbers that such a column
//! refuses.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema};

/// The key of the mark in the metadata of a field.
const KEY: &str = "csv_stream.inferred";

/// Whether a zero before another digit makes a number a label, like the postal code `02139`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LeadingZeros {
    /// It is text, because a number would lose the zero.
    #[default]
    Text,
    /// It is a number, as DataFusion infers.
    Number,
}

/// The mark of a column whose type was inferred from a sample.
///
/// The user has not chosen this type. So values after the sample have to be as exact in it as those
/// of the sample are. These are errors in a marked column, unless
/// [`LossyValues::Round`](super::LossyValues::Round) is set:
///
/// * a number in a floating-point column whose whole part the type can't hold, such as
///   `9007199254740993`;
/// * a number that is a label: with a leading zero or a plus, such as `02139` and `+49`, if
///   [`LeadingZeros::Text`] is set, or with an exponent that no program writes, such as `32E0134`;
/// * a timestamp without a zone in a column with one.
///
/// The mark is an entry in the metadata of the Arrow field. So it goes wherever the schema goes:
/// through projections, plans, and their serialized form. A program that doesn't want to show it
/// removes it from the schema, and hands it to the decoder by itself:
///
/// ```
/// use datafusion_csv_stream::decode::{DecodeOptions, Inferred};
/// use datafusion_csv_stream::{DecoderBuilder, Dialect, infer};
///
/// let marked = infer::read_schema(&mut &b"zip\n12345\n"[..], &Dialect::default())?;
/// let marks: Vec<_> = marked.fields().iter().map(|field| Inferred::of(field)).collect();
/// let options = DecodeOptions::default().with_inferred_columns(Some(marks.into()));
/// let decoder = DecoderBuilder::new(Inferred::unmarked(&marked).into()).with_decode_options(options);
/// assert!(decoder.build()?.push(b"zip\n02139\n").is_err());
/// # Ok::<(), datafusion_csv_stream::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inferred {
    /// The rule for leading zeros that the type was inferred with.
    pub leading_zeros: LeadingZeros,
}

impl Inferred {
    /// Marks a field. A type that needs no mark, because no value of it can lose more than it loses
    /// in a declared column, is left as it is.
    #[must_use]
    pub fn mark(self, field: Field) -> Field {
        if !needs_mark(field.data_type()) {
            return field;
        }
        let rule = match self.leading_zeros {
            LeadingZeros::Text => "leading_zeros=text",
            LeadingZeros::Number => "leading_zeros=number",
        };
        let mut metadata = field.metadata().clone();
        metadata.insert(KEY.to_owned(), rule.to_owned());
        field.with_metadata(metadata)
    }

    /// The mark of a field, if it has one.
    pub fn of(field: &Field) -> Option<Self> {
        Self::in_metadata(field.metadata())
    }

    /// The schema without marks.
    pub fn unmarked(schema: &Schema) -> Schema {
        let unmarked = |field: &FieldRef| match Inferred::of(field) {
            None => Arc::clone(field),
            Some(_) => {
                let mut metadata = field.metadata().clone();
                metadata.remove(KEY);
                Arc::new(field.as_ref().clone().with_metadata(metadata))
            }
        };
        let fields: Vec<_> = schema.fields().iter().map(unmarked).collect();
        Schema::new_with_metadata(fields, schema.metadata().clone())
    }

    fn in_metadata(metadata: &HashMap<String, String>) -> Option<Self> {
        let leading_zeros = match metadata.get(KEY)?.as_str() {
            "leading_zeros=number" => LeadingZeros::Number,
            _ => LeadingZeros::Text,
        };
        Some(Inferred { leading_zeros })
    }

    /// Whether a number with a leading zero is refused.
    pub(super) fn refuses_leading_zeros(self) -> bool {
        self.leading_zeros == LeadingZeros::Text
    }
}

fn needs_mark(data_type: &DataType) -> bool {
    data_type.is_numeric() || matches!(data_type, DataType::Timestamp(_, Some(_)))
}

/// Whether a number starts with a plus, or has a zero before another digit ahead of its point. A
/// phone number or a postal code does. Whitespace, and for a zero a minus, may stand before it.
pub(crate) fn has_zero_or_plus_before(number: &[u8]) -> bool {
    number.trim_ascii_start().first() == Some(&b'+') || matches!(unsigned(number), [b'0', b'0'..=b'9', ..])
}

/// Whether a number has an exponent that no program writes for a number, so that it is rather a
/// label: one of more than three digits (`1E0134`), or one with a leading zero and no sign
/// (`32E05`). Programs do write `1e-05`, `1.5E+005`, `1e5` and `0e0`.
pub(crate) fn has_exponent_of_label(number: &[u8]) -> bool {
    let number = number.trim_ascii_end();
    let Some(e) = number.iter().position(|byte| matches!(byte, b'e' | b'E')) else {
        return false;
    };
    match &number[e + 1..] {
        [b'+' | b'-', digits @ ..] => digits.len() > 3,
        digits => digits.len() > 3 || matches!(digits, [b'0', _, ..]),
    }
}

/// Whether a 64-bit floating-point number holds the whole part of a number exactly: all up to 2^53,
/// and some larger ones that have no fraction. The digits of a fraction are rounded, for that is
/// what such a type means. A number with an exponent is held, because only programs that have such
/// a type write one.
pub(crate) fn is_held_as_f64(number: &[u8]) -> bool {
    let number = unsigned(number).trim_ascii_end();
    let (whole, fraction) = match number.iter().position(|&byte| byte == b'.') {
        Some(point) => (&number[..point], &number[point + 1..]),
        None => (number, &[][..]),
    };
    if whole.is_empty() || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return true;
    }
    // An integer that 128 bits can't hold is taken for one that is not held.
    let Some(whole) = str::from_utf8(whole).ok().and_then(|digits| digits.parse::<u128>().ok()) else {
        return false;
    };
    let is_rounded = fraction.iter().any(|&digit| digit != b'0');
    whole <= 1 << 53 || !is_rounded && whole >> whole.trailing_zeros() < 1 << 53
}

fn unsigned(number: &[u8]) -> &[u8] {
    match number.trim_ascii_start() {
        [b'-' | b'+', unsigned @ ..] | unsigned => unsigned,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_again_and_stands_only_where_it_matters() {
        for leading_zeros in [LeadingZeros::Text, LeadingZeros::Number] {
            let mark = Inferred { leading_zeros };
            let field = Field::new("a", DataType::Int64, true);
            assert_eq!(Inferred::of(&field), None);
            let other = HashMap::from([("other".to_owned(), "x".to_owned())]);
            let field = field.with_metadata(other);
            let marked = mark.mark(field.clone());
            assert_eq!(Inferred::of(&marked), Some(mark));
            assert_eq!(Inferred::unmarked(&Schema::new(vec![marked])), Schema::new(vec![field]));
            assert_eq!(Inferred::of(&mark.mark(Field::new("a", DataType::Utf8, true))), None);
        }
    }

    #[test]
    fn labels_and_numbers() {
        for label in ["007", "-007", "00", "+00.5", "+5", "+nan", " 02139", "0047583311587E590003"] {
            assert!(has_zero_or_plus_before(label.as_bytes()), "{label}");
        }
        for number in ["0", "-0", "0.5", "-0.05", ".05", "10", "0e5", "inf", ""] {
            assert!(!has_zero_or_plus_before(number.as_bytes()), "{number}");
        }
        for label in ["32E0134", "1e0005", "1e+0005", "32E05", "1.5e00", "1e1000"] {
            assert!(has_exponent_of_label(label.as_bytes()), "{label}");
        }
        for number in ["1e5", "1E0", "1e-05", "1.5E+005", "1.5e-300", "12", "1.5", "1e5 "] {
            assert!(!has_exponent_of_label(number.as_bytes()), "{number}");
        }
        for (integer, is_held) in [
            ("9007199254740992", true),
            ("-9007199254740992", true),
            ("9007199254740993", false),
            ("-9007199254740993", false),
            ("9007199254740994", true),
            ("10000000000000000000000", true),
            ("100000000000000000000000", false),
            ("340282366920938463463374607431768211455", false),
            ("170141183460469231731687303715884105728", true),
            ("340282366920938463463374607431768211456", false),
            ("9007199254740993.0", false),
            ("9007199254740994.00", true),
            ("9007199254740994.5", false),
            ("9007199254740991.5", true),
            ("12345678901234567.89", false),
            ("0.12345678901234567890", true),
            ("9007199254740993e0", true),
            (".5", true),
            ("inf", true),
            ("", true),
        ] {
            assert_eq!(is_held_as_f64(integer.as_bytes()), is_held, "{integer}");
        }
    }
}

//! Decimals.

use std::fmt;
use std::marker::PhantomData;

use arrow::compute::kernels::cast_utils::parse_decimal;
use arrow::datatypes::{ArrowPrimitiveType, Decimal256Type, DecimalType, i256};

use super::digits::{MAX_DIGITS, POW10, digits};
use super::fields::Text;
use super::primitive::Parse;

/// Longer numbers are shortened before Arrow's parser sees them: it counts digits in a `u8`, and adds up to 76 to them.
const MAX_ARROW_LEN: usize = 150;

/// Longer numbers with an exponent are refused, so that no count of theirs exceeds the `i16` that Arrow's parser uses.
const MAX_EXPONENT_LEN: usize = 10_000;

/// The largest exponent that is accepted, for the same reason.
const MAX_EXPONENT: i64 = 9_999;

/// The digits of the largest power of ten in an [`i256`].
const MAX_DIGITS_256: usize = 76;

/// Reads decimals of one precision and scale: digits, with a sign, a point, an exponent or none of them. Digits beyond
/// the scale are cut off, as in `arrow-csv`.
pub(super) struct Decimal<T> {
    precision: u8,
    scale: i8,
    /// Ten to the power of the precision, as far as that fits.
    limit: u128,
    decimal_type: PhantomData<fn() -> T>,
}

/// What a decimal is stored as.
pub(super) trait Unscaled: Sized {
    /// The same number, which a check of the precision has found to fit.
    fn from_i128(number: i128) -> Self;

    /// The same number, if it fits.
    fn from_i256(number: i256) -> Option<Self>;
}

impl<T: DecimalType> Decimal<T> {
    /// Precision and scale are legal ones.
    pub(super) fn new(precision: u8, scale: i8) -> Self {
        let limit = 10u128.checked_pow(u32::from(precision)).unwrap_or(u128::MAX);
        Decimal { precision, scale, limit, decimal_type: PhantomData }
    }
}

impl<T: DecimalType> fmt::Debug for Decimal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({}, {})", self.precision, self.scale)
    }
}

impl<T> Parse for Decimal<T>
where
    T: DecimalType + ArrowPrimitiveType,
    T::Native: Unscaled,
{
    type Type = T;

    #[inline]
    fn parse(&self, text: Text<'_>) -> Option<T::Native> {
        match self.common(text) {
            Some(number) => Some(T::Native::from_i128(number)),
            None => self.any(text.as_str()?),
        }
    }

    fn reason(&self, value: &[u8]) -> String {
        let is_number = value.iter().any(u8::is_ascii_digit)
            && value.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
            && value.iter().filter(|&&byte| byte == b'.').count() <= 1;
        match is_number {
            true => format!(
                "more than {} digits before the decimal point, or not a decimal",
                i16::from(self.precision) - i16::from(self.scale)
            ),
            false => "not a decimal".to_owned(),
        }
    }
}

impl<T> Decimal<T>
where
    T: DecimalType,
    T::Native: Unscaled,
{
    /// A minus or none, and up to 18 digits with at most `scale` of them behind a point.
    #[inline]
    fn common(&self, text: Text<'_>) -> Option<i128> {
        let scale = usize::try_from(self.scale).ok()?;
        let bytes = text.bytes();
        let is_negative = bytes[0] == b'-';
        let at = usize::from(is_negative);
        let n = bytes.len() - at;
        // Most columns write all of the scale's digits.
        let whole = match n.checked_sub(scale + 1) {
            Some(whole) if bytes[at + whole] == b'.' => whole,
            _ => bytes[at..].iter().position(|&byte| byte == b'.').unwrap_or(n),
        };
        let fraction = (n - whole).saturating_sub(1);
        let missing = scale.checked_sub(fraction)?;
        if whole + fraction == 0 || whole + fraction > MAX_DIGITS || missing >= POW10.len() {
            return None;
        }
        let number = digits(text, at, whole)? * POW10[fraction] + digits(text, at + whole + 1, fraction)?;
        let number = u128::from(number) * u128::from(POW10[missing]);
        if number >= self.limit {
            return None;
        }
        let number = number as i128;
        Some(if is_negative { -number } else { number })
    }

    /// Any decimal that Arrow's parser reads right.
    fn any(&self, value: &str) -> Option<T::Native> {
        match value.bytes().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) => self.with_exponent(value, at),
            None if self.scale >= 0 && value.len() <= MAX_ARROW_LEN => {
                parse_decimal::<T>(value, self.precision, self.scale).ok()
            }
            None => self.shortened(value),
        }
    }

    /// A number without exponent, without the digits that don't count: leading zeros, and those beyond the scale.
    fn shortened(&self, value: &str) -> Option<T::Native> {
        let sign = &value[..usize::from(value.starts_with(['-', '+']))];
        let (whole, fraction) = value[sign.len()..].split_once('.').unwrap_or((&value[sign.len()..], ""));
        let all_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        if whole.len() > MAX_DIGITS_256 + 1 {
            return None;
        }
        match usize::try_from(self.scale) {
            Ok(scale) => {
                let fraction = &fraction[..fraction.len().min(scale)];
                parse_decimal::<T>(&format!("{sign}0{whole}.{fraction}"), self.precision, self.scale).ok()
            }
            // Arrow's parser heeds a negative scale only where there is an exponent.
            Err(_) => self.with_exponent(&format!("{sign}0{whole}e0"), sign.len() + 1 + whole.len()),
        }
    }

    /// A number with an exponent, whose `e` is at `at`: in 256 bits, after a check that they are enough.
    fn with_exponent(&self, value: &str, at: usize) -> Option<T::Native> {
        if value.len() > MAX_EXPONENT_LEN || !value.ends_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (mantissa, exponent) = (&value.as_bytes()[..at], &value.as_bytes()[at + 1..]);
        let mut number = i256::ZERO;
        for byte in mantissa.iter().filter(|byte| byte.is_ascii_digit()) {
            number = number.checked_mul(i256::from(10))?.checked_add(i256::from(i64::from(byte - b'0')))?;
        }
        let point = mantissa.iter().position(|&byte| byte == b'.');
        let fraction = point.map_or(0, |point| mantissa.len() - point - 1) as i64;
        if self.scale < 0 && fraction > MAX_DIGITS_256 as i64 {
            return None;
        }
        let magnitude = exponent.iter().filter(|byte| byte.is_ascii_digit()).try_fold(0, |sum, byte| {
            let sum = sum * 10 + i64::from(byte - b'0');
            (sum <= MAX_EXPONENT).then_some(sum)
        })?;
        let power = if exponent.contains(&b'-') { -magnitude } else { magnitude };
        if fraction - power - i64::from(self.scale) > MAX_DIGITS_256 as i64 {
            // All digits lie behind the last one that counts. Arrow would divide by a power of ten that has wrapped.
            return (is_mantissa(mantissa) && is_exponent(exponent)).then(|| T::Native::from_i128(0));
        }
        T::Native::from_i256(parse_decimal::<Decimal256Type>(value, self.precision, self.scale).ok()?)
    }
}

/// Whether this is a number: digits, with a sign, a point or neither.
fn is_mantissa(mantissa: &[u8]) -> bool {
    let unsigned = mantissa.strip_prefix(b"-").or(mantissa.strip_prefix(b"+")).unwrap_or(mantissa);
    unsigned.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
        && unsigned.iter().filter(|&&byte| byte == b'.').count() <= 1
}

/// Whether Arrow's parser takes this for an exponent: digits and at most one sign, which it lets stand anywhere.
fn is_exponent(exponent: &[u8]) -> bool {
    exponent.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-'))
        && exponent.iter().filter(|byte| !byte.is_ascii_digit()).count() <= 1
}

macro_rules! unscaled {
    ($($native:ty),*) => {$(
        impl Unscaled for $native {
            #[inline]
            fn from_i128(number: i128) -> Self {
                number as $native
            }

            fn from_i256(number: i256) -> Option<Self> {
                number.to_i128()?.try_into().ok()
            }
        }
    )*};
}

unscaled!(i32, i64, i128);

impl Unscaled for i256 {
    #[inline]
    fn from_i128(number: i128) -> Self {
        i256::from_i128(number)
    }

    fn from_i256(number: i256) -> Option<Self> {
        Some(number)
    }
}

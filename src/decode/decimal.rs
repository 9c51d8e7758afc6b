//! Decimals.

use std::fmt;
use std::marker::PhantomData;

use arrow::datatypes::{ArrowPrimitiveType, DECIMAL256_MAX_PRECISION, DecimalType, i256};

use super::digits::{MAX_DIGITS, POW10, digits, eight, sixteen};
use super::fields::Text;
use super::fixed::Fixed;
use super::inferred::{has_exponent_of_label, has_zero_or_plus_before};
use super::lanes::{LANES, Lanes, right};
use super::loss::{Exactness, Loss};
use super::primitive::Parse;

/// The most digits that fit an `i128`.
const MAX_DIGITS_128: usize = 38;

/// Larger exponents count as this one. No value in memory has enough digits to make up for it.
const MAX_EXPONENT: i64 = 1 << 48;

/// Reads decimals of one precision and scale: digits with an optional sign, point and exponent.
/// Digits past the scale are refused unless they are zeros, or cut off as in `arrow-csv`.
pub(super) struct Decimal<T> {
    precision: u8,
    scale: i8,
    /// Ten to the power of the precision, or the largest `u128` if that doesn't fit.
    limit: u128,
    limit_64: u64,
    /// The distance of the point from the end of a number that has all digits of the scale. It is
    /// `usize::MAX` if the scale has no digits.
    point: usize,
    exactness: Exactness,
    decimal_type: PhantomData<fn() -> T>,
}

/// The integer that a decimal is stored as.
pub(super) trait Unscaled: Sized {
    /// The same number. It fits, because the caller has checked it against the precision.
    fn from_i128(number: i128) -> Self;

    /// The same number, if it fits.
    fn from_i256(number: i256) -> Option<Self>;
}

impl<T: DecimalType> Decimal<T> {
    /// Precision and scale must be valid for the type.
    pub(super) fn new(precision: u8, scale: i8, exactness: Exactness) -> Self {
        let limit = 10u128.checked_pow(u32::from(precision)).unwrap_or(u128::MAX);
        let limit_64 = u64::try_from(limit).unwrap_or(u64::MAX);
        // No number is that long, so `full` reads none.
        let point = if scale > 0 { scale as usize + 1 } else { usize::MAX };
        Decimal { precision, scale, limit, limit_64, point, exactness, decimal_type: PhantomData }
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

    const BY_LANES: bool = true;

    #[inline(always)]
    fn parse_lanes(&self, lanes: &Lanes, count: usize, values: &mut [T::Native; LANES]) -> u64 {
        let mut decimals = Fixed::decimals(lanes, count);
        // `any` decides about digits past the scale.
        let Some(missing) =
            usize::try_from(self.scale).ok().and_then(|scale| scale.checked_sub(decimals.fraction))
        else {
            return 0;
        };
        if self.exactness.refuses_leading_zeros() {
            decimals.refuse_leading_zeros(lanes);
        }
        let limit = self.limit_64.min(i64::MAX as u64);
        let Some(limit) = limit.checked_div(POW10.get(missing).copied().unwrap_or(0)) else {
            return 0;
        };
        for lane in 0..LANES {
            decimals.wrong[lane] |= u64::from(decimals.magnitude[lane] >= limit);
        }
        if missing > 0 {
            for magnitude in &mut decimals.magnitude {
                *magnitude = magnitude.wrapping_mul(POW10[missing]);
            }
        }
        for (lane, value) in values.iter_mut().enumerate() {
            *value = T::Native::from_i128(i128::from(decimals.signed(lane)));
        }
        right(&decimals.wrong, count)
    }

    #[inline]
    fn parse(&self, text: Text<'_>) -> Option<T::Native> {
        if self.exactness.refuses_leading_zeros() && has_zero_or_plus_before(text.bytes()) {
            return None;
        }
        match self.full(text) {
            Some(number) => Some(T::Native::from_i128(i128::from(number))),
            None => self.other(text),
        }
    }

    fn loss(&self, value: &[u8]) -> Option<Loss> {
        if !self.exactness.is_exact() || self.any(value, Exactness::Round).is_none() {
            return None;
        }
        if self.exactness.refuses_leading_zeros() && has_zero_or_plus_before(value) {
            return Some(Loss::leading_zero());
        }
        if self.is_label(value) {
            return Some(Loss::label());
        }
        let scale = Number::parse(value)?.scale().max(0);
        let precision = scale + i64::from(self.precision) - i64::from(self.scale);
        let sql_type = match precision <= i64::from(DECIMAL256_MAX_PRECISION) {
            true => format!("DECIMAL({precision}, {scale})"),
            false => "VARCHAR".to_owned(),
        };
        Some(Loss::declare("the number has more digits than the scale", sql_type))
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
    /// Reads the form that most columns have throughout: an optional minus and at most 15 digits,
    /// exactly `scale` of them after a point.
    #[inline]
    fn full(&self, text: Text<'_>) -> Option<i64> {
        let is_negative = text.first() == b'-';
        let at = usize::from(is_negative);
        let n = text.len() - at;
        let point = n.checked_sub(self.point)?;
        let number = match n {
            // Without its point the number is one byte shorter.
            2..=8 => {
                let word = text.word(at);
                let behind = u64::MAX << (8 * point);
                if (word >> (8 * point)) as u8 != b'.' {
                    return None;
                }
                eight(word & !behind | (word >> 8) & behind, n - 1)?
            }
            9..=16 => {
                let double = text.double(at);
                let behind = u128::MAX << (8 * point);
                if (double >> (8 * point)) as u8 != b'.' {
                    return None;
                }
                sixteen(double & !behind | (double >> 8) & behind, n - 1)?
            }
            _ => return None,
        };
        if number >= self.limit_64 {
            return None;
        }
        Some(if is_negative { -(number as i64) } else { number as i64 })
    }

    /// Reads any other decimal.
    #[inline(never)]
    fn other(&self, text: Text<'_>) -> Option<T::Native> {
        match self.common(text) {
            Some(number) => Some(T::Native::from_i128(number)),
            None if self.is_label(text.bytes()) => None,
            None => self.any(text.bytes(), self.exactness),
        }
    }

    /// Whether a number in a column whose type was inferred has the exponent of a label.
    fn is_label(&self, value: &[u8]) -> bool {
        self.exactness.is_inferred() && has_exponent_of_label(value)
    }

    /// Reads an optional minus and up to 18 digits, at most `scale` of them after a point.
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

    /// Reads any decimal by moving its digits. So nothing overflows, whatever the number of digits
    /// and the exponent are.
    #[cold]
    fn any(&self, value: &[u8], exactness: Exactness) -> Option<T::Native> {
        let decimal = Number::parse(value)?;
        let digits = || decimal.digits();
        let count = digits().count();
        // The number of digits in the unscaled number.
        let kept = count as i64 - decimal.fraction.len() as i64 + decimal.power + i64::from(self.scale);
        if kept > i64::from(self.precision) && count > 0 {
            return None;
        }
        let kept = usize::try_from(kept).unwrap_or(0);
        if exactness.is_exact() && digits().skip(kept).any(|&digit| digit != b'0') {
            return None;
        }
        if count == 0 || kept == 0 {
            return Some(T::Native::from_i128(0));
        }
        let number = |from: usize, to: usize| {
            let padded = digits().chain(std::iter::repeat(&b'0'));
            let digits = padded.skip(from).take(to - from);
            let number = digits.fold(0, |number: i128, &digit| number * 10 + i128::from(digit - b'0'));
            if decimal.is_negative { -number } else { number }
        };
        if kept <= MAX_DIGITS_128 {
            return Some(T::Native::from_i128(number(0, kept)));
        }
        let shift = i256::from_i128(10i128.pow((kept - MAX_DIGITS_128) as u32));
        let high = i256::from_i128(number(0, MAX_DIGITS_128));
        T::Native::from_i256(
            high.wrapping_mul(shift).wrapping_add(i256::from_i128(number(MAX_DIGITS_128, kept))),
        )
    }
}

/// The parts of a number with an optional sign, point and exponent.
struct Number<'a> {
    is_negative: bool,
    /// The digits before the point.
    whole: &'a [u8],
    /// The digits after the point.
    fraction: &'a [u8],
    /// The power of ten that the digits are multiplied with.
    power: i64,
}

impl<'a> Number<'a> {
    fn parse(value: &'a [u8]) -> Option<Self> {
        let is_negative = value.first() == Some(&b'-');
        let unsigned = &value[usize::from(is_negative || value.first() == Some(&b'+'))..];
        let e = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E'));
        let (mantissa, power) = match e {
            Some(e) => (&unsigned[..e], exponent(&unsigned[e + 1..])?),
            None => (unsigned, 0),
        };
        let point = mantissa.iter().position(|&byte| byte == b'.');
        let whole = &mantissa[..point.unwrap_or(mantissa.len())];
        let fraction = point.map_or(&[][..], |point| &mantissa[point + 1..]);
        if !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
            return None;
        }
        // Arrow reads a sign and a point, without any digit, as zero.
        if whole.len() + fraction.len() == 0 && (e.is_some() || value.len() < 2 || point.is_none()) {
            return None;
        }
        Some(Number { is_negative, whole, fraction, power })
    }

    /// All digits, without zeros in front.
    fn digits(&self) -> impl Iterator<Item = &'a u8> {
        self.whole.iter().chain(self.fraction).skip_while(|&&digit| digit == b'0')
    }

    /// The smallest scale that loses no digit.
    fn scale(&self) -> i64 {
        let zeros = self.fraction.iter().rev().chain(self.whole.iter().rev());
        let zeros = zeros.take_while(|&&digit| digit == b'0').count();
        self.fraction.len() as i64 - self.power - zeros as i64
    }
}

/// The power of ten that an exponent stands for. As in Arrow, its sign may stand anywhere but at
/// the end.
fn exponent(exponent: &[u8]) -> Option<i64> {
    if !exponent.last()?.is_ascii_digit() {
        return None;
    }
    let (mut magnitude, mut sign) = (0, None);
    for &byte in exponent {
        match byte {
            b'0'..=b'9' => magnitude = (magnitude * 10 + i64::from(byte - b'0')).min(MAX_EXPONENT),
            b'-' | b'+' if sign.is_none() => sign = Some(byte),
            _ => return None,
        }
    }
    Some(if sign == Some(b'-') { -magnitude } else { magnitude })
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

//! Floating-point numbers.

use std::fmt;
use std::marker::PhantomData;

use arrow::array::ArrowPrimitiveType;
use arrow::compute::kernels::cast_utils::Parser;
use arrow::datatypes::{Float16Type, Float32Type, Float64Type};

use super::digits::{MAX_DIGITS, POW10, digits, sixteen};
use super::fields::Text;
use super::fixed::Fixed;
use super::inferred::{has_exponent_of_label, has_zero_or_plus_before, is_held_as_f64};
use super::lanes::{LANES, Lanes, right};
use super::loss::{Exactness, Loss};
use super::primitive::Parse;

/// Reads floating-point numbers, rounded to the nearest value. A number that is too large is
/// refused, or infinite as in `arrow-csv`.
pub(super) struct Float<T> {
    exactness: Exactness,
    float_type: PhantomData<fn() -> T>,
}

impl<T> Float<T> {
    pub(super) fn new(exactness: Exactness) -> Self {
        Float { exactness, float_type: PhantomData }
    }
}

impl<T: ArrowPrimitiveType> fmt::Debug for Float<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Float({})", T::DATA_TYPE)
    }
}

impl<T: FromRatio + Parser> Parse for Float<T> {
    type Type = T;

    const BY_LANES: bool = true;

    #[inline(always)]
    fn parse_lanes(&self, lanes: &Lanes, count: usize, values: &mut [T::Native; LANES]) -> u64 {
        let mut decimals = Fixed::decimals(lanes, count);
        for (lane, value) in values.iter_mut().enumerate() {
            let is_negative = decimals.negative[lane] != 0;
            match T::from_ratio(is_negative, decimals.magnitude[lane], decimals.fraction) {
                Some(ratio) => *value = ratio,
                None => decimals.wrong[lane] = 1,
            }
        }
        if self.exactness.refuses_leading_zeros() {
            decimals.refuse_leading_zeros(lanes);
        }
        right(&decimals.wrong, count)
    }

    #[inline]
    fn parse(&self, text: Text<'_>) -> Option<T::Native> {
        if self.exactness.is_inferred() && self.inferred_loss(text.bytes()).is_some() {
            return None;
        }
        if let Some((is_negative, digits, fraction)) = common(text)
            && let Some(value) = T::from_ratio(is_negative, digits, fraction)
        {
            return Some(value);
        }
        let value = T::parse(text.as_str()?)?;
        (!self.exactness.is_exact() || !overflows::<T>(text.bytes(), value)).then_some(value)
    }

    fn reason(&self, _: &[u8]) -> String {
        "not a number".to_owned()
    }

    fn loss(&self, value: &[u8]) -> Option<Loss> {
        let text = str::from_utf8(value).ok()?;
        let number = T::parse(text).filter(|_| self.exactness.is_exact())?;
        if overflows::<T>(value, number) {
            let is_double = Float64Type::parse(text).is_some_and(f64::is_finite);
            let sql_type = if is_double { "DOUBLE" } else { "VARCHAR" };
            return Some(Loss::declare("the number is too large, and would become infinite", sql_type));
        }
        self.inferred_loss(value)
    }
}

impl<T> Float<T> {
    /// The loss of a number in a column whose type was inferred, if any.
    fn inferred_loss(&self, value: &[u8]) -> Option<Loss> {
        if !self.exactness.is_inferred() {
            None
        } else if self.exactness.refuses_leading_zeros() && has_zero_or_plus_before(value) {
            Some(Loss::leading_zero())
        } else if has_exponent_of_label(value) {
            Some(Loss::label())
        } else if !is_held_as_f64(value) {
            Some(Loss::infer_more("a floating-point number can't hold the whole part of this one", "VARCHAR"))
        } else {
            None
        }
    }
}

/// Whether a number is written with digits, but has become infinite.
fn overflows<T: FromRatio>(text: &[u8], number: T::Native) -> bool {
    T::is_infinite(number) && text.iter().any(u8::is_ascii_digit)
}

/// A number with a decimal point as a fraction of integers.
///
/// If both are exact in the type, IEEE 754 makes their quotient the nearest value. A parser has to
/// find that value (Clinger, *How to read floating point numbers accurately*, 1990).
pub(super) trait FromRatio: ArrowPrimitiveType {
    /// `digits / 10^fraction`, if both are exact.
    fn from_ratio(is_negative: bool, digits: u64, fraction: usize) -> Option<Self::Native>;

    fn is_infinite(number: Self::Native) -> bool;
}

impl FromRatio for Float64Type {
    #[inline]
    fn from_ratio(is_negative: bool, digits: u64, fraction: usize) -> Option<f64> {
        // The largest exact power is 10^22, and `fraction` is at most 18.
        (digits <= 1 << 53).then(|| {
            let value = digits as f64 / POW10[fraction] as f64;
            if is_negative { -value } else { value }
        })
    }

    fn is_infinite(number: f64) -> bool {
        number.is_infinite()
    }
}

impl FromRatio for Float32Type {
    #[inline]
    fn from_ratio(is_negative: bool, digits: u64, fraction: usize) -> Option<f32> {
        (digits <= 1 << 24 && fraction <= 10).then(|| {
            let value = digits as f32 / POW10[fraction] as f32;
            if is_negative { -value } else { value }
        })
    }

    fn is_infinite(number: f32) -> bool {
        number.is_infinite()
    }
}

impl FromRatio for Float16Type {
    /// Always `None`. Arrow's [`Parser`] rounds twice, to 32 and then to 16 bits, and a quotient
    /// would not.
    fn from_ratio(_: bool, _: u64, _: usize) -> Option<Self::Native> {
        None
    }

    fn is_infinite(number: Self::Native) -> bool {
        number.is_infinite()
    }
}

/// Reads the lowest `n` bytes, 2 to 16, as digits with an optional point among them. Returns the
/// number that all digits make, and how many of them follow the point.
#[inline]
fn short(bytes: u128, n: usize) -> Option<(u64, usize)> {
    const EACH: u128 = u128::from_le_bytes([1; 16]);
    let others = bytes ^ (EACH * b'.' as u128);
    // The lowest set bit belongs to the first byte of `others` that is zero: the point.
    let points = others.wrapping_sub(EACH) & !others & (EACH << 7);
    let whole = n.min(points.trailing_zeros() as usize / 8);
    if whole == n {
        return Some((sixteen(bytes, n)?, 0));
    }
    let fraction = n - whole - 1;
    if whole == 0 || fraction == 0 {
        return None;
    }
    let behind = u128::MAX << (8 * whole);
    Some((sixteen(bytes & !behind | (bytes >> 8) & behind, n - 1)?, fraction))
}

/// Reads an optional minus, digits, and an optional point with more digits. Returns whether there
/// is a minus, the number that all digits make, and how many of them follow the point.
#[inline]
fn common(text: Text<'_>) -> Option<(bool, u64, usize)> {
    let is_negative = text.first() == b'-';
    let at = usize::from(is_negative);
    if let n @ 2..=16 = text.len() - at {
        let (number, fraction) = short(text.double(at), n)?;
        return Some((is_negative, number, fraction));
    }
    let unsigned = &text.bytes()[at..];
    let whole = unsigned.iter().position(|&byte| byte == b'.').unwrap_or(unsigned.len());
    let fraction = match unsigned.len() - whole {
        0 => 0,
        with_point => with_point - 1,
    };
    let has_bare_point = fraction == 0 && whole != unsigned.len();
    if whole == 0 || has_bare_point || whole + fraction > MAX_DIGITS {
        return None;
    }
    let number = digits(text, at, whole)? * POW10[fraction] + digits(text, at + whole + 1, fraction)?;
    Some((is_negative, number, fraction))
}

//! Integers, and durations, which are written as integers.

use std::fmt;
use std::marker::PhantomData;

use arrow::array::ArrowPrimitiveType;
use arrow::compute::kernels::cast_utils::Parser;

use super::digits::{MAX_DIGITS, digits, eight, sixteen};
use super::fields::Text;
use super::fixed::Fixed;
use super::inferred::has_zero_or_plus_before;
use super::lanes::{LANES, Lanes, right};
use super::loss::{Exactness, Loss};
use super::primitive::Parse;

/// Reads integers: an optional sign and digits, with optional ASCII whitespace around them.
pub(super) struct Integer<T> {
    refuses_leading_zeros: bool,
    integer_type: PhantomData<fn() -> T>,
}

impl<T> Integer<T> {
    pub(super) fn new(exactness: Exactness) -> Self {
        Integer { refuses_leading_zeros: exactness.refuses_leading_zeros(), integer_type: PhantomData }
    }
}

impl<T: ArrowPrimitiveType> fmt::Debug for Integer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Integer({})", T::DATA_TYPE)
    }
}

impl<T> Parse for Integer<T>
where
    T: ArrowPrimitiveType + Parser,
    T::Native: TryFrom<i64>,
{
    type Type = T;

    const BY_LANES: bool = true;

    #[inline(always)]
    fn parse_lanes(&self, lanes: &Lanes, count: usize, values: &mut [T::Native; LANES]) -> u64 {
        let mut integers = Fixed::integers(lanes);
        if self.refuses_leading_zeros {
            integers.refuse_leading_zeros(lanes);
        }
        for (lane, value) in values.iter_mut().enumerate() {
            match T::Native::try_from(integers.signed(lane)) {
                Ok(integer) => *value = integer,
                Err(_) => integers.wrong[lane] = 1,
            }
        }
        right(&integers.wrong, count)
    }

    #[inline]
    fn parse(&self, text: Text<'_>) -> Option<T::Native> {
        if self.refuses_leading_zeros && has_zero_or_plus_before(text.bytes()) {
            return None;
        }
        if let Some(value) = common(text) {
            return T::Native::try_from(value).ok();
        }
        T::parse(text.as_str()?)
    }

    fn reason(&self, value: &[u8]) -> String {
        let value = value.trim_ascii();
        let unsigned = value.strip_prefix(b"-").or(value.strip_prefix(b"+")).unwrap_or(value);
        match !unsigned.is_empty() && unsigned.iter().all(u8::is_ascii_digit) {
            true => format!("out of range for {}", T::DATA_TYPE),
            false => "not an integer".to_owned(),
        }
    }

    fn loss(&self, value: &[u8]) -> Option<Loss> {
        let is_lost = self.refuses_leading_zeros && has_zero_or_plus_before(value);
        (is_lost && T::parse(str::from_utf8(value).ok()?).is_some()).then(Loss::leading_zero)
    }
}

/// Reads an optional minus and 1 to 18 digits.
#[inline(always)]
fn common(text: Text<'_>) -> Option<i64> {
    let is_negative = text.first() == b'-';
    let at = usize::from(is_negative);
    let magnitude = match text.len() - at {
        0 => return None,
        n @ 1..=8 => eight(text.word(at), n)?,
        n @ 9..=16 => sixteen(text.double(at), n)?,
        n @ 17..=MAX_DIGITS => digits(text, at, n)?,
        _ => return None,
    } as i64;
    Some(if is_negative { -magnitude } else { magnitude })
}

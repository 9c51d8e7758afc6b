//! [`Fixed`]: reads numbers whose decimal point, if there is one, has the same distance from the
//! end in many fields.

use super::digits::{POW10, ZEROS, number, wrong_digits};
use super::lanes::{LANES, Lanes};

/// The most bytes of a number that is read lane by lane.
const MAX_LEN: u64 = 16;

/// The digits of each lane as a number, without regard to its decimal point.
pub(super) struct Fixed {
    /// The number of digits after the point.
    pub(super) fraction: usize,
    pub(super) magnitude: [u64; LANES],
    /// All ones if there is a minus, else zero.
    pub(super) negative: [u64; LANES],
    /// Not zero if the field isn't such a number: an optional minus, digits and, if `fraction`
    /// isn't 0, a point and exactly `fraction` more digits.
    pub(super) wrong: [u64; LANES],
}

impl Fixed {
    /// Reads integers.
    #[inline(always)]
    pub(super) fn integers(lanes: &Lanes) -> Self {
        Self::read(lanes, 0)
    }

    /// Reads numbers that have as many digits after the point as the first field of 1 to 16 bytes.
    #[inline(always)]
    pub(super) fn decimals(lanes: &Lanes, count: usize) -> Self {
        let first = lanes.len[..count].iter().position(|len| (1..=MAX_LEN).contains(len)).unwrap_or(0);
        Self::read(lanes, fraction(lanes.len[first], lanes.before[first], lanes.last[first]))
    }

    /// Makes numbers wrong that have a zero before another digit ahead of the point.
    #[inline(always)]
    pub(super) fn refuse_leading_zeros(&mut self, lanes: &Lanes) {
        // The bytes of a number of one digit before its point.
        let shortest = 1 + self.fraction as u64 + u64::from(self.fraction > 0);
        for lane in 0..LANES {
            let len = lanes.len[lane].wrapping_sub(self.negative[lane] & 1);
            let word = if len > 8 { lanes.before[lane] } else { lanes.last[lane] };
            let first = (word >> (64u64.wrapping_sub(8u64.wrapping_mul(len)) & 63)) as u8;
            let starts_with_zero = (first == b'0') & (len > shortest);
            self.wrong[lane] |= u64::from(starts_with_zero);
        }
    }

    /// The number of one lane, with its sign.
    #[inline(always)]
    pub(super) fn signed(&self, lane: usize) -> i64 {
        (self.magnitude[lane] ^ self.negative[lane]).wrapping_sub(self.negative[lane]) as i64
    }

    #[inline(always)]
    fn read(lanes: &Lanes, fraction: usize) -> Self {
        let mut fixed = Fixed { fraction, magnitude: [0; LANES], negative: [0; LANES], wrong: [0; LANES] };
        match lanes.longest() {
            0..=8 => fixed.read_short(lanes),
            _ => fixed.read_long(lanes),
        }
        fixed
    }

    /// Reads fields of up to 8 bytes.
    #[inline(always)]
    fn read_short(&mut self, lanes: &Lanes) {
        let point = Point::new(self.fraction);
        for lane in 0..LANES {
            let (len, last) = (lanes.len[lane], lanes.last[lane]);
            // The bit at which the first byte of the field starts.
            let first = 64u64.wrapping_sub(8 * len) & 63;
            let negative = u64::from((last >> first) as u8 == b'-');
            let x = (last ^ ZEROS) & u64::MAX << first << (8 * negative);
            let is_wrong =
                (len > 8) | (len < point.min_len + negative) | ((x ^ point.last) & point.last_mask != 0);
            let x = (x & point.last_behind) | ((x << 8) & !point.last_behind);
            self.wrong[lane] = wrong_digits(x) | u64::from(is_wrong);
            self.magnitude[lane] = number(x);
            self.negative[lane] = negative.wrapping_neg();
        }
    }

    /// Reads fields of up to 16 bytes.
    #[inline(always)]
    fn read_long(&mut self, lanes: &Lanes) {
        let point = Point::new(self.fraction);
        for lane in 0..LANES {
            let (len, before, last) = (lanes.len[lane], lanes.before[lane], lanes.last[lane]);
            let is_long = len > 8;
            let first = 64u64.wrapping_sub(8 * len) & 63;
            let negative = u64::from((if is_long { before } else { last } >> first) as u8 == b'-');
            let mask = u64::MAX << first << (8 * negative);
            let low = (before ^ ZEROS) & if is_long { mask } else { 0 };
            let high = (last ^ ZEROS) & if is_long { u64::MAX } else { mask };
            let at_point =
                ((low ^ point.before) & point.before_mask) | ((high ^ point.last) & point.last_mask);
            let is_wrong = (len > MAX_LEN) | (len < point.min_len + negative) | (at_point != 0);
            let (high, low) = (
                (high & point.last_behind) | ((high << 8 | low >> 56) & !point.last_behind),
                (low & point.before_behind) | ((low << 8) & !point.before_behind),
            );
            self.wrong[lane] = wrong_digits(low) | wrong_digits(high) | u64::from(is_wrong);
            self.magnitude[lane] = u64::from(number(low) as u32) * POW10[8] + number(high);
            self.negative[lane] = negative.wrapping_neg();
        }
    }
}

/// The place of the point in the last sixteen bytes, as masks of the last eight bytes and of the
/// eight before them.
struct Point {
    /// The fewest bytes that a number without a sign has.
    min_len: u64,
    /// All ones in the byte of the point.
    last_mask: u64,
    before_mask: u64,
    /// The point in its byte, xored with a zero as digits are.
    last: u64,
    before: u64,
    /// All ones in the bytes after the point, or in all bytes if there is no point.
    last_behind: u64,
    before_behind: u64,
}

impl Point {
    #[inline(always)]
    fn new(fraction: usize) -> Self {
        if fraction == 0 {
            return Point {
                min_len: 1,
                last_mask: 0,
                before_mask: 0,
                last: 0,
                before: 0,
                last_behind: u64::MAX,
                before_behind: u64::MAX,
            };
        }
        let at = 8 * (15 - fraction as u32);
        let mask = 0xff << at;
        let point = u128::from(b'.' ^ b'0') << at;
        let behind = u128::MAX << at << 8;
        let halves = |x: u128| ((x >> 64) as u64, x as u64);
        let ((last_mask, before_mask), (last, before), (last_behind, before_behind)) =
            (halves(mask), halves(point), halves(behind));
        Point {
            min_len: fraction as u64 + 2,
            last_mask,
            before_mask,
            last,
            before,
            last_behind,
            before_behind,
        }
    }
}

/// The number of digits after the point of a field. It is 0 without a point, and at most 14.
#[inline(always)]
fn fraction(len: u64, before: u64, last: u64) -> usize {
    let double = u128::from(last) << 64 | u128::from(before);
    let bytes = double.to_le_bytes();
    let from = bytes.len() - len.min(MAX_LEN) as usize;
    match bytes[from..].iter().rposition(|&byte| byte == b'.') {
        Some(at) if from + at > 0 => bytes.len() - 1 - from - at,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::inferred::has_zero_or_plus_before;
    use super::*;

    /// Lanes that hold one text each, with other bytes before it.
    fn lanes(texts: &[Vec<u8>]) -> Lanes {
        let mut lanes = Lanes::new();
        for (lane, text) in texts.iter().enumerate() {
            let mut bytes = b"9-.7,1234567890;".to_vec();
            bytes.extend_from_slice(text);
            let double = u128::from_le_bytes(*bytes.last_chunk().unwrap());
            lanes.len[lane] = text.len() as u64;
            (lanes.before[lane], lanes.last[lane]) = (double as u64, (double >> 64) as u64);
        }
        lanes
    }

    #[test]
    fn numbers_of_every_length_and_every_wrong_byte() {
        for sign in ["", "-"] {
            for whole in 1..=16 {
                for fraction in 0..=14 {
                    let digits: String = "9071526384907152".chars().cycle().take(whole + fraction).collect();
                    let mut text = format!("{sign}{}", &digits[..whole]);
                    if fraction > 0 {
                        text = text + "." + &digits[whole..];
                    }
                    let (text, len) =
                        (text.into_bytes(), sign.len() + whole + fraction + usize::from(fraction > 0));
                    let mut texts = vec![text.clone(); LANES];
                    // The rounds put nearly every byte value at every place of the text, in one
                    // lane each. The first lane is never changed.
                    for round in 0..=256_usize.div_ceil(LANES) * len {
                        for (lane, changed) in texts.iter_mut().enumerate().skip(1) {
                            changed.clone_from(&text);
                            changed[round % len] = ((round / len) * LANES + lane) as u8;
                        }
                        let lanes = lanes(&texts);
                        let fixed = Fixed::decimals(&lanes, LANES);
                        for (lane, text) in texts.iter().enumerate() {
                            assert_eq!(
                                fixed.wrong[lane] == 0,
                                expected(text, fraction).is_some(),
                                "{text:?}"
                            );
                            if let Some(number) = expected(text, fraction) {
                                assert_eq!(fixed.signed(lane), number, "{text:?}");
                            }
                        }
                        let mut without_zeros = fixed;
                        without_zeros.refuse_leading_zeros(&lanes);
                        for (lane, text) in texts.iter().enumerate() {
                            let is_number = expected(text, fraction).is_some();
                            assert_eq!(
                                without_zeros.wrong[lane] == 0,
                                is_number && !has_zero_or_plus_before(text),
                                "{text:?}"
                            );
                        }
                    }
                }
            }
        }
    }

    /// The number without its point, as the standard library reads it.
    fn expected(text: &[u8], fraction: usize) -> Option<i64> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= MAX_LEN as usize)?;
        let (whole, behind) = match fraction {
            0 => (text, ""),
            _ => text.split_once('.')?,
        };
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        let are_digits = digits.bytes().chain(behind.bytes()).all(|byte| byte.is_ascii_digit());
        let is_number = are_digits && !digits.is_empty() && behind.len() == fraction;
        is_number.then(|| format!("{whole}{behind}").parse().unwrap())
    }
}

//! [`Fixed`]: numbers whose decimal point, if they have one, stands at the same distance from the end in many fields.

use super::digits::{POW10, ZEROS, number, wrong_digits};
use super::lanes::{LANES, Lanes};

/// The most bytes of a number that is read lane by lane.
const MAX_LEN: u64 = 16;

/// The digits of each lane as a number, without regard to its decimal point.
pub(super) struct Fixed {
    /// How many digits stand behind the point.
    pub(super) fraction: usize,
    pub(super) magnitude: [u64; LANES],
    /// All ones where there is a minus.
    pub(super) negative: [u64; LANES],
    /// Not zero where the field isn't such a number: a minus or none, digits, and if `fraction` isn't 0, a point and so
    /// many digits more.
    pub(super) wrong: [u64; LANES],
}

impl Fixed {
    /// Reads integers.
    #[inline(always)]
    pub(super) fn integers(lanes: &Lanes) -> Self {
        Self::read(lanes, 0)
    }

    /// Reads numbers with as many digits behind the point as the first one has that isn't NULL.
    #[inline(always)]
    pub(super) fn decimals(lanes: &Lanes, count: usize) -> Self {
        let first = lanes.len[..count].iter().position(|len| (1..=MAX_LEN).contains(len)).unwrap_or(0);
        Self::read(lanes, fraction(lanes.len[first], lanes.before[first], lanes.last[first]))
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
            // Where the first byte stands.
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

/// Where the point stands in the last sixteen bytes, as masks of the last eight and of those before.
struct Point {
    /// The fewest bytes that a number without a sign has.
    min_len: u64,
    /// The point's byte, all ones.
    last_mask: u64,
    before_mask: u64,
    /// The point, xored as digits are.
    last: u64,
    before: u64,
    /// The bytes behind the point: all of them if there is none.
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

/// How many digits stand behind the point of a field, 0 without one; at most 14.
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

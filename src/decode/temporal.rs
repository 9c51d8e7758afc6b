//! Dates, and the common form of timestamps.

use arrow::compute::kernels::cast_utils::Parser;
use arrow::datatypes::{Date32Type, Date64Type, TimeUnit};

use super::clock::{Rules, Zones, loss_in_date};
use super::digits::{POW10, digits, wrong_bytes, wrong_digits};
use super::fields::Text;
use super::lanes::{LANES, Lanes, right};
use super::loss::{Exactness, Loss};
use super::primitive::Parse;

const SECONDS_OF_DAY: i64 = 86_400;

/// Reads dates like `2024-02-29`, and all other forms that Arrow reads.
#[derive(Debug)]
pub(super) struct Date32 {
    is_exact: bool,
}

impl Date32 {
    pub(super) fn new(exactness: Exactness) -> Self {
        Date32 { is_exact: exactness.is_exact() }
    }
}

impl Parse for Date32 {
    type Type = Date32Type;

    const BY_LANES: bool = true;

    #[inline(always)]
    fn parse_lanes(&self, lanes: &Lanes, count: usize, values: &mut [i32; LANES]) -> u64 {
        let mut wrong = [0; LANES];
        for (lane, out) in values.iter_mut().enumerate() {
            // The last ten bytes: two for the century, eight for the rest.
            let century = lanes.before[lane] >> 48 ^ 0x3030;
            let rest = lanes.last[lane] ^ u64::from_le_bytes(*b"00-00-00");
            let (number, is_date) = days(two(century), two(rest), two(rest >> 24), two(rest >> 48));
            *out = number;
            wrong[lane] = wrong_digits(century)
                | wrong_bytes(rest, 0x7676_7f76_767f_7676)
                | u64::from(lanes.len[lane] != DATE_LEN as u64)
                | u64::from(!is_date);
        }
        right(&wrong, count)
    }

    #[inline]
    fn parse(&self, text: Text<'_>) -> Option<i32> {
        if text.len() == DATE_LEN
            && let Some(days) = common_date(text)
        {
            return Some(days);
        }
        let days = Date32Type::parse(text.as_str()?)?;
        (!self.is_exact || loss_in_date(text.bytes()).is_none()).then_some(days)
    }

    fn reason(&self, _: &[u8]) -> String {
        "not a date".to_owned()
    }

    fn loss(&self, value: &[u8]) -> Option<Loss> {
        Date32Type::parse(str::from_utf8(value).ok()?).filter(|_| self.is_exact)?;
        loss_in_date(value)
    }
}

/// Reads a date or a timestamp as milliseconds since 1970.
///
/// Arrow's format asks for whole days. But Arrow and DataFusion read, compute and print the type as
/// a date with a time, so a time of day in milliseconds is held, and is no loss.
#[derive(Debug)]
pub(super) struct Date64 {
    is_exact: bool,
}

impl Date64 {
    const RULES: Rules = Rules { unit: TimeUnit::Millisecond, zones: Zones::None };

    pub(super) fn new(exactness: Exactness) -> Self {
        Date64 { is_exact: exactness.is_exact() }
    }
}

impl Parse for Date64 {
    type Type = Date64Type;

    #[inline]
    fn parse(&self, text: Text<'_>) -> Option<i64> {
        if let Some(Common { seconds, nanos, has_zone }) = common_timestamp(text)
            && (!self.is_exact || !has_zone && nanos % 1_000_000 == 0)
        {
            return Some(seconds * 1_000 + i64::from(nanos / 1_000_000));
        }
        let milliseconds = Date64Type::parse(text.as_str()?)?;
        (!self.is_exact || Self::RULES.loss(text.bytes()).is_none()).then_some(milliseconds)
    }

    fn reason(&self, _: &[u8]) -> String {
        "not a date".to_owned()
    }

    fn loss(&self, value: &[u8]) -> Option<Loss> {
        Date64Type::parse(str::from_utf8(value).ok()?).filter(|_| self.is_exact)?;
        Self::RULES.loss(value)
    }
}

/// A timestamp in a common form.
#[derive(Debug, PartialEq)]
pub(super) struct Common {
    /// Seconds since 1970.
    pub(super) seconds: i64,
    pub(super) nanos: u32,
    /// Whether it ends with a Z.
    pub(super) has_zone: bool,
}

/// A timestamp in one of the [`YEARS`], in a common form:
/// `2024-02-29` or `2024-02-29T23:59:59.123456789Z`. A lower-case t or a space may stand for the T.
/// The fraction has 1 to 9 digits or is missing. The Z may be missing too.
#[inline]
pub(super) fn common_timestamp(text: Text<'_>) -> Option<Common> {
    let bytes = text.bytes();
    if bytes.len() < DATE_LEN {
        return None;
    }
    let day = i64::from(common_date(text)?) * SECONDS_OF_DAY;
    if bytes.len() == DATE_LEN {
        return Some(Common { seconds: day, nanos: 0, has_zone: false });
    }
    let (bytes, has_zone) = match bytes.strip_suffix(b"Z") {
        Some(bytes) => (bytes, true),
        None => (bytes, false),
    };
    if bytes.len() < 19 || !matches!(bytes[DATE_LEN], b'T' | b't' | b' ') {
        return None;
    }
    let time = text.word(11) ^ u64::from_le_bytes(*b"00:00:00");
    if wrong_bytes(time, 0x7676_7f76_767f_7676) != 0 {
        return None;
    }
    let (hours, minutes, seconds) = (two(time), two(time >> 24), two(time >> 48));
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let nanos = match &bytes[19..] {
        [] => 0,
        [b'.', fraction @ ..] if matches!(fraction.len(), 1..=9) => {
            digits(text, 20, fraction.len())? * POW10[9 - fraction.len()]
        }
        _ => return None,
    };
    let seconds = day + i64::from(hours * 3600 + minutes * 60 + seconds);
    Some(Common { seconds, nanos: nanos as u32, has_zone })
}

/// The length of `2024-02-29` in bytes.
const DATE_LEN: usize = 10;

/// Days since 1970 of the first ten bytes, if they are a date like `2024-02-29` in one of the
/// [`YEARS`].
#[inline(always)]
fn common_date(text: Text<'_>) -> Option<i32> {
    let year_and_month = text.word(0) ^ u64::from_le_bytes(*b"0000-00-");
    let day = text.word(2) >> 48 ^ 0x3030;
    if wrong_bytes(year_and_month, 0x7f76_767f_7676_7676) | wrong_digits(day) != 0 {
        return None;
    }
    let year = two(year_and_month) * 100 + two(year_and_month >> 16);
    let month = two(year_and_month >> 40);
    let day = two(day) as i32;
    let month = *MONTHS.get(year.wrapping_sub(YEARS.start) as usize)?.get(month as usize)?;
    let (before, days) = (month >> 5, month & 31);
    (0 < day && day <= days).then_some(before + day)
}

/// Days since 1970-01-01, and whether the date exists. The year is `century * 100 + year`. There is
/// no branch, so that the dates of all lanes are computed in vectors.
#[inline(always)]
fn days(century: u32, year: u32, month: u32, day: u32) -> (i32, bool) {
    let is_leap = u32::from((if year == 0 { century } else { year }) % 4 == 0);
    let year = century * 100 + year;
    let length = if month == 2 { 28 + is_leap } else { 30 + ((month ^ month >> 3) & 1) };
    let is_date = (year > 0) & (month.wrapping_sub(1) < 12) & (day.wrapping_sub(1) < length);
    // Days are first counted from 0001-01-01, which is 719,162 days before 1970-01-01.
    let years = year.wrapping_sub(1);
    let before_year = years.wrapping_mul(365).wrapping_add(years / 4 + years / 400).wrapping_sub(years / 100);
    // The days of the months before this one, as if February had 30 days.
    let before_month = (367 * month).wrapping_sub(362) / 12;
    let february = if month > 2 { 2 - is_leap } else { 0 };
    let days = before_year.wrapping_add(before_month).wrapping_sub(february).wrapping_add(day);
    (days.wrapping_sub(719_163) as i32, is_date)
}

/// The number that the two lowest bytes of `x` make as digits, from 0 to 9 each.
#[inline]
fn two(x: u64) -> u32 {
    (x & 15) as u32 * 10 + (x >> 8 & 15) as u32
}

/// The years in [`MONTHS`]. That table has 16 KiB, but a column touches little of it.
const YEARS: std::ops::Range<u32> = 1900..2156;

/// For each of the [`YEARS`] one entry for each month number from 0 to 15. The entry of a month is
/// the days from 1970-01-01 to the day before the month's first day, times 32, plus the number of
/// its days. For the numbers 0 and 13 to 15 it is zero.
static MONTHS: [[i32; 16]; (YEARS.end - YEARS.start) as usize] = {
    let mut months = [[0; 16]; (YEARS.end - YEARS.start) as usize];
    let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    // 1900-01-01 is 25,567 days before 1970-01-01.
    let mut before = -25_567 - 1;
    let mut year = YEARS.start;
    while year < YEARS.end {
        let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let mut month = 0;
        while month < 12 {
            let days = if month == 1 && is_leap { 29 } else { lengths[month] };
            months[(year - YEARS.start) as usize][month + 1] = before * 32 + days;
            before += days;
            month += 1;
        }
        year += 1;
    }
    months
};

#[cfg(test)]
mod tests {
    use arrow::array::timezone::Tz;
    use arrow::compute::kernels::cast_utils::string_to_datetime;

    use super::*;

    #[test]
    fn the_common_date_is_arrows_on_every_day_and_on_every_other_number() {
        for year in 1890..2170 {
            for month in 0..=19 {
                for day in 0..=39 {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    let expected = Date32Type::parse(&text).filter(|_| YEARS.contains(&year));
                    assert_eq!(common_date(Text::new(text.as_bytes())), expected, "{text}");
                }
            }
        }
    }

    #[test]
    fn days_are_arrows_in_every_year() {
        for year in 0..=9999 {
            for month in 0..=13 {
                for day in [0, 1, 27, 28, 29, 30, 31, 32] {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    let expected = Date32Type::parse(&text).filter(|_| year > 0);
                    let (days, is_date) = days(year / 100, year % 100, month, day);
                    assert_eq!(is_date.then_some(days), expected, "{text}");
                }
            }
        }
        // Two arbitrary bytes make a number of up to 165. No sum may overflow.
        for part in [99, 100, 165] {
            assert!(!days(part, part, part, part).1);
        }
    }

    #[test]
    fn a_wrong_byte_anywhere_is_no_common_timestamp() {
        let right = b"2024-02-29T23:59:59.123456789Z";
        let expected = Common { seconds: 1_709_251_199, nanos: 123_456_789, has_zone: true };
        assert_eq!(common_timestamp(Text::new(right)), Some(expected));
        for at in 0..right.len() {
            for byte in 0..=u8::MAX {
                let mut text = right.to_vec();
                text[at] = byte;
                let text = std::str::from_utf8(&text).ok();
                let expected =
                    text.and_then(|text| string_to_datetime(&"+00:00".parse::<Tz>().unwrap(), text).ok());
                let Some(text) = text else { continue };
                if let Some(Common { seconds, nanos, .. }) = common_timestamp(Text::new(text.as_bytes())) {
                    let expected = expected.unwrap_or_else(|| panic!("{text}"));
                    assert_eq!(
                        (seconds, nanos),
                        (expected.timestamp(), expected.timestamp_subsec_nanos()),
                        "{text}"
                    );
                }
            }
        }
    }
}

//! [`Rules`]: what a date, a time or a timestamp would lose in its column's type. Only values that
//! Arrow can read are looked at.

use arrow::datatypes::TimeUnit;

use super::loss::Loss;

const LEAP_SECOND: &str = "the type has no leap seconds";
const FINER_FRACTION: &str = "the fraction of a second is finer than the type's unit";

/// The zones of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zones {
    /// No value has one, because the type has none.
    None,
    /// A value without one is in the column's zone.
    Optional,
    /// Every value has one.
    Required,
}

impl Zones {
    /// Whether a value may have a zone, or may have none.
    #[inline]
    pub(super) fn allow(self, has_zone: bool) -> bool {
        match self {
            Zones::None => !has_zone,
            Zones::Optional => true,
            Zones::Required => has_zone,
        }
    }
}

/// The values that a type of timestamps can hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) unit: TimeUnit,
    pub(super) zones: Zones,
}

impl Rules {
    /// The loss of a timestamp in this type, if any.
    pub(super) fn loss(self, timestamp: &[u8]) -> Option<Loss> {
        let parts = Parts::of(timestamp);
        let sql_type = || parts.sql_type(digits_of(self.unit), self.zones != Zones::None);
        if !self.zones.allow(parts.has_zone()) {
            return Some(match self.zones {
                Zones::Required => {
                    Loss::infer_more("the value has no zone, others in the column do", "VARCHAR")
                }
                _ => Loss::declare("the type has no zone", sql_type()),
            });
        }
        if parts.is_leap_second() {
            return Some(Loss::declare(LEAP_SECOND, "VARCHAR"));
        }
        (parts.digits() > digits_of(self.unit)).then(|| Loss::declare(FINER_FRACTION, sql_type()))
    }
}

/// The loss of a date, or of a timestamp in a column of dates, if any.
pub(super) fn loss_in_date(date: &[u8]) -> Option<Loss> {
    let parts = Parts::of(date);
    let what = match (parts.has_zone(), parts.is_midnight()) {
        (true, _) => "a date has no zone",
        (false, false) => "a date has no time of day",
        (false, true) => return None,
    };
    Some(Loss::declare(what, parts.sql_type(0, false)))
}

/// The loss of a time of day in a type of this unit, if any. A plain count of units loses nothing.
pub(super) fn loss_in_time(time: &[u8], unit: TimeUnit) -> Option<Loss> {
    let seconds = time.splitn(3, |&byte| byte == b':').nth(2)?;
    if seconds.starts_with(b"60") {
        return Some(Loss::declare(LEAP_SECOND, "VARCHAR"));
    }
    let digits = match seconds.get(2..)? {
        [b'.', rest @ ..] => significant(rest),
        _ => 0,
    };
    // TIME has nanoseconds.
    let sql_type = if digits <= 9 { "TIME" } else { "VARCHAR" };
    (digits > digits_of(unit)).then(|| Loss::declare(FINER_FRACTION, sql_type))
}

/// The parts of a timestamp after its date. All are empty for a date.
struct Parts<'a> {
    year: &'a [u8],
    /// Hours, minutes and seconds, with colons between them or without.
    clock: &'a [u8],
    /// The digits after the point.
    fraction: &'a [u8],
    zone: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(timestamp: &'a [u8]) -> Self {
        let year = timestamp.get(..4).unwrap_or_default();
        // A year with a sign, or of more than four digits, has no time.
        let is_date = timestamp.len() <= 10 || matches!(timestamp, [b'+' | b'-', ..]);
        let rest = if is_date { &[] } else { &timestamp[11..] };
        let clock = if rest.get(2) == Some(&b':') { 8 } else { 6 };
        let (clock, rest) = rest.split_at(clock.min(rest.len()));
        let (fraction, zone) = match rest.strip_prefix(b".") {
            Some(rest) => rest.split_at(rest.iter().take_while(|byte| byte.is_ascii_digit()).count()),
            None => (&[][..], rest),
        };
        Parts { year, clock, fraction, zone }
    }

    fn has_zone(&self) -> bool {
        !self.zone.is_empty()
    }

    fn is_midnight(&self) -> bool {
        self.clock.iter().chain(self.fraction).all(|byte| matches!(byte, b'0' | b':'))
    }

    fn is_leap_second(&self) -> bool {
        self.clock.ends_with(b"60")
    }

    /// The number of digits of the fraction, without zeros at its end.
    fn digits(&self) -> usize {
        significant(self.fraction)
    }

    /// A type in SQL that holds the timestamp, with no fewer digits of a fraction than `least`.
    fn sql_type(&self, least: usize, is_zoned: bool) -> String {
        let digits = match self.digits().max(least) {
            0 => 0,
            1..=3 => 3,
            4..=6 => 6,
            // Nanoseconds have a range: the years from 1677 to 2262.
            7..=9 if (&b"1678"[..]..&b"2262"[..]).contains(&self.year) => 9,
            _ => return "VARCHAR".to_owned(),
        };
        if self.is_leap_second() {
            return "VARCHAR".to_owned();
        }
        match (self.has_zone(), is_zoned) {
            (false, false) => format!("TIMESTAMP({digits})"),
            (_, true) => format!("TIMESTAMP({digits}) WITH TIME ZONE"),
            // DataFusion takes the zone of such a type from the session, which has none by default.
            (true, false) => format!(
                "VARCHAR, or TIMESTAMP({digits}) WITH TIME ZONE after \
                 SET datafusion.execution.time_zone = '+00:00'"
            ),
        }
    }
}

/// The number of digits that `fraction` starts with, without zeros at their end.
fn significant(fraction: &[u8]) -> usize {
    let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit());
    digits.enumerate().filter(|(_, digit)| **digit != b'0').last().map_or(0, |(at, _)| at + 1)
}

/// The digits of a fraction of a second that a unit holds.
fn digits_of(unit: TimeUnit) -> usize {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

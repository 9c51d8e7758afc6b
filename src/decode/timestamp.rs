//! Times of day, and timestamps.

use std::fmt;
use std::marker::PhantomData;

use arrow::array::ArrowPrimitiveType;
use arrow::array::timezone::Tz;
use arrow::compute::kernels::cast_utils::{Parser, string_to_datetime};
use arrow::datatypes::{ArrowTimestampType, DataType, TimeUnit};
use arrow::error::ArrowError;

use super::clock::{Rules, Zones, loss_in_time};
use super::fields::Text;
use super::loss::{Exactness, Loss};
use super::primitive::Parse;
use super::temporal::{Common, common_timestamp};

/// Reads times of day: `23:59:59.123`, `11:59 PM`, or a count of the type's unit.
pub(super) struct Time<T> {
    is_exact: bool,
    time_type: PhantomData<fn() -> T>,
}

impl<T: ArrowPrimitiveType> Time<T> {
    pub(super) fn new(exactness: Exactness) -> Self {
        Time { is_exact: exactness.is_exact(), time_type: PhantomData }
    }

    /// The loss of a value that Arrow reads, if any.
    fn loss_of_time(&self, value: &[u8]) -> Option<Loss> {
        let unit = match T::DATA_TYPE {
            DataType::Time32(unit) | DataType::Time64(unit) => unit,
            _ => return None,
        };
        loss_in_time(value, unit)
    }
}

impl<T: ArrowPrimitiveType> fmt::Debug for Time<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Time({})", T::DATA_TYPE)
    }
}

impl<T: ArrowPrimitiveType + Parser> Parse for Time<T> {
    type Type = T;

    fn parse(&self, text: Text<'_>) -> Option<T::Native> {
        let time = T::parse(text.as_str()?)?;
        (!self.is_exact || self.loss_of_time(text.bytes()).is_none()).then_some(time)
    }

    fn reason(&self, _: &[u8]) -> String {
        "not a time of day".to_owned()
    }

    fn loss(&self, value: &[u8]) -> Option<Loss> {
        T::parse(str::from_utf8(value).ok()?).filter(|_| self.is_exact)?;
        self.loss_of_time(value)
    }
}

/// Reads timestamps like `2024-02-29T23:59:59.123Z`. A value without a zone offset is in the
/// column's zone.
pub(super) struct Timestamp<T> {
    zone: Tz,
    is_utc: bool,
    is_exact: bool,
    zones: Zones,
    unit: PhantomData<fn() -> T>,
}

impl<T: ArrowTimestampType> Timestamp<T> {
    /// For a column with a time zone, or with none. Then values are read as if they were in UTC.
    ///
    /// # Errors
    ///
    /// When there is no such zone.
    pub(super) fn new(zone: Option<&str>, exactness: Exactness) -> Result<Self, ArrowError> {
        let zones = match zone {
            None => Zones::None,
            Some(_) if exactness.is_inferred() => Zones::Required,
            Some(_) => Zones::Optional,
        };
        let zone = zone.unwrap_or("+00:00");
        let is_utc = matches!(zone, "+00:00" | "UTC");
        let is_exact = exactness.is_exact();
        Ok(Timestamp { zone: zone.parse()?, is_utc, is_exact, zones, unit: PhantomData })
    }

    /// The value in the type's unit, if that loses nothing, or losses are accepted.
    #[inline]
    fn common(&self, Common { seconds, nanos, has_zone }: Common) -> Option<i64> {
        let (scale, nanos_each) = match T::UNIT {
            TimeUnit::Second => (1, 1_000_000_000),
            TimeUnit::Millisecond => (1_000, 1_000_000),
            TimeUnit::Microsecond => (1_000_000, 1_000),
            TimeUnit::Nanosecond => (1_000_000_000, 1),
        };
        if self.is_exact && (nanos % nanos_each != 0 || !self.zones.allow(has_zone)) {
            return None;
        }
        seconds.checked_mul(scale)?.checked_add(i64::from(nanos / nanos_each))
    }

    /// Reads any form that Arrow reads, whatever is lost.
    fn any(&self, text: &str) -> Option<i64> {
        let time = string_to_datetime(&self.zone, text).ok()?;
        match T::UNIT {
            TimeUnit::Second => Some(time.timestamp()),
            TimeUnit::Millisecond => Some(time.timestamp_millis()),
            TimeUnit::Microsecond => Some(time.timestamp_micros()),
            TimeUnit::Nanosecond => time.timestamp_nanos_opt(),
        }
    }

    fn rules(&self) -> Rules {
        Rules { unit: T::UNIT, zones: self.zones }
    }
}

impl<T: ArrowTimestampType> fmt::Debug for Timestamp<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({:?}, {:?})", T::UNIT, self.zone)
    }
}

impl<T: ArrowTimestampType> Parse for Timestamp<T> {
    type Type = T;

    #[inline]
    fn parse(&self, text: Text<'_>) -> Option<i64> {
        if self.is_utc
            && let Some(common) = common_timestamp(text)
            && let Some(value) = self.common(common)
        {
            return Some(value);
        }
        let value = self.any(text.as_str()?)?;
        (!self.is_exact || self.rules().loss(text.bytes()).is_none()).then_some(value)
    }

    fn reason(&self, value: &[u8]) -> String {
        let is_timestamp =
            std::str::from_utf8(value).is_ok_and(|value| string_to_datetime(&self.zone, value).is_ok());
        match is_timestamp {
            true => "out of the range of nanoseconds, the years 1677 to 2262".to_owned(),
            false => "not a timestamp".to_owned(),
        }
    }

    fn loss(&self, value: &[u8]) -> Option<Loss> {
        self.any(str::from_utf8(value).ok()?).filter(|_| self.is_exact)?;
        self.rules().loss(value)
    }
}

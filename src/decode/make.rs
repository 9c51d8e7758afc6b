//! The only table of types: it names the decoder of each type.

use arrow::datatypes::*;
use arrow::error::ArrowError;

use super::boolean::Boolean;
use super::bytes::Bytes;
use super::column::ColumnDecoder;
use super::decimal::{Decimal, Unscaled};
use super::dictionary::Dictionary;
use super::float::Float;
use super::integer::Integer;
use super::loss::Exactness;
use super::null::Null;
use super::primitive::{Parse, Primitive};
use super::temporal::{Date32, Date64};
use super::timestamp::{Time, Timestamp};
use super::views::Views;
use crate::error::{Error, ErrorKind, Result};

/// Bytes that one decoder takes for a column however few rows there are: the column's decoder, the
/// header of its array, its field in the partition's schema. Some 330 are measured for a number or
/// a text.
pub const COLUMN_BYTES: usize = 384;

/// Whether columns of a type can be decoded.
///
/// All types can be decoded except these: nested, union, interval and run-end encoded types,
/// fixed-size binary, dictionaries of anything but strings, decimals of a precision or scale that
/// Arrow doesn't allow, and timestamps in an unknown time zone.
pub fn supports(data_type: &DataType) -> bool {
    make(data_type, Exactness::Declared).is_ok()
}

/// The decoder of a type.
///
/// # Errors
///
/// When there is none.
pub(super) fn make(data_type: &DataType, exactness: Exactness) -> Result<Box<dyn ColumnDecoder>> {
    Ok(match data_type {
        DataType::Null => Box::new(Null::default()),
        DataType::Boolean => Box::new(Boolean::new()),
        DataType::Int8 => primitive(Integer::<Int8Type>::new(exactness), data_type),
        DataType::Int16 => primitive(Integer::<Int16Type>::new(exactness), data_type),
        DataType::Int32 => primitive(Integer::<Int32Type>::new(exactness), data_type),
        DataType::Int64 => primitive(Integer::<Int64Type>::new(exactness), data_type),
        DataType::UInt8 => primitive(Integer::<UInt8Type>::new(exactness), data_type),
        DataType::UInt16 => primitive(Integer::<UInt16Type>::new(exactness), data_type),
        DataType::UInt32 => primitive(Integer::<UInt32Type>::new(exactness), data_type),
        DataType::UInt64 => primitive(Integer::<UInt64Type>::new(exactness), data_type),
        DataType::Float16 => primitive(Float::<Float16Type>::new(exactness), data_type),
        DataType::Float32 => primitive(Float::<Float32Type>::new(exactness), data_type),
        DataType::Float64 => primitive(Float::<Float64Type>::new(exactness), data_type),
        DataType::Decimal32(precision, scale) => {
            decimal::<Decimal32Type>(*precision, *scale, data_type, exactness)?
        }
        DataType::Decimal64(precision, scale) => {
            decimal::<Decimal64Type>(*precision, *scale, data_type, exactness)?
        }
        DataType::Decimal128(precision, scale) => {
            decimal::<Decimal128Type>(*precision, *scale, data_type, exactness)?
        }
        DataType::Decimal256(precision, scale) => {
            decimal::<Decimal256Type>(*precision, *scale, data_type, exactness)?
        }
        DataType::Date32 => primitive(Date32::new(exactness), data_type),
        DataType::Date64 => primitive(Date64::new(exactness), data_type),
        DataType::Time32(TimeUnit::Second) => primitive(Time::<Time32SecondType>::new(exactness), data_type),
        DataType::Time32(TimeUnit::Millisecond) => {
            primitive(Time::<Time32MillisecondType>::new(exactness), data_type)
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            primitive(Time::<Time64MicrosecondType>::new(exactness), data_type)
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            primitive(Time::<Time64NanosecondType>::new(exactness), data_type)
        }
        DataType::Timestamp(unit, zone) => {
            let zone = zone.as_deref();
            match unit {
                TimeUnit::Second => timestamp::<TimestampSecondType>(zone, data_type, exactness)?,
                TimeUnit::Millisecond => timestamp::<TimestampMillisecondType>(zone, data_type, exactness)?,
                TimeUnit::Microsecond => timestamp::<TimestampMicrosecondType>(zone, data_type, exactness)?,
                TimeUnit::Nanosecond => timestamp::<TimestampNanosecondType>(zone, data_type, exactness)?,
            }
        }
        DataType::Duration(TimeUnit::Second) => {
            primitive(Integer::<DurationSecondType>::new(exactness), data_type)
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            primitive(Integer::<DurationMillisecondType>::new(exactness), data_type)
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            primitive(Integer::<DurationMicrosecondType>::new(exactness), data_type)
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            primitive(Integer::<DurationNanosecondType>::new(exactness), data_type)
        }
        DataType::Utf8 => Box::new(Bytes::<Utf8Type>::new()),
        DataType::LargeUtf8 => Box::new(Bytes::<LargeUtf8Type>::new()),
        DataType::Utf8View => Box::new(Views::<StringViewType>::new()),
        DataType::Binary => Box::new(Bytes::<BinaryType>::new()),
        DataType::LargeBinary => Box::new(Bytes::<LargeBinaryType>::new()),
        DataType::BinaryView => Box::new(Views::<BinaryViewType>::new()),
        DataType::Dictionary(key, value) => match value.as_ref() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => dictionary(key, value, data_type)?,
            _ => return Err(unsupported(data_type, None)),
        },
        _ => return Err(unsupported(data_type, None)),
    })
}

fn primitive<P: Parse + 'static>(parse: P, data_type: &DataType) -> Box<dyn ColumnDecoder> {
    Box::new(Primitive::new(parse, data_type))
}

fn decimal<T>(
    precision: u8,
    scale: i8,
    data_type: &DataType,
    exactness: Exactness,
) -> Result<Box<dyn ColumnDecoder>>
where
    T: DecimalType,
    T::Native: Unscaled,
{
    validate_decimal_precision_and_scale::<T>(precision, scale)
        .map_err(|error| unsupported(data_type, Some(error)))?;
    Ok(primitive(Decimal::<T>::new(precision, scale, exactness), data_type))
}

fn timestamp<T: ArrowTimestampType>(
    zone: Option<&str>,
    data_type: &DataType,
    exactness: Exactness,
) -> Result<Box<dyn ColumnDecoder>> {
    let parse = Timestamp::<T>::new(zone, exactness).map_err(|error| unsupported(data_type, Some(error)))?;
    Ok(primitive(parse, data_type))
}

fn dictionary(key: &DataType, value: &DataType, data_type: &DataType) -> Result<Box<dyn ColumnDecoder>> {
    Ok(match key {
        DataType::Int8 => Box::new(Dictionary::<Int8Type>::new(data_type, value)),
        DataType::Int16 => Box::new(Dictionary::<Int16Type>::new(data_type, value)),
        DataType::Int32 => Box::new(Dictionary::<Int32Type>::new(data_type, value)),
        DataType::Int64 => Box::new(Dictionary::<Int64Type>::new(data_type, value)),
        DataType::UInt8 => Box::new(Dictionary::<UInt8Type>::new(data_type, value)),
        DataType::UInt16 => Box::new(Dictionary::<UInt16Type>::new(data_type, value)),
        DataType::UInt32 => Box::new(Dictionary::<UInt32Type>::new(data_type, value)),
        DataType::UInt64 => Box::new(Dictionary::<UInt64Type>::new(data_type, value)),
        _ => return Err(unsupported(data_type, None)),
    })
}

fn unsupported(data_type: &DataType, why: Option<ArrowError>) -> Error {
    let data_type = match why {
        Some(why) => format!("{data_type} ({why})"),
        None => data_type.to_string(),
    };
    Error::new(ErrorKind::UnsupportedType { data_type })
}

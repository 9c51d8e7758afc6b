//! Types of columns, their values, and literals of the same values.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, StringArray, new_null_array,
};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::arrow::error::Result;

use crate::rng::Rng;

/// Types that can be compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Int,
    Float,
    Decimal,
    Bool,
    Date,
    Time,
    Text,
    Binary,
}

impl Class {
    pub(super) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Class::Bool,
            DataType::Date32 => Class::Date,
            DataType::Timestamp(..) => Class::Time,
            DataType::Binary | DataType::BinaryView | DataType::LargeBinary => Class::Binary,
            DataType::Decimal128(..) => Class::Decimal,
            data_type if data_type.is_floating() => Class::Float,
            data_type if data_type.is_integer() => Class::Int,
            _ => Class::Text,
        }
    }

    /// The literal of the `n`th value, so that it often equals one in a table.
    pub(super) fn literal(self, n: usize) -> String {
        let day = || format!("2020-01-{:02}", n % 28 + 1);
        match self {
            Class::Int => n.to_string(),
            Class::Float if n == 5 => "arrow_cast('NaN', 'Float64')".to_owned(),
            Class::Float => format!("{:?}", float(n.max(10))),
            Class::Decimal => format!("{}.{:02}", n / 4, n % 4 * 25),
            Class::Bool => ["TRUE", "FALSE"][n % 2].to_owned(),
            Class::Date => format!("DATE '{}'", day()),
            Class::Time => format!("TIMESTAMP '{}T{:02}:00:00'", day(), n % 24),
            Class::Text => format!("'{}'", word(n, false).replace('\'', "''")),
            Class::Binary => format!("arrow_cast('{}', 'Binary')", word(n, false).replace('\'', "''")),
        }
    }
}

/// The types of a table that SQL can declare, with their names in SQL.
const DECLARED: [(DataType, &str); 17] = [
    (DataType::Int8, "TINYINT"),
    (DataType::Int16, "SMALLINT"),
    (DataType::Int32, "INT"),
    (DataType::Int64, "BIGINT"),
    (DataType::UInt8, "TINYINT UNSIGNED"),
    (DataType::UInt16, "SMALLINT UNSIGNED"),
    (DataType::UInt32, "INT UNSIGNED"),
    (DataType::UInt64, "BIGINT UNSIGNED"),
    (DataType::Float32, "REAL"),
    (DataType::Float64, "DOUBLE"),
    (DataType::Decimal128(10, 2), "DECIMAL(10, 2)"),
    (DataType::Boolean, "BOOLEAN"),
    (DataType::Date32, "DATE"),
    (DataType::Timestamp(TimeUnit::Second, None), "TIMESTAMP(0)"),
    (DataType::Timestamp(TimeUnit::Millisecond, None), "TIMESTAMP(3)"),
    (DataType::Timestamp(TimeUnit::Nanosecond, None), "TIMESTAMP"),
    (DataType::Utf8View, "VARCHAR"),
];

/// Any type; only one that SQL can declare, if `declared`.
pub(super) fn any_type(rng: &mut Rng, declared: bool) -> DataType {
    let dictionary = |key| DataType::Dictionary(Box::new(key), Box::new(DataType::Utf8));
    if declared || !rng.once_in(3) {
        return rng.pick(&DECLARED).0;
    }
    rng.pick(&[
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Binary,
        DataType::BinaryView,
        DataType::Decimal128(30, 2),
        DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
        dictionary(DataType::Int8),
        dictionary(DataType::UInt8),
        dictionary(DataType::UInt16),
        dictionary(DataType::Int32),
    ])
}

/// The type of the keys by which tables are joined.
pub(super) fn key_type(rng: &mut Rng, declared: bool) -> DataType {
    match rng.below(6) {
        0..3 => rng.pick(&[DataType::Int64, DataType::Int32, DataType::UInt8]),
        3 => DataType::Utf8View,
        4 => DataType::Date32,
        _ => any_type(rng, declared),
    }
}

pub(super) fn sql_name(data_type: &DataType) -> &'static str {
    match DECLARED.iter().find(|(declared, _)| declared == data_type) {
        Some((_, name)) => name,
        None => panic!("{data_type} has no name in SQL"),
    }
}

/// The type in which the generator makes a column's values, and which arrow-csv can read.
pub(super) fn written_as(data_type: &DataType) -> DataType {
    match Class::of(data_type) {
        Class::Text | Class::Binary => DataType::Utf8,
        _ => data_type.clone(),
    }
}

/// The values with these numbers. The same number is the same value in every table, as far as its
/// type allows.
pub(super) fn array(data_type: &DataType, numbers: &[Option<usize>], newlines: bool) -> ArrayRef {
    let numbers = || numbers.iter().copied();
    let untyped: ArrayRef = match (Class::of(data_type), data_type) {
        (Class::Int, _) => Arc::new(numbers().map(|n| n.map(|n| int(data_type, n))).collect::<Int64Array>()),
        (Class::Float, _) => Arc::new(numbers().map(|n| n.map(float)).collect::<Float64Array>()),
        (Class::Decimal, DataType::Decimal128(precision, scale)) => {
            let decimals = numbers().map(|n| n.map(|n| n as i128 * 25)).collect::<Decimal128Array>();
            Arc::new(decimals.with_precision_and_scale(*precision, *scale).unwrap())
        }
        (Class::Bool, _) => Arc::new(numbers().map(|n| n.map(|n| n % 2 == 0)).collect::<BooleanArray>()),
        (Class::Date, _) => {
            let days = numbers().map(|n| n.map(|n| 18_262 + n as i64)).collect::<Int64Array>();
            return cast(&cast(&(Arc::new(days) as _), &DataType::Int32).unwrap(), data_type).unwrap();
        }
        (Class::Time, DataType::Timestamp(unit, _)) => {
            let second = match unit {
                TimeUnit::Second => 1,
                TimeUnit::Millisecond => 1000,
                TimeUnit::Microsecond => 1_000_000,
                TimeUnit::Nanosecond => 1_000_000_000,
            };
            let ticks = |n| (1_577_836_800 + n as i64 * 3600) * second + n as i64 % 3 * second / 2;
            Arc::new(numbers().map(|n| n.map(ticks)).collect::<Int64Array>())
        }
        _ => Arc::new(numbers().map(|n| n.map(|n| word(n, newlines))).collect::<StringArray>()),
    };
    cast(&untyped, &written_as(data_type)).unwrap()
}

/// Casts values to another type; values that it can't hold are an error. The inferred type of an
/// empty column is `Null`.
pub(super) fn cast(values: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    if *data_type == DataType::Null {
        return Ok(new_null_array(data_type, values.len()));
    }
    cast_with_options(values, data_type, &CastOptions { safe: false, ..CastOptions::default() })
}

/// Small numbers, and the bounds of the type.
fn int(data_type: &DataType, n: usize) -> i64 {
    let (least, most) = match data_type {
        DataType::Int8 => (i8::MIN as i64, i8::MAX as i64),
        DataType::Int16 => (i16::MIN as i64, i16::MAX as i64),
        DataType::Int32 => (i32::MIN as i64, i32::MAX as i64),
        DataType::UInt8 => (0, u8::MAX as i64),
        DataType::UInt16 => (0, u16::MAX as i64),
        DataType::UInt32 => (0, u32::MAX as i64),
        DataType::UInt64 => (0, i64::MAX),
        _ => (i64::MIN, i64::MAX),
    };
    match n {
        5 => most,
        6 => least,
        n => (n as i64).min(most),
    }
}

fn float(n: usize) -> f64 {
    match n {
        5 => f64::NAN,
        6 => f64::INFINITY,
        7 => f64::NEG_INFINITY,
        8 => -0.0,
        9 => 0.0,
        n => n as f64 * 0.5 - 3.0,
    }
}

/// Strings, among them some that a CSV file has to quote, some that are not ASCII, and some too
/// long to be inlined in a view.
fn word(n: usize, newlines: bool) -> String {
    const WORDS: [&str; 14] = [
        "alpha",
        "b",
        "été",
        "z,z",
        "say \"no\"",
        "it's",
        "line\nbreak",
        " lead",
        "#hash",
        "back\\slash",
        "a;b|c",
        "a rather long text beside the short ones",
        "cr\r\nlf",
        "日本語",
    ];
    let word = WORDS[n % WORDS.len()];
    let word = if newlines { word.to_owned() } else { word.replace(['\r', '\n'], " ") };
    match n / WORDS.len() {
        0 => word,
        round => format!("{word}{round}"),
    }
}

//! Values that are made of parts, so that exact arithmetic on the parts tells what each type has to
//! read: that number, or an error. There is no third outcome.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use arrow::compute::concat;
use arrow::datatypes::*;
use datafusion_csv_stream::decode::{DecodeOptions, Inferred, LeadingZeros};
use datafusion_csv_stream::error::{Error, ErrorKind};
use datafusion_csv_stream::{DecoderBuilder, Dialect, Reader};

/// A value, and its number as digits: of units, of the unscaled decimal, or of the bits of a
/// floating-point number. `None` if the type can't hold it.
type Case = (String, Option<String>);

/// Reads all values that the type holds together, and each of the others by itself.
///
/// # Panics
///
/// If one is not read as expected.
fn check(field: &Field, cases: &[Case]) {
    let held: Vec<_> = cases.iter().filter_map(|(text, number)| Some((text, number.as_ref()?))).collect();
    let file: String = held.iter().map(|(text, _)| format!("{text}\n")).collect();
    if !held.is_empty() {
        let array = read(&file, field).unwrap_or_else(|error| panic!("{field}: {error}"));
        assert_eq!(array.len(), held.len(), "{field}");
        for (row, (text, number)) in held.iter().enumerate() {
            assert_eq!(&digits(&array, row), *number, "{text:?} as {field}");
        }
    }
    for (text, _) in cases.iter().filter(|(_, number)| number.is_none()) {
        match read(&format!("{text}\n"), field) {
            Ok(array) => panic!("{text:?} as {field} is read as {}", digits(&array, 0)),
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::LossyValue { .. } | ErrorKind::InvalidValue { .. }),
                "{error}"
            ),
        }
    }
    assert!(!cases.is_empty());
}

fn read(file: &str, field: &Field) -> Result<ArrayRef, Error> {
    let decoder = DecoderBuilder::new(Arc::new(Schema::new(vec![field.clone()])))
        .with_dialect(Dialect::builder().with_header(false).build()?)
        .with_decode_options(DecodeOptions::default())
        .build()?;
    let batches = Reader::new(file.as_bytes(), decoder).collect::<Result<Vec<_>, _>>()?;
    let arrays: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(0).as_ref()).collect();
    Ok(concat(&arrays).expect("arrays of one type"))
}

fn digits(array: &ArrayRef, row: usize) -> String {
    fn number<T: ArrowPrimitiveType>(array: &ArrayRef, row: usize) -> T::Native {
        array.as_primitive::<T>().value(row)
    }
    use DataType::*;
    use TimeUnit::*;
    match array.data_type() {
        Float16 => number::<Float16Type>(array, row).to_bits().to_string(),
        Float32 => number::<Float32Type>(array, row).to_bits().to_string(),
        Float64 => number::<Float64Type>(array, row).to_bits().to_string(),
        Decimal32(..) => number::<Decimal32Type>(array, row).to_string(),
        Decimal64(..) => number::<Decimal64Type>(array, row).to_string(),
        Decimal128(..) => number::<Decimal128Type>(array, row).to_string(),
        Decimal256(..) => number::<Decimal256Type>(array, row).to_string(),
        Int8 => number::<Int8Type>(array, row).to_string(),
        Int32 => number::<Int32Type>(array, row).to_string(),
        Int64 => number::<Int64Type>(array, row).to_string(),
        UInt64 => number::<UInt64Type>(array, row).to_string(),
        Date32 => number::<Date32Type>(array, row).to_string(),
        Date64 => number::<Date64Type>(array, row).to_string(),
        Time32(Second) => number::<Time32SecondType>(array, row).to_string(),
        Time32(_) => number::<Time32MillisecondType>(array, row).to_string(),
        Time64(Microsecond) => number::<Time64MicrosecondType>(array, row).to_string(),
        Time64(_) => number::<Time64NanosecondType>(array, row).to_string(),
        Timestamp(Second, _) => number::<TimestampSecondType>(array, row).to_string(),
        Timestamp(Millisecond, _) => number::<TimestampMillisecondType>(array, row).to_string(),
        Timestamp(Microsecond, _) => number::<TimestampMicrosecondType>(array, row).to_string(),
        Timestamp(Nanosecond, _) => number::<TimestampNanosecondType>(array, row).to_string(),
        Duration(_) => {
            let integers = arrow::compute::cast(array, &Int64).expect("durations are integers");
            number::<Int64Type>(&integers, row).to_string()
        }
        other => unreachable!("{other}"),
    }
}

fn declared(data_type: DataType) -> Field {
    Field::new("value", data_type, true)
}

fn inferred(data_type: DataType, leading_zeros: LeadingZeros) -> Field {
    Inferred { leading_zeros }.mark(declared(data_type))
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, by counting.
fn days(year: i128, month: usize, day: i128) -> i128 {
    let is_leap = |year: i128| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, 28 + i128::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years = match year {
        ..1970 => -(year..1970).map(|year| 365 + i128::from(is_leap(year))).sum::<i128>(),
        _ => (1970..year).map(|year| 365 + i128::from(is_leap(year))).sum(),
    };
    years + lengths[..month - 1].iter().sum::<i128>() + day - 1
}

/// Fractions of a second of 0 to 12 digits: with zeros at their end, in front, and with none.
fn fractions() -> Vec<String> {
    let mut fractions = vec![String::new()];
    for len in 1..=12 {
        fractions.push("0".repeat(len));
        fractions.push("123456789987"[..len].to_owned());
        fractions.push("0".repeat(len - 1) + "5");
        for zeros in [1, 2, 3, 6] {
            if zeros < len {
                fractions.push("259137468521"[..len - zeros].to_owned() + &"0".repeat(zeros));
            }
        }
    }
    fractions
}

/// A fraction of a second in units of which a second has `10^places`, if it is a whole number.
fn units(fraction: &str, places: usize) -> Option<i128> {
    let kept = fraction.get(..places.min(fraction.len()))?;
    let cut = &fraction[kept.len()..];
    let padded = format!("0{kept}{}", "0".repeat(places - kept.len()));
    cut.bytes().all(|digit| digit == b'0').then(|| padded.parse().unwrap())
}

fn places(unit: TimeUnit) -> usize {
    [0, 3, 6, 9][unit as usize]
}

/// The offsets that a timestamp can end with, and their minutes.
const OFFSETS: [(&str, Option<i128>); 9] = [
    ("", None),
    ("Z", Some(0)),
    ("z", Some(0)),
    ("+00:00", Some(0)),
    ("-00:00", Some(0)),
    ("+02:00", Some(120)),
    ("-05:30", Some(-330)),
    (" +0545", Some(345)),
    ("-08", Some(-480)),
];

#[test]
fn timestamps_are_exact_or_an_error() {
    use TimeUnit::*;
    /// Seconds of the day; `None` if it has no such time, or only by a leap second.
    struct Clock(&'static str, Option<i128>);
    let clocks = [
        Clock("00:00:00", Some(0)),
        Clock("23:59:59", Some(86_399)),
        Clock("12:34:56", Some(45_296)),
        Clock("00:00:01", Some(1)),
        Clock("00:01:00", Some(60)),
        Clock("01:00:00", Some(3600)),
        Clock("24:00:00", None),
        Clock("23:59:60", None),
        Clock("12:34:60", None),
    ];
    let dates = [
        ("1970-01-01", days(1970, 1, 1)),
        ("1969-12-31", days(1969, 12, 31)),
        ("2024-02-29", days(2024, 2, 29)),
        ("1899-12-31", days(1899, 12, 31)),
        ("2262-04-11", days(2262, 4, 11)),
        ("1677-09-21", days(1677, 9, 21)),
        ("0001-01-01", days(1, 1, 1)),
        ("9999-12-31", days(9999, 12, 31)),
    ];
    assert_eq!(days(2000, 3, 1), 11_017);
    let mut types = vec![(DataType::Date32, 0, None), (DataType::Date64, 3, None)];
    for unit in [Second, Millisecond, Microsecond, Nanosecond] {
        types.push((DataType::Timestamp(unit, None), places(unit), None));
        for (zone, minutes) in [("+00:00", 0), ("+05:30", 330), ("-08:00", -480)] {
            types.push((DataType::Timestamp(unit, Some(zone.into())), places(unit), Some(minutes)));
        }
    }
    for (data_type, places, zone) in types {
        let mut cases = Vec::new();
        let mut inferred_cases = Vec::new();
        for (date, days) in dates {
            let mut add = |text: String, seconds: Option<i128>, fraction: &str, offset: Option<i128>| {
                let number = seconds.and_then(|seconds| {
                    if zone.is_none() && offset.is_some() {
                        return None;
                    }
                    let fraction = units(fraction, places)?;
                    if data_type == DataType::Date32 {
                        return (seconds == 0 && fraction == 0).then_some(days);
                    }
                    let seconds = days * 86_400 + seconds - 60 * offset.or(zone).unwrap_or(0);
                    let number = seconds * 10i128.pow(places as u32) + fraction;
                    i64::try_from(number).is_ok().then_some(number)
                });
                let is_zoned = offset.is_some();
                let number = number.map(|number| number.to_string());
                inferred_cases.push((text.clone(), number.clone().filter(|_| is_zoned)));
                cases.push((text, number));
            };
            add(date.to_owned(), Some(0), "", None);
            for (at, Clock(clock, seconds)) in clocks.iter().enumerate() {
                // Each clock has a quarter of the fractions, another one for each date.
                let quarter = (at + days.unsigned_abs() as usize) % 4;
                for fraction in fractions().into_iter().skip(quarter).step_by(4) {
                    for (offset, minutes) in OFFSETS {
                        let separator = ["T", " ", "t"][(fraction.len() + offset.len()) % 3];
                        let point = if fraction.is_empty() { "" } else { "." };
                        let text = format!("{date}{separator}{clock}{point}{fraction}{offset}");
                        add(text, *seconds, &fraction, minutes);
                    }
                }
            }
            add(format!("{date}T123456"), Some(45_296), "", None);
            add(format!("{date} 000000Z"), Some(0), "", Some(0));
        }
        check(&declared(data_type.clone()), &cases);
        if zone.is_some() {
            check(&inferred(data_type.clone(), LeadingZeros::Text), &inferred_cases);
        }
    }
}

#[test]
fn other_forms_of_dates_are_dates() {
    for (text, date) in [
        ("20240229", Some(days(2024, 2, 29))),
        ("2024-2-9", Some(days(2024, 2, 9))),
        ("+10999-12-31", Some(days(10_999, 12, 31))),
        ("2024-02-29T", None),
        ("2024-02-30", None),
    ] {
        check(&declared(DataType::Date32), &[(text.to_owned(), date.map(|days| days.to_string()))]);
    }
}

#[test]
fn times_are_exact_or_an_error() {
    use TimeUnit::*;
    let clocks = [
        ("00:00:00", Some(0)),
        ("1:02:03", Some(3723)),
        ("23:59:59", Some(86_399)),
        ("24:00:00", None),
        ("23:59:60", None),
        ("12:34:60", None),
    ];
    for (data_type, unit) in [
        (DataType::Time32(Second), Second),
        (DataType::Time32(Millisecond), Millisecond),
        (DataType::Time64(Microsecond), Microsecond),
        (DataType::Time64(Nanosecond), Nanosecond),
    ] {
        let scale = 10i128.pow(places(unit) as u32);
        let mut cases = vec![
            ("12:34".to_owned(), Some((45_240 * scale).to_string())),
            ("12:34 PM".to_owned(), Some((45_240 * scale).to_string())),
            ("86399".to_owned(), Some("86399".to_owned())),
        ];
        for (clock, seconds) in clocks {
            for fraction in fractions() {
                let number = seconds.and_then(|s: i128| Some(s * scale + units(&fraction, places(unit))?));
                let point = if fraction.is_empty() { "" } else { "." };
                cases.push((format!("{clock}{point}{fraction}"), number.map(|n| n.to_string())));
                let am = number.filter(|_| clock.starts_with('1'));
                cases.push((format!("{clock}{point}{fraction} AM"), am.map(|n| n.to_string())));
            }
        }
        // 12:34:60 AM starts with a 1 too, and 00:00:00 AM is no time.
        check(&declared(data_type), &cases);
    }
}

/// A number by its parts.
struct Number {
    sign: &'static str,
    whole: String,
    fraction: String,
    exponent: Option<&'static str>,
}

impl Number {
    fn all() -> Vec<Number> {
        let wholes = [
            "0",
            "1",
            "7",
            "12",
            "255",
            "65504",
            "65520",
            "99999",
            "123456",
            "16777217",
            "0000",
            "007",
            "012",
            "9007199254740992",
            "9007199254740993",
            "9007199254740994",
            "18014398509481985",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "10000000000000000000000",
            "123456789012345678901234567890",
            "340282366920938463463374607431768211456",
            "",
            "00000000000000000000000000000000000000001",
        ];
        let fractions =
            ["", "0", "00", "5", "50", "500", "05", "25", "123", "1230", "000", "0000000000", "999999999999"];
        let exponents = [
            "0", "1", "2", "3", "5", "22", "-1", "-2", "-5", "+3", "+05", "-05", "05", "003", "+003", "0134",
            "-300", "300", "38", "39", "400", "-400", "+0400", "000",
        ];
        let mut numbers = Vec::new();
        for sign in ["", "-"] {
            for whole in wholes {
                for fraction in fractions {
                    for exponent in [None].into_iter().chain(exponents.map(Some)) {
                        if whole.len() + fraction.len() > 0 {
                            let (whole, fraction) = (whole.to_owned(), fraction.to_owned());
                            numbers.push(Number { sign, whole, fraction, exponent });
                        }
                    }
                }
            }
        }
        numbers
    }

    fn text(&self) -> String {
        let point = if self.fraction.is_empty() { "" } else { "." };
        let exponent = self.exponent.map_or(String::new(), |exponent| format!("e{exponent}"));
        format!("{}{}{point}{}{exponent}", self.sign, self.whole, self.fraction)
    }

    /// The digits of the number times `10^scale`, if that is a whole number of up to `precision`
    /// digits.
    fn unscaled(&self, scale: i32, precision: usize) -> Option<String> {
        let mut digits = self.whole.clone() + &self.fraction;
        let power: i32 = self.exponent.map_or(0, |exponent| exponent.parse().unwrap());
        let shift = power - self.fraction.len() as i32 + scale;
        let is_zero = digits.bytes().all(|digit| digit == b'0');
        if is_zero {
            return Some("0".to_owned());
        } else if shift >= 0 {
            digits += &"0".repeat(shift as usize);
        } else {
            for _ in 0..-shift {
                if digits.pop().is_some_and(|digit| digit != '0') {
                    return None;
                }
            }
        }
        let digits = digits.trim_start_matches('0');
        (digits.len() <= precision).then(|| format!("{}{digits}", self.sign))
    }

    fn has_leading_zero(&self) -> bool {
        self.whole.len() > 1 && self.whole.starts_with('0')
    }

    fn has_exponent_of_label(&self) -> bool {
        self.exponent.is_some_and(|exponent| {
            let digits = exponent.trim_start_matches(['+', '-']);
            digits.len() > 3 || (digits == exponent && digits.len() > 1 && digits.starts_with('0'))
        })
    }

    /// Whether 53 bits hold the part before the point, and a fraction has a bit left.
    fn is_held(&self) -> bool {
        if self.exponent.is_some() {
            return true;
        }
        let Ok(number) = format!("0{}", self.whole).parse::<u128>() else {
            // Only a power of two is that large here. It counts as not held.
            return false;
        };
        let is_small = number <= 1 << 53;
        let is_whole = self.fraction.bytes().all(|digit| digit == b'0');
        is_small || is_whole && number % (1 << (128 - 53 - number.leading_zeros())) == 0
    }
}

fn check_numbers(field: &Field, expected: impl Fn(&Number) -> Option<String>) {
    let cases: Vec<Case> = Number::all().iter().map(|number| (number.text(), expected(number))).collect();
    check(field, &cases);
}

#[test]
fn decimals_are_exact_or_an_error() {
    use DataType::*;
    for (data_type, precision, scale) in [
        (Decimal32(9, 2), 9, 2),
        (Decimal32(4, 4), 4, 4),
        (Decimal64(18, 3), 18, 3),
        (Decimal64(5, 0), 5, 0),
        (Decimal64(6, -1), 6, -1),
        (Decimal128(15, 2), 15, 2),
        (Decimal128(38, 10), 38, 10),
        (Decimal128(10, -3), 10, -3),
        (Decimal256(76, 20), 76, 20),
    ] {
        check_numbers(&declared(data_type), |number| number.unscaled(scale, precision));
    }
    let inferred_number =
        |number: &Number| number.unscaled(0, 38).filter(|_| !number.has_exponent_of_label());
    check_numbers(&inferred(Decimal128(38, 0), LeadingZeros::Number), inferred_number);
    check_numbers(&inferred(Decimal128(38, 0), LeadingZeros::Text), |number| {
        inferred_number(number).filter(|_| !number.has_leading_zero())
    });
}

#[test]
fn floats_are_the_nearest_or_an_error() {
    let f64_of = |number: &Number| {
        let nearest: f64 = number.text().parse().unwrap();
        nearest.is_finite().then(|| nearest.to_bits().to_string())
    };
    let f32_of = |number: &Number| number.text().parse::<f32>().unwrap();
    check_numbers(&declared(DataType::Float64), f64_of);
    check_numbers(&declared(DataType::Float32), |number| {
        let nearest = f32_of(number);
        nearest.is_finite().then(|| nearest.to_bits().to_string())
    });
    // Arrow rounds to 32 bits first.
    check_numbers(&declared(DataType::Float16), |number| {
        let nearest = <Float16Type as ArrowPrimitiveType>::Native::from_f32(f32_of(number));
        nearest.is_finite().then(|| nearest.to_bits().to_string())
    });
    let is_number = |number: &Number| number.is_held() && !number.has_exponent_of_label();
    check_numbers(&inferred(DataType::Float64, LeadingZeros::Number), |number| {
        f64_of(number).filter(|_| is_number(number))
    });
    check_numbers(&inferred(DataType::Float64, LeadingZeros::Text), |number| {
        f64_of(number).filter(|_| is_number(number) && !number.has_leading_zero())
    });
    for infinite in ["inf", "-inf", "Infinity", "-infinity", "INF"] {
        let bits = infinite.parse::<f64>().unwrap().to_bits().to_string();
        for field in [declared(DataType::Float64), inferred(DataType::Float64, LeadingZeros::Text)] {
            check(&field, &[(infinite.to_owned(), Some(bits.clone()))]);
        }
    }
}

#[test]
fn integers_are_exact_or_an_error() {
    let integer = |number: &Number, least: i128, most: i128| {
        let is_integer = number.fraction.is_empty() && number.exponent.is_none();
        let value: i128 = format!("{}{}", number.sign, number.whole).parse().ok()?;
        (is_integer && (least..=most).contains(&value)).then(|| value.to_string())
    };
    let (least, most) = (i128::from(i64::MIN), i128::from(i64::MAX));
    for (data_type, least, most) in [
        (DataType::Int8, -128, 127),
        (DataType::Int32, i128::from(i32::MIN), i128::from(i32::MAX)),
        (DataType::Int64, least, most),
        (DataType::Duration(TimeUnit::Millisecond), least, most),
    ] {
        check_numbers(&declared(data_type), |number| integer(number, least, most));
    }
    for field in [declared(DataType::UInt64), inferred(DataType::UInt64, LeadingZeros::Number)] {
        check_numbers(&field, |number| integer(number, 0, u64::MAX.into()));
    }
    check_numbers(&inferred(DataType::Int64, LeadingZeros::Text), |number| {
        integer(number, least, most).filter(|_| !number.has_leading_zero())
    });
}

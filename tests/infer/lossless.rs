//! An inferred type loses nothing: every value of the sample is read exactly, and every value after
//! it is read exactly or is an error.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type, SchemaRef, TimeUnit, TimestampSecondType};
use arrow::util::display::array_value_to_string;
use arrow_csv::reader::Format;
use datafusion_csv_stream::error::{Error, ErrorKind};
use datafusion_csv_stream::infer::{InferredSchema, LeadingZeros, SampleOptions};
use datafusion_csv_stream::{DecoderBuilder, Dialect, Reader};

use crate::types::{column_type, one_column};
use crate::{Random, empty_is_null, infer_with, sample};

fn zoned(unit: TimeUnit) -> DataType {
    DataType::Timestamp(unit, Some("+00:00".into()))
}

/// What arrow-csv, and so DataFusion, infers.
fn type_of_arrow(values: &[&str]) -> DataType {
    let file = one_column(values);
    let (schema, _) = Format::default().with_header(true).infer_schema(file.as_bytes(), None).unwrap();
    schema.field(0).data_type().clone()
}

#[test]
fn types_that_differ_from_those_of_arrow_csv() {
    use DataType::*;
    use TimeUnit::*;
    let local = |unit| Timestamp(unit, None);
    for (values, ours, theirs) in [
        (&["02139"][..], Utf8, Int64),
        (&["12345", "02139"], Utf8, Int64),
        (&["-007"], Utf8, Int64),
        (&["00"], Utf8, Int64),
        (&["00.5", "1.5"], Utf8, Float64),
        (&["0047583311587E590003", "0047583311587E590004"], Utf8, Float64),
        (&["01e5"], Utf8, Float64),
        (&["32E0134"], Utf8, Float64),
        (&["32E05", "1.5"], Utf8, Float64),
        (&["1e+0005"], Utf8, Float64),
        (&["1e400"], Utf8, Float64),
        (&["-1e400", "0.5"], Utf8, Float64),
        (&["9007199254740993", "0.5"], Utf8, Float64),
        (&["-9007199254740993", "nan"], Utf8, Float64),
        (&["12345678901234567.89"], Utf8, Float64),
        (&["9007199254740993.0"], Utf8, Float64),
        (&["Infinity", "0.5"], Float64, Utf8),
        (&["-Infinity", "INF", "1"], Float64, Utf8),
        (&["NAN"], Float64, Utf8),
        (&["2020-01-01T00:00:00Z"], zoned(Second), local(Second)),
        (&["2020-01-01 00:00:00+01:00", "2020-01-01T00:00:00.5Z"], zoned(Millisecond), local(Millisecond)),
        (&["2020-01-01T00:00:00.123456789-0530"], zoned(Nanosecond), local(Nanosecond)),
        (&["2020-01-01T00:00:00Z", "2020-01-01T00:00:00"], Utf8, local(Second)),
        (&["2020-01-01T00:00:00.5+01:00", "2020-01-01"], Utf8, local(Millisecond)),
        (&["2016-12-31T23:59:60"], Utf8, local(Second)),
    ] {
        assert_eq!(column_type(values), ours, "{values:?}");
        assert_eq!(type_of_arrow(values), theirs, "{values:?}");
    }
}

#[test]
fn types_that_are_those_of_arrow_csv() {
    use DataType::*;
    for (values, expected) in [
        (&["0", "-0", "10", "100"][..], Int64),
        (&["+01", "1"], Utf8),
        (&["0.5", "-0.5", ".5", "0e5"], Float64),
        (&["1e5", "1E5", "1.5e-3", "1e-05", "1E+05", "1e300"], Float64),
        (&["1e-400"], Float64),
        (&["0.12345678901234567890", "9007199254740991.5", "9007199254740994.0"], Float64),
        (&["9007199254740993"], Int64),
        (&["9007199254740992", "9007199254740994", "0.5"], Float64),
        (&["inf", "-inf", "NaN", "nan"], Float64),
        (&["Nan"], Utf8),
        (&["+inf"], Utf8),
        (&["18446744073709551616", "0.5"], Utf8),
        (&["02139-1234"], Utf8),
        (&["0001-01-01"], Date32),
    ] {
        assert_eq!(column_type(values), expected, "{values:?}");
        assert_eq!(type_of_arrow(values), expected, "{values:?}");
    }
}

#[test]
fn leading_zeros_are_numbers_on_request() {
    let options = SampleOptions { leading_zeros: LeadingZeros::Number, ..Default::default() };
    for (values, expected) in [
        (&["02139", "-007"][..], DataType::Int64),
        (&["02139", "0.5"], DataType::Float64),
        (&["00184467440737095516150"], DataType::Decimal128(38, 0)),
        (&["0047583311587E590003"], DataType::Utf8),
        (&["32E0134"], DataType::Utf8),
    ] {
        let file = one_column(values);
        let inferred = infer_with(Dialect::builder(), &options, &[file.as_bytes()]).unwrap();
        assert_eq!(inferred.schema.field(0).data_type(), &expected, "{values:?}");
        read(&file, &inferred.schema).unwrap();
    }
}

fn read(file: &str, schema: &SchemaRef) -> Result<Vec<ArrayRef>, Error> {
    let decoder = DecoderBuilder::new(Arc::clone(schema)).build()?;
    let batches = Reader::new(file.as_bytes(), decoder).collect::<Result<Vec<_>, _>>()?;
    Ok(batches.iter().map(|batch| batch.column(0).clone()).collect())
}

fn infer(values: &[&str]) -> InferredSchema {
    let (dialect, options) = (Dialect::default(), SampleOptions::default());
    sample(&dialect, empty_is_null(), &options, &[one_column(values).as_bytes()], usize::MAX).unwrap()
}

/// A number, a date, a timestamp or a word, of the many ways to write one.
fn value(random: &mut Random, kind: usize) -> String {
    let mut pick = |of: &[&str]| of[random.below(of.len())].to_owned();
    match kind {
        0 => {
            pick(&["", "-"])
                + &pick(&["0", "00", "7", "0047", "9007199254740993", "12", "99999999999999999999"])
        }
        1 => {
            pick(&["", "-"])
                + &pick(&["0", "12", "9007199254740992", "9007199254740993", "1"])
                + &pick(&["", ".5", ".", ".250", ".0"])
        }
        2 => {
            pick(&["", "-"])
                + &pick(&["1", "3.25", "0", "47583311587", "00.5"])
                + &pick(&["e", "E"])
                + &pick(&["5", "-05", "05", "0134", "+10", "400", "-400", "59000"])
        }
        3 => pick(&["inf", "-inf", "Infinity", "NaN", "INF", "nan", "+inf", "infinit"]),
        4 => pick(&["2020-02-29", "1969-12-31", "0001-01-01", "9999-12-31", "2021-02-29"]),
        5 | 6 => {
            pick(&["2020-02-29", "1969-12-31", "2262-01-01"])
                + &pick(&["T", " "])
                + &pick(&["00:00:00", "23:59:59", "12:34:56", "23:59:60"])
                + &pick(&["", "", ".5", ".250", ".123456", ".123456789", ".1234567891", ".0000000000"])
                + &match kind {
                    5 => pick(&["", "", "", "Z"]),
                    _ => pick(&["Z", "+00:00", "+02:00", "-05:30", " -08", ""]),
                }
        }
        7 => pick(&["true", "FALSE", "True"]),
        _ => pick(&["word", "é", "-", "+1", "1_000", "0x10", "1 "]),
    }
}

/// Whether a value of an array stands for the text.
fn is_exact(array: &ArrayRef, row: usize, text: &str) -> bool {
    let shown = array_value_to_string(array, row).unwrap();
    // Numbers after the sample may have whitespace around them, and a plus.
    let text = match array.data_type().is_numeric() {
        true => text.trim().trim_start_matches('+'),
        false => text,
    };
    match array.data_type() {
        DataType::Null => text.is_empty(),
        _ if text.is_empty() => array.is_null(row),
        DataType::Boolean => shown.eq_ignore_ascii_case(text),
        DataType::Float64 => {
            let (number, nearest) =
                (array.as_primitive::<Float64Type>().value(row), text.parse::<f64>().unwrap());
            let whole = text.split('.').next().unwrap();
            let is_plain = !text.contains(|c: char| c.is_alphabetic());
            let is_infinite = number.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit());
            let is_same = number == nearest || number.is_nan() && nearest.is_nan();
            // The whole part is there too, unless there is an exponent.
            let is_whole = || number as i128 == format!("{}0", whole).parse::<i128>().unwrap() / 10;
            is_same && !is_infinite && (!is_plain || is_whole())
        }
        DataType::Date32 => shown_as(&shown) == shown_as(text),
        DataType::Timestamp(_, None) => shown_as(&shown) == shown_as(text),
        // The same instant, in seconds and as a fraction.
        DataType::Timestamp(..) => {
            let seconds = arrow::compute::cast(
                &arrow::compute::cast(array, &DataType::Timestamp(TimeUnit::Second, None)).unwrap(),
                &DataType::Timestamp(TimeUnit::Second, None),
            )
            .unwrap();
            let (text_seconds, fraction) = instant(text);
            // The cast to seconds rounds towards zero.
            let seconds = seconds.as_primitive::<TimestampSecondType>().value(row);
            let rounds_up = text_seconds < 0 && !fraction.is_empty();
            let shown_fraction = shown.split_once('.').map_or("", |(_, rest)| rest.trim_end_matches('Z'));
            seconds == text_seconds + i64::from(rounds_up) && shown_fraction.trim_end_matches('0') == fraction
        }
        DataType::Int64 if text == "-0" => shown == "0",
        DataType::Decimal128(..) => shown == integer(text),
        _ => shown == text,
    }
}

/// The digits of a whole number that may have a point and an exponent.
fn integer(text: &str) -> String {
    let (number, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if number.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.')) {
        return "0".to_owned();
    }
    let fraction = fraction.trim_end_matches('0');
    let zeros = power.parse::<usize>().unwrap() - fraction.len();
    let digits = format!("{}{fraction}{}", whole.trim_start_matches('-'), "0".repeat(zeros));
    let digits = digits.trim_start_matches('0');
    if whole.starts_with('-') { format!("-{digits}") } else { digits.to_owned() }
}

/// A local timestamp in one form.
fn shown_as(text: &str) -> String {
    let text = text.replace(' ', "T");
    let text = if text.len() == 10 { text + "T00:00:00" } else { text };
    match text.split_once('.') {
        Some((seconds, fraction)) if fraction.trim_end_matches('0').is_empty() => seconds.to_owned(),
        Some((seconds, fraction)) => format!("{seconds}.{}", fraction.trim_end_matches('0')),
        None => text,
    }
}

/// The seconds since 1970 of a timestamp with an offset, and its fraction without zeros at the end.
fn instant(text: &str) -> (i64, String) {
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap();
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let leap_days = |year: i64| year / 4 - year / 100 + year / 400;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month as usize - 1];
    let days = 365 * (year - 1970) + leap_days(year - 1) - leap_days(1969) + before + day - 1
        + i64::from(is_leap && month > 2);
    let rest = &text[19..];
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap()),
        None => ("", rest),
    };
    let zone = zone.trim().replace(':', "");
    let minutes = match zone.as_str() {
        "Z" => 0,
        zone => {
            let minutes =
                zone[1..3].parse::<i64>().unwrap() * 60 + zone.get(3..5).map_or(0, |m| m.parse().unwrap());
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    let seconds = days * 86_400 + number(11, 13) * 3600 + number(14, 16) * 60 + number(17, 19) - minutes * 60;
    (seconds, fraction.trim_end_matches('0').to_owned())
}

#[test]
fn what_was_sampled_is_read_exactly_and_what_comes_after_it_too_or_not_at_all() {
    let mut random = Random(0x5eed);
    let mut types = std::collections::BTreeSet::new();
    for _ in 0..20_000 {
        let (a, b) = (random.below(9), random.below(9));
        let mixes = random.below(3) == 0;
        let mut sampled = Vec::new();
        for _ in 0..1 + random.below(4) {
            let kind = if mixes && random.below(2) == 0 { b } else { a };
            sampled.push(if random.below(8) == 0 { String::new() } else { value(&mut random, kind) });
        }
        let sampled: Vec<&str> = sampled.iter().map(String::as_str).collect();
        let inferred = infer(&sampled);
        let data_type = inferred.schema.field(0).data_type();
        types.insert(data_type.to_string());
        let arrays = read(&one_column(&sampled), &inferred.schema)
            .unwrap_or_else(|error| panic!("{sampled:?} as {data_type}: {error}"));
        for (row, text) in sampled.iter().enumerate() {
            assert!(is_exact(&arrays[0], row, text), "{sampled:?} as {data_type}: {text}");
        }
        let later = value(&mut random, if mixes { b } else { a });
        match read(&one_column(&[&later]), &inferred.schema) {
            Ok(arrays) => {
                assert!(is_exact(&arrays[0], 0, &later), "{later:?} after {sampled:?} as {data_type}");
            }
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::LossyValue { .. } | ErrorKind::InvalidValue { .. }),
                "{error}"
            ),
        }
    }
    assert!(types.len() > 12, "{types:?}");
}

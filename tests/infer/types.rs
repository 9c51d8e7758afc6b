//! The type that a column of values gets.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use arrow_csv::ReaderBuilder;
use arrow_csv::reader::Format;
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::infer::{IsNull, SampleOptions, StringType};

use crate::{Random, empty_is_null, infer, infer_with, sample, shown};

fn timestamp(unit: TimeUnit) -> DataType {
    DataType::Timestamp(unit, None)
}

#[test]
fn as_the_built_in_reader_infers() {
    let (s, ms) = (timestamp(TimeUnit::Second), timestamp(TimeUnit::Millisecond));
    let (us, ns) = (timestamp(TimeUnit::Microsecond), timestamp(TimeUnit::Nanosecond));
    for (values, expected) in [
        (&["", ""][..], DataType::Null),
        (&["true", "FALSE", ""], DataType::Boolean),
        (&["1", "-2", ""], DataType::Int64),
        (&["9223372036854775807", "-9223372036854775808"], DataType::Int64),
        (&["0", "-0", "10"], DataType::Int64),
        (&["1.5", ".5", "-5.", "1e5", "2.5E-3"], DataType::Float64),
        (&["NaN", "nan", "inf", "-inf"], DataType::Float64),
        (&["1e-05", "1.5E+005", "2.5e300", "0e0", "1E5"], DataType::Float64),
        (&["9007199254740993", "1"], DataType::Int64),
        (&["9007199254740992", "0.5"], DataType::Float64),
        (&["1", "2.5"], DataType::Float64),
        (&["2020-02-29", "0001-01-01"], DataType::Date32),
        (&["2020-02-29T23:59:59"], s.clone()),
        (&["2020-02-29T23:59:59.1", "2020-02-29T23:59:59.123"], ms.clone()),
        (&["2020-02-29T23:59:59.1234"], us.clone()),
        (&["2020-02-29T23:59:59.1234567"], ns.clone()),
        (&["2020-02-29", "2020-02-29T23:59:59"], s),
        (&["2020-02-29", "2020-02-29T23:59:59.1", "2020-02-29T23:59:59"], ms),
        (&["2020-02-29T23:59:59.1", "2020-02-29T23:59:59.123456"], us),
        (&["2020-02-29", "2020-02-29T23:59:59.123456789"], ns),
        (&["true", "1"], DataType::Utf8),
        (&["1", "2020-02-29"], DataType::Utf8),
        (&["abc"], DataType::Utf8),
        (&["+1"], DataType::Utf8),
        (&["1 "], DataType::Utf8),
        (&["-"], DataType::Utf8),
        (&["."], DataType::Utf8),
        (&["1e"], DataType::Utf8),
        (&["1e+"], DataType::Utf8),
        (&["2020-2-29"], DataType::Utf8),
        (&["2020-02-29T23:59:59."], DataType::Utf8),
        (&["2020-02-29T23:59:59.1234567890"], DataType::Utf8),
        (&["\"2020-02-29T23:59:59 \n+05:00\""], DataType::Utf8),
        (&["2020-02-29T23:59"], DataType::Utf8),
    ] {
        assert_eq!(column_type(values), expected, "{values:?}");
        let (theirs, _) =
            Format::default().with_header(true).infer_schema(one_column(values).as_bytes(), None).unwrap();
        assert_eq!(theirs.field(0).data_type(), &expected, "arrow-csv: {values:?}");
    }
}

#[test]
fn what_cannot_be_read_is_text() {
    for values in [
        &["2020-13-45"][..],
        &["2021-02-29"],
        &["2020-01-01", "2020-01-32"],
        &["2020-01-01T99:99:99"],
        &["2020-01-01T12:00:00Nowhere/Land"],
        &["2020-01-01T12:00:00 and more"],
        &["9999-12-31T00:00:00", "2020-01-01T00:00:00.123456789"],
        &["9999-12-31", "2020-01-01T00:00:00.123456789"],
        &["1600-01-01T00:00:00.123456789"],
        &["2016-12-31T23:59:60Z"],
        &["2016-12-31", "2016-12-31T23:59:60.5"],
        &["٣"],
        &["falſe"],
    ] {
        assert_eq!(column_type(values), DataType::Utf8, "{values:?}");
    }
    assert_eq!(column_type(&["9999-12-31", "9999-12-31T00:00:00.5"]), timestamp(TimeUnit::Millisecond));
}

#[test]
fn large_integers_keep_their_digits() {
    let nines = |digits: usize| "9".repeat(digits);
    let zeros = "0".repeat(300);
    let (decimal128, decimal256) = (DataType::Decimal128(38, 0), DataType::Decimal256(76, 0));
    for (values, expected) in [
        (vec!["9223372036854775808".to_owned()], DataType::UInt64),
        (vec!["18446744073709551615".to_owned(), "0".to_owned()], DataType::UInt64),
        (vec!["18446744073709551615".to_owned(), "-0".to_owned()], decimal128.clone()),
        (vec!["18446744073709551615".to_owned(), "-1".to_owned()], decimal128.clone()),
        (vec!["18446744073709551616".to_owned(), "1".to_owned()], decimal128.clone()),
        (vec!["-9223372036854775809".to_owned()], decimal128.clone()),
        (vec![nines(38), format!("-{}", nines(38))], decimal128.clone()),
        (vec!["9".to_owned() + &zeros[..37]], decimal128),
        (vec![nines(39), "1".to_owned()], decimal256.clone()),
        (vec![nines(76), format!("-{}", nines(76))], decimal256),
        (vec![nines(77)], DataType::Utf8),
        (vec![nines(256)], DataType::Utf8),
        (vec![zeros.clone() + &nines(38)], DataType::Utf8),
        (vec![nines(300), "1".to_owned()], DataType::Utf8),
        (vec![nines(20), "1.5".to_owned()], DataType::Utf8),
        (vec![nines(20), "true".to_owned()], DataType::Utf8),
    ] {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        assert_eq!(column_type(&values), expected, "{values:?}");
        let schema =
            Schema::new(vec![Field::new("v", expected, true), Field::new("w", DataType::Utf8, true)]);
        let batches = arrow_reads(&one_column(&values), Arc::new(schema)).unwrap();
        for (row, value) in values.iter().enumerate() {
            let read = array_value_to_string(batches[0].column(0), row).unwrap();
            let expected = if *value == "-0" { "0" } else { value };
            assert_eq!(read.trim_start_matches('0'), expected.trim_start_matches('0'));
        }
    }
}

/// Random columns of the values below, with two kinds mixed at a time. If the type differs from
/// arrow-csv's, one of the reasons must hold, and each reason must occur. The file is then read
/// with the inferred type.
#[test]
fn as_arrow_csv_but_for_the_listed_differences() {
    let kinds: &[&[&str]] = &[
        &["true", "false", "True", "FALSE"],
        &["0", "-1", "42", "007", "-0", "9223372036854775807", "-9223372036854775808"],
        &["9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775809"],
        &["100000000000000000000000000000000000000", "-12345678901234567890123456789012345678901234567890"],
        &["9007199254740993", "-9007199254740993", "9007199254740992"],
        &["1.5", "-.25", "3.", "1e5", "1.e5", "-2.5E+10", "1e-05", "nan", "-inf", "inf", "NaN"],
        &["1e400", "-1.5e309"],
        &["00.5", "-01", "007e1", "0047583311587E590003"],
        &["32E0134", "1.5e05", "2e1000"],
        &["Infinity", "-infinity", "INF"],
        &["2020-01-01", "1969-12-31", "0000-01-01", "9999-12-31", "1600-02-29"],
        &["2020-13-45", "2021-02-29", "2020-00-00"],
        &["2020-01-01T00:00:00", "2020-01-01 23:59:60", "1600-01-01T00:00:00Z", "9999-12-31T23:59:59"],
        &["2020-01-01T00:00:00.1", "2020-01-01 00:00:00.123Z", "1600-01-01T00:00:00.12+05:30"],
        &["2020-01-01T00:00:00.1234", "2020-01-01 00:00:00.123456 -08"],
        &["2020-01-01T00:00:00Z", "2020-01-01 00:00:00+05:30", "1969-12-31T23:59:59.5-0800"],
        &["2020-01-01T00:00:00.1234567", "2262-01-01 00:00:00.123456789Z"],
        &[
            "2020-01-01T24:00:00",
            "2020-01-01T99:99:99.5",
            "2020-01-01T00:00:00Q",
            "2300-01-01T00:00:00.1234567",
        ],
        &["text", "NULL", "é", "-", "1 ", " 1", "+1", "Nan", "INF", "1_000", "0x10"],
    ];
    let mut random = Random(42);
    let mut differences: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..8_000 {
        let (a, b) = (kinds[random.below(kinds.len())], kinds[random.below(kinds.len())]);
        let values: Vec<&str> = (0..1 + random.below(4))
            .map(|_| match random.below(5) {
                0 => "",
                1 | 2 => a[random.below(a.len())],
                _ => b[random.below(b.len())],
            })
            .collect();
        let file = one_column(&values);
        let ours = sample(
            &Dialect::default(),
            empty_is_null(),
            &SampleOptions::default(),
            &[file.as_bytes()],
            usize::MAX,
        )
        .unwrap();
        let (theirs, records) =
            Format::default().with_header(true).infer_schema(file.as_bytes(), None).unwrap();
        assert_eq!(ours.records, records);

        let theirs_type = theirs.field(0).data_type().clone();
        let is_readable = arrow_reads(&file, Arc::new(theirs)).is_ok();
        let expected = match difference(&values, &theirs_type, is_readable) {
            None => theirs_type,
            Some((reason, data_type)) => {
                *differences.entry(reason).or_default() += 1;
                data_type
            }
        };
        assert_eq!(ours.schema.field(0).data_type(), &expected, "{values:?}");
        if let Err(error) = arrow_reads(&file, ours.schema) {
            panic!("{values:?} as {expected}: {error}");
        }
    }
    assert_eq!(
        differences.keys().copied().collect::<Vec<_>>(),
        [
            "infinity",
            "integers past 2^53",
            "labels",
            "large integers",
            "leading zeros",
            "leap seconds",
            "local and zoned",
            "not readable",
            "too large for a float",
            "zoned"
        ]
    );
}

/// The reason why another type than arrow-csv's is inferred, and that type.
fn difference(values: &[&str], theirs: &DataType, is_readable: bool) -> Option<(&'static str, DataType)> {
    let values = || values.iter().copied().filter(|value| !value.is_empty());
    let unsigned = |value: &str| value.trim_start_matches('-').to_owned();
    let is_integer = |value: &str| {
        let digits = unsigned(value);
        !digits.is_empty() && digits.len() + 1 >= value.len() && digits.bytes().all(|b| b.is_ascii_digit())
    };
    let is_number = |value: &str| {
        value.starts_with(|c: char| !c.is_alphabetic() && c != '+') && value.parse::<f64>().is_ok()
    };
    let starts_with_zero = |value: &str| {
        let digits = unsigned(value);
        digits.starts_with('0') && digits[1..].starts_with(|c: char| c.is_ascii_digit())
    };
    let is_label = |value: &str| ["32E0134", "1.5e05", "2e1000", "0047583311587E590003"].contains(&value);
    let is_too_large =
        |value: &str| is_number(value) && value.parse::<f64>().unwrap().is_infinite() && !value.contains('i');
    let is_held = |value: &str| {
        !is_integer(value) || unsigned(value).parse().is_ok_and(|n: u64| n as f64 as u128 == n.into())
    };
    let are_integers = values().all(is_integer);
    let are_numbers = values().all(|value| {
        let infinite = ["inf", "infinity"].contains(&unsigned(value).to_ascii_lowercase().as_str());
        is_number(value) || infinite || value.eq_ignore_ascii_case("nan") && value != "Nan" || value == "-inf"
    });
    let is_temporal = |value: &str| value.len() >= 10 && value.as_bytes()[4] == b'-';
    let is_zoned = |value: &str| value.len() > 19 && value[19..].contains(['Z', '+', '-']);
    if values().next().is_none() {
        None
    } else if are_numbers && values().any(starts_with_zero) {
        Some(("leading zeros", DataType::Utf8))
    } else if are_integers && *theirs == DataType::Utf8 {
        Some((
            "large integers",
            if values().all(|value| value.parse::<u64>().is_ok()) {
                DataType::UInt64
            } else if values().all(|value| unsigned(value).len() <= 38) {
                DataType::Decimal128(38, 0)
            } else {
                DataType::Decimal256(76, 0)
            },
        ))
    } else if are_numbers
        && !are_integers
        && values().any(|value| is_integer(value) && value.parse::<i64>().is_err())
    {
        // Such integers with floats are text in both.
        None
    } else if are_numbers && !are_integers && values().any(is_label) {
        Some(("labels", DataType::Utf8))
    } else if are_numbers && !are_integers && values().any(is_too_large) {
        Some(("too large for a float", DataType::Utf8))
    } else if are_numbers && !are_integers && !values().all(is_held) {
        Some(("integers past 2^53", DataType::Utf8))
    } else if are_numbers && *theirs == DataType::Utf8 {
        Some(("infinity", DataType::Float64))
    } else if !is_readable {
        Some(("not readable", DataType::Utf8))
    } else if let DataType::Timestamp(unit, _) = theirs
        && values().all(is_temporal)
    {
        if values().any(|value| value.contains(":60")) {
            Some(("leap seconds", DataType::Utf8))
        } else if values().all(is_zoned) {
            Some(("zoned", DataType::Timestamp(*unit, Some("+00:00".into()))))
        } else {
            values().any(is_zoned).then_some(("local and zoned", DataType::Utf8))
        }
    } else {
        None
    }
}

#[test]
fn null_is_what_the_rule_says() {
    let is_null: IsNull = Box::new(|value, quoted| value == b"NA" || (value.is_empty() && !quoted));
    let file = b"a,b,c\n1,NA,\n\"NA\",,\"\"\n";
    let inferred =
        sample(&Dialect::default(), is_null, &SampleOptions::default(), &[file], usize::MAX).unwrap();
    assert_eq!(shown(&inferred), "a: Int64, b: Null, c: Utf8");
}

#[test]
fn quotes_make_no_difference_to_a_type() {
    let inferred = infer(&[b"\"a\",b\n\"1\",\"2020-01-01\"\n2,\"\"\n"]).unwrap();
    assert_eq!(shown(&inferred), "a: Int64, b: Date32");
}

#[test]
fn a_value_that_is_not_utf8_is_text() {
    assert_eq!(shown(&infer(&[b"a,b\n\xff,1\n2,3\n"]).unwrap()), "a: Utf8, b: Int64");
}

#[test]
fn strings_are_views_if_asked_for() {
    let options = SampleOptions { string_type: StringType::Utf8View, ..Default::default() };
    let inferred = infer_with(Dialect::builder(), &options, &[b"a,b\nx,1\n"]).unwrap();
    assert_eq!(shown(&inferred), "a: Utf8View, b: Int64");
}

/// The type of one column of values, none of which needs quotes.
pub(crate) fn column_type(values: &[&str]) -> DataType {
    infer(&[one_column(values).as_bytes()]).unwrap().schema.field(0).data_type().clone()
}

/// A second column keeps empty values from being blank lines.
pub(crate) fn one_column(values: &[&str]) -> String {
    values.iter().fold("v,w\n".to_owned(), |file, value| file + value + ",x\n")
}

fn arrow_reads(file: &str, schema: SchemaRef) -> Result<Vec<RecordBatch>, ArrowError> {
    ReaderBuilder::new(schema).with_header(true).build(file.as_bytes())?.collect()
}

//! The decoder compared with `arrow-csv`.

#[path = "support/decode.rs"]
#[allow(unreachable_pub, reason = "a fuzz target of another crate includes the file too")]
mod support;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::*;
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::decode::internal::BatchDecoder;
use datafusion_csv_stream::decode::{DecodeOptions, supports};
use datafusion_csv_stream::error::{Error, ErrorKind};
use datafusion_csv_stream::grammar::Trim;
use datafusion_csv_stream::parse::{FieldCount, Parser, Step};
use support::{Cuts, WHOLE, all_types, compare, ours};

/// Values that are valid for some type, or nearly so.
const VALUES: &[&str] = &[
    "",
    "0",
    "1",
    "-1",
    "+5",
    "-0",
    "+0",
    "00012",
    "-00012",
    "007",
    "9",
    "10",
    "99",
    "127",
    "128",
    "-128",
    "-129",
    "255",
    "256",
    "32767",
    "32768",
    "-32768",
    "-32769",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "4294967295",
    "4294967296",
    "12345678",
    "123456789",
    "1234567890123456",
    "12345678901234567",
    "123456789012345678",
    "999999999999999999",
    "1000000000000000000",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "0000000000000000000000000000001",
    "-",
    "+",
    "--1",
    "+-1",
    "1-",
    "- 1",
    " 1",
    "1 ",
    "\t1\t",
    "1_000",
    "0x10",
    "1a",
    "a1",
    "١",
    "1.",
    ".5",
    "-.5",
    "+.5",
    ".",
    "-.",
    "+.",
    "1..2",
    "1.2.3",
    "0.1",
    "0.10",
    "1.5",
    "-1.5",
    "+1.5",
    " 1.5 ",
    "1.23456789",
    "0.3",
    "0.30000000000000004",
    "123456.78",
    "123456789.12",
    "1234567.89",
    "9999999.99",
    "99999999.99",
    "9999999999999.99",
    "99999999999999.99",
    "9999999999999.999",
    "0.001",
    "0.00001",
    "0.0000000000",
    "00.5",
    "000000000000000000000000.25",
    "-0.0",
    "-0.00",
    "16777216",
    "16777217",
    "0.1234567890123456789012345678901234567890",
    "12345678901234567890123456789012345678",
    "123456789012345678901234567890123456789",
    "3.4028236e38",
    "1e400",
    "-1e400",
    "1e-400",
    "1e5",
    "1E5",
    "1e+5",
    "1e-5",
    "1.5e3",
    "1.5e",
    "e5",
    "1e",
    "1e5-3",
    "1e5.",
    "12.345e1",
    "12.345e-1",
    "1e22",
    "1e23",
    "5e-324",
    "9007199254740992",
    "9007199254740993",
    "9007199254740993.0",
    "4.35",
    "0.000001",
    "2.2250738585072011e-308",
    "nan",
    "NaN",
    "NAN",
    "-nan",
    "inf",
    "-inf",
    "+inf",
    "Infinity",
    "-infinity",
    "INF",
    "true",
    "false",
    "TRUE",
    "False",
    "tRuE",
    "t",
    "f",
    "yes",
    " true",
    "truе",
    "NULL",
    "null",
    "2024-02-29",
    "2023-02-29",
    "1900-02-29",
    "2000-02-29",
    "2100-02-28",
    "2020-1-1",
    "2020-01-1",
    "2020-1-01",
    "20200101",
    "0000-00-00",
    "0000-01-01",
    "0001-01-01",
    "9999-12-31",
    "1899-12-31",
    "1900-01-01",
    "2155-12-31",
    "2156-01-01",
    "1969-12-31",
    "1970-01-01",
    "2024-13-01",
    "2024-00-01",
    "2024-01-00",
    "2024-04-31",
    "2024-01-32",
    "2024/01/01",
    "01-02-2024",
    "2024-01-01 ",
    " 2024-01-01",
    "+10999-12-31",
    "-0012-05-06",
    "+5881580-07-11",
    "+5881580-07-12",
    "-5877641-06-23",
    "-5877641-06-22",
    "+99999999999-01-01",
    "2024-01-01T",
    "2024-01-01T00:00:00",
    "2024-01-01 00:00:00",
    "2024-01-01t12:34:56",
    "2024-01-01x12:34:56",
    "2024-01-01T12:34:56Z",
    "2024-01-01T12:34:56z",
    "2024-01-01T12:34:56.1",
    "2024-01-01T12:34:56.12",
    "2024-01-01T12:34:56.123",
    "2024-01-01T12:34:56.1234",
    "2024-01-01T12:34:56.12345",
    "2024-01-01T12:34:56.123456",
    "2024-01-01T12:34:56.1234567",
    "2024-01-01T12:34:56.12345678",
    "2024-01-01T12:34:56.123456789",
    "2024-01-01T12:34:56.1234567890",
    "2024-01-01T12:34:56.123456789012345678",
    "2024-01-01T12:34:56.",
    "2024-01-01T12:34:56.Z",
    "2024-01-01T12:34:56.123Z",
    "2024-01-01T12:34:56.123+05:00",
    "2024-01-01T12:34:56-08:00",
    "2024-01-01T12:34:56 +0530",
    "2024-01-01 12:34:56 -08",
    "2024-01-01T123456",
    "2024-01-01T123456+04:00",
    "2024-01-01T12:34",
    "2024-01-01T24:00:00",
    "2024-01-01T23:59:60",
    "2024-01-01T23:59:60.5",
    "2024-01-01T23:60:00",
    "2024-01-01T25:00:00",
    "2024-01-01T1:02:03",
    "2024-01-01T12:34:56ZZ",
    "2024-01-01T12:34:56 UTC",
    "2024-01-01T12:34:56 Mars/Base",
    "2024-01-01T12:34:56é",
    "1969-12-31T23:59:59.999999999",
    "1677-09-21T00:12:43.145224192",
    "1677-09-21T00:12:43.145224191",
    "2262-04-11T23:47:16.854775807",
    "2262-04-11T23:47:16.854775808",
    "0000-01-01T00:00:00",
    "9999-12-31T23:59:59.999999999",
    "0000-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2024-02-30T00:00:00",
    "00:00:00",
    "12:34",
    "1:02",
    "12:34:56",
    "23:59:59.999",
    "23:59:59.999999999",
    "23:59:60",
    "24:00:00",
    "12:34:56.",
    "12:34:56.1234567890",
    "11:59 PM",
    "12:00 AM",
    "13:00 PM",
    "1:02:03.5 am",
    "12:3",
    "123:45",
    "86399",
    "-5",
    "abc",
    "a",
    "é",
    "日本語",
    "exactly12byt",
    "thirteen byte",
    "a string that is longer than twelve bytes",
    "🦀🦀🦀",
    "🦀🦀🦀🦀",
    "\"\"",
    "\"1\"",
    "\"-12\"",
    "\" 1\"",
    "\"2024-02-29\"",
    "\"a \"\"quoted\"\" value\"",
    "\"a,b\"",
    "\"true\"",
    "\"1.5\"",
    "\"2024-01-01T12:34:56\"",
    "\"x\"y",
    "\"1\"2",
    "\"\"\"\"",
    "5\" pipe",
    " ",
    "  ",
];

fn table(data_type: DataType) -> Schema {
    Schema::new(vec![Field::new("value", data_type, true)])
}

fn read(input: &str, data_type: DataType, options: &DecodeOptions) -> Result<ArrayRef, Error> {
    let dialect = Dialect::builder().with_header(false).build()?;
    let table =
        Schema::new(vec![Field::new("first", DataType::Utf8, true), Field::new("value", data_type, true)]);
    ours(input.as_bytes(), &table, &dialect, options, WHOLE).map(|batch| batch.column(1).clone())
}

/// A panic in the oracle is expected, and its message would be noise.
fn silence_panics_of_arrow() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.location().is_some_and(|location| location.file().contains("arrow-")) {
            hook(info);
        }
    }));
}

/// All values, without and with quotes.
fn values() -> impl Iterator<Item = String> {
    let quoted = VALUES.iter().map(|value| format!("\"{}\"", value.replace('"', "\"\"")));
    VALUES.iter().map(|value| (*value).to_owned()).chain(quoted)
}

#[test]
fn every_value_as_every_type_is_read_as_by_arrow() {
    silence_panics_of_arrow();
    for data_type in all_types() {
        assert!(supports(&data_type), "{data_type}");
        for value in values() {
            compare(&[vec![value]], &table(data_type.clone()));
        }
    }
}

/// Fields are read many at a time. None may depend on its neighbours, and no wrong one may be
/// missed among them.
#[test]
fn every_value_is_the_same_in_company_as_alone() {
    let options = DecodeOptions::default();
    let line = |value: &str| format!("x,{value}\n");
    // Keys of eight bits are too few for all these values.
    let few_keys = |data_type: &DataType| match data_type {
        DataType::Dictionary(key, _) => matches!(**key, DataType::Int8 | DataType::UInt8),
        _ => false,
    };
    for data_type in all_types().into_iter().filter(|data_type| !few_keys(data_type)) {
        let alone: Vec<_> = VALUES
            .iter()
            .map(|value| (value, read(&line(value), data_type.clone(), &options).ok()))
            .collect();
        let right: Vec<(&str, ArrayRef)> =
            alone.iter().filter_map(|(value, array)| Some((**value, array.clone()?))).collect();
        let wrong: Vec<&str> =
            alone.iter().filter(|(_, array)| array.is_none()).map(|(value, _)| **value).collect();
        // All valid values, in three orders, each with more than two blocks of lanes.
        for step in [1, 3, 7] {
            let rows: Vec<_> = (0..right.len().max(150)).map(|i| &right[i * step % right.len()]).collect();
            let text: String = rows.iter().map(|(value, _)| line(value)).collect();
            let together = read(&text, data_type.clone(), &options).unwrap();
            for (i, (value, alone)) in rows.iter().enumerate() {
                assert_eq!(*together.slice(i, 1), **alone, "{data_type}: {value} in row {i}");
            }
        }
        // A wrong value among valid ones, at the ends of lanes and in the middle.
        let usual = right.iter().map(|(value, _)| value).max_by_key(|value| value.len().min(9)).unwrap();
        for value in &wrong {
            for at in [0, 1, 31, 63, 64, 100, 129] {
                let text: String = (0..130).map(|i| line(if i == at { value } else { usual })).collect();
                let error = read(&text, data_type.clone(), &options).unwrap_err();
                let position = error.place().unwrap();
                assert_eq!(position.record, at + 1, "{data_type}: {value}: {error}");
            }
        }
    }
}

/// Lanes are computed before the wrong ones are known. Two bytes that once overflowed a sum stand
/// here in a wrong number, in the field before a missing one, and in the field before an empty one.
#[test]
fn bytes_that_are_no_digits_overflow_nothing() {
    let options = DecodeOptions::default();
    let error = read("x,TV\n", DataType::Int64, &options).unwrap_err();
    assert!(error.to_string().contains("can't read \"TV\" as Int64"), "{error}");
    let dialect = Dialect::builder().with_header(false).with_delimiter(b'|').build().unwrap();
    let table = Schema::new(vec![
        Field::new("a", DataType::Binary, true),
        Field::new("b", DataType::Int64, true),
        Field::new("c", DataType::Decimal128(15, 2), true),
        Field::new("d", DataType::Float64, true),
    ]);
    let mut parser = Parser::new(&dialect, FieldCount::UpTo(4), 1 << 20);
    let mut decoder = BatchDecoder::new(&table, &[0, 1, 2, 3], &options, 10, 1 << 20).unwrap();
    let mut rest = &b"TV|1|2|3\nM\xfc\xfc|||\nTV\nx|TVTVTVTVTVTVTVTVTV|\n"[..];
    let mut refused = 0;
    while let (taken, Step::Records(records)) = parser.next(rest, 1).unwrap() {
        refused += usize::from(decoder.push(&records).is_err());
        rest = &rest[taken..];
    }
    assert_eq!((refused, decoder.rows()), (1, 3));
}

/// xorshift64*: reproducible, and good enough for choices.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }

    fn digits(&mut self, most: usize) -> String {
        let n = 1 + self.below(most);
        (0..n).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }

    /// A value that is mostly valid for the type.
    fn value(&mut self, data_type: &DataType) -> String {
        let sign = ["", "", "", "-", "+"][self.below(5)];
        let value = match data_type {
            DataType::Boolean => ["true", "false", "TRUE", "False"][self.below(4)].to_owned(),
            DataType::Int8 | DataType::UInt8 => sign.to_owned() + &self.digits(2),
            DataType::Int16 | DataType::UInt16 => sign.to_owned() + &self.digits(4),
            DataType::Int32 | DataType::UInt32 | DataType::Time32(_) => sign.to_owned() + &self.digits(9),
            DataType::Int64 | DataType::UInt64 | DataType::Duration(_) => sign.to_owned() + &self.digits(19),
            DataType::Float16 | DataType::Float32 | DataType::Float64 => match self.below(3) {
                0 => format!("{sign}{}", self.digits(20)),
                1 => format!("{sign}{}.{}", self.digits(10), self.digits(12)),
                _ => format!("{sign}{}.{}e{}", self.digits(3), self.digits(17), self.below(600) as i32 - 300),
            },
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale)
            | DataType::Decimal256(precision, scale) => {
                let whole = (i16::from(*precision) - i16::from(*scale)).max(1) as usize;
                let fraction = self.below(*scale as usize % 128 + 3);
                match fraction {
                    0 => format!("{sign}{}", self.digits(whole)),
                    _ => format!("{sign}{}.{}", self.digits(whole), self.digits(fraction)),
                }
            }
            DataType::Date32 => self.date(),
            DataType::Date64 | DataType::Timestamp(..) => {
                let separator = ["T", " "][self.below(2)];
                let zone = ["", "", "Z", "+02:00", "-0730"][self.below(5)];
                format!("{}{separator}{}{zone}", self.date(), self.time())
            }
            DataType::Time64(_) => self.time(),
            _ => match self.below(3) {
                0 => "é".repeat(self.below(12)),
                1 => self.digits(14),
                _ => "letters and spaces ".repeat(self.below(4)),
            },
        };
        match self.below(6) {
            0 => format!("\"{value}\""),
            1 if self.below(4) == 0 => String::new(),
            _ => value,
        }
    }

    fn date(&mut self) -> String {
        let year = [1970, 2000, 1850, 2200][self.below(4)] + self.below(60);
        format!("{year:04}-{:02}-{:02}", 1 + self.below(12), 1 + self.below(29))
    }

    fn time(&mut self) -> String {
        let time = format!("{:02}:{:02}:{:02}", self.below(24), self.below(60), self.below(60));
        match self.below(2) {
            0 => time,
            _ => format!("{time}.{}", self.digits(9)),
        }
    }
}

#[test]
fn random_tables_are_read_as_by_arrow() {
    silence_panics_of_arrow();
    let types = all_types();
    let mut random = Random(0x1234_5678_9abc_def1);
    for _ in 0..600 {
        let columns: Vec<DataType> =
            (0..1 + random.below(5)).map(|_| types[random.below(types.len())].clone()).collect();
        let fields = columns.iter().enumerate();
        let table = Schema::new(
            fields
                .map(|(i, data_type)| Field::new(format!("c{i}"), data_type.clone(), random.below(8) != 0))
                .collect::<Vec<_>>(),
        );
        // One row of forty has values of any kind, so that most tables have some valid rows.
        let rows = (0..1 + random.below(40))
            .map(|_| {
                let any = random.below(40) == 0;
                let value = |random: &mut Random, data_type| match any {
                    true => VALUES[random.below(VALUES.len())].to_owned(),
                    false => random.value(data_type),
                };
                columns.iter().map(|data_type| value(&mut random, data_type)).collect()
            })
            .collect::<Vec<Vec<String>>>();
        compare(&rows, &table);
    }
}

#[test]
fn strings_of_all_sizes_in_one_column_are_read_as_by_arrow() {
    let sizes = [1, 12, 13, 0, 100, 2048, 2049, 5, 0, 40_000, 12, 300, 70_000, 1, 0, 13];
    for unit in ["x", "é", "🦀"] {
        let rows: Vec<Vec<String>> = (sizes.iter().cycle().take(40).enumerate())
            .map(|(i, size)| vec![i.to_string().repeat(size / 1000) + &unit.repeat(size / unit.len())])
            .collect();
        for data_type in [DataType::Utf8View, DataType::BinaryView, DataType::Utf8, DataType::LargeBinary] {
            compare(&rows, &table(data_type));
        }
    }
}

#[test]
fn the_fuzz_target_reads_any_bytes() {
    silence_panics_of_arrow();
    for choice in 0..=u8::MAX {
        support::fuzz(&[&[choice], &b"1\n2024-01-01\r\n\n-5.5e1\ntrue\n\"a\"\na,b\n"[..]].concat());
    }
    support::fuzz(b"");
    support::fuzz(b"\x00\xff");
}

#[test]
fn where_arrow_wraps_we_are_right_or_refuse() {
    let none = DecodeOptions::default();
    let zeros = "0".repeat(300);
    let unscaled = |value: &str, data_type: DataType| {
        let array = read(&format!("x,{value}\n"), data_type, &none).ok()?;
        Some(arrow::compute::cast(&array, &DataType::Utf8).unwrap().as_string::<i32>().value(0).to_owned())
    };
    let decimal = DataType::Decimal128(38, 2);
    // Arrow doesn't count 300 digits of zero; 300 others overflow its count.
    assert_eq!(unscaled(&format!("{zeros}1.5"), decimal.clone()).as_deref(), Some("1.50"));
    assert_eq!(unscaled(&format!("-1.5{zeros}"), decimal.clone()).as_deref(), Some("-1.50"));
    assert_eq!(unscaled(&"9".repeat(300), decimal.clone()), None);
    assert_eq!(unscaled(&format!("1{zeros}"), decimal.clone()), None);
    // Exponents beyond an i16.
    assert_eq!(unscaled("1e65536", decimal.clone()), None);
    assert_eq!(unscaled("1e99999999999999999999", decimal.clone()), None);
    assert_eq!(unscaled("1e-99999999999999999999", decimal.clone()).as_deref(), Some("0.00"));
    assert_eq!(unscaled(&format!("0.{zeros}15e302"), decimal.clone()).as_deref(), Some("15.00"));
    assert_eq!(unscaled(&format!("1{zeros}e-299"), decimal.clone()).as_deref(), Some("10.00"));
    // Zeros right after the point are not counted as digits of the number.
    assert_eq!(unscaled("0.0001e3", DataType::Decimal128(4, 4)).as_deref(), Some("0.1000"));
    assert_eq!(unscaled("0e0", decimal.clone()).as_deref(), Some("0.00"));
    // Mantissas and powers of ten beyond 128 bits.
    let long = "0.1234567890123456789012345678901234567890123";
    assert_eq!(unscaled(&format!("{long}e1"), decimal.clone()).as_deref(), Some("1.23"));
    assert_eq!(
        unscaled("0.00000000000000000000000000000000000000000000000000000000001e2", decimal.clone())
            .as_deref(),
        Some("0.00")
    );
    assert_eq!(unscaled(&format!("0.{zeros}1e1"), decimal.clone()).as_deref(), Some("0.00"));
    assert_eq!(unscaled(&format!("0.{zeros}xe1"), decimal), None);
    assert_eq!(unscaled("123456789e-12", DataType::Decimal32(9, 9)).as_deref(), Some("0.000123456"));
    assert_eq!(unscaled("0.00000000001e1", DataType::Decimal32(9, 0)).as_deref(), Some("0"));
}

#[test]
fn a_negative_scale_divides() {
    let none = DecodeOptions::default();
    let data_type = DataType::Decimal128(5, -3);
    let array = read("x,12345678\nx,-999\nx,1000.9\nx,2e4\nx,99999999\n", data_type.clone(), &none).unwrap();
    assert_eq!(array.as_primitive::<Decimal128Type>().values(), &[12345, 0, 1, 20, 99999]);
    assert!(read("x,100000000\n", data_type.clone(), &none).is_err());
    assert!(read("x,.\n", data_type.clone(), &none).is_err());
    // Fewer digits than the negative scale drops.
    let array = read("x,-20.716\nx,1e0\nx,1234e-1\nx,1999e-1\n", data_type, &none).unwrap();
    assert_eq!(array.as_primitive::<Decimal128Type>().values(), &[0, 0, 0, 0]);
}

#[test]
fn more_values_than_keys_are_an_error_that_says_so() {
    let data_type = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    let none = DecodeOptions::default();
    let dialect = Dialect::builder().with_header(false).build().unwrap();
    let push = |rows: usize| {
        let mut parser = Parser::new(&dialect, FieldCount::Exactly(1), 1 << 20);
        let mut decoder = BatchDecoder::new(&table(data_type.clone()), &[0], &none, 1000, 1 << 20)?;
        let input = (0..300).map(|row| format!("v{row}\n")).collect::<String>();
        let (_, Step::Records(records)) = parser.next(input.as_bytes(), rows)? else { panic!("records") };
        assert_eq!(records.len(), rows);
        decoder.push(&records)
    };
    push(128).unwrap();
    let error = push(129).unwrap_err();
    assert!(error.to_string().contains("128 distinct values that the key type Int8"), "{error}");
    assert!(error.to_string().contains("no more records than there is room for"), "{error}");
    assert_eq!(error.place().map(|position| position.record), Some(129));
}

#[test]
fn a_batch_has_no_room_once_its_dictionary_is_full() {
    let none = DecodeOptions::default();
    for (key, keys) in [(DataType::Int8, 128), (DataType::UInt8, 256)] {
        let data_type = DataType::Dictionary(Box::new(key), Box::new(DataType::Utf8));
        let mut parser = Parser::new(&Dialect::default(), FieldCount::Exactly(1), 1 << 20);
        let mut decoder = BatchDecoder::new(&table(data_type), &[0], &none, 1000, 1 << 20).unwrap();
        let values = (0..keys).map(|i| format!("v{i}\n")).collect::<String>();
        let input = format!("value\n{values}");
        assert_eq!(decoder.room(), keys);
        let mut rest = input.as_bytes();
        let mut rows = 0;
        while !rest.is_empty() {
            let (taken, step) = parser.next(rest, decoder.room()).unwrap();
            if let Step::Records(records) = step {
                rows += records.len();
                decoder.push(&records).unwrap();
            }
            rest = &rest[taken..];
        }
        assert_eq!((rows, decoder.room()), (keys, 0));
        assert_eq!(decoder.finish().unwrap().unwrap().num_rows(), keys);
        assert_eq!(decoder.room(), keys);
    }
}

#[test]
fn a_batch_of_distinct_values_leaves_the_next_one_all_its_room() {
    let data_type = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let mut parser = Parser::new(&Dialect::default(), FieldCount::Exactly(1), 1 << 20);
    let none = DecodeOptions::default();
    let mut decoder = BatchDecoder::new(&table(data_type), &[0], &none, 1000, 4000).unwrap();
    let input = (0..500).map(|i| format!("a value that no other is: {i}\n")).collect::<String>();
    let (_, Step::Records(records)) = parser.next(input.as_bytes(), 500).unwrap() else { panic!("records") };
    decoder.push(&records).unwrap();
    assert_eq!(decoder.room(), 0);
    decoder.finish().unwrap();
    // 33 bits a row, which is 5 bytes.
    assert_eq!(decoder.room(), 800);
}

#[test]
fn which_fields_are_null() {
    let text = "x,\nx,\"\"\nx,NA\nx,\"NA\"\nx,-\nx,a\n";
    let default = DecodeOptions::default;
    let cases = [
        (default(), "110000"),
        (default().with_quoted_empty_is_string(true), "100000"),
        (default().with_null_values([""]), "110000"),
        (default().with_null_values([""]).with_quoted_empty_is_string(true), "100000"),
        (default().with_null_values([""]).with_null_regex(Some("^-$")).unwrap(), "110010"),
        (default().with_null_regex(Some("^-$")).unwrap(), "000010"),
        (default().with_null_values(["NA", ""]).with_null_values::<[&str; 0]>([]), "110000"),
        (default().with_null_values(["NA"]), "001100"),
        (default().with_null_values(["NA", ""]), "111100"),
        (default().with_null_values(["NA", ""]).with_quoted_empty_is_string(true), "101100"),
        (default().with_null_regex(Some("^(N.|-)$")).unwrap(), "001110"),
        (default().with_null_regex(Some("A")).unwrap().with_null_values(["-"]), "001110"),
        (default().with_null_regex(Some("^$")).unwrap(), "110000"),
    ];
    for (options, expected) in &cases {
        for data_type in [
            DataType::Utf8,
            DataType::LargeUtf8,
            DataType::Utf8View,
            DataType::Binary,
            DataType::BinaryView,
            DataType::LargeBinary,
            DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)),
        ] {
            let array = read(text, data_type, options).unwrap();
            let nulls: String =
                (0..array.len()).map(|row| if array.is_null(row) { '1' } else { '0' }).collect();
            assert_eq!(nulls, *expected, "{options:?}");
        }
    }
    // An empty field of a number column is always NULL.
    for (options, _) in &cases {
        let array = read("x,\nx,\"\"\nx,5\n", DataType::Int32, options).unwrap();
        assert_eq!((array.null_count(), array.is_valid(2)), (2, true), "{options:?}");
    }
    let array =
        read("x,NA\nx,-\nx,5\n", DataType::Int32, &default().with_null_regex(Some("^(N.|-)$")).unwrap())
            .unwrap();
    assert_eq!(array.null_count(), 2);
    // A missing field is NULL, even if an empty one isn't.
    let array = read("x\nx,\n", DataType::Utf8, &default().with_null_values(["NA"])).unwrap();
    assert_eq!((array.is_null(0), array.is_null(1)), (true, false));
}

#[test]
fn null_regex_is_that_of_arrow() {
    for pattern in ["^$", "NA", "^(?i)null$", "^-?$", "."] {
        let text = "x,\nx,NA\nx,null\nx,NULL\nx,-\nx,BANANA\n";
        for data_type in [DataType::Utf8, DataType::Utf8View] {
            let options = DecodeOptions::default().with_null_regex(Some(pattern)).unwrap();
            let schema = Schema::new(vec![
                Field::new("first", DataType::Utf8, true),
                Field::new("value", data_type.clone(), true),
            ]);
            let mut reader = arrow_csv::ReaderBuilder::new(Arc::new(schema))
                .with_null_regex(regex::Regex::new(pattern).unwrap())
                .build(text.as_bytes())
                .unwrap();
            let expected = reader.next().unwrap().unwrap();
            assert_eq!(&read(text, data_type, &options).unwrap(), expected.column(1), "{pattern}");
        }
    }
}

#[test]
fn null_where_none_may_be() {
    let dialect = Dialect::builder().with_header(false).build().unwrap();
    for data_type in all_types().into_iter().filter(|data_type| *data_type != DataType::Null) {
        let table = Schema::new(vec![
            Field::new("first", DataType::Utf8, false),
            Field::new("value", data_type.clone(), false),
        ]);
        for input in ["x,\n", "x,\"\"\n", "x\n"] {
            let error = ours(input.as_bytes(), &table, &dialect, &DecodeOptions::default(), WHOLE)
                .unwrap_err()
                .to_string();
            assert!(
                error.starts_with("line 1, record 1, byte 0, column 1 (\"value\"): can't read \"\" as "),
                "{error}"
            );
            assert!(error.contains("(NULL in a non-nullable column)"), "{error}");
        }
    }
}

#[test]
fn invalid_utf8_is_an_error_in_strings_only() {
    let dialect = Dialect::builder().with_header(false).build().unwrap();
    let strings = [
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
    ];
    // A character that the end of a field cuts, and bytes that are valid only together with those
    // of the next field.
    let values: [(&[u8], usize); 5] = [
        (b"abc\xff", 3),
        (b"a long value of more than twelve bytes\xc3", 38),
        (b"\"quoted \xe2\x82\"", 7),
        (b"\xf0\x9f\xa6", 0),
        (b"\xc3", 0),
    ];
    for data_type in &strings {
        let table = Schema::new(vec![
            Field::new("a", data_type.clone(), true),
            Field::new("b", DataType::Binary, true),
        ]);
        for (value, at) in values {
            let input = [b"fine,x\n\xc3\xa9t\xc3\xa9,\xff\n", value, b",\xa9\n\xff,x\n"].concat();
            for push_rows in [1, 2, 9] {
                let error =
                    ours(&input, &table, &dialect, &DecodeOptions::default(), Cuts { push_rows, ..WHOLE })
                        .unwrap_err();
                let ErrorKind::InvalidUtf8 { at: found, .. } = error.kind() else { panic!("{error}") };
                let position = error.place().unwrap();
                assert_eq!((*found, position.record, position.column), (at, 3, Some(0)), "{error}");
            }
        }
    }
    for data_type in [DataType::Binary, DataType::LargeBinary, DataType::BinaryView] {
        let table = Schema::new(vec![Field::new("a", data_type, true)]);
        let batch = ours(b"\xff\xfe\n", &table, &dialect, &DecodeOptions::default(), WHOLE).unwrap();
        let value = arrow::compute::cast(batch.column(0), &DataType::Binary).unwrap();
        assert_eq!(value.as_binary::<i32>().value(0), b"\xff\xfe");
    }
    let table = Schema::new(vec![Field::new("a", DataType::Int64, true)]);
    let error = ours(b"1\xff\n", &table, &dialect, &DecodeOptions::default(), WHOLE).unwrap_err();
    assert!(error.to_string().contains("can't read \"1\\xff\" as Int64 (not an integer)"), "{error}");
}

#[test]
fn the_first_error_of_the_file_is_reported() {
    let dialect = Dialect::builder().with_header(false).build().unwrap();
    let table = Schema::new(vec![
        Field::new("a", DataType::Int8, true),
        Field::new("b", DataType::Utf8View, false),
        Field::new("c", DataType::Date32, true),
    ]);
    let right = "1,x,2024-01-01\n".repeat(5);
    for (wrong, column, reason) in [
        ("300,,nope\n", 0, "out of range for Int8"),
        ("3,,nope\n", 1, "NULL in a non-nullable column"),
        ("3,x,nope\n", 2, "not a date"),
    ] {
        // In a later record an earlier column is wrong too.
        let input = format!("{right}{wrong}x,x,2024-01-01\n");
        for push_rows in 1..8 {
            let cuts = Cuts { push_rows, ..WHOLE };
            let error =
                ours(input.as_bytes(), &table, &dialect, &DecodeOptions::default(), cuts).unwrap_err();
            let position = error.place().unwrap();
            assert_eq!((position.record, position.line, position.column), (6, 6, Some(column)), "{error}");
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}

fn project(input: &str, table: &Schema, projection: &[usize]) -> Result<RecordBatch, Error> {
    let mut parser = Parser::new(&Dialect::default(), FieldCount::Exactly(table.fields().len()), 1 << 20);
    let mut decoder = BatchDecoder::new(table, projection, &DecodeOptions::default(), 100, 1 << 20)?;
    if let (_, Step::Records(records)) = parser.next(input.as_bytes(), decoder.room())? {
        decoder.push(&records)?;
    }
    Ok(decoder.finish()?.unwrap())
}

#[test]
fn a_projection_chooses_orders_and_spares() {
    let table = Schema::new(vec![
        Field::new("a", DataType::Int64, true),
        Field::new("b", DataType::Utf8, true),
        Field::new("c", DataType::Int64, true),
    ]);
    let input = "a,b,c\n1,x,3\n4,y,6\n";
    let batch = project(input, &table, &[2, 0]).unwrap();
    assert_eq!(batch.schema().field(0).name(), "c");
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().values(), &[3, 6]);
    assert_eq!(batch.column(1).as_primitive::<Int64Type>().values(), &[1, 4]);
    assert_eq!(project(input, &table, &[]).unwrap().num_rows(), 2);
    assert_eq!(project("a,b,c\n1,x,nope\n", &table, &[1]).unwrap().num_rows(), 1);
    // An error names the first wrong column in the file's order, whatever the projection's order
    // is.
    let error = project("a,b,c\nno,x,nope\n", &table, &[2, 1, 0]).unwrap_err();
    assert_eq!(error.place().unwrap().column, Some(0));
    assert!(BatchDecoder::new(&table, &[3], &DecodeOptions::default(), 1, 1).is_err());
}

#[test]
fn batches_are_bounded_in_rows_and_bytes() {
    let dialect = Dialect::builder().with_header(false).build().unwrap();
    let wide = Schema::new(
        (0..1000).map(|i| Field::new(format!("c{i}"), DataType::Decimal256(76, 2), true)).collect::<Vec<_>>(),
    );
    let line = ["1.5"; 1000].join(",") + "\n";
    let cuts = Cuts { batch_bytes: 1 << 20, batch_rows: 8192, ..WHOLE };
    let batches =
        support::batches(line.repeat(100).as_bytes(), &wide, &dialect, &DecodeOptions::default(), cuts)
            .unwrap();
    // 32 bytes and a bit each.
    assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [32, 32, 32, 4]);
    for batch in &batches {
        assert!(batch.get_array_memory_size() < 2 << 20, "{}", batch.get_array_memory_size());
    }

    let text =
        Schema::new(vec![Field::new("a", DataType::Utf8, true), Field::new("b", DataType::Utf8View, true)]);
    let line = format!("{0},{0}\n", "x".repeat(1000));
    let cuts = Cuts { push_rows: 1, batch_rows: 8192, batch_bytes: 10_000 };
    let batches =
        support::batches(line.repeat(20).as_bytes(), &text, &dialect, &DecodeOptions::default(), cuts)
            .unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [5, 5, 5, 5]);
}

#[test]
fn what_is_held_stays_near_the_bound() {
    let table = Schema::new(
        [DataType::Int64, DataType::Utf8, DataType::Utf8View, DataType::Decimal128(10, 2), DataType::Boolean]
            .into_iter()
            .enumerate()
            .map(|(i, data_type)| Field::new(format!("c{i}"), data_type, true))
            .collect::<Vec<_>>(),
    );
    let dialect = Dialect::builder().with_header(false).build().unwrap();
    let line = format!("1,{0},{0},1.5,true\n", "some text of a length".repeat(3));
    let input = line.repeat(50_000);
    let bound = 1 << 20;
    let mut parser = Parser::new(&dialect, FieldCount::Exactly(5), 1 << 20);
    let mut decoder =
        BatchDecoder::new(&table, &[0, 1, 2, 3, 4], &DecodeOptions::default(), usize::MAX, bound).unwrap();
    let (mut rest, mut most, mut rows) = (input.as_bytes(), 0, 0);
    loop {
        let (taken, step) = parser.next(rest, decoder.room().min(100)).unwrap();
        rest = &rest[taken..];
        let Step::Records(records) = step else { break };
        decoder.push(&records).unwrap();
        most = most.max(decoder.allocated_bytes());
        if decoder.room() == 0 {
            rows += decoder.finish().unwrap().unwrap().num_rows();
        }
    }
    assert!(rows > 40_000);
    assert!(most >= bound && most < bound * 3 / 2, "{most}");
}

#[test]
fn what_is_held_stays_near_the_bound_for_values_of_any_length() {
    let dialect = Dialect::builder().with_header(false).build().unwrap();
    let mut random = Random(0x0dec_0ded_0dec_0ded);
    let lines: Vec<String> = (0..300)
        .map(|i| {
            // From 1 to 255 KiB. Every third one is quoted, and has quotes in it.
            let text = "x".repeat(1 << random.below(8) << 10) + &"y".repeat(random.below(1 << 17));
            match i % 3 {
                0 => format!("\"{}\"\n", text.replacen('x', "\"\"", 1 + random.below(1000))),
                _ => text + "\n",
            }
        })
        .collect();
    let longest = lines.iter().map(String::len).max().unwrap();
    let bound = 4 << 20;
    for data_type in [DataType::Utf8, DataType::Utf8View, DataType::LargeBinary, DataType::BinaryView] {
        let mut parser = Parser::new(&dialect, FieldCount::Exactly(1), 1 << 20);
        let table = table(data_type.clone());
        let mut decoder =
            BatchDecoder::new(&table, &[0], &DecodeOptions::default(), usize::MAX, bound).unwrap();
        let (mut most, mut batches) = (0, 0);
        for line in &lines {
            let (_, Step::Records(records)) = parser.next(line.as_bytes(), 1).unwrap() else {
                panic!("a line is a record")
            };
            decoder.push(&records).unwrap();
            most = most.max(decoder.allocated_bytes());
            if decoder.room() == 0 {
                let batch = decoder.finish().unwrap().unwrap();
                batches += 1;
                let column = batch.column(0);
                let held = column.get_array_memory_size();
                let values = match &data_type {
                    DataType::Utf8View | DataType::BinaryView => {
                        let binary = arrow::compute::cast(column, &DataType::BinaryView).unwrap();
                        binary.as_binary_view().iter().flatten().map(<[u8]>::len).sum::<usize>()
                    }
                    _ => {
                        let binary = arrow::compute::cast(column, &DataType::LargeBinary).unwrap();
                        binary.as_binary::<i64>().iter().flatten().map(<[u8]>::len).sum::<usize>()
                    }
                };
                assert!(values >= bound - 1024 && values < bound + longest, "{data_type}: {values}");
                assert!(held < values * 5 / 4, "{data_type}: {held} for {values}");
                // At most 64 KiB of the scratch memory remain.
                assert!(decoder.allocated_bytes() <= 64 << 10, "{}", decoder.allocated_bytes());
            }
        }
        assert!(batches > 3, "{batches}");
        assert!(most >= bound && most < (bound + 2 * longest) * 5 / 4, "{data_type}: {most}");
    }
}

#[test]
fn a_limit_takes_hold_of_the_batch_being_built() {
    let table = Schema::new(vec![Field::new("a", DataType::Int64, true)]);
    let mut decoder = BatchDecoder::new(&table, &[0], &DecodeOptions::default(), 100, 1 << 20).unwrap();
    assert_eq!(decoder.room(), 100);
    decoder.set_batch_rows(3);
    assert_eq!(decoder.room(), 3);
    decoder.set_batch_rows(0);
    assert_eq!(decoder.room(), 1);
}

#[test]
fn values_are_trimmed_where_the_dialect_says_so() {
    let dialect = Dialect::builder().with_header(false).with_trim(Trim::Fields).build().unwrap();
    let table = Schema::new(vec![
        Field::new("a", DataType::Boolean, true),
        Field::new("b", DataType::Utf8View, true),
        Field::new("c", DataType::Date32, true),
    ]);
    let input = b" true , x y ,\t2024-01-01\n  ,\" \",  \n";
    let batch = ours(input, &table, &dialect, &DecodeOptions::default(), WHOLE).unwrap();
    assert!(batch.column(0).as_boolean().value(0));
    assert_eq!(batch.column(1).as_string_view().value(0), "x y");
    assert_eq!(batch.column(2).as_primitive::<Date32Type>().value(0), 19_723);
    assert!(batch.columns().iter().all(|column| column.is_null(1)));
}

#[test]
fn what_is_not_supported_is_refused_at_once() {
    for data_type in [
        DataType::Struct(Fields::empty()),
        DataType::FixedSizeBinary(4),
        DataType::Interval(IntervalUnit::DayTime),
        DataType::Decimal128(39, 2),
        DataType::Decimal128(5, 6),
        DataType::Timestamp(TimeUnit::Second, Some("Mars/Base".into())),
        DataType::Time32(TimeUnit::Nanosecond),
        DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Int64)),
        DataType::Dictionary(Box::new(DataType::Utf8), Box::new(DataType::Utf8)),
    ] {
        assert!(!supports(&data_type), "{data_type}");
        let error = BatchDecoder::new(&table(data_type), &[0], &DecodeOptions::default(), 1, 1).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::UnsupportedType { .. }), "{error}");
    }
}

#[test]
fn what_the_fuzzer_found() {
    // A column of the type Null that is not nullable.
    support::fuzz(b"\x82");
}

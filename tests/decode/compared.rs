//! Every type, compared with `arrow-csv`.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::decode::internal::BatchDecoder;
use datafusion_csv_stream::decode::{DecodeOptions, supports};
use datafusion_csv_stream::parse::{FieldCount, Parser, Step};

use crate::support::{self, all_types, compare};
use crate::values::{VALUES, values};
use crate::{read, silence_panics_of_arrow, table};

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
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, n: usize) -> usize {
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
fn what_the_fuzzer_found() {
    // A column of the type Null that is not nullable.
    support::fuzz(b"\x82");
}

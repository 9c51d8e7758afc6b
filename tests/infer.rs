//! The schema sampler, beside arrow-csv's and beside what arrow-csv's reader makes of the schema.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use arrow_csv::ReaderBuilder;
use arrow_csv::reader::Format;
use datafusion_csv_stream::dialect::{Dialect, DialectBuilder, Terminator, Trim};
use datafusion_csv_stream::error::{Error, ErrorKind};
use datafusion_csv_stream::infer::{
    Enough, InferredSchema, IsNull, SampleOptions, SchemaSampler, StringType, read_names,
};

const MAX_RECORD_BYTES: usize = 1 << 16;

fn empty_is_null() -> IsNull {
    Box::new(|value, _| value.is_empty())
}

/// Files in chunks of a size, one after the other, as a caller does it that reads to the end unless it has enough.
fn sample(
    dialect: &Dialect,
    is_null: IsNull,
    options: &SampleOptions,
    files: &[&[u8]],
    chunk_bytes: usize,
) -> Result<InferredSchema, Error> {
    let mut sampler = SchemaSampler::new(dialect, is_null, options, MAX_RECORD_BYTES)?;
    for file in files {
        if sampler.is_done() {
            break;
        }
        sampler.start_file();
        for chunk in file.chunks(chunk_bytes) {
            if sampler.push(chunk)? == Enough::Yes {
                break;
            }
        }
        sampler.finish_file()?;
    }
    Ok(sampler.finish())
}

fn infer_with(
    dialect: DialectBuilder,
    options: &SampleOptions,
    files: &[&[u8]],
) -> Result<InferredSchema, Error> {
    let dialect = dialect.build().unwrap();
    let whole = sample(&dialect, empty_is_null(), options, files, usize::MAX);
    for chunk_bytes in [1, 2, 3, 7, 64] {
        let chunked = sample(&dialect, empty_is_null(), options, files, chunk_bytes);
        match (&whole, &chunked) {
            (Ok(whole), Ok(chunked)) => assert_eq!(whole, chunked, "in chunks of {chunk_bytes}"),
            (whole, chunked) => {
                let text = |result: &Result<_, Error>| result.as_ref().err().map(Error::to_string);
                assert_eq!(text(whole), text(chunked), "in chunks of {chunk_bytes}");
            }
        }
    }
    whole
}

fn infer(files: &[&[u8]]) -> Result<InferredSchema, Error> {
    infer_with(Dialect::builder(), &SampleOptions::default(), files)
}

/// `name: type` of each column, the types as short as `Display` has them.
fn shown(inferred: &InferredSchema) -> String {
    let columns = inferred.schema.fields().iter().map(|field| {
        assert!(field.is_nullable());
        format!("{}: {}", field.name(), field.data_type())
    });
    columns.collect::<Vec<_>>().join(", ")
}

fn message(result: Result<InferredSchema, Error>) -> String {
    result.unwrap_err().to_string()
}

/// The type of one column of values, none of which needs quotes.
fn column_type(values: &[&str]) -> DataType {
    infer(&[one_column(values).as_bytes()]).unwrap().schema.field(0).data_type().clone()
}

/// A second column keeps empty values from being blank lines.
fn one_column(values: &[&str]) -> String {
    values.iter().fold("v,w\n".to_owned(), |file, value| file + value + ",x\n")
}

fn arrow_reads(file: &str, schema: SchemaRef) -> Result<Vec<RecordBatch>, ArrowError> {
    ReaderBuilder::new(schema).with_header(true).build(file.as_bytes())?.collect()
}

mod types {
    use super::*;

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
            (&["00000000000000000000000000000007"], DataType::Int64),
            (&["1.5", ".5", "-5.", "1e5", "2.5E-3"], DataType::Float64),
            (&["NaN", "nan", "inf", "-inf"], DataType::Float64),
            (&["1", "2.5"], DataType::Float64),
            (&["2020-02-29", "0001-01-01"], DataType::Date32),
            (&["2020-02-29T23:59:59"], s.clone()),
            (&["2020-02-29 23:59:59Z", "2020-02-29 23:59:59+01:00"], s.clone()),
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
            (&["2020-02-29T23:59"], DataType::Utf8),
        ] {
            assert_eq!(column_type(values), expected, "{values:?}");
            let (theirs, _) = Format::default()
                .with_header(true)
                .infer_schema(one_column(values).as_bytes(), None)
                .unwrap();
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
            (vec!["18446744073709551615".to_owned(), "-1".to_owned()], decimal128.clone()),
            (vec!["18446744073709551616".to_owned(), "1".to_owned()], decimal128.clone()),
            (vec!["-9223372036854775809".to_owned()], decimal128.clone()),
            (vec![nines(38), format!("-{}", nines(38))], decimal128.clone()),
            (vec![zeros.clone() + &nines(38)], decimal128),
            (vec![nines(39), "1".to_owned()], decimal256.clone()),
            (vec![nines(76), format!("-{}", nines(76))], decimal256),
            (vec![nines(77)], DataType::Utf8),
            (vec![nines(256)], DataType::Utf8),
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
                assert_eq!(read.trim_start_matches('0'), value.trim_start_matches('0'));
            }
        }
    }

    /// Random columns of the values below, mixed two kinds at a time. Where the types differ from arrow-csv's, one of
    /// the reasons must hold, and each must occur. What was inferred is then read.
    #[test]
    fn as_arrow_csv_but_for_the_listed_differences() {
        let kinds: &[&[&str]] = &[
            &["true", "false", "True", "FALSE"],
            &["0", "-1", "42", "007", "-0", "9223372036854775807", "-9223372036854775808"],
            &["9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775809"],
            &[
                "100000000000000000000000000000000000000",
                "-12345678901234567890123456789012345678901234567890",
            ],
            &["1.5", "-.25", "3.", "1e5", "1.e5", "-2.5E+10", "1e400", "nan", "-inf", "inf", "NaN"],
            &["2020-01-01", "1969-12-31", "0000-01-01", "9999-12-31", "1600-02-29"],
            &["2020-13-45", "2021-02-29", "2020-00-00"],
            &["2020-01-01T00:00:00", "2020-01-01 23:59:60", "1600-01-01T00:00:00Z", "9999-12-31T23:59:59"],
            &["2020-01-01T00:00:00.1", "2020-01-01 00:00:00.123Z", "1600-01-01T00:00:00.12+05:30"],
            &["2020-01-01T00:00:00.1234", "2020-01-01 00:00:00.123456 -08"],
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
        for _ in 0..4_000 {
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

            let is_integer = |value: &&str| {
                let digits = value.strip_prefix('-').unwrap_or(value);
                value.is_empty() || (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
            };
            let theirs_type = theirs.field(0).data_type().clone();
            let expected = if arrow_reads(&file, Arc::new(theirs)).is_err() {
                *differences.entry("not readable").or_default() += 1;
                DataType::Utf8
            } else if theirs_type == DataType::Utf8 && !values.is_empty() && values.iter().all(is_integer) {
                *differences.entry("large integers").or_default() += 1;
                let values = || values.iter().filter(|value| !value.is_empty());
                if values().all(|value| value.parse::<u64>().is_ok()) {
                    DataType::UInt64
                } else if values().all(|value| value.trim_start_matches('-').len() <= 38) {
                    DataType::Decimal128(38, 0)
                } else {
                    DataType::Decimal256(76, 0)
                }
            } else {
                theirs_type
            };
            assert_eq!(ours.schema.field(0).data_type(), &expected, "{values:?}");
            if let Err(error) = arrow_reads(&file, ours.schema) {
                panic!("{values:?} as {expected}: {error}");
            }
        }
        assert_eq!(differences.keys().copied().collect::<Vec<_>>(), ["large integers", "not readable"]);
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 % bound as u64) as usize
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
}

mod framing {
    use super::*;

    #[test]
    fn records_are_those_that_reading_finds() {
        let base = Dialect::builder;
        for (dialect, file, expected) in [
            (base(), &b"a,b\n\"x\n1,2,3\ny\",1\n"[..], "a: Utf8, b: Int64"),
            (base(), b"\"a\nb\",c\n1,2\n", "a\nb: Int64, c: Int64"),
            (base(), b"a,b\r\n1,true\r\n2,false\r\n", "a: Int64, b: Boolean"),
            (base(), b"a,b\r1,true\r2,false", "a: Int64, b: Boolean"),
            (base(), b"\n\na\n\n1\n\n", "a: Int64"),
            (base(), b"\xef\xbb\xbfa,b\n1,2\n", "a: Int64, b: Int64"),
            (base(), b"\xef\xbb\xbf\"a\",b\n1,2\n", "a: Int64, b: Int64"),
            (base(), b"a,\"b \"\"q\"\"\"\n1,\"2\"\n", "a: Int64, b \"q\": Int64"),
            (base().delimiter(b'\t'), b"a\tb\n1\t1,5\n", "a: Int64, b: Utf8"),
            (base().quote(b'\''), b"a,b\n'1,5',2\n", "a: Utf8, b: Int64"),
            (base().quote(None), b"a,b\n\"1\",2\n", "a: Utf8, b: Int64"),
            (base().escape(b'\\'), b"a,b\n\"x\\\"\n,\",2\n", "a: Utf8, b: Int64"),
            (base().double_quote(false), b"a,b\n\"1\"\"2\",3\n", "a: Utf8, b: Int64"),
            (base().comment(b'#'), b"# by \"hand\na,b\n#,,,\n1,2\n#\n", "a: Int64, b: Int64"),
            (base().terminator(Terminator::Byte(b';')), b"a,b;1,2;3,4", "a: Int64, b: Int64"),
            (base().terminator(Terminator::Byte(b';')), b"a,b;1,2\n3;4,5", "a: Int64, b: Utf8"),
            (base().terminator(Terminator::Byte(b'\n')), b"a,b\r\n1,2\r\n", "a: Int64, b\r: Utf8"),
            (base().trim(Trim::All), b" a , b\n 1 ,\" 2\"\n", "a: Int64, b: Int64"),
            (base().trim(Trim::Headers), b" a , b\n 1 ,2\n", "a: Utf8, b: Int64"),
            (base().trim(Trim::Fields), b" a , b\n 1 ,2\n", " a : Int64,  b: Int64"),
            (base().has_header(false), b"1,x\n2,\n", "column_1: Int64, column_2: Utf8"),
            (base().has_header(false), b"1,x", "column_1: Int64, column_2: Utf8"),
            (base(), b"a,b\n", "a: Null, b: Null"),
            (base(), b"a,b", "a: Null, b: Null"),
            (base(), b"a,,a\n1,2,x\n", "a: Int64, column_2: Int64, a_2: Utf8"),
            (base(), b"", ""),
            (base(), b"\n\r\n", ""),
            (base(), b"\xef\xbb\xbf", ""),
            (base().has_header(false), b"", ""),
        ] {
            let inferred = infer_with(dialect.clone(), &SampleOptions::default(), &[file]).unwrap();
            assert_eq!(shown(&inferred), expected, "{dialect:?}: {:?}", file.escape_ascii().to_string());
            assert!(inferred.is_whole);
            let names = inferred.schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
            let read = read_names(&dialect.build().unwrap(), file, true, MAX_RECORD_BYTES).unwrap();
            assert_eq!(read, Some(names));
        }
    }

    #[test]
    fn names_wait_for_the_whole_header() {
        let read = |head: &[u8], is_file| read_names(&Dialect::default(), head, is_file, MAX_RECORD_BYTES);
        assert_eq!(read(b"a,\"b\n", false).unwrap(), None);
        assert_eq!(read(b"a,b", false).unwrap(), None);
        assert_eq!(read(b"", false).unwrap(), None);
        assert_eq!(read(b"a,b", true).unwrap().unwrap(), ["a", "b"]);
        assert_eq!(read(b"a,\"b\nc\"\n1", false).unwrap().unwrap(), ["a", "b\nc"]);
        assert!(matches!(read(b"a,\"b\n", true).unwrap_err().kind(), ErrorKind::UnclosedQuote));
    }

    #[test]
    fn errors_are_those_of_reading_with_their_position() {
        for (file, expected) in [
            (
                &b"a,b\n1,2\n3\n"[..],
                "line 3, record 2, byte 8: the record has 1 fields, the table has 2 columns",
            ),
            (b"a,b\n1,2,3", "line 2, record 1, byte 4: the record has 3 fields, the table has 2 columns"),
            (b"a,b\n1,2\n3,\"4\n", "line 3, record 2, byte 8: the input ends inside a quoted field"),
            (b"a,\"b\n", "line 1, header, byte 0: the input ends inside a quoted field"),
            (
                b"a,b\xff\n1,2\n",
                "line 1, header, byte 0, column 1: not valid UTF-8 at byte 1 of the field \"b\\xff\"",
            ),
        ] {
            let message = message(infer(&[file]));
            assert!(message.starts_with(expected), "{message}");
        }
        let long = [&b"a,b\n1,2\n3,\""[..], &vec![b'x'; 2 * MAX_RECORD_BYTES]].concat();
        let message = message(infer(&[&long]));
        assert!(
            message.starts_with("line 3, record 2, byte 8: the record that starts here is longer"),
            "{message}"
        );
    }

    #[test]
    fn without_a_header_the_first_record_is_number_one() {
        let result = infer_with(Dialect::builder().has_header(false), &Default::default(), &[b"1,2\n3\n"]);
        assert!(message(result).starts_with("line 2, record 2, byte 4: the record has 1 fields"));
    }
}

mod bounds {
    use super::*;

    fn bounded(max_records: usize, max_bytes: usize, files: &[&[u8]]) -> InferredSchema {
        let options = SampleOptions { max_records, max_bytes, ..Default::default() };
        infer_with(Dialect::builder(), &options, files).unwrap()
    }

    #[test]
    fn records_behind_the_bound_are_not_looked_at() {
        let file = b"a\n1\n2\n3.5\nx\n";
        for (max_records, expected) in [(1, "a: Int64"), (2, "a: Int64"), (3, "a: Float64"), (4, "a: Utf8")] {
            let inferred = bounded(max_records, 1 << 20, &[file]);
            assert_eq!((shown(&inferred).as_str(), inferred.records), (expected, max_records));
            assert!(!inferred.is_whole);
        }
        let inferred = bounded(5, 1 << 20, &[file]);
        assert_eq!((inferred.records, inferred.is_whole), (4, true));
    }

    #[test]
    fn bytes_behind_the_bound_are_not_looked_at() {
        let file = b"a\n1\n2\n3.5\nx\n";
        for (max_bytes, records, expected) in [
            (0, 1, "a: Int64"),
            (4, 1, "a: Int64"),
            (5, 1, "a: Int64"),
            (6, 2, "a: Int64"),
            (9, 2, "a: Int64"),
            (10, 3, "a: Float64"),
            (11, 3, "a: Float64"),
            (12, 4, "a: Utf8"),
        ] {
            let inferred = bounded(1000, max_bytes, &[file]);
            assert_eq!((shown(&inferred).as_str(), inferred.records), (expected, records), "{max_bytes}");
            assert!(!inferred.is_whole);
        }
        assert!(bounded(1000, 13, &[file]).is_whole);
    }

    #[test]
    fn the_first_record_is_looked_at_however_long() {
        let file = [&b"a,b\n\""[..], &[b'x'; 500], b"\",1\n2,y\n"].concat();
        let inferred = bounded(1000, 10, &[&file]);
        assert_eq!((shown(&inferred).as_str(), inferred.records), ("a: Utf8, b: Int64", 1));
    }

    #[test]
    fn nothing_is_inferred_from_no_records() {
        let inferred = bounded(0, 1 << 20, &[b"a,b\n1,2\n3\n", b"c\n"]);
        assert_eq!((shown(&inferred).as_str(), inferred.records), ("a: Utf8, b: Utf8", 0));
        assert_eq!(inferred.bytes_per_record(), None);
        let options = SampleOptions { max_records: 0, ..Default::default() };
        let inferred = infer_with(Dialect::builder().has_header(false), &options, &[b"1,2\n3\n"]).unwrap();
        assert_eq!((shown(&inferred).as_str(), inferred.records), ("column_1: Utf8, column_2: Utf8", 0));
    }

    #[test]
    fn the_bounds_are_over_all_files() {
        let files: &[&[u8]] = &[b"a\n1\n2\n", b"a\n3.5\nx\n", b"b,c\n"];
        assert_eq!(shown(&bounded(2, 1 << 20, files)), "a: Int64");
        assert_eq!(shown(&bounded(3, 1 << 20, files)), "a: Float64");
        assert_eq!(shown(&bounded(1000, 6, files)), "a: Int64");
        assert_eq!(shown(&bounded(1000, 12, files)), "a: Float64");
        assert_eq!(shown(&bounded(4, 1 << 20, files)), "a: Utf8");
    }

    #[test]
    fn bytes_are_those_of_the_records() {
        for (file, bytes) in [
            (&b"\xef\xbb\xbfid,name\n1,x\n2,y\n"[..], 8),
            (b"id,name\n1,x\n2,y", 7),
            (b"id,name\n\"1\n\",x\n", 7),
            (b"id,name\n", 0),
        ] {
            assert_eq!(bounded(1000, 1 << 20, &[file, b""]).bytes, bytes);
        }
        let inferred = bounded(1000, 1 << 20, &[b"a\n1\n", b"a\n123\n"]);
        assert_eq!((inferred.bytes, inferred.bytes_per_record()), (6, Some(3.0)));
        assert_eq!(bounded(1, 1 << 20, &[b"a\n1\n22\n333\n"]).bytes, 2);
    }

    #[test]
    fn a_file_that_is_left_is_not_whole_and_its_last_record_is_ignored() {
        let mut sampler =
            SchemaSampler::new(&Dialect::default(), empty_is_null(), &Default::default(), MAX_RECORD_BYTES)
                .unwrap();
        assert_eq!(sampler.push(b"a\n1\nte").unwrap(), Enough::NotYet);
        sampler.start_file();
        assert_eq!(sampler.push(b"a\n2\n").unwrap(), Enough::NotYet);
        sampler.finish_file().unwrap();
        let inferred = sampler.finish();
        assert_eq!((shown(&inferred).as_str(), inferred.records), ("a: Int64", 2));
        assert!(!inferred.is_whole);
    }
}

mod files {
    use super::*;

    fn truncated(files: &[&[u8]]) -> Result<InferredSchema, Error> {
        let options = SampleOptions { truncated_rows: true, ..Default::default() };
        infer_with(Dialect::builder(), &options, files)
    }

    #[test]
    fn columns_are_matched_by_position_and_named_by_the_first_file() {
        let inferred = infer(&[b"a,b\n1,x\n", b"", b"b,a\n2.5,\n", b"a,b"]).unwrap();
        assert_eq!(shown(&inferred), "a: Float64, b: Utf8");
        assert!(inferred.is_whole);
    }

    #[test]
    fn another_number_of_columns_is_an_error() {
        for other in [&b"a,b,c\n"[..], b"a\n"] {
            let message = message(infer(&[b"a,b\n1,2\n", other]));
            let found = other.split(|b| *b == b',').count();
            let expected = format!(
                "line 1, header, byte 0: the schema can't be inferred: file 2 of the table has {found} columns, \
                 those before it have 2; truncated_rows"
            );
            assert!(message.starts_with(&expected), "{message}");
        }
    }

    #[test]
    fn truncated_rows_are_padded_with_null() {
        let inferred = truncated(&[b"a,b,c\n1\n2,true\n"]).unwrap();
        assert_eq!(shown(&inferred), "a: Int64, b: Boolean, c: Null");
        let inferred = truncated(&[b"a,b\n1\n", b"a,a,b\n1,2,3\n", b"x\n2.5\n"]).unwrap();
        assert_eq!(shown(&inferred), "a: Float64, b: Int64, b_2: Int64");
    }

    #[test]
    fn truncated_rows_are_not_longer_than_the_table() {
        let message = message(truncated(&[b"a,b\n1\n1,2,3\n"]));
        assert!(
            message.starts_with("line 3, record 2, byte 6: the record has 3 fields, the table has 2 columns")
        );
    }
}

//! Errors: which one, and where.

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, Schema, TimeUnit};
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::decode::internal::BatchDecoder;
use datafusion_csv_stream::decode::{DecodeOptions, supports};
use datafusion_csv_stream::error::ErrorKind;

use crate::support::{Cuts, WHOLE, ours};
use crate::table;

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

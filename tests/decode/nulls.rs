//! Which fields are NULL.

use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::decode::DecodeOptions;

use crate::read;
use crate::support::{WHOLE, all_types, ours};

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

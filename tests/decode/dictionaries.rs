//! Dictionaries, whose keys and values are bounded.

use arrow::datatypes::DataType;
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::decode::DecodeOptions;
use datafusion_csv_stream::decode::internal::BatchDecoder;
use datafusion_csv_stream::parse::{FieldCount, Parser, Step};

use crate::table;

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

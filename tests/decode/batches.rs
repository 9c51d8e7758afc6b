//! The columns of batches, and the bounds on their rows and bytes.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Field, Int64Type, Schema};
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::decode::DecodeOptions;
use datafusion_csv_stream::decode::internal::BatchDecoder;
use datafusion_csv_stream::error::Error;
use datafusion_csv_stream::grammar::Trim;
use datafusion_csv_stream::parse::{FieldCount, Parser, Step};

use crate::compared::Random;
use crate::support::{self, Cuts, WHOLE, ours};
use crate::table;

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

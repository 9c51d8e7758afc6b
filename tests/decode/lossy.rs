//! What a value would lose: the error, its place, the types that are named in it, and the option
//! that accepts the loss.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::kernels::cmp::gt;
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::*;
use datafusion_csv_stream::decode::{
    DecodeOptions, FilterError, Inferred, LeadingZeros, LossyValues, RowFilter,
};
use datafusion_csv_stream::error::{Error, ErrorKind};
use datafusion_csv_stream::{DecoderBuilder, Dialect, Reader, infer};

use crate::support::all_types;
use crate::values::VALUES;

fn builder(field: Field) -> DecoderBuilder {
    let schema = Schema::new(vec![Field::new("id", DataType::Int64, true), field]);
    DecoderBuilder::new(Arc::new(schema)).with_path("t.csv")
}

fn read(file: &str, builder: DecoderBuilder) -> Result<RecordBatch, Error> {
    let reader = Reader::new(file.as_bytes(), builder.build()?);
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    Ok(concat_batches(&schema, &batches).expect("one schema"))
}

fn file(value: &str) -> String {
    format!("id,value\n1,{value}\n")
}

fn declared(data_type: DataType) -> Field {
    Field::new("value", data_type, true)
}

fn inferred(data_type: DataType) -> Field {
    Inferred { leading_zeros: LeadingZeros::Text }.mark(declared(data_type))
}

fn rounding() -> DecodeOptions {
    DecodeOptions::default().with_lossy_values(LossyValues::Round)
}

#[test]
fn an_error_says_what_is_lost_and_what_to_do() {
    use DataType::*;
    use TimeUnit::*;
    let zoned = |unit| Timestamp(unit, Some("+00:00".into()));
    let time = "2026-10-11 18:59:14";
    let stamp = |rest: &str| format!("{time}{rest}");
    for (field, value, part) in [
        (
            declared(Timestamp(Second, None)),
            stamp(".250"),
            "finer than the type's unit); declare the column TIMESTAMP(3); lossy_values",
        ),
        (declared(Timestamp(Millisecond, None)), stamp(".1234"), "declare the column TIMESTAMP(6);"),
        (declared(Timestamp(Second, None)), stamp(".1234567"), "declare the column TIMESTAMP(9);"),
        (declared(Timestamp(Nanosecond, None)), stamp(".1234567891"), "declare the column VARCHAR;"),
        (
            declared(Timestamp(Second, None)),
            "2300-01-01 00:00:00.1234567".to_owned(),
            "declare the column VARCHAR;",
        ),
        (
            declared(Timestamp(Microsecond, None)),
            stamp("+02:00"),
            "(the type has no zone); declare the column VARCHAR, or TIMESTAMP(6) WITH TIME ZONE after",
        ),
        (declared(zoned(Second)), stamp(".5Z"), "declare the column TIMESTAMP(3) WITH TIME ZONE;"),
        (inferred(zoned(Second)), stamp(""), "(the value has no zone, others in the column do); raise"),
        (declared(zoned(Second)), "2016-12-31T23:59:60Z".to_owned(), "(the type has no leap seconds);"),
        (declared(Date32), stamp(""), "(a date has no time of day); declare the column TIMESTAMP(0);"),
        (declared(Date32), "2024-01-01T00:00:00+02:00".to_owned(), "(a date has no zone); declare"),
        (declared(Date64), stamp(".0001"), "declare the column TIMESTAMP(6);"),
        (declared(Time32(Second)), "18:59:14.5".to_owned(), "declare the column TIME;"),
        (declared(Time64(Nanosecond)), "18:59:14.1234567891".to_owned(), "declare the column VARCHAR;"),
        (declared(Time64(Nanosecond)), "23:59:60".to_owned(), "(the type has no leap seconds); declare"),
        (declared(Float32), "1e39".to_owned(), "would become infinite); declare the column DOUBLE;"),
        (declared(Float64), "-1e400".to_owned(), "would become infinite); declare the column VARCHAR;"),
        (declared(Decimal128(15, 2)), "1.005".to_owned(), "declare the column DECIMAL(16, 3);"),
        (declared(Decimal64(5, 0)), "1.25e-3".to_owned(), "declare the column DECIMAL(10, 5);"),
        (declared(Decimal128(5, -3)), "1234567".to_owned(), "declare the column DECIMAL(8, 0);"),
        (declared(Decimal256(76, 2)), "1.005".to_owned(), "declare the column VARCHAR;"),
        (
            inferred(Int64),
            "02139".to_owned(),
            "as Int64 without loss (a number has no leading zero); raise schema_infer_max_rec",
        ),
        (inferred(Decimal128(38, 0)), "02139".to_owned(), "(a number has no leading zero); raise"),
        (inferred(Float64), "00.5".to_owned(), "(a number has no leading zero); raise"),
        (inferred(Float64), "32E0134".to_owned(), "looks like a label, not like a number); raise"),
        (inferred(Float64), "32E01".to_owned(), "looks like a label, not like a number); raise"),
        (inferred(Float64), "4758E590".to_owned(), "would become infinite); declare the column VARCHAR"),
        (inferred(Float64), "9007199254740993".to_owned(), "can't hold the whole part of this one); raise"),
    ] {
        let error = read(&file(&value), builder(field.clone())).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::LossyValue { .. }), "{error}");
        let start = "t.csv: line 2, record 1, byte 9, column 1 (\"value\"): can't read ";
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("{start}\"{value}\" as {} without loss (", field.data_type())),
            "{text}"
        );
        assert!(text.contains(part), "{text}");
        assert!(text.ends_with("; lossy_values = round accepts the loss"), "{text}");
        // The same with quotes, and with an escaped neighbour.
        let quoted = read(&file(&format!("\"{value}\"")), builder(field.clone())).unwrap_err();
        assert_eq!(quoted.to_string(), text);
        read(&file(&value), builder(field).with_decode_options(rounding())).unwrap();
    }
}

/// Arrow refuses these itself, so no option accepts them.
#[test]
fn a_value_that_is_none_is_no_loss() {
    for (data_type, value) in [
        (DataType::Timestamp(TimeUnit::Nanosecond, None), "2300-01-01T00:00:00Z"),
        (DataType::Timestamp(TimeUnit::Second, None), "2024-01-01T24:00:00.5"),
        (DataType::Date32, "2024-02-30T12:00:00"),
        (DataType::Time32(TimeUnit::Second), "24:00:00.5"),
        (DataType::Decimal128(5, 2), "12345.678"),
        (DataType::Int64, "1.5"),
    ] {
        for options in [DecodeOptions::default(), rounding()] {
            let error = read(&file(value), builder(declared(data_type.clone())).with_decode_options(options));
            let error = error.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::InvalidValue { .. }), "{error}");
        }
    }
}

/// A loss is found in every place of a column: in each lane, among values of other lengths, and
/// after the values that the type was inferred from.
#[test]
fn a_loss_is_found_anywhere_in_a_column() {
    for (usual, lossy) in [
        ("2026-10-11 18:59:14", "2026-10-11 18:59:14.250"),
        ("2026-10-11 18:59:14.123", "2026-10-11 18:59:14.1234"),
        ("2026-10-11 18:59:14", "2026-10-11 18:59:14Z"),
        ("2026-10-11 18:59:14Z", "2026-10-11 18:59:14"),
        ("2026-10-11", "2026-10-11 18:59:14"),
        ("2026-10-11", "2026-10-11T00:00:00+02:00"),
        ("0.5", "9007199254740993"),
        ("0.5", "12345678901234567.89"),
        ("0.5", "1e400"),
        ("0.5", "00.5"),
        ("12345", "02139"),
        ("-12345", "-02139"),
        ("1234567890", "0123456789"),
        ("12345678901234567", "02345678901234567"),
        ("18446744073709551615", "02139"),
        ("184467440737095516150", "02139"),
        ("184467440737095516150", "0.5"),
    ] {
        for at in [0, 1, 62, 63, 64, 1100] {
            let mut rows: Vec<_> = (0..1200).map(|row| format!("{row},{usual}\n")).collect();
            let schema = infer::read_schema(
                &mut format!("id,value\n{}", rows.concat()).as_bytes(),
                &Dialect::default(),
            )
            .unwrap();
            rows[at] = format!("{at},{lossy}\n");
            let text = format!("id,value\n{}", rows.concat());
            let error = read(&text, DecoderBuilder::new(schema)).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::LossyValue { .. }), "{usual} {lossy}: {error}");
            assert_eq!(error.place().unwrap().record, at as u64 + 1, "{usual} {lossy}: {error}");
        }
    }
}

/// A mark has to survive what programs do with a schema, or it is no mark.
#[test]
fn a_projection_keeps_the_marks_of_inferred_columns() {
    let text = "id,zip\n1,12345\n";
    let schema = infer::read_schema(&mut text.as_bytes(), &Dialect::default()).unwrap();
    let projected = Arc::new(schema.project(&[1, 0]).unwrap());
    assert_eq!(schema.field(1).metadata(), projected.field(0).metadata());
    for builder in [
        DecoderBuilder::new(schema).with_projection(Some(vec![1])),
        DecoderBuilder::new(projected).with_projection(Some(vec![1, 0])),
    ] {
        let error = read("id,zip\n02139,02139\n", builder).unwrap_err();
        assert!(error.to_string().contains("without loss (a number has no leading zero)"), "{error}");
    }
}

#[test]
fn marks_stand_in_the_options_too() {
    let mark = Some(Inferred { leading_zeros: LeadingZeros::Text });
    let read = |field: Field, marks: &[Option<Inferred>]| {
        let options = DecodeOptions::default().with_inferred_columns(Some(marks.into()));
        let builder = builder(field).with_projection(Some(vec![1]));
        read(&file("02139"), builder.with_decode_options(options)).map(|batch| batch.schema())
    };
    let (plain, marked) = (declared(DataType::Int64), inferred(DataType::Int64));
    for (field, marks, is_read) in [
        (plain.clone(), &[None, mark][..], false),
        (plain.clone(), &[mark, None], true),
        (plain, &[mark], true),
        (marked.clone(), &[None, None], true),
        (marked.clone(), &[], true),
    ] {
        match read(field.clone(), marks) {
            Ok(schema) => assert_eq!((is_read, schema.field(0)), (true, &field)),
            Err(error) => assert!(!is_read, "{error}"),
        }
    }
    assert_eq!(Inferred::unmarked(&Schema::new(vec![marked])), Schema::new(vec![declared(DataType::Int64)]));
}

/// `value > least`, of the file's second column.
#[derive(Debug)]
struct Above(ArrayRef);

impl RowFilter for Above {
    fn columns(&self) -> &[usize] {
        &[1]
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray, FilterError> {
        Ok(gt(batch.column(0), &arrow::array::Scalar::new(self.0.clone()))?)
    }
}

#[test]
fn a_filter_sees_no_lossy_value() {
    let data_type = DataType::Timestamp(TimeUnit::Second, None);
    let text = "id,value\n1,2026-10-11 18:59:13\n2,2026-10-11 18:59:14.250\n";
    let least = read(&file("2026-10-11 18:59:13"), builder(declared(data_type.clone()))).unwrap();
    let above: Arc<dyn RowFilter> = Arc::new(Above(least.column(1).clone()));
    for projection in [vec![], vec![0], vec![1]] {
        let filtered = || {
            let filtered = builder(declared(data_type.clone())).with_filters(vec![Arc::clone(&above)]);
            filtered.with_projection(Some(projection.clone()))
        };
        let error = read(text, filtered()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::LossyValue { .. }), "{error}");
        assert_eq!(error.place().map(|place| (place.record, place.column)), Some((2, Some(1))));
        let rounded = read(text, filtered().with_decode_options(rounding())).unwrap();
        assert_eq!(rounded.num_rows(), 1);
    }
}

/// Whatever a column's values are, those that are read by default are the same as with rounding.
#[test]
fn rounding_changes_no_value_that_is_exact() {
    for data_type in all_types() {
        for field in [declared(data_type.clone()), inferred(data_type)] {
            for value in VALUES.iter().filter(|value| !value.contains(['"', ','])) {
                let text = file(value);
                let rounded = read(&text, builder(field.clone()).with_decode_options(rounding()));
                match (read(&text, builder(field.clone())), rounded) {
                    (Ok(exact), Ok(rounded)) => assert_eq!(exact, rounded),
                    (Err(exact), Ok(_)) => {
                        assert!(matches!(exact.kind(), ErrorKind::LossyValue { .. }), "{exact}");
                    }
                    (Err(exact), Err(rounded)) => assert_eq!(exact.to_string(), rounded.to_string()),
                    (Ok(_), Err(rounded)) => panic!("{rounded}"),
                }
            }
        }
    }
}

#[test]
fn text_loses_nothing() {
    let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    for data_type in [DataType::Utf8, DataType::Utf8View, DataType::LargeUtf8, dictionary] {
        for value in ["02139", "32E0134", "9007199254740993", "2026-10-11 18:59:14.250+02:00", "1e400"] {
            let batch = read(&file(value), builder(inferred(data_type.clone()))).unwrap();
            let text = cast(batch.column(1), &DataType::Utf8).unwrap();
            assert_eq!((text.as_string::<i32>().value(0), text.null_count()), (value, 0));
        }
    }
}

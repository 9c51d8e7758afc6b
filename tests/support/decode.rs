//! The decoder compared with `arrow-csv`: the same arrays, or an error in the same place. Used by
//! the tests and by a fuzz target.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{
    DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Field, Schema, TimeUnit,
};
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::decode::internal::BatchDecoder;
use datafusion_csv_stream::decode::{DecodeOptions, LossyValues};
use datafusion_csv_stream::error::{Error, ErrorKind};
use datafusion_csv_stream::parse::{FieldCount, Parser, Step};

/// The way in which a file is cut into pushes and batches.
#[derive(Debug, Clone, Copy)]
pub struct Cuts {
    pub push_rows: usize,
    pub batch_rows: usize,
    pub batch_bytes: usize,
}

/// One push, one batch.
pub const WHOLE: Cuts = Cuts { push_rows: usize::MAX, batch_rows: usize::MAX, batch_bytes: 1 << 30 };

/// Decodes all columns of a file without a header.
pub fn ours(
    input: &[u8],
    table: &Schema,
    dialect: &Dialect,
    options: &DecodeOptions,
    cuts: Cuts,
) -> Result<RecordBatch, Error> {
    let batches = batches(input, table, dialect, options, cuts)?;
    Ok(concat_batches(&Arc::new(table.clone()), &batches).expect("batches have the table's schema"))
}

/// Decodes a file without a header, and checks the guarantees for each batch.
pub fn batches(
    input: &[u8],
    table: &Schema,
    dialect: &Dialect,
    options: &DecodeOptions,
    cuts: Cuts,
) -> Result<Vec<RecordBatch>, Error> {
    let width = table.fields().len();
    let mut parser = Parser::new(dialect, FieldCount::UpTo(width), 1 << 20);
    let projection: Vec<usize> = (0..width).collect();
    let mut decoder = BatchDecoder::new(table, &projection, options, cuts.batch_rows, cuts.batch_bytes)?;
    let mut batches = Vec::new();
    let mut rest = input;
    let mut at_end = false;
    while !at_end {
        assert_ne!(decoder.room(), 0, "an empty batch, or one that isn't full");
        let most = decoder.room().min(cuts.push_rows);
        let rows = decoder.rows();
        let (taken, step) = parser.next(rest, most)?;
        rest = &rest[taken..];
        match step {
            Step::Records(records) => {
                decoder.push(&records)?;
                assert_eq!(decoder.rows(), rows + records.len());
            }
            Step::NeedInput => {
                if let Some(records) = parser.finish()? {
                    decoder.push(&records)?;
                }
                at_end = true;
            }
        }
        if decoder.room() == 0 || at_end {
            let rows = decoder.rows();
            let batch = decoder.finish()?;
            assert_eq!(batch.as_ref().map_or(0, RecordBatch::num_rows), rows);
            assert!(rows <= cuts.batch_rows.max(1));
            batches.extend(batch);
        }
    }
    Ok(batches)
}

/// `arrow-csv`'s result for the same input. A panic counts as an error.
pub fn arrows(input: &[u8], table: &Schema) -> Result<RecordBatch, String> {
    let schema = Arc::new(table.clone());
    let read = AssertUnwindSafe(|| {
        let reader = arrow_csv::ReaderBuilder::new(schema.clone())
            .with_truncated_rows(true)
            .with_batch_size(256)
            .build_buffered(input)?;
        concat_batches(&schema, &reader.collect::<Result<Vec<_>, _>>()?)
    });
    match catch_unwind(read) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("panic".to_owned()),
    }
}

/// A type with the same values that `arrow-csv` reads, for the types that it doesn't read.
pub fn oracle_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Duration(_) => DataType::Int64,
        DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => DataType::Utf8,
        DataType::BinaryView => DataType::Utf8View,
        DataType::Dictionary(key, _) => DataType::Dictionary(key.clone(), Box::new(DataType::Utf8)),
        other => other.clone(),
    }
}

/// Whether a value may be read differently than by `arrow-csv`. `ours` is our value; `None` if we
/// refuse it.
fn is_excused(data_type: &DataType, raw: &str, ours: Option<&dyn Array>) -> bool {
    match data_type {
        // arrow-csv drops the values of a Null column.
        DataType::Null => ours.is_none() && !matches!(raw, "" | "\"\""),
        // Arrow may wrap, count digits in a u8, or ignore a negative scale. Then ours has to be
        // exact.
        _ => exact(data_type, raw).is_some_and(|exact| exact == ours.map(unscaled)),
    }
}

/// The unscaled number of a decimal, cut off after the scale, by moving digits. `Some(None)` if the
/// type has no room for it. `None` if it isn't written as a number, or the type isn't a decimal.
fn exact(data_type: &DataType, raw: &str) -> Option<Option<String>> {
    let (DataType::Decimal32(precision, scale)
    | DataType::Decimal64(precision, scale)
    | DataType::Decimal128(precision, scale)
    | DataType::Decimal256(precision, scale)) = data_type
    else {
        return None;
    };
    let unquoted = if raw.starts_with('"') { raw.replace('"', "") } else { raw.to_owned() };
    let text = unquoted.as_str();
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let magnitude = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    if text.starts_with(['e', 'E']) || text.starts_with(".e") || text.starts_with(".E") {
        // Arrow takes a power without a mantissa for zero, unless it finds too many digits in it.
        return Some(None);
    }
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0
        || !are_digits(whole)
        || !are_digits(fraction)
        || !are_digits(magnitude)
        || !(1..=4).contains(&magnitude.len())
    {
        return None;
    }
    let power: i64 = exponent.parse().ok()?;
    let mut digits = (whole.to_owned() + fraction).trim_start_matches('0').to_owned();
    let shift = power - fraction.len() as i64 + i64::from(*scale);
    match usize::try_from(shift) {
        Ok(zeros) if digits.is_empty() || zeros > 100 => {
            digits.extend((!digits.is_empty()).then(|| "9".repeat(100)));
        }
        Ok(zeros) => digits.push_str(&"0".repeat(zeros)),
        Err(_) => digits.truncate(digits.len().saturating_sub(shift.unsigned_abs() as usize)),
    }
    if digits.len() > usize::from(*precision) {
        return Some(None);
    }
    Some(Some(match (digits.is_empty(), is_negative) {
        (true, _) => "0".to_owned(),
        (false, true) => format!("-{digits}"),
        (false, false) => digits,
    }))
}

/// The unscaled number of a decimal array's only value.
fn unscaled(array: &dyn Array) -> String {
    match array.data_type() {
        DataType::Decimal32(..) => array.as_primitive::<Decimal32Type>().value(0).to_string(),
        DataType::Decimal64(..) => array.as_primitive::<Decimal64Type>().value(0).to_string(),
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value(0).to_string(),
        _ => array.as_primitive::<Decimal256Type>().value(0).to_string(),
    }
}

/// Compares a file of some rows of raw fields. A first column before those of `table` keeps lines
/// from being blank.
///
/// # Panics
///
/// If the two results differ for no known reason.
pub fn compare(rows: &[Vec<String>], table: &Schema) {
    let mut fields = vec![Arc::new(Field::new("first", DataType::Utf8, true))];
    fields.extend(table.fields().iter().cloned());
    let table = Schema::new(fields);
    let oracle = Schema::new(
        table
            .fields()
            .iter()
            .map(|field| field.as_ref().clone().with_data_type(oracle_type(field.data_type())))
            .collect::<Vec<_>>(),
    );
    let dialect = Dialect::builder().with_header(false).build().expect("a dialect");
    let options = DecodeOptions::default().with_lossy_values(LossyValues::Round);
    let read = |input: &[u8], cuts| ours(input, &table, &dialect, &options, cuts);

    let input = render(rows);
    let result = read(&input, WHOLE);
    compare_exact(&ours(&input, &table, &dialect, &DecodeOptions::default(), WHOLE), &result);
    for cuts in [
        Cuts { push_rows: 1, ..WHOLE },
        Cuts { push_rows: 3, batch_rows: 5, ..WHOLE },
        Cuts { batch_bytes: 1, ..WHOLE },
        Cuts { push_rows: 2, batch_bytes: 300, ..WHOLE },
    ] {
        let cut = read(&input, cuts);
        match (&result, &cut) {
            (Ok(whole), Ok(cut)) => assert_eq!(whole, cut, "{cuts:?}"),
            (Err(whole), Err(cut)) => assert_eq!(whole.to_string(), cut.to_string(), "{cuts:?}"),
            _ => panic!("{result:?} whole, {cut:?} with {cuts:?}"),
        }
    }
    // Up to the first row that we refuse, both read the same.
    let right = match &result {
        Ok(_) => rows.len(),
        Err(error) => {
            let position = error.place().expect("an error has a position");
            let (record, column) = (position.record as usize - 1, position.column.expect("and a column"));
            assert_eq!(position.column_name.as_ref(), Some(table.field(column).name()));
            let single = Schema::new(vec![oracle.field(0).clone(), oracle.field(column).clone()]);
            let raw = &rows[record][column - 1];
            let alone = arrows(&render(&[vec![raw.clone()]]), &single);
            assert!(
                alone.is_err() || is_excused(table.field(column).data_type(), raw, None),
                "{raw:?} is refused ({error}), arrow reads {alone:?}"
            );
            record
        }
    };
    let rows = &rows[..right];
    let ours = read(&render(rows), WHOLE).expect("rows before the first refused one");
    for (column, field) in table.fields().iter().enumerate().skip(1) {
        let data_type = field.data_type();
        let single = Schema::new(vec![oracle.field(0).clone(), oracle.field(column).clone()]);
        let raw: Vec<Vec<String>> = rows.iter().map(|row| vec![row[column - 1].clone()]).collect();
        for (row, raw) in raw.iter().enumerate() {
            if let Some(exact) = exact(data_type, &raw[0]) {
                assert_eq!(
                    Some(unscaled(&ours.column(column).slice(row, 1))),
                    exact,
                    "{raw:?} as {data_type}"
                );
            }
        }
        let ours = cast(ours.column(column), oracle.field(column).data_type()).expect("the oracle's type");
        let all = arrows(&render(&raw), &single);
        if all.as_ref().is_ok_and(|all| all.column(1) == &ours) {
            continue;
        }
        let mut excused = 0;
        for (row, raw) in raw.iter().enumerate() {
            let alone = arrows(&render(std::slice::from_ref(raw)), &single);
            let ours = ours.slice(row, 1);
            if !alone.as_ref().is_ok_and(|alone| alone.column(1) == &ours) {
                excused += 1;
                let is_excused = is_excused(data_type, &raw[0], Some(&ours));
                assert!(is_excused, "{raw:?} as {data_type}: {ours:?}, arrow reads {alone:?}");
            }
        }
        assert_ne!(excused, 0, "{data_type}: each value is equal, all are not: {all:?}");
    }
}

/// Without losses, the result is the same as with them, or the error of a value before any other
/// error.
fn compare_exact(exact: &Result<RecordBatch, Error>, rounded: &Result<RecordBatch, Error>) {
    let place = |error: &Error| error.place().map(|place| (place.record, place.column));
    match (exact, rounded) {
        (Ok(exact), Ok(rounded)) => assert_eq!(exact, rounded),
        (Err(exact), Err(rounded)) if exact.to_string() == rounded.to_string() => {}
        (Err(exact), rounded) if matches!(exact.kind(), ErrorKind::LossyValue { .. }) => {
            let is_first = rounded.as_ref().err().is_none_or(|rounded| place(exact) < place(rounded));
            assert!(is_first, "{exact}, {rounded:?}");
        }
        _ => panic!("{exact:?} without losses, {rounded:?} with them"),
    }
}

fn render(rows: &[Vec<String>]) -> Vec<u8> {
    rows.iter().flat_map(|row| format!("x,{}\n", row.join(",")).into_bytes()).collect()
}

/// All types, with more than one precision, scale or zone for those that have them.
pub fn all_types() -> Vec<DataType> {
    use DataType::*;
    use TimeUnit::*;
    let mut types = vec![
        Null,
        Boolean,
        Int8,
        Int16,
        Int32,
        Int64,
        UInt8,
        UInt16,
        UInt32,
        UInt64,
        Float16,
        Float32,
        Float64,
        Decimal32(9, 2),
        Decimal32(4, 4),
        Decimal64(18, 3),
        Decimal64(5, 0),
        Decimal128(15, 2),
        Decimal128(38, 10),
        Decimal128(38, 38),
        Decimal128(10, -3),
        Decimal256(76, 20),
        Decimal256(30, 4),
        Date32,
        Date64,
        Time32(Second),
        Time32(Millisecond),
        Time64(Microsecond),
        Time64(Nanosecond),
        Utf8,
        LargeUtf8,
        Utf8View,
        Binary,
        LargeBinary,
        BinaryView,
    ];
    for unit in [Second, Millisecond, Microsecond, Nanosecond] {
        types.push(Duration(unit));
        for zone in [None, Some("+00:00"), Some("+05:30"), Some("-08:00")] {
            types.push(Timestamp(unit, zone.map(Into::into)));
        }
    }
    for key in [Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64] {
        types.push(Dictionary(Box::new(key), Box::new(Utf8)));
    }
    for value in [LargeUtf8, Utf8View] {
        types.push(Dictionary(Box::new(Int32), Box::new(value)));
    }
    types
}

/// A fuzz target's body: the first byte chooses the type, the other bytes are the lines of the
/// file.
pub fn fuzz(data: &[u8]) {
    let Some((choice, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let types = all_types();
    let data_type = types[usize::from(*choice) % types.len()].clone();
    let table = Schema::new(vec![Field::new("value", data_type, choice & 0x80 == 0)]);
    let rows: Vec<Vec<String>> = text
        .split(['\n', '\r'])
        .filter(|line| !line.contains([',', '"']))
        .map(|line| vec![line.to_owned()])
        .collect();
    compare(&rows, &table);
}

//! Several files of one table.

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::error::Error;
use datafusion_csv_stream::infer::{InferredSchema, MatchColumns, SampleOptions};

use crate::{infer, infer_with, message, shown};

fn truncated(files: &[&[u8]]) -> Result<InferredSchema, Error> {
    let options = SampleOptions { truncated_rows: true, ..Default::default() };
    infer_with(Dialect::builder(), &options, files)
}

fn by_position(files: &[&[u8]]) -> Result<InferredSchema, Error> {
    let options = SampleOptions { match_columns: MatchColumns::Position, ..Default::default() };
    infer_with(Dialect::builder(), &options, files)
}

#[test]
fn columns_are_matched_by_name() {
    let inferred = infer(&[b"a,b\n1,x\n", b"", b"b,a\ny,2.5\n", b"a,b"]).unwrap();
    assert_eq!(shown(&inferred), "a: Float64, b: Utf8");
    assert!(inferred.is_whole);
    // A new column stands after the column that is before it in its own file.
    let files: [&[u8]; 4] =
        [b"a,c\n1,2\n", b"a,b,c\n1,true,2.5\n", b"d,c\n2024-01-01,1\n", b"C,e,f\n1,1,1\n"];
    let inferred = infer(&files).unwrap();
    assert_eq!(shown(&inferred), "d: Date32, a: Int64, b: Boolean, c: Float64, e: Int64, f: Int64");
}

#[test]
fn columns_may_be_matched_by_position() {
    let inferred = by_position(&[b"a,b\n1,x\n", b"", b"b,a\n2.5,\n", b"a,b"]).unwrap();
    assert_eq!(shown(&inferred), "a: Float64, b: Utf8");
}

#[test]
fn a_first_record_without_a_known_name_is_data_or_an_error() {
    let inferred = infer(&[b"a,b\n1,x\n", b"2,y\n3,z\n"]).unwrap();
    assert_eq!((shown(&inferred).as_str(), inferred.records), ("a: Int64, b: Utf8", 3));
    let found = message(infer(&[b"a,b\nx,y\n", b"c,d\n"]));
    assert!(
        found.contains("file 2 of the table shares no name") && found.contains("has_header = false"),
        "{found}"
    );
}

#[test]
fn another_number_of_columns_is_an_error() {
    for other in [&b"a,b,c\n"[..], b"a\n"] {
        let message = message(by_position(&[b"a,b\n1,2\n", other]));
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
    let inferred = truncated(&[b"a,b\n1\n", b"a,a,b\n1,2,3\n", b"a\n2.5\n"]).unwrap();
    assert_eq!(shown(&inferred), "a: Float64, a_2: Int64, b: Int64");
}

#[test]
fn truncated_rows_are_not_longer_than_the_table() {
    let message = message(truncated(&[b"a,b\n1\n1,2,3\n"]));
    assert!(
        message.starts_with("line 3, record 2, byte 6: the record has 3 fields, the table has 2 columns")
    );
}

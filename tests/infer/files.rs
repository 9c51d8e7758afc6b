//! Several files of one table.

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::error::Error;
use datafusion_csv_stream::infer::{InferredSchema, SampleOptions};

use crate::{infer, infer_with, message, shown};

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

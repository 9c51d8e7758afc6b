//! The records and names that are found in a file, and the errors if there are none.

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::error::{Error, ErrorKind};
use datafusion_csv_stream::grammar::{Terminator, Trim};
use datafusion_csv_stream::infer::{SampleOptions, read_names};
use datafusion_csv_stream::internal::Machine;

use crate::{MAX_RECORD_BYTES, Random, empty_is_null, infer, infer_with, message, sample, shown};

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
        (base().with_delimiter(b'\t'), b"a\tb\n1\t1,5\n", "a: Int64, b: Utf8"),
        (base().with_quote(b'\''), b"a,b\n'1,5',2\n", "a: Utf8, b: Int64"),
        (base().with_quote(None), b"a,b\n\"1\",2\n", "a: Utf8, b: Int64"),
        (base().with_escape(b'\\'), b"a,b\n\"x\\\"\n,\",2\n", "a: Utf8, b: Int64"),
        (base().with_double_quote(false), b"a,b\n\"1\"\"2\",3\n", "a: Utf8, b: Int64"),
        (base().with_comment(b'#'), b"# by \"hand\na,b\n#,,,\n1,2\n#\n", "a: Int64, b: Int64"),
        (base().with_terminator(Terminator::Byte(b';')), b"a,b;1,2;3,4", "a: Int64, b: Int64"),
        (base().with_terminator(Terminator::Byte(b';')), b"a,b;1,2\n3;4,5", "a: Int64, b: Utf8"),
        (base().with_terminator(Terminator::Byte(b'\n')), b"a,b\r\n1,2\r\n", "a: Int64, b\r: Utf8"),
        (base().with_trim(Trim::All), b" a , b\n 1 ,\" 2\"\n", "a: Int64, b: Int64"),
        (base().with_trim(Trim::Headers), b" a , b\n 1 ,2\n", "a: Utf8, b: Int64"),
        (base().with_trim(Trim::Fields), b" a , b\n 1 ,2\n", " a : Int64,  b: Int64"),
        (base().with_header(false), b"1,x\n2,\n", "column_1: Int64, column_2: Utf8"),
        (base().with_header(false), b"1,x", "column_1: Int64, column_2: Utf8"),
        (base(), b"a,b\n", "a: Null, b: Null"),
        (base(), b"a,b", "a: Null, b: Null"),
        (base(), b"a,,a\n1,2,x\n", "a: Int64, column_2: Int64, a_2: Utf8"),
        (base(), b"", ""),
        (base(), b"\n\r\n", ""),
        (base(), b"\xef\xbb\xbf", ""),
        (base().with_header(false), b"", ""),
    ] {
        let inferred = infer_with(dialect.clone(), &SampleOptions::default(), &[file]).unwrap();
        assert_eq!(shown(&inferred), expected, "{dialect:?}: {:?}", file.escape_ascii().to_string());
        assert!(inferred.is_whole);
        let names = inferred.schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        let read = read_names(&dialect.build().unwrap(), file, true, MAX_RECORD_BYTES).unwrap();
        assert_eq!(read, Some(names));
    }
}

/// Random bytes that the reference machine reads. The records that it finds have the same schema if
/// all their values are quoted. If it finds records of different lengths or an open quote,
/// inference fails with that error.
#[test]
fn records_are_those_of_the_reference_machine() {
    let dialects = [
        Dialect::builder(),
        Dialect::builder().with_header(false),
        Dialect::builder().with_quote(None),
        Dialect::builder().with_escape(b'\\').with_double_quote(false),
        Dialect::builder().with_comment(b'#').with_header(false),
        Dialect::builder().with_terminator(Terminator::Byte(b';')),
    ];
    let alphabet = b"111.,,,;\n\n\r\"\"#\\-";
    let mut random = Random(7);
    let (mut read, mut ragged, mut unclosed) = (0, 0, 0);
    for _ in 0..6_000 {
        let builder = &dialects[random.below(dialects.len())];
        let dialect = builder.clone().build().unwrap();
        let file: Vec<u8> = (0..random.below(24)).map(|_| alphabet[random.below(alphabet.len())]).collect();
        let (records, is_open) = Machine::new(&dialect).read(&file);
        let width = records.first().map_or(0, Vec::len);
        let last_closed = records.len() - usize::from(is_open);
        let first_ragged = records[..last_closed].iter().position(|record| record.len() != width);
        let number = |at: usize| Some((at + usize::from(!dialect.has_header())) as u64);

        let result = infer_with(builder.clone(), &Default::default(), &[&file]);
        let record = |error: &Error| error.place().map(|position| position.record);
        let file = file.escape_ascii().to_string();
        match (result, first_ragged) {
            (Ok(inferred), None) if !is_open => {
                let canonical = Dialect::builder().with_header(dialect.has_header()).build().unwrap();
                let options = SampleOptions::default();
                let quoted = quoted(&records);
                let expected = sample(&canonical, empty_is_null(), &options, &[&quoted], usize::MAX).unwrap();
                assert_eq!(inferred.schema, expected.schema, "{dialect:?}: {file}");
                assert_eq!(inferred.records, expected.records, "{dialect:?}: {file}");
                read += 1;
            }
            (Err(error), Some(at)) => {
                let found = records[at].len();
                let is_count = matches!(error.kind(), ErrorKind::FieldCount { expected, found: f } if (*expected, *f) == (width, found));
                assert!(is_count, "{dialect:?}: {file}: {error}");
                assert_eq!(record(&error), number(at), "{dialect:?}: {file}: {error}");
                ragged += 1;
            }
            (Err(error), None) if is_open => {
                assert!(matches!(error.kind(), ErrorKind::UnclosedQuote), "{dialect:?}: {file}: {error}");
                assert_eq!(record(&error), number(last_closed), "{dialect:?}: {file}: {error}");
                unclosed += 1;
            }
            (result, _) => panic!("{dialect:?}: {file}: {result:?}"),
        }
    }
    assert!(read > 500 && ragged > 500 && unclosed > 500, "{read} {ragged} {unclosed}");
}

/// Records in the form in which every value is in quotes.
fn quoted(records: &[Vec<Vec<u8>>]) -> Vec<u8> {
    let mut file = Vec::new();
    for record in records {
        for (column, value) in record.iter().enumerate() {
            file.extend_from_slice(if column == 0 { b"\"" } else { b",\"" });
            for &byte in value {
                file.extend_from_slice(if byte == b'"' { b"\"\"" } else { std::slice::from_ref(&byte) });
            }
            file.push(b'"');
        }
        file.push(b'\n');
    }
    file
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
        (&b"a,b\n1,2\n3\n"[..], "line 3, record 2, byte 8: the record has 1 fields, the table has 2 columns"),
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
    let result = infer_with(Dialect::builder().with_header(false), &Default::default(), &[b"1,2\n3\n"]);
    assert!(message(result).starts_with("line 2, record 2, byte 4: the record has 1 fields"));
}

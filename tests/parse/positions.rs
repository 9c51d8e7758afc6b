//! The places of errors, counted by hand.

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::grammar::{DialectBuilder, Terminator};
use datafusion_csv_stream::parse::FieldCount;
use datafusion_csv_stream::simd::Backend;

use crate::check::{Cuts, assert_same};
use crate::oracle::{Failure, Kind, Setup};

/// Byte, line and record.
type Place = (u64, u64, u64);

/// The last record has one field too many.
#[test]
fn a_wrong_record_is_found_where_it_starts() {
    let plain = || Dialect::builder().with_header(false);
    let cases: [(&str, DialectBuilder, &[u8], Place); 22] = [
        ("the first record", plain(), b"a,b\n", (0, 1, 1)),
        ("the header", Dialect::builder(), b"a,b\n1\n", (0, 1, 0)),
        ("the first after a header", Dialect::builder(), b"a\n1,2\n", (2, 2, 1)),
        ("LF", plain(), b"a\nb\nc,d\n", (4, 3, 3)),
        ("CR", plain(), b"a\rb\rc,d\r", (4, 3, 3)),
        ("CRLF", plain(), b"a\r\nb\r\nc,d\r\n", (6, 3, 3)),
        ("CR, then CRLF", plain(), b"a\r\r\nb,c", (4, 3, 2)),
        ("LF, then CR", plain(), b"a\n\rb,c", (3, 3, 2)),
        ("blank lines", plain(), b"\n\na\n\n\nb,c", (6, 6, 2)),
        ("blank lines of CRLF", plain(), b"\r\na\r\n\r\nb,c", (7, 4, 2)),
        ("a quoted LF", plain(), b"\"a\nb\"\nc,d", (6, 3, 2)),
        ("a quoted CRLF", plain(), b"\"a\r\nb\"\r\nc,d", (8, 3, 2)),
        ("quoted CR and LF apart", plain(), b"\"a\rb\nc\"\nd,e", (8, 4, 2)),
        ("comments", plain().with_comment(b'#'), b"#x,y\na\n#\nb,c", (9, 4, 2)),
        ("a comment with a CR", plain().with_comment(b'#'), b"#x\ry\na,b", (5, 3, 1)),
        ("a BOM", plain(), b"\xef\xbb\xbfa\nb,c", (5, 2, 2)),
        (
            "a terminator of its own",
            plain().with_terminator(Terminator::Byte(b';')),
            b"a\nb;c;d,e",
            (6, 3, 3),
        ),
        (
            "a quoted terminator of its own",
            plain().with_terminator(Terminator::Byte(b';')),
            b"\"a;b\";c,d",
            (6, 3, 2),
        ),
        ("LF alone", plain().with_terminator(Terminator::Byte(b'\n')), b"a\r\n\r\nb,c", (5, 3, 3)),
        ("CR alone", plain().with_terminator(Terminator::Byte(b'\r')), b"a\r\rb,c", (3, 3, 2)),
        (
            "CR alone, and quotes",
            plain().with_terminator(Terminator::Byte(b'\r')),
            b"a\r\r5\"\rb,c",
            (6, 4, 3),
        ),
        ("irregular quoting after a CRLF", plain(), b"a\r\n5\"\r\n6\"\r\nb,c", (11, 4, 4)),
    ];
    for (name, builder, input, (byte, line, record)) in cases {
        let kind = Kind::FieldCount { expected: 1, found: 2 };
        let dialect = builder.build().expect("no byte has two meanings");
        assert_fails(name, dialect, input, Failure { kind, byte, line, record });
    }
}

#[test]
fn an_unclosed_quote_is_found_where_its_record_starts() {
    for (name, input, (byte, line, record)) in [
        ("alone", &b"\""[..], (0, 1, 1)),
        ("in a later field", b"a\n\r\nb,\"c\nd\n", (4, 3, 2)),
        ("after irregular quoting", b"5\"\r\n\"a\"b,\"", (4, 2, 2)),
    ] {
        let dialect = Dialect::builder().with_header(false).build().expect("no byte has two meanings");
        assert_fails(name, dialect, input, Failure { kind: Kind::UnclosedQuote, byte, line, record });
    }
}

/// Lines are counted through blocks that the masks resolve, blocks that they don't, and comments of
/// many blocks.
#[test]
fn lines_are_counted_over_many_blocks() {
    let dialect =
        Dialect::builder().with_header(false).with_comment(b'#').build().expect("no byte has two meanings");
    for newline in [&b"\n"[..], b"\r\n", b"\r"] {
        let mut input = Vec::new();
        let mut lines = 0;
        for round in 0..40 {
            for text in [&b"plain"[..], b"5\" pipe", b"\"quoted\"", b"", b"\"a\"b"] {
                input.extend(std::iter::repeat_n(b'x', if text.is_empty() { 0 } else { round }));
                input.extend_from_slice(text);
                input.extend_from_slice(newline);
                lines += 1;
            }
            input.extend_from_slice(b"#");
            input.extend(std::iter::repeat_n(b'c', 3 * round));
            input.push(b'\n');
            lines += 1;
        }
        let byte = input.len() as u64;
        input.extend_from_slice(b"a,b");
        let kind = Kind::FieldCount { expected: 1, found: 2 };
        let failure = Failure { kind, byte, line: lines + 1, record: 161 };
        assert_fails("many blocks", dialect.clone(), &input, failure);
    }
}

fn assert_fails(name: &str, dialect: Dialect, input: &[u8], failure: Failure) {
    println!("{name}");
    let setup = Setup { dialect, field_count: FieldCount::Exactly(1), max_record_bytes: 1 << 30 };
    let expected = setup.expect(input);
    assert_eq!(expected.failure, Some(failure), "{name}");
    for backend in Backend::available() {
        for max_records in [1, 2, usize::MAX] {
            let mut all = vec![Cuts::whole(), Cuts::every(1), Cuts::every(7)];
            all.extend((1..input.len().min(200)).map(|at| Cuts::at(&[at])));
            for cuts in all {
                assert_same(&setup, backend, input, &cuts, max_records, &expected);
            }
        }
    }
}

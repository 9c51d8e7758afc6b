//! The memory of the parser between two chunks: one partial record, and none of the bytes that are
//! skipped.

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::error::ErrorKind;
use datafusion_csv_stream::grammar::DialectBuilder;
use datafusion_csv_stream::parse::{FieldCount, Parser, Step};
use datafusion_csv_stream::parse::{INDEX_FIELDS, MAX_FIELDS};
use datafusion_csv_stream::simd::Backend;

use crate::check::{Cuts, assert_same};
use crate::oracle::Setup;

const CHUNK: usize = 64 << 10;
const CHUNKS: usize = 64;
const MAX_RECORD_BYTES: usize = 256 << 10;

/// The size of an index of records that are not too wide: an end, a start and a count for each of
/// the fields, and two blocks.
const INDEX_BYTES: usize = 3 * size_of::<u32>() * (INDEX_FIELDS + 128);

#[test]
fn blank_lines_and_comments_are_not_kept() {
    let plain = || Dialect::builder().with_header(false);
    let cases: [(&str, DialectBuilder, &[u8], u8); 4] = [
        ("blank lines", plain(), b"", b'\n'),
        ("a comment", plain().with_comment(b'#'), b"#", b'x'),
        ("half a BOM that starts a comment", plain().with_comment(0xef), b"\xef\xbb", b'x'),
        ("half a BOM, and blank lines of its first byte", plain().with_comment(0xbb), b"\xef\nx\n", b'\n'),
    ];
    for (name, builder, start, fill) in cases {
        let (most, _) = held(builder.build().expect("no byte has two meanings"), start, fill);
        // The index alone, after only few records, is a little larger than one chunk.
        assert!(most < 2 * CHUNK, "{name}: {most} bytes");
    }
}

#[test]
fn a_record_is_kept_up_to_its_limit_and_a_chunk() {
    let plain = || Dialect::builder().with_header(false);
    for (name, builder, start, fill) in [
        ("a bare field", plain(), &b"a"[..], b'x'),
        ("a quoted field", plain(), b"\"", b'\n'),
        ("irregular quoting", plain(), b"5\" \"", b'x'),
    ] {
        let (most, is_refused) = held(builder.build().expect("no byte has two meanings"), start, fill);
        assert!(most <= MAX_RECORD_BYTES + INDEX_BYTES, "{name}: {most} bytes");
        assert!(is_refused, "{name}: {most} bytes, and no error");
    }
}

#[test]
fn what_stands_before_the_partial_record_is_not_kept() {
    let dialect =
        Dialect::builder().with_comment(b'#').with_header(false).build().expect("no byte has two meanings");
    let mut chunk = b"#comment\r\n\r\n".repeat(CHUNKS * CHUNK / 12);
    let record = chunk.len() as u64;
    chunk.extend_from_slice(b"a,\"\r");
    let mut parser = Parser::new(&dialect, FieldCount::Any, MAX_RECORD_BYTES);
    let (taken, _) = parser.next(&chunk, usize::MAX).expect("nothing is wrong yet");
    assert_eq!(taken, chunk.len());
    assert!(parser.allocated_bytes() < 2 * CHUNK, "{} bytes", parser.allocated_bytes());
    let rest = b"\nb\"\r\nc";
    let (taken, step) = parser.next(rest, usize::MAX).expect("nothing is wrong");
    let Step::Records(records) = step else { panic!("there is a record") };
    assert_eq!(records.raw(0, 1), Some(&b"\"\r\nb\""[..]));
    let place = records.place(0, None);
    assert_eq!((place.byte, place.line), (record, record / 6 + 1));
    let debug = format!("{records:?}");
    assert!(debug.len() < 300 && debug.contains("len: 1"), "{debug}");
    parser.next(&rest[taken..], usize::MAX).expect("nothing is wrong");
    let last = parser.finish().expect("nothing is wrong").expect("there is one more");
    assert_eq!(last.place(0, None).line, record / 6 + 3);
}

#[test]
fn padding_takes_no_more_than_full_records_would() {
    let input = b"1\n".repeat(CHUNK);
    for (width, records) in [(10_000, 1), (100_000, 1), (1_000, 16), (3, 5_461)] {
        let dialect = Dialect::builder().with_header(false).build().expect("no byte has two meanings");
        let mut parser = Parser::new(&dialect, FieldCount::UpTo(width), MAX_RECORD_BYTES);
        let (taken, step) = parser.next(&input, usize::MAX).expect("short records are padded");
        let Step::Records(found) = step else { panic!("there are records") };
        assert_eq!((found.len(), taken), (records, 2 * records), "{width} columns");
        assert_eq!(found.raw(records - 1, 0), Some(&b"1"[..]));
        assert_eq!(found.raw(records - 1, width - 1), None);
        let most = INDEX_BYTES + size_of::<u32>() * width;
        assert!(parser.allocated_bytes() <= most, "{width} columns: {} bytes", parser.allocated_bytes());
    }
}

/// The same with regular and irregular quoting, and with and without other records before.
#[test]
fn fields_too_many_are_counted_but_not_kept() {
    let commas = 2 << 20;
    for start in [&b""[..], b"5\"", b"a,b\n", b"a,b\n5\"", b"a,b\nc,\"d\"\n"] {
        let mut input = start.to_vec();
        input.resize(start.len() + commas, b',');
        input.push(b'\n');
        for field_count in [FieldCount::Any, FieldCount::Exactly(2), FieldCount::UpTo(2)] {
            let dialect = Dialect::builder().with_header(false).build().expect("no byte has two meanings");
            let setup = Setup { dialect, field_count, max_record_bytes: 4 << 20 };
            let expected = setup.expect(&input);
            assert!(expected.failure.is_some(), "{field_count:?}");
            for backend in Backend::available() {
                for cuts in [Cuts::whole(), Cuts::every(CHUNK)] {
                    assert_same(&setup, backend, &input, &cuts, usize::MAX, &expected);
                }
            }
            let mut parser = Parser::new(&setup.dialect, field_count, 4 << 20);
            let mut rest = &input[..];
            while let Ok((taken, _)) = parser.next(rest, usize::MAX) {
                rest = &rest[taken..];
            }
            let most = match field_count {
                FieldCount::Any => INDEX_BYTES + size_of::<u32>() * MAX_FIELDS,
                _ => INDEX_BYTES,
            };
            assert!(parser.allocated_bytes() <= most, "{field_count:?}: {} bytes", parser.allocated_bytes());
        }
    }
}

/// Offsets are `u32`. A byte past 4 GiB must not be taken for one at the front.
#[test]
#[ignore = "needs 5 GiB of memory"]
fn a_chunk_may_be_longer_than_an_offset() {
    let mut chunk = b"\"".to_vec();
    chunk.resize((1 << 32) + 10, b'x');
    chunk.extend_from_slice(b"\"\na,b\n");
    let dialect = Dialect::builder().with_header(false).build().expect("no byte has two meanings");
    for max_record_bytes in [1 << 20, usize::MAX] {
        let mut parser = Parser::new(&dialect, FieldCount::Any, max_record_bytes);
        // `expect_err` would print the chunk.
        let is_refused = match parser.next(&chunk, usize::MAX) {
            Ok(_) => false,
            Err(error) => matches!(error.kind(), ErrorKind::RecordTooLong { .. }),
        };
        assert!(is_refused, "max_record_bytes {max_record_bytes}");
    }
    chunk[..1 << 32].fill(b'\n');
    let mut parser = Parser::new(&dialect, FieldCount::Any, 1 << 20);
    let (taken, step) = parser.next(&chunk, usize::MAX).expect("all records are short");
    let Step::Records(records) = step else { panic!("there are records") };
    assert_eq!(records.raw(0, 0), Some(&b"xxxxxxxxxx\""[..]));
    assert_eq!(records.place(1, None).byte, (1 << 32) + 12);
    assert_eq!(taken, chunk.len());
}

/// The most bytes held while `start` and then 4 MiB of `fill` are read, and whether an error ends
/// that.
fn held(dialect: Dialect, start: &[u8], fill: u8) -> (usize, bool) {
    let mut parser = Parser::new(&dialect, FieldCount::Any, MAX_RECORD_BYTES);
    let filled = [fill; CHUNK];
    let mut most = 0;
    for chunk in [start].into_iter().chain([&filled[..]; CHUNKS]) {
        let mut rest = chunk;
        loop {
            match parser.next(rest, usize::MAX) {
                Ok((taken, Step::Records(_))) => rest = &rest[taken..],
                Ok((_, Step::NeedInput)) => break,
                Err(_) => return (most, true),
            }
        }
        most = most.max(parser.allocated_bytes());
    }
    (most, false)
}

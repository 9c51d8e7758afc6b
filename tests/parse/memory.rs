//! What the parser holds between two chunks: one partial record, and nothing of what is skipped.

use datafusion_csv_stream::dialect::{Dialect, DialectBuilder};
use datafusion_csv_stream::error::ErrorKind;
use datafusion_csv_stream::parse::{FieldCount, Parser, Step};

const CHUNK: usize = 64 << 10;
const CHUNKS: usize = 64;
const MAX_RECORD_BYTES: usize = 256 << 10;

#[test]
fn blank_lines_and_comments_are_not_kept() {
    let plain = || Dialect::builder().has_header(false);
    let cases: [(&str, DialectBuilder, &[u8], u8); 4] = [
        ("blank lines", plain(), b"", b'\n'),
        ("a comment", plain().comment(b'#'), b"#", b'x'),
        ("half a BOM that starts a comment", plain().comment(0xef), b"\xef\xbb", b'x'),
        ("half a BOM, and blank lines of its first byte", plain().comment(0xbb), b"\xef\nx\n", b'\n'),
    ];
    for (name, builder, start, fill) in cases {
        let (most, _) = held(builder.build().expect("no byte has two meanings"), start, fill);
        assert!(most < CHUNK, "{name}: {most} bytes");
    }
}

#[test]
fn a_record_is_kept_up_to_its_limit_and_a_chunk() {
    let plain = || Dialect::builder().has_header(false);
    for (name, builder, start, fill) in [
        ("a bare field", plain(), &b"a"[..], b'x'),
        ("a quoted field", plain(), b"\"", b'\n'),
        ("irregular quoting", plain(), b"5\" \"", b'x'),
    ] {
        let (most, is_refused) = held(builder.build().expect("no byte has two meanings"), start, fill);
        assert!(most <= MAX_RECORD_BYTES + 2 * CHUNK, "{name}: {most} bytes");
        assert!(is_refused, "{name}: {most} bytes, and no error");
    }
}

/// Offsets are `u32`: what stands behind 4 GiB must not be taken for what stands at the front.
#[test]
#[ignore = "needs 5 GiB of memory"]
fn a_chunk_may_be_longer_than_an_offset() {
    let mut chunk = b"\"".to_vec();
    chunk.resize((1 << 32) + 10, b'x');
    chunk.extend_from_slice(b"\"\na,b\n");
    let dialect = Dialect::builder().has_header(false).build().expect("no byte has two meanings");
    for max_record_bytes in [1 << 20, usize::MAX] {
        let mut parser = Parser::new(&dialect, FieldCount::Any, max_record_bytes)
            .expect("the environment forces no back end that is not there");
        // Not `expect_err`, which would print the chunk.
        let is_refused = match parser.next(&chunk, usize::MAX) {
            Ok(_) => false,
            Err(error) => matches!(error.kind(), ErrorKind::RecordTooLong { .. }),
        };
        assert!(is_refused, "max_record_bytes {max_record_bytes}");
    }
    chunk[..1 << 32].fill(b'\n');
    let mut parser = Parser::new(&dialect, FieldCount::Any, 1 << 20)
        .expect("the environment forces no back end that is not there");
    let (taken, step) = parser.next(&chunk, usize::MAX).expect("all records are short");
    let Step::Records(records) = step else { panic!("there are records") };
    assert_eq!(records.raw(0, 0), Some(&b"xxxxxxxxxx\""[..]));
    assert_eq!(records.position(1, None).byte, (1 << 32) + 12);
    assert_eq!(taken, chunk.len());
}

/// The most bytes held while `start` and then 4 MiB of `fill` are read, and whether that ends with an error.
fn held(dialect: Dialect, start: &[u8], fill: u8) -> (usize, bool) {
    let mut parser = Parser::new(&dialect, FieldCount::Any, MAX_RECORD_BYTES)
        .expect("the environment forces no back end that is not there");
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

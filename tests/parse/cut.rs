//! Records that are too long to be held: the parts that are cut, the parts that are kept, and their
//! starts.

use std::cell::Cell;

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::error::ErrorKind;
use datafusion_csv_stream::grammar::Terminator;
use datafusion_csv_stream::internal::{BOM, CutFields};
use datafusion_csv_stream::parse::{FieldCount, Parser, Step};
use datafusion_csv_stream::simd::Backend;

use crate::check::{Cuts, dialects, read_with};
use crate::kept::{assert_kept, expect};
use crate::oracle::Setup;
use crate::rng::Rng;
use crate::seeds::for_each_seed;

#[test]
fn every_cut_of_generated_records_gives_what_is_kept_of_them() {
    let (dialects, backends) = (dialects(), Backend::available());
    let (cut_records, refused) = (Cell::new(0), Cell::new(0));
    for_each_seed(3000, |rng| {
        let dialect = rng.pick(&dialects);
        let width = rng.below(4) + 1;
        let field_count = match rng.below(3) {
            0 => FieldCount::Any,
            1 => FieldCount::Exactly(width),
            _ => FieldCount::UpTo(width),
        };
        let held_bytes = rng.below(80) + 10;
        let max_record_bytes = held_bytes + rng.below(400);
        let input = generate(rng, &dialect, width);
        let setup = Setup { dialect, field_count, max_record_bytes };
        let columns = rng.once_in(2).then(|| (0..width).map(|_| !rng.once_in(4)).collect());
        let whole_bytes = if rng.once_in(2) { held_bytes } else { rng.below(held_bytes) };
        let cut = CutFields { whole_bytes, held_bytes, max_value_bytes: rng.below(12), columns };
        let expected = expect(&setup, &cut, &input);
        cut_records.set(cut_records.get() + expected.cut_records);
        refused.set(refused.get() + usize::from(!expected.failures.is_empty()));
        let backend = rng.pick(&backends);
        let random = Cuts::random(rng.below(256) as u8, input.len());
        for cuts in [Cuts::whole(), Cuts::every(1), Cuts::every(held_bytes), random] {
            assert_kept(&setup, &cut, backend, &input, &cuts, &expected);
        }
    });
    let (cut_records, refused) = (cut_records.get(), refused.get());
    println!("{cut_records} records cut, {refused} inputs refused");
    assert!(std::env::var_os("CSV_STREAM_TEST_SEED").is_some() || (cut_records > 1000 && refused > 500));
}

/// However long the field is, no more than the limit is held, and the record after it has the right
/// place.
#[test]
fn a_field_of_40_mb_takes_no_more_room_than_it_may() {
    const FIELD_BYTES: usize = 40_000_000;
    const HELD_BYTES: usize = 100_000;
    let dialect = Dialect::builder().with_header(false).build().expect("no byte has two meanings");
    for (start, fill, end) in [("1,", "x", ",2\n"), ("1,\"", "\"\"", "\",2\n"), ("1,\"a", "\r\nb,", "\",2\n")]
    {
        let mut input = start.as_bytes().to_vec();
        input.extend(fill.as_bytes().iter().cycle().take(FIELD_BYTES));
        input.extend_from_slice(end.as_bytes());
        let second = input.len() as u64;
        input.extend_from_slice(b"3,four,5\n");
        let lines = if fill.contains('\n') { (FIELD_BYTES / fill.len()) as u64 } else { 0 };
        for chunk_bytes in [1000, 256 << 10] {
            let cut = CutFields {
                whole_bytes: chunk_bytes,
                held_bytes: HELD_BYTES,
                max_value_bytes: 10,
                columns: None,
            };
            let mut parser =
                Parser::new(&dialect, FieldCount::Exactly(3), 64 << 20).with_cut_fields(Some(cut));
            let mut found = Vec::new();
            let mut most = 0;
            for chunk in input.chunks(chunk_bytes) {
                let mut rest = chunk;
                loop {
                    let (taken, step) = parser.next(rest, usize::MAX).expect("nothing is wrong");
                    rest = &rest[taken..];
                    let Step::Records(records) = step else { break };
                    for record in 0..records.len() {
                        let value = records
                            .unescape()
                            .value(records.raw(record, 1).unwrap(), &mut Vec::new())
                            .to_vec();
                        let place = records.place(record, None);
                        found.push((place.byte, place.line, value, records.raw(record, 2).unwrap().to_vec()));
                    }
                }
                most = most.max(parser.allocated_bytes());
            }
            let first = match fill {
                "\"\"" => "\"".repeat(11),
                fill => format!("{}{}", start.get(3..).unwrap_or(""), fill.repeat(11)),
            };
            assert_eq!(
                found,
                [
                    (0, 1, first.as_bytes()[..11].to_vec(), b"2".to_vec()),
                    (second, lines + 2, b"four".to_vec(), b"5".to_vec())
                ]
            );
            // The record, and an index, which is small here.
            assert!(most < 2 * HELD_BYTES, "{most} bytes held, chunks of {chunk_bytes}");
        }
    }
}

/// With so little room left the rest of the field is read in small steps, however large chunks are.
#[test]
fn nearly_as_much_of_a_field_may_be_kept_as_is_held_of_a_record() {
    const HELD_BYTES: usize = 1 << 20;
    let dialect = Dialect::builder().with_header(false).build().expect("no byte has two meanings");
    let input = [&b"1,"[..], &b"x".repeat(5_000_000), b"\n2,y\n"].concat();
    for left in [10, 1000, 5000, 50_000] {
        let cut = CutFields {
            whole_bytes: HELD_BYTES,
            held_bytes: HELD_BYTES,
            max_value_bytes: HELD_BYTES - left,
            columns: None,
        };
        let parser = Parser::new(&dialect, FieldCount::Exactly(2), 64 << 20).with_cut_fields(Some(cut));
        let chunks: Vec<_> = input.chunks(1 << 20).collect();
        let found = read_with(parser, &chunks, usize::MAX).expect("a contract is kept");
        let kept: Vec<_> = found.rows.iter().map(|row| row.values[1].as_ref().map(Vec::len)).collect();
        assert_eq!(kept, [Some(HELD_BYTES - left + 1), Some(1)]);
        assert_eq!(found.failure, None);
    }
}

#[test]
fn the_header_is_not_cut() {
    let cut = CutFields { whole_bytes: 20, held_bytes: 20, max_value_bytes: 4, columns: None };
    let parser =
        || Parser::new(&Dialect::default(), FieldCount::Any, 1 << 20).with_cut_fields(Some(cut.clone()));
    let found = parser().next(b"id,a_very_long_name_of_a_column\n1,2\n", 9).map(|_| ());
    assert!(
        matches!(found.as_ref().map_err(|error| error.kind()), Err(ErrorKind::RecordTooLarge { limit: 20 })),
        "{found:?}"
    );
    let mut parser = parser();
    let (_, step) = parser.next(b"id,name\n1,a_very_long_value_of_a_column\n", 9).expect("it is cut");
    let Step::Records(records) = step else { panic!("there is a record") };
    assert_eq!(records.raw(0, 1), Some(&b"a_ver"[..]));
}

/// Records of mostly `width` fields, some of them long, made of all bytes with a meaning.
fn generate(rng: &mut Rng, dialect: &Dialect, width: usize) -> Vec<u8> {
    let quote = dialect.quote().unwrap_or(b'"');
    let mut meaning = vec![quote, quote, b'\n', b'\r', b' ', 0xc3, dialect.delimiter()];
    meaning.extend(dialect.escape());
    meaning.extend(dialect.comment());
    let mut input = if rng.once_in(8) { BOM.to_vec() } else { vec![] };
    for _ in 0..rng.below(12) {
        let fields = if rng.once_in(20) { rng.below(6) + 1 } else { width };
        for field in 0..fields {
            if field > 0 {
                input.push(dialect.delimiter());
            }
            let len = [3, 3, 20, 150][rng.below(4)];
            let len = rng.below(len);
            let is_quoted = rng.once_in(2);
            let filler = rng.pick(b"x \t");
            if is_quoted {
                input.push(quote);
            }
            for _ in 0..len {
                match rng.below(10) {
                    0 if is_quoted => input.push(rng.pick(&meaning)),
                    1 if is_quoted => input.extend([quote, quote]),
                    2 => input.push(b'y'),
                    3 if is_quoted => input.extend(b"\r\n"),
                    _ => input.push(filler),
                }
            }
            if is_quoted && !rng.once_in(40) {
                input.push(quote);
            }
        }
        input.push(match dialect.terminator() {
            Terminator::Byte(byte) => byte,
            Terminator::CrLf => rng.pick(b"\n\r"),
            other => panic!("{other:?} has no test yet"),
        });
        if rng.once_in(30) {
            input.push(b'\n');
        }
        if let Some(comment) = dialect.comment().filter(|_| rng.once_in(3)) {
            input.extend([comment, b'c', b'\n']);
        }
    }
    if rng.once_in(3) {
        input.pop();
    }
    input
}

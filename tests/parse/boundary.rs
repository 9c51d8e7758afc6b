//! Where a record starts at or after a byte, found from what follows it, against the oracle that has read it all.
//!
//! Each file is asked about every byte of it. `CSV_STREAM_TEST_ROUNDS` makes more files; `--nocapture` shows how much of
//! each kind of file is decided.

use std::cell::RefCell;

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::internal::{Boundary, BoundaryFinder};
use datafusion_csv_stream::parse::FieldCount;

use crate::check::Cuts;
use crate::finder::{Question, Truth};
use crate::generated::soup;
use crate::kinds::kinds;
use crate::oracle::{Setup, longest_record};
use crate::rng::Rng;
use crate::seeds::for_each_seed;
use crate::support::testdata;

/// How often, in percent, files of a kind have to be decided at least. Measured, less a margin.
const DECIDED: [(&str, u64); 29] = [
    ("numbers", 99),
    ("one column of numbers", 99),
    ("blank lines and line ends of all kinds", 99),
    ("numbers, short rows allowed", 99),
    ("no quoting", 99),
    ("some words quoted", 60),
    ("quoted newlines", 80),
    ("quoted newlines, CRLF", 80),
    ("one column of quoted newlines", 30),
    ("all quoted, any text", 90),
    ("a table of the same width in a field", 7),
    ("all empty, all quoted", 90),
    ("commas alone, quoted", 99),
    ("commas and line ends, quoted", 95),
    ("escapes", 75),
    ("escapes, no doubled quotes", 75),
    ("comments", 70),
    ("a terminator of its own, and comments", 40),
    ("stray quotes, seldom", 75),
    ("stray quotes", 50),
    ("a table in a field, text behind its quote", 7),
    ("ragged", 20),
    ("quoted, short rows allowed", 5),
    ("quoted, any number of fields", 5),
    ("stray quotes, any number of fields", 50),
    ("quoted newlines, CR", 80),
    ("a terminator of its own", 60),
    ("some rows too short", 20),
    ("short rows", 1),
];

/// What came of the bytes of some files.
#[derive(Debug, Default)]
struct Tally {
    starts: u64,
    proof: u64,
}

/// The theorem: what is decided is right, in a file that is read without an error.
#[test]
fn what_is_decided_is_right() {
    let mut too_little = Vec::new();
    for kind in kinds() {
        let tally = RefCell::new(Tally::default());
        for_each_seed(8, |rng| {
            let width = 1 + rng.below(kind.width);
            let input = kind.file(rng, width, 31);
            let dialect = kind.dialect.clone().build().expect("no byte has two meanings");
            let longest = longest_record(&dialect, &input);
            let field_count = (kind.field_count)(width);
            for max_record_bytes in [longest, longest + rng.below(200), 1 << 20] {
                let setup = Setup { dialect: dialect.clone(), field_count, max_record_bytes };
                check_every_byte(rng, &setup, &input, &mut tally.borrow_mut());
            }
        });
        let Tally { starts, proof } = tally.into_inner();
        let percent = 100.0 * proof as f64 / starts as f64;
        println!("{:40} {starts:8} starts: {percent:5.1} % decided", kind.name);
        let decided = DECIDED.iter().find(|(name, _)| *name == kind.name).expect("each kind has its share").1;
        if percent < decided as f64 {
            too_little.push(kind.name);
        }
    }
    assert!(too_little.is_empty(), "too little is decided: {too_little:?}");
}

/// Any bytes, any dialect: proof is proof.
#[test]
fn what_is_proven_is_right_in_soup() {
    let tally = RefCell::new(Tally::default());
    for_each_seed(1_500, |rng| {
        let (setup, mut input) = soup(rng);
        input.truncate(300);
        check_every_byte(rng, &setup, &input, &mut tally.borrow_mut());
    });
    let tally = tally.into_inner();
    println!("{tally:?}");
    assert!(tally.proof > tally.starts / 20, "{tally:?}");
}

/// A file larger than chunks are, with the limit that is the default.
#[test]
fn a_large_file_is_decided_in_most_places() {
    let orders = std::fs::read(testdata("small/orders.csv")).expect("the file can be read");
    let (header, rows) = orders.split_at(orders.iter().position(|&byte| byte == b'\n').unwrap_or(0) + 1);
    let input = [header, &rows.repeat(200)].concat();
    let setup =
        Setup { dialect: Dialect::default(), field_count: FieldCount::Exactly(5), max_record_bytes: 2 << 20 };
    let truth = Truth::new(&setup, &input);
    let mut decided = 0;
    for at in (4..input.len()).step_by(10_007) {
        let question = Question::new(at, 1);
        let found = question.ask(&setup, &input, &Cuts::every(64 << 10));
        decided += usize::from(found.proof.is_some());
        truth.assert_right(&found, question, &|| at.to_string());
    }
    // Where a name in quotes follows before the next record, it could be the end of one.
    let asked = input.len() / 10_007;
    assert!(decided > asked * 6 / 10, "{decided} of {asked}");
}

/// Places that are hard to tell, and what is known there.
#[test]
fn traps() {
    let proof = Boundary::Start;
    let (two, one) = (FieldCount::Exactly(2), FieldCount::Exactly(1));
    let plain = || Dialect::builder();
    for (name, dialect, field_count, input, at, expected) in [
        ("a record starts right there", plain(), two, "a,b\n1,2\n3,4\n", 4, proof(4)),
        ("one byte behind", plain(), two, "a,b\n1,2\n3,4\n", 5, proof(8)),
        ("in the middle of a CRLF", plain(), two, "ab,c\r\n1,2\r\n3,4\r\n", 5, proof(6)),
        ("behind a CRLF", plain(), two, "ab,c\r\n1,2\r\n3,4\r\n", 6, proof(6)),
        ("on a blank line", plain(), two, "ab,c\n\n\n1,2\n", 6, proof(7)),
        ("in the last record", plain(), two, "a,b\n1,2", 5, Boundary::End),
        ("in the first bytes", plain(), two, "a,b\n1,2\n", 3, proof(4)),
        ("in quotes", plain(), two, "a,b\n1,\"2\n3\"\n4,5\n", 8, proof(12)),
        ("before quotes", plain(), two, "a,b\n1,\"2\n3\"\n4,5\n", 5, proof(12)),
        ("between two quotes", plain(), two, "a,b\n1,\"2\"\"\n3\"\n4,5\n", 9, proof(14)),
        ("behind an escape", plain().with_escape(b'\\'), two, "a,b\n1,\"2\\\"\n3\"\n4,5\n", 9, proof(14)),
        (
            "behind an escaped quote",
            plain().with_escape(b'\\'),
            two,
            "a,b\n1,\"2\\\"\n3\"\n4,5\n",
            10,
            proof(14),
        ),
        (
            "behind an escaped escape",
            plain().with_escape(b'\\'),
            two,
            "a,b\n1,\"x\\\\\"\n3,\"y\"\n4,5\n",
            10,
            Boundary::Undecided,
        ),
        ("before a field in quotes", plain(), two, "a,b\n1,2\n3,\"x\"\n4,5\n", 5, Boundary::Undecided),
        ("before six inches", plain(), two, "a,b\n1,2\n6\",x\n4,5\n", 5, Boundary::Undecided),
        ("one column of texts", plain(), one, "a\nb\n\"c\nd\"\ne\n\"f\ng\"\nh\n", 7, Boundary::Undecided),
    ] {
        let dialect = dialect.build().expect("no byte has two meanings");
        let setup = Setup { dialect, field_count, max_record_bytes: 1 << 20 };
        let truth = Truth::new(&setup, input.as_bytes());
        let found = truth.check(&setup, input.as_bytes(), Question::new(at, 1), &Cuts::every(1));
        assert_eq!(found.boundary, expected, "{name}");
    }
}

/// Without a quote in as many bytes as a record may have, there is none open, and no more bytes are asked for.
#[test]
fn no_more_is_asked_for_than_needed() {
    let limit = 1000;
    let window = 2 * (limit + 1);
    for (input, expected) in [
        (b"1,2\n".repeat(1000), Some(limit + 1)),
        (b"1,\"2\"\n".repeat(1000), None),
        (b"\"\"\"".repeat(1000), None),
        (b"\n".repeat(4000), Some(window)),
    ] {
        let dialect = Dialect::default();
        let mut finder = BoundaryFinder::new(&dialect, FieldCount::Exactly(2), limit as usize, 100);
        assert_eq!(finder.end_byte() - finder.first_byte(), window);
        let bytes = &input[finder.first_byte() as usize..];
        let asked = bytes.iter().take_while(|&byte| finder.push(&[*byte]).is_none()).count() as u64 + 1;
        assert!(asked <= window, "{asked} of {window} bytes");
        assert!(expected.is_none_or(|expected| asked == expected), "{asked} bytes, not {expected:?}");
    }
}

/// What is before tells for certain, and is less.
#[test]
fn of_long_records_no_more_is_asked_for_than_stands_before() {
    let mebibytes = |bytes: u64| bytes << 20;
    let finder = |at| BoundaryFinder::new(&Dialect::default(), FieldCount::Exactly(2), 64 << 20, at);
    let window = |at| finder(at).end_byte() - finder(at).first_byte();
    assert_eq!(window(mebibytes(1000)), mebibytes(128) + 2);
    assert_eq!(window(mebibytes(100)), mebibytes(100));
    assert_eq!([window(1000), window(mebibytes(64))], [mebibytes(4) + 2; 2]);
    let mut finder = finder(mebibytes(60));
    let lines = b"1,2\n".repeat(1 << 18);
    let asked = (1..).find_map(|pushed| Some((pushed, finder.push(&lines)?)));
    assert_eq!(asked, Some((5, Boundary::Undecided)), "a quote may stand behind");
}

/// Asks about every byte, however the bytes are cut.
fn check_every_byte(rng: &mut Rng, setup: &Setup, input: &[u8], tally: &mut Tally) {
    let truth = Truth::new(setup, input);
    for at in 0..=input.len() + 1 {
        let cuts = match rng.below(4) {
            0 => Cuts::every(1 + rng.below(3)),
            _ => Cuts::random(rng.next() as u8, input.len()),
        };
        let found = truth.check(setup, input, Question::new(at, 1), &cuts);
        tally.starts += 1;
        tally.proof += u64::from(found.proof.is_some());
    }
}

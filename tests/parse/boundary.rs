//! The first record start at or after a byte, found from the bytes that follow, against the oracle
//! that has read the whole file.
//!
//! Each file is tested at every byte. `CSV_STREAM_TEST_ROUNDS` makes more files. `--nocapture`
//! prints how many places are decided for each kind of file.

use std::cell::RefCell;

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::internal::{BOM, Boundary, BoundaryFinder};
use datafusion_csv_stream::parse::FieldCount;

use crate::check::Cuts;
use crate::generated::soup;
use crate::kinds::kinds;
use crate::oracle::{Setup, longest_record, scan};
use crate::rng::Rng;
use crate::seeds::for_each_seed;
use crate::support::testdata;

/// The percentage of places that has to be decided for each kind, at least. The numbers are
/// measured, less a margin.
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

/// The results for the bytes of some files.
#[derive(Debug, Default)]
struct Tally {
    starts: u64,
    proof: u64,
}

/// The theorem: in a file that is read without an error, a decision is always right.
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

/// The same for any bytes and any dialect.
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

/// A file that is larger than chunks are, with the default limit.
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
        let found = find(&setup, &input, at, &Cuts::every(64 << 10));
        decided += usize::from(found != Boundary::Undecided);
        truth.assert_right(&input, at, found);
    }
    // If a quoted name follows before the next record, its first quote may as well be a closing
    // one. Then the place is undecided.
    let asked = input.len() / 10_007;
    assert!(decided > asked * 6 / 10, "{decided} of {asked}");
}

/// Places that are hard to decide, with the expected decisions.
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
        ("in the first bytes", plain(), two, "a,b\n1,2\n", 3, Boundary::Undecided),
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
        let found = find(&setup, input.as_bytes(), at, &Cuts::every(1));
        assert_eq!(found, expected, "{name}");
        Truth::new(&setup, input.as_bytes()).assert_right(input.as_bytes(), at, found);
    }
}

/// If there is no quote within the longest record's length, none is open, and no more bytes are
/// requested.
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

/// The bytes before the place tell for certain, so no more bytes than those are requested.
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

/// Tests every byte, however the bytes are cut.
fn check_every_byte(rng: &mut Rng, setup: &Setup, input: &[u8], tally: &mut Tally) {
    let truth = Truth::new(setup, input);
    for at in 0..=BOM.len() {
        assert_eq!(find(setup, input, at, &Cuts::whole()), Boundary::Undecided);
    }
    for at in BOM.len() + 1..=input.len() + 1 {
        let found = find(setup, input, at, &Cuts::whole());
        // The reader of the range before has cut the bytes in its own way, and finds the same.
        let cuts = match rng.below(4) {
            0 => Cuts::every(1 + rng.below(3)),
            _ => Cuts::random(rng.next() as u8, input.len().saturating_sub(at)),
        };
        let same = find(setup, input, at, &cuts);
        assert_eq!(same, found, "{at} of \"{}\", {cuts:?}, {setup:?}", input.escape_ascii());
        tally.starts += 1;
        tally.proof += u64::from(found != Boundary::Undecided);
        truth.assert_right(input, at, found);
    }
}

/// The decision from the bytes that the reader of the range sees, until it needs no more.
fn find(setup: &Setup, input: &[u8], at: usize, cuts: &Cuts) -> Boundary {
    let Setup { dialect, field_count, max_record_bytes } = setup;
    let mut finder = BoundaryFinder::new(dialect, *field_count, *max_record_bytes, at as u64);
    assert_eq!(finder.first_byte(), at.saturating_sub(1) as u64);
    let bytes = &input[at.saturating_sub(1).min(input.len())..];
    let found = cuts.chunks(bytes).into_iter().find_map(|chunk| finder.push(chunk));
    found.unwrap_or_else(|| finder.finish())
}

/// The true record starts of a file.
struct Truth {
    starts: Vec<u64>,
    is_readable: bool,
}

impl Truth {
    fn new(setup: &Setup, input: &[u8]) -> Self {
        let bom = if input.starts_with(BOM) { BOM.len() } else { 0 };
        let records = scan(&setup.dialect, &input[bom..]);
        Truth {
            starts: records.iter().map(|record| (bom + record.start) as u64).collect(),
            is_readable: setup.expect(input).failure.is_none(),
        }
    }

    /// Fails if the decision is wrong, unless the file can't be read without an error.
    fn assert_right(&self, input: &[u8], at: usize, found: Boundary) {
        let next = self.starts.iter().copied().find(|&start| start >= at as u64);
        let is_right = match found {
            Boundary::Start(byte) => Some(byte) == next,
            Boundary::End => next.is_none(),
            Boundary::Undecided => true,
        };
        assert!(
            is_right || !self.is_readable,
            "{at} of \"{}\": {found:?}, not {next:?}",
            input.escape_ascii()
        );
    }
}

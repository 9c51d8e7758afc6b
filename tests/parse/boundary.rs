//! Where a record starts at or after a byte, found from what follows it, against the oracle that has read it all.
//!
//! Each file is asked about every byte of it. `CSV_STREAM_TEST_ROUNDS` makes more files; `--nocapture` shows how much of
//! each kind of file is decided, and by what.

use std::cell::RefCell;

use datafusion_csv_stream::dialect::{Dialect, DialectBuilder, Terminator};
use datafusion_csv_stream::parse::{BOM, Boundary, BoundaryFinder, Evidence, FieldCount};

use crate::check::Cuts;
use crate::generated::soup;
use crate::oracle::{Setup, longest_record, scan};
use crate::rng::Rng;
use crate::seeds::for_each_seed;
use crate::support::testdata;

/// A kind of file.
struct Kind {
    name: &'static str,
    dialect: DialectBuilder,
    field_count: fn(usize) -> FieldCount,
    /// Fields of a record, at most.
    width: usize,
    /// Writes one field of a record that has so many.
    field: fn(&mut Rng, usize, &mut Vec<u8>),
    /// What stands between two records, one of these.
    between: &'static [&'static str],
    /// How often, in percent, it has to be decided at least. Measured, less a margin.
    decided: u64,
}

/// What came of the bytes of some files.
#[derive(Debug, Default)]
struct Tally {
    starts: u64,
    proof: u64,
    regular: u64,
    undecided: u64,
    /// By regular quotes, where they are not, in files that are read without an error.
    wrong: u64,
}

const LF: &[&str] = &["\n"];
const CRLF: &[&str] = &["\r\n"];
const MIXED: &[&str] = &["\n", "\n", "\r\n", "\r", "\n\n", "\r\n\r\n\n"];
const COMMENTS: &[&str] =
    &["\n", "\n", "\n#\n", "\n# it's \"quoted\n", "\n#1,2,3\n#\"\n", "\n\n# \"a\",\"b\"\n"];

fn kinds() -> Vec<Kind> {
    let plain = || Dialect::builder().has_header(false);
    let exactly = FieldCount::Exactly;
    let up_to = FieldCount::UpTo;
    let kind = |name, field, decided| Kind {
        name,
        dialect: plain(),
        field_count: exactly,
        width: 6,
        field,
        between: LF,
        decided,
    };
    vec![
        kind("numbers", number, 99),
        Kind { width: 1, ..kind("one column of numbers", number, 99) },
        Kind { between: MIXED, ..kind("blank lines and line ends of all kinds", number, 99) },
        Kind { field_count: up_to, ..kind("numbers, short rows allowed", number, 99) },
        Kind { dialect: plain().quote(None), ..kind("no quoting", stray, 99) },
        kind("some words quoted", quoted_word, 99),
        kind("quoted newlines", quoted_lines, 90),
        Kind { between: CRLF, ..kind("quoted newlines, CRLF", quoted_lines, 90) },
        Kind { width: 1, ..kind("one column of quoted newlines", quoted_lines, 70) },
        kind("all quoted, any text", quoted_text, 90),
        kind("a table of the same width in a field", table_in_a_field, 50),
        kind("all empty, all quoted", |_, _, out| out.extend(b"\"\""), 90),
        kind("commas alone, quoted", |_, _, out| out.extend(b"\",\""), 99),
        kind("commas and line ends, quoted", commas_and_lines, 95),
        Kind { dialect: plain().escape(b'\\'), ..kind("escapes", escaped_text, 90) },
        Kind {
            dialect: plain().escape(b'\\').double_quote(false),
            ..kind("escapes, no doubled quotes", |rng, _, out| escaped(rng, out, false), 90)
        },
        Kind { dialect: plain().comment(b'#'), between: COMMENTS, ..kind("comments", quoted_word, 90) },
        Kind {
            dialect: plain().comment(b'#').terminator(Terminator::Byte(b';')),
            between: &[";", ";", ";;", ";# \"\n", ";#;\"x;\n;"],
            ..kind("a terminator of its own, and comments", quoted_lines, 70)
        },
        kind("stray quotes, seldom", |rng, width, out| seldom(rng, width, out, stray), 80),
        kind("stray quotes", stray, 50),
        kind("ragged", |rng, width, out| seldom(rng, width, out, |_, _, out| out.extend(b"1,2")), 20),
        Kind { field_count: up_to, ..kind("quoted, short rows allowed", quoted_lines, 5) },
        Kind { field_count: |_| FieldCount::Any, ..kind("quoted, any number of fields", quoted_lines, 5) },
        Kind { field_count: |_| FieldCount::Any, ..kind("stray quotes, any number of fields", stray, 50) },
    ]
}

/// The theorem: what is decided is right where its evidence says so.
#[test]
fn what_is_decided_is_right() {
    for kind in kinds() {
        let tally = RefCell::new(Tally::default());
        for_each_seed(8, |rng| {
            let width = 1 + rng.below(kind.width);
            let input = file(rng, &kind, width);
            let dialect = kind.dialect.clone().build().expect("no byte has two meanings");
            let longest = longest_record(&dialect, &input);
            let field_count = (kind.field_count)(width);
            for max_record_bytes in [longest, longest + rng.below(200), 1 << 20] {
                let setup = Setup { dialect: dialect.clone(), field_count, max_record_bytes };
                check_every_byte(rng, &setup, &input, &mut tally.borrow_mut());
            }
        });
        let Tally { starts, proof, regular, undecided, wrong } = tally.into_inner();
        let percent = |count: u64| 100.0 * count as f64 / starts as f64;
        println!(
            "{:40} {starts:8} starts: {:5.1} % proof, {:5.1} % regular, {:5.1} % undecided, {:.3} % wrong",
            kind.name,
            percent(proof),
            percent(regular),
            percent(undecided),
            percent(wrong)
        );
        assert!(percent(wrong) < 0.01, "{}: too much is wrong", kind.name);
        assert!(percent(proof + regular) >= kind.decided as f64, "{}: too little is decided", kind.name);
    }
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
fn a_large_file_is_decided_nearly_everywhere() {
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
    assert!(decided > input.len() / 10_007 - 3, "{decided}");
}

/// Places that are hard to tell, and what is known there.
#[test]
fn traps() {
    let proof = |byte| Boundary::Start { byte, evidence: Evidence::Proof };
    let regular = |byte| Boundary::Start { byte, evidence: Evidence::RegularQuotes };
    let (two, one) = (FieldCount::Exactly(2), FieldCount::Exactly(1));
    let plain = || Dialect::builder();
    for (name, dialect, field_count, input, at, expected) in [
        ("a record starts right there", plain(), two, "a,b\n1,2\n3,4\n", 4, proof(4)),
        ("one byte behind", plain(), two, "a,b\n1,2\n3,4\n", 5, proof(8)),
        ("in the middle of a CRLF", plain(), two, "ab,c\r\n1,2\r\n3,4\r\n", 5, proof(6)),
        ("behind a CRLF", plain(), two, "ab,c\r\n1,2\r\n3,4\r\n", 6, proof(6)),
        ("on a blank line", plain(), two, "ab,c\n\n\n1,2\n", 6, proof(7)),
        ("in the last record", plain(), two, "a,b\n1,2", 5, Boundary::End { evidence: Evidence::Proof }),
        ("in the first bytes", plain(), two, "a,b\n1,2\n", 3, Boundary::Undecided),
        ("in quotes", plain(), two, "a,b\n1,\"2\n3\"\n4,5\n", 8, proof(12)),
        ("before quotes", plain(), two, "a,b\n1,\"2\n3\"\n4,5\n", 5, proof(12)),
        ("between two quotes", plain(), two, "a,b\n1,\"2\"\"\n3\"\n4,5\n", 9, proof(14)),
        ("behind an escape", plain().escape(b'\\'), two, "a,b\n1,\"2\\\"\n3\"\n4,5\n", 9, proof(14)),
        ("behind an escaped quote", plain().escape(b'\\'), two, "a,b\n1,\"2\\\"\n3\"\n4,5\n", 10, proof(14)),
        (
            "behind an escaped escape",
            plain().escape(b'\\'),
            two,
            "a,b\n1,\"x\\\\\"\n3,\"y\"\n4,5\n",
            10,
            regular(12),
        ),
        ("before a field in quotes", plain(), two, "a,b\n1,2\n3,\"x\"\n4,5\n", 5, regular(8)),
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

/// Without a quote in as many bytes as a record may have, there is none open, and no more bytes are asked for.
#[test]
fn no_more_is_asked_for_than_needed() {
    let limit = 1000;
    let window = BoundaryFinder::window_bytes(limit);
    for (input, expected) in [
        (b"1,2\n".repeat(1000), Some(limit + 1)),
        (b"1,\"2\"\n".repeat(1000), None),
        (b"\"\"\"".repeat(1000), None),
        (b"\n".repeat(4000), Some(window)),
    ] {
        let dialect = Dialect::default();
        let mut finder = BoundaryFinder::new(&dialect, FieldCount::Exactly(2), limit as usize, 100);
        let bytes = &input[finder.first_byte() as usize..];
        let asked = bytes.iter().take_while(|&byte| finder.push(&[*byte]).is_none()).count() as u64 + 1;
        assert!(asked <= window, "{asked} of {window} bytes");
        assert!(expected.is_none_or(|expected| asked == expected), "{asked} bytes, not {expected:?}");
    }
}

/// Asks about every byte, however the bytes are cut.
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
        match found {
            Boundary::Start { evidence: Evidence::Proof, .. }
            | Boundary::End { evidence: Evidence::Proof } => {
                tally.proof += 1;
            }
            Boundary::Start { .. } | Boundary::End { .. } => tally.regular += 1,
            Boundary::Undecided => tally.undecided += 1,
        }
        tally.wrong += u64::from(!truth.assert_right(input, at, found) && truth.is_readable);
    }
}

/// What is found from the bytes that the reader of the range sees, until it needs no more.
fn find(setup: &Setup, input: &[u8], at: usize, cuts: &Cuts) -> Boundary {
    let Setup { dialect, field_count, max_record_bytes } = setup;
    let mut finder = BoundaryFinder::new(dialect, *field_count, *max_record_bytes, at as u64);
    assert_eq!(finder.first_byte(), at.saturating_sub(1) as u64);
    let bytes = &input[at.saturating_sub(1).min(input.len())..];
    let found = cuts.chunks(bytes).into_iter().find_map(|chunk| finder.push(chunk));
    found.unwrap_or_else(|| finder.finish())
}

/// A file as it is.
struct Truth {
    starts: Vec<u64>,
    is_readable: bool,
    is_regular: bool,
}

impl Truth {
    fn new(setup: &Setup, input: &[u8]) -> Self {
        let bom = if input.starts_with(BOM) { BOM.len() } else { 0 };
        let records = scan(&setup.dialect, &input[bom..]);
        Truth {
            starts: records.iter().map(|record| (bom + record.start) as u64).collect(),
            is_readable: setup.expect(input).failure.is_none(),
            is_regular: records
                .iter()
                .all(|record| record.fields.iter().all(|field| is_regular(&setup.dialect, &field.raw))),
        }
    }

    /// Fails if what is found is wrong and must not be; returns whether it is right or nothing.
    fn assert_right(&self, input: &[u8], at: usize, found: Boundary) -> bool {
        let next = self.starts.iter().copied().find(|&start| start >= at as u64);
        let (evidence, is_right) = match found {
            Boundary::Start { byte, evidence } => (evidence, Some(byte) == next),
            Boundary::End { evidence } => (evidence, next.is_none()),
            Boundary::Undecided => return true,
        };
        let has_to_be = self.is_readable && (evidence == Evidence::Proof || self.is_regular);
        assert!(is_right || !has_to_be, "{at} of \"{}\": {found:?}, not {next:?}", input.escape_ascii());
        is_right
    }
}

/// Whether quotes stand around a whole field, and inside it are doubled or escaped.
fn is_regular(dialect: &Dialect, raw: &[u8]) -> bool {
    let Some(quote) = dialect.quote() else { return true };
    let [first, inner @ ..] = raw else { return true };
    if *first != quote {
        return !raw.contains(&quote);
    }
    let Some((last, inner)) = inner.split_last() else { return false };
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        if Some(byte) == dialect.escape() {
            if bytes.next().is_none() {
                return false;
            }
        } else if byte == quote && !(dialect.double_quote() && bytes.next() == Some(&quote)) {
            return false;
        }
    }
    *last == quote
}

fn file(rng: &mut Rng, kind: &Kind, width: usize) -> Vec<u8> {
    let mut out = if rng.once_in(8) { BOM.to_vec() } else { vec![] };
    for record in 0..2 + rng.below(30) {
        if record > 0 {
            out.extend(rng.pick(kind.between).bytes());
        }
        for field in 0..width {
            if field > 0 {
                out.push(b',');
            }
            (kind.field)(rng, width, &mut out);
        }
    }
    if rng.once_in(2) {
        out.extend(rng.pick(kind.between).bytes());
    }
    out
}

fn number(rng: &mut Rng, _: usize, out: &mut Vec<u8>) {
    out.extend(rng.below(100_000).to_string().bytes());
}

/// One of the texts, in quotes, with quotes in it doubled.
fn quoted(rng: &mut Rng, texts: &[&str], out: &mut Vec<u8>) {
    out.extend(format!("\"{}\"", rng.pick(texts).replace('"', "\"\"")).bytes());
}

fn quoted_word(rng: &mut Rng, width: usize, out: &mut Vec<u8>) {
    match rng.once_in(3) {
        true => quoted(rng, &["one", "two, three", "say \"four\"", ""], out),
        false => number(rng, width, out),
    }
}

fn quoted_lines(rng: &mut Rng, width: usize, out: &mut Vec<u8>) {
    let texts = ["a\nb", "\n", "one\r\ntwo, three\r\n", "x\n\"y\"\nz", "\"", "a;b\n", "1\n2\n3\n4\n5\n6\n7"];
    match rng.once_in(3) {
        true => quoted(rng, &texts, out),
        false => number(rng, width, out),
    }
}

fn quoted_text(rng: &mut Rng, _: usize, out: &mut Vec<u8>) {
    let text: String = (0..rng.below(12)).map(|_| rng.pick(&['"', ',', '\n', 'a', 'b'])).collect();
    quoted(rng, &[&text], out);
}

fn table_in_a_field(rng: &mut Rng, width: usize, out: &mut Vec<u8>) {
    if !rng.once_in(3 * width) {
        return number(rng, width, out);
    }
    let mut table = Vec::new();
    for _ in 0..rng.below(40) {
        for field in 0..width {
            number(rng, width, &mut table);
            table.push(if field + 1 < width { b',' } else { b'\n' });
        }
    }
    quoted(rng, &[&String::from_utf8_lossy(&table)], out);
}

fn commas_and_lines(rng: &mut Rng, _: usize, out: &mut Vec<u8>) {
    quoted(rng, &[",", "\n", ",\n", "\n,", "\",\"", "\",", ",\"", "\"\n\"", ""], out);
}

fn escaped_text(rng: &mut Rng, _: usize, out: &mut Vec<u8>) {
    let doubles = rng.once_in(2);
    escaped(rng, out, doubles);
}

fn escaped(rng: &mut Rng, out: &mut Vec<u8>, doubles: bool) {
    if rng.once_in(3) {
        return out.extend(rng.pick(&["C:\\dir", "\\", "12", ""]).bytes());
    }
    out.push(b'"');
    for _ in 0..rng.below(8) {
        let quote = if doubles { "\"\"" } else { "\\\"" };
        out.extend(rng.pick(&[quote, "\\\\", "\\,", "\n", ",", "a", "b"]).bytes());
    }
    out.push(b'"');
}

fn stray(rng: &mut Rng, _: usize, out: &mut Vec<u8>) {
    let texts = ["5\" pipe", "\"a\"b", "6\"", "x \"y\" z", "\"a\",", "12", "\"c\" ", "\"\"\"\"", "plain"];
    out.extend(rng.pick(&texts).trim_end_matches(',').bytes());
}

/// A field of another kind once in a while, in a table of quoted lines.
fn seldom(rng: &mut Rng, width: usize, out: &mut Vec<u8>, field: fn(&mut Rng, usize, &mut Vec<u8>)) {
    match rng.once_in(20) {
        true => field(rng, width, out),
        false => quoted_lines(rng, width, out),
    }
}

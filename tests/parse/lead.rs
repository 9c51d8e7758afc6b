//! Where a record starts at or after a byte, found from a lead of bytes before it, against the oracle.

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::grammar::DialectBuilder;
use datafusion_csv_stream::internal::{BOM, Boundary, FIRST_LEAD_BYTES, Proof};
use datafusion_csv_stream::parse::FieldCount;

use crate::check::{Cuts, dialects};
use crate::finder::{Found, Question, Truth, ask, check_boundary};
use crate::generated::{alphabet, head_and_soup};
use crate::kinds::kinds;
use crate::oracle::{Setup, longest_record};
use crate::rng::Rng;
use crate::seeds::for_each_seed;
use crate::unescape::for_each_text;

/// Every byte of files of each kind, with each lead from 1 to 64 bytes.
#[test]
fn short_leads() {
    for kind in kinds() {
        for_each_seed(1, |rng| {
            let width = 1 + rng.below(kind.width);
            let input = kind.file(rng, width, 9);
            let dialect = kind.dialect.clone().build().expect("no byte has two meanings");
            let longest = longest_record(&dialect, &input);
            let margin = rng.below(100);
            let max_record_bytes = rng.pick(&[longest, longest + margin, 1 << 20]);
            let setup = Setup { dialect, field_count: (kind.field_count)(width), max_record_bytes };
            check_every_byte(rng, &setup, &input, &|_| (1..=64).collect());
        });
    }
}

/// Files of any bytes, most of which can't be read.
#[test]
fn soup() {
    for_each_seed(250, |rng| check_boundary(&head_and_soup(rng)));
}

/// A file that can be read, and of which a part has been lost: a synchronised answer is right nevertheless.
#[test]
fn damaged_files() {
    for kind in kinds() {
        for_each_seed(3, |rng| {
            let width = 1 + rng.below(kind.width);
            let mut input = kind.file(rng, width, 20);
            let from = rng.below(input.len());
            let to = from + rng.below(input.len() - from).min(20);
            input.drain(from..to);
            input.truncate(600);
            let dialect = kind.dialect.clone().build().expect("no byte has two meanings");
            let setup = Setup { dialect, field_count: (kind.field_count)(width), max_record_bytes: 100 };
            check_every_byte(rng, &setup, &input, &|rng| vec![1 + rng.below(9), 1 + rng.below(80)]);
        });
    }
}

/// All short texts, all places in them, all leads.
#[test]
fn every_short_text() {
    let plain = Dialect::builder().with_header(false);
    let escape = || plain.clone().with_escape(b'\\');
    let comment = || plain.clone().with_comment(b'#');
    let texts: [(DialectBuilder, &[u8], usize); 5] = [
        (plain.clone(), b"a,\"\n", 7),
        (plain.clone().with_double_quote(false), b"a,\"\n", 6),
        (escape(), b"a\\\"\n", 6),
        (comment(), b"a#\"\n", 6),
        (comment().with_escape(b'\\'), b",#\\\"\n", 5),
    ];
    for (dialect, alphabet, len) in texts {
        let dialect = dialect.build().expect("no byte has two meanings");
        check_texts(&dialect, alphabet, len);
    }
}

/// All dialects, those in which bytes of a BOM have a meaning too.
#[test]
fn every_very_short_text_of_every_dialect() {
    for dialect in dialects() {
        let alphabet = alphabet(&dialect);
        check_texts(&dialect, &alphabet, 3);
        let setup = Setup { field_count: FieldCount::Exactly(1), ..Setup::free(dialect) };
        for_each_text(&alphabet, 2, &mut |text| {
            for bom in 1..=BOM.len() {
                let input = [&BOM[..bom], text].concat();
                check_all_leads(&setup, &input);
                // A window that would end inside the BOM.
                check_all_leads(&Setup { max_record_bytes: 0, ..setup.clone() }, &input);
            }
        });
    }
}

/// The record start that is found, and how it is known.
#[test]
fn proofs() {
    use Proof::{Contradiction, NoQuote, Synchronised};
    let start = |byte, proof| (Boundary::Start(byte), Some(proof));
    let undecided = (Boundary::Undecided, None);
    let (one, two) = (FieldCount::Exactly(1), FieldCount::Exactly(2));
    let any = FieldCount::Any;
    for (name, field_count, limit, input, at, lead, expected) in [
        ("the end of a field in quotes", any, 99, "a,b\n1,x\"\n3,4\n5,6\n", 9, 3, start(9, Synchronised)),
        ("text after a quote", any, 99, "a,b\n1,\"x\ny\"\n3,4\n", 9, 3, undecided),
        ("a quote between two separators", any, 99, "a,b\n1,\"\ny\"\n3,4\n", 8, 3, undecided),
        ("a doubled quote", any, 99, "a,\"b\"\"c\nd\"\ne\n", 8, 5, undecided),
        ("a field after a quote in it", any, 99, "a,\"b\"\"c\" d\ne\n", 9, 3, start(11, Synchronised)),
        ("the front of the file", any, 99, "a,b\n1,2\n", 4, 4, start(4, Synchronised)),
        ("the front, before the end", any, 99, "a,b\n1,2\n", 5, 5, (Boundary::End, Some(Synchronised))),
        ("the front, at the first byte", any, 99, "a,b\n1,2\n", 0, 1, start(0, Synchronised)),
        ("a BOM", any, 99, "\u{feff}a,b\n1,2\n", 1, 1, start(3, Synchronised)),
        ("inside a BOM", any, 99, "\u{feff}a,b\n1,2\n", 2, 1, start(3, Synchronised)),
        (
            "a lead that would start inside a BOM",
            any,
            99,
            "\u{feff}\"\n\"\n1\n",
            5,
            3,
            start(7, Synchronised),
        ),
        ("a lead that starts after a BOM", any, 99, "\u{feff}\"\n\"\n1\n", 5, 2, start(7, Contradiction)),
        ("no quote for long after", any, 8, "a,b\n1,2\n3,4\n5,6\n7,8\n", 9, 4, start(12, NoQuote)),
        ("no quote for long before", any, 8, "a,b\n1,2\n3,4\n5,6\n7,8\n\"9\"", 19, 11, start(20, NoQuote)),
        ("no quote for long around", any, 8, "\"a\",b\n1,2\n3,4\n5\n\"6\"\n", 13, 6, start(14, NoQuote)),
        // The proof was another one if the bytes were cut.
        (
            "a record that is too long since a quote",
            one,
            21,
            "c0\n8288\n\"\"\"\"\n60014\n17420\n15226\n553\n64756\n",
            33,
            26,
            start(35, Contradiction),
        ),
        ("too many fields before", one, 99, "xx\n\"a\nb,c\nd\ne\"\nf\n", 12, 8, start(15, Contradiction)),
        ("too few fields before", two, 99, "1,x\n2,\"\ny\n\"\n4,5\n", 12, 8, start(12, Contradiction)),
        ("an open quote at the end", any, 99, "a,\"b\nc\",\"\n", 8, 3, (Boundary::End, Some(Synchronised))),
    ] {
        let setup = Setup {
            dialect: Dialect::builder().build().expect("the default"),
            field_count,
            max_record_bytes: limit,
        };
        let truth = Truth::new(&setup, input.as_bytes());
        let found = truth.check(&setup, input.as_bytes(), Question::new(at, lead), &Cuts::every(1));
        assert_eq!((found.boundary, found.proof), expected, "{name}");
    }
}

/// Two runs that are in one state, and have counted other fields: the record has too many for one of them only.
#[test]
fn runs_with_other_fields_are_not_one() {
    let input = b"a,b,c\r\"x,y\",z,w\rq,r,s\r#\n1,2,3\r";
    let dialect = Dialect::builder().with_comment(b'#').build().expect("no byte has two meanings");
    let setup = Setup { dialect, field_count: FieldCount::Exactly(3), max_record_bytes: 99 };
    let truth = Truth::new(&setup, input);
    for at in 4..input.len() {
        for lead in 1..at {
            truth.check(&setup, input, Question::new(at, lead), &Cuts::every(1));
        }
    }
    // The third run is in a comment, which a CR doesn't end.
    let found = Question::new(13, 6).ask(&setup, input, &Cuts::whole());
    assert_eq!(found.boundary, Boundary::Undecided);
}

/// Of an unreadable file a synchronised answer is right, and one by contradiction may be wrong.
#[test]
fn what_is_synchronised_is_right_in_a_file_that_cannot_be_read() {
    let input = b"1,2\n3\n4,\"x\"\n\"5,6\n7,8\n9,0\n1,2\n3,4\n";
    let setup =
        Setup { dialect: Dialect::default(), field_count: FieldCount::Exactly(2), max_record_bytes: 99 };
    let truth = Truth::new(&setup, input);
    for at in 13..input.len() {
        let found = truth.check(&setup, input, Question::new(at, at - 8), &Cuts::every(1));
        assert_eq!((found.boundary, found.proof), (Boundary::End, Some(Proof::Synchronised)), "{at}");
    }
    let found = truth.check(&setup, input, Question::new(17, 1), &Cuts::every(1));
    assert_eq!((found.boundary, found.proof), (Boundary::Start(17), Some(Proof::Contradiction)));
}

/// Once the state is known, no byte is looked at after the first of the record.
#[test]
fn no_more_is_looked_at_than_the_first_byte_of_the_record() {
    let setup =
        Setup { dialect: Dialect::default(), field_count: FieldCount::Exactly(2), max_record_bytes: 2 << 20 };
    let input = b"1,\"one, two\"\n".repeat(40_000);
    for at in [65_536, 100_001, 200_005, 300_020] {
        for cuts in [Cuts::whole(), Cuts::every(1), Cuts::every(8 << 10)] {
            let lead = FIRST_LEAD_BYTES as usize;
            let found = Question::new(at, lead).ask(&setup, &input, &cuts);
            let next = at.next_multiple_of(13);
            assert_eq!(found.boundary, Boundary::Start(next as u64));
            assert_eq!(found.bytes_looked_at, (lead + next - at) as u64 + 1, "{at}, {cuts:?}");
        }
    }
}

/// Each lead is twice the one before, up to what a record may have, and only where it is of use.
#[test]
fn longer_leads() {
    let leads = |max_record_bytes: usize, input: &[u8], at: usize| {
        let setup =
            Setup { dialect: Dialect::default(), field_count: FieldCount::Exactly(2), max_record_bytes };
        let mut finder = Question::new(at, FIRST_LEAD_BYTES as usize).finder(&setup);
        let mut leads = Vec::new();
        loop {
            assert!(finder.with_longer_lead().is_none(), "it may be of no use");
            let found = ask(&mut finder, input, &Cuts::every(8 << 10));
            leads.push(finder.lead());
            match finder.with_longer_lead() {
                Some(longer) => finder = longer,
                None => return (leads, found.boundary, found.proof),
            }
        }
    };
    let kib = |kib: u64| kib << 10;
    let numbers = b"12,345\n".repeat(1 << 20);
    let quoted = b"1,\"2\"\n".repeat(1 << 20);
    // Each field could as well be outside quotes, and the text between them inside.
    let table = [&b"1,\"\n"[..], &b"12,345\n".repeat(900_000), b"\"\n1,2\n"].concat();
    let sparse =
        [&b"1,\"x\"\n"[..], &b"12,345\n".repeat(50_000), b"1,\"y\"\n", &b"2,3\n".repeat(99)].concat();
    let start = |byte| Boundary::Start(byte);
    let long = 2 << 20;
    assert_eq!(leads(long, &numbers, 5_000_000).0, [kib(64)]);
    assert_eq!(leads(long, &numbers, 5_000_000).2, Some(Proof::NoQuote));
    assert_eq!(leads(long, &quoted, 3_000_000).0, [kib(64)]);
    let (found, boundary, proof) = leads(long, &sparse, 300_000);
    assert_eq!(
        (found, boundary, proof),
        (vec![kib(64), kib(128), kib(256), 300_000], start(300_005), Some(Proof::Synchronised))
    );
    let all = [kib(64), kib(128), kib(256), kib(512), kib(1024), kib(2048), kib(2048) + 2];
    assert_eq!(leads(64 << 20, &table, 6_000_000), (all.to_vec(), Boundary::Undecided, None));
    assert_eq!(leads(1_000, &b"\n".repeat(200_000), 100_000).0, [kib(64)]);
}

/// Places that no file has.
#[test]
fn the_greatest_numbers() {
    let max_record_bytes = usize::MAX;
    let setup = Setup { max_record_bytes, ..Setup::free(Dialect::default()) };
    for (at, lead) in [(usize::MAX - 99, 9), (usize::MAX, 9), (usize::MAX, usize::MAX), (1, usize::MAX)] {
        let mut finder = Question::new(at, lead).finder(&setup);
        finder.push(b"a,\"b");
        finder.finish();
        assert!(finder.with_longer_lead().is_none_or(|longer| longer.lead() > lead as u64));
    }
}

fn check_texts(dialect: &Dialect, alphabet: &[u8], len: usize) {
    let mut texts = 0_usize;
    for_each_text(alphabet, len, &mut |text| {
        texts += 1;
        let field_counts =
            [FieldCount::Any, FieldCount::Exactly(1), FieldCount::Exactly(2), FieldCount::UpTo(2)];
        let field_count = field_counts[texts % 4];
        let max_record_bytes = [1 << 20, 1, 1 << 20, 2, 3][texts / 4 % 5];
        let setup = Setup { dialect: dialect.clone(), field_count, max_record_bytes };
        check_all_leads(&setup, text);
    });
}

fn check_all_leads(setup: &Setup, text: &[u8]) {
    let truth = Truth::new(setup, text);
    for at in 0..=text.len() + 1 {
        for lead in 1..=at.max(1) {
            for shorter in [None, Some(1), Some(lead / 2)] {
                let question = Question { at, lead, shorter };
                truth.check(setup, text, question, &Cuts::every(1));
            }
        }
    }
}

/// Asks about every byte, with these leads, however the bytes are cut.
fn check_every_byte(rng: &mut Rng, setup: &Setup, input: &[u8], leads: &dyn Fn(&mut Rng) -> Vec<usize>) {
    let truth = Truth::new(setup, input);
    for at in 0..=input.len() + 1 {
        let mut proven: Option<Found> = None;
        for lead in leads(rng) {
            let cuts = match rng.below(4) {
                0 => Cuts::every(1),
                _ => Cuts::random(rng.next() as u8, input.len()),
            };
            let shorter = rng.once_in(2).then(|| 1 + rng.below(lead));
            let question = Question { at, lead, shorter };
            let found = truth.check(setup, input, question, &cuts);
            if found.proof == Some(Proof::Synchronised) {
                let boundary = proven.get_or_insert(found).boundary;
                assert_eq!(boundary, found.boundary, "{question:?}");
            }
        }
    }
}

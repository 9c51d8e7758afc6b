//! The counter against the oracle: the same number of records, the same error, the same record
//! starts.

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::grammar::Terminator;
use datafusion_csv_stream::internal::BOM;
use datafusion_csv_stream::parse::{FieldCount, Parser, RecordCounter, RecordStart};
use datafusion_csv_stream::simd::Backend;

use crate::check::{Cuts, dialects, read_with};
use crate::generated::{alphabet, soup, table};
use crate::oracle::{Failure, Outcome, Setup, longest_record};
use crate::seeds::for_each_seed;
use crate::support::{Case, cases, testdata};
use crate::unescape::for_each_text;

/// The number of records, and the error that ended the count.
type Count = (u64, Option<Failure>);

#[test]
fn every_case_counts_the_same_however_it_is_cut() {
    let mut failures = 0;
    for Case { name, input, setup, .. } in cases() {
        println!("case {name}");
        let setup = Setup { field_count: FieldCount::Any, ..setup };
        let mut all = vec![Cuts::whole().with_empty_chunks(), Cuts::every(1).with_empty_chunks()];
        all.extend([1, 2, 3, 63, 64, 65].map(Cuts::every));
        all.extend((0..=input.len()).map(|at| Cuts::at(&[at])));
        failures += usize::from(assert_counts(&setup, &input, &all));
    }
    assert!(failures > 10, "{failures} cases with an error");
}

#[test]
fn every_short_text_counts_the_same_however_it_is_cut() {
    for dialect in dialects() {
        for max_record_bytes in [0, 1, 2, 1 << 30] {
            let setup = Setup { max_record_bytes, ..Setup::free(dialect.clone()) };
            for_each_text(&alphabet(&dialect), 4, &mut |text| {
                assert_counts(&setup, text, &[Cuts::whole(), Cuts::every(1)]);
            });
        }
    }
}

#[test]
fn soup_counts_as_the_machine_reads_it() {
    for_each_seed(20_000, |rng| {
        let (setup, input) = soup(rng);
        let setup = Setup { field_count: FieldCount::Any, ..setup };
        let seed = rng.next() as u8;
        assert_counts(&setup, &input, &[Cuts::whole(), Cuts::random(seed, input.len()), Cuts::every(1)]);
    });
}

/// Tables of many blocks. The longest record is exactly as long as the limit, or one byte longer.
#[test]
fn tables_count_the_same_at_the_limit() {
    for_each_seed(600, |rng| {
        let (dialect, input) = table(rng);
        let longest = longest_record(&dialect, &input);
        let seed = rng.next() as u8;
        let all = [Cuts::whole(), Cuts::random(seed, input.len()), Cuts::every(64)];
        for max_record_bytes in [longest, longest.saturating_sub(1), rng.pick(&[63, 64, 65, 500])] {
            let setup = Setup { max_record_bytes, ..Setup::free(dialect.clone()) };
            let failed = assert_counts(&setup, &input, &all);
            assert_eq!(failed, longest > max_record_bytes, "{longest} bytes, limit {max_record_bytes}");
        }
    });
}

/// The byte before a quote tells whether it opens a field, and that byte can be in another block.
#[test]
fn a_quote_behind_blocks_without_any_counts() {
    for before in ["a,", "a\n", "a\r\n", "a", "\"a\","] {
        for length in 0..600 {
            let text = format!("{}{before}\"b\nc\",\nd", "x,\r\n".repeat(150));
            let setup = Setup::free(Dialect::default());
            assert_counts(&setup, &text.as_bytes()[600 - length..], &[Cuts::whole(), Cuts::every(300)]);
        }
    }
}

/// The counter looks through groups of blocks, and does the least work that one needs. So each text
/// stands at each place around the borders of groups that need little. The quote at the end fails,
/// which shows the number of lines.
#[test]
fn every_text_counts_at_every_place_of_a_group() {
    let plain = Dialect::builder;
    let lf = Terminator::Byte(b'\n');
    for (builder, texts) in [
        (
            plain(),
            &["\"", "\"\"", ",\"\"\",", "\n\"a\nb\",", "\n", "\n\n", "\r", "\r\n", "\n\r", "\n\"\r\n\"\r"][..],
        ),
        (plain().with_terminator(lf), &["\r", "\r\n\"\n\"", "\n\n"]),
        (plain().with_terminator(Terminator::Byte(b';')), &[";", ";;", "\n;\"\n;\"\r\n", "\n\""]),
        (plain().with_comment(b'#'), &["#", "\n#", "\n#\"\n", "\n\"#\n#\"\n", "\r#\n", "\n#\r\n#\n\n"]),
        (plain().with_escape(b'\\'), &["\\", "\\\"", "\n\"\\\"\n\"", "\n\"\\\\\"\n", "\n\"\\"]),
        (plain().with_double_quote(false), &["\"\"", "\n\"a\"\"\n", "\n\"\"\n\""]),
        (plain().with_quote(None), &["\"", ",\"\n\"", "\r\n"]),
    ] {
        let dialect = builder.with_header(false).build().expect("no byte has two meanings");
        let setup = Setup::free(dialect);
        for text in texts {
            for at in 0..=600 {
                let filler = "ab,c\n".repeat(120) + "ab,c\r\n";
                let (before, after) = filler.split_at(at);
                let input = format!("{before}{text}{after}{after}\n\"");
                assert_counts(&setup, input.as_bytes(), &[Cuts::whole(), Cuts::at(&[at + 1])]);
            }
        }
    }
}

/// A record that is exactly as long as the limit, or one byte longer, in the middle of a group.
#[test]
fn a_long_record_counts_at_every_place_of_a_group() {
    for (quote, filler) in [("", "ab,c\n"), ("\"", "ab,c\n"), ("", "ab,c\r\n")] {
        let record = format!("{quote}{}{quote}\n", "x".repeat(100));
        for at in 0..=600 {
            let before = "y".repeat(at % 3 + 1) + "\n" + &filler.repeat(at / 5);
            let input = format!("\u{feff}{before}{record}{}", filler.repeat(100));
            for max_record_bytes in [record.len() - 1, record.len() - 2] {
                let setup = Setup { max_record_bytes, ..Setup::free(Dialect::default()) };
                let failed = assert_counts(&setup, input.as_bytes(), &[Cuts::whole(), Cuts::every(256)]);
                assert_eq!(failed, max_record_bytes < record.len() - 1, "{at}");
            }
        }
    }
}

/// Many chunks of a realistic size, and spans that end in the middle of them.
#[test]
fn a_large_file_counts_the_same() {
    let orders = std::fs::read(testdata("small/orders.csv")).expect("the file can be read");
    let input = orders.repeat(40);
    for max_record_bytes in [120, 1000, 1 << 30] {
        let setup = Setup { max_record_bytes, ..Setup::free(Dialect::default()) };
        let failed = assert_counts(&setup, &input, &[Cuts::every(64 << 10), Cuts::every(100_003)]);
        assert!(!failed, "{max_record_bytes}");
    }
}

#[test]
fn a_small_file_starts_where_the_machine_says() {
    let mut found = 0;
    for name in ["people", "prices", "crlf"] {
        let input =
            std::fs::read(testdata("small").join(format!("{name}.csv"))).expect("the file can be read");
        found += assert_starts(&Dialect::default(), &input, 1);
    }
    assert!(found > 1000, "{found} starts");
}

#[test]
fn short_texts_start_where_the_machine_says() {
    for dialect in dialects() {
        for_each_text(&alphabet(&dialect), 3, &mut |text| {
            assert_starts(&dialect, text, 1);
        });
    }
}

#[test]
fn soup_starts_where_the_machine_says() {
    for_each_seed(500, |rng| {
        let (setup, input) = soup(rng);
        assert_starts(&setup.dialect, &input[..input.len().min(150)], 1 + rng.below(3));
    });
}

/// From each start a parser and a counter give the oracle's result for the whole file.
#[test]
fn reading_goes_on_at_every_start() {
    for_each_seed(1500, |rng| {
        let (mut setup, mut input) = soup(rng);
        if rng.once_in(2) {
            (setup.dialect, input) = table(rng);
        }
        let free = Setup { field_count: FieldCount::Any, ..setup.clone() };
        let seed = rng.next() as u8;
        for start in starts(&setup.dialect, &input) {
            let rest = &input[start.byte as usize..];
            let chunks = Cuts::random(seed, rest.len()).chunks(rest);
            let backend = rng.pick(&Backend::available());
            let Setup { dialect, field_count, max_record_bytes } = &setup;
            if let Some(expected) = expect_from(start, &setup, &input) {
                let parser = Parser::new(dialect, *field_count, *max_record_bytes).with_backend(backend);
                let found = read_with(parser.starting_at(start), &chunks, usize::MAX);
                assert_eq!(found, Ok(expected), "\"{}\" from {start:?}", input.escape_ascii());
            }
            if let Some(Outcome { rows, failure }) = expect_from(start, &free, &input) {
                let counter = RecordCounter::new(dialect, *max_record_bytes).with_backend(backend);
                let found = count(counter.starting_at(start), &chunks);
                let expected = (rows.len() as u64, failure);
                assert_eq!(found, expected, "\"{}\" from {start:?}", input.escape_ascii());
            }
        }
    });
}

#[test]
fn without_a_place_counted_before_numbers_start_at_one() {
    let dialect = Dialect::default();
    let input = b"7,seven\n8,\"eig\nht\"\n9,\"nine";
    let start = RecordStart::at_byte(1 << 40);
    let parser = Parser::new(&dialect, FieldCount::Exactly(2), 100);
    let found = read_with(parser.starting_at(start), &[&input[..]], 1).expect("no contract is broken");
    let places: Vec<_> = found.rows.iter().map(|row| (row.byte - (1 << 40), row.line, row.record)).collect();
    assert_eq!(places, [(0, 1, 1), (8, 2, 2)]);
    let failure = found.failure.expect("a quote is open");
    assert_eq!((failure.byte - (1 << 40), failure.line, failure.record), (19, 4, 3));
}

/// The oracle's result from a start on; `None` if it fails before.
fn expect_from(start: RecordStart, setup: &Setup, input: &[u8]) -> Option<Outcome> {
    let Outcome { rows, failure } = setup.expect(input);
    let is_reached = failure.as_ref().is_none_or(|failure| failure.byte >= start.byte);
    let rows = rows.into_iter().filter(|row| row.byte >= start.byte).collect();
    is_reached.then_some(Outcome { rows, failure })
}

/// Compares the counts on every back end. Returns whether they end with an error.
fn assert_counts(setup: &Setup, input: &[u8], all: &[Cuts]) -> bool {
    let Outcome { rows, failure } = setup.expect(input);
    let failed = failure.is_some();
    let expected = (rows.len() as u64, failure);
    for backend in Backend::available() {
        for cuts in all {
            let counter = RecordCounter::new(&setup.dialect, setup.max_record_bytes).with_backend(backend);
            let found = count(counter, &cuts.chunks(input));
            assert!(
                found == expected,
                "got {found:?}\n  expected {expected:?}\n  input \"{}\"\n  back end {}, {cuts:?}, {setup:?}",
                input.escape_ascii(),
                backend.name()
            );
        }
    }
    failed
}

fn count(mut counter: RecordCounter, chunks: &[&[u8]]) -> Count {
    let pushed = chunks.iter().try_for_each(|chunk| counter.push(chunk));
    let finished = pushed.and_then(|()| counter.finish());
    let records = counter.records();
    match finished {
        Ok(finished) => {
            let again = counter.finish().expect("a second finish finds nothing");
            assert_eq!((finished, again), (records, records));
            (records, None)
        }
        Err(error) => (records, Some(Failure::from(&error))),
    }
}

/// The starts of all records, the header included.
fn starts(dialect: &Dialect, input: &[u8]) -> Vec<RecordStart> {
    let headless = dialect.to_builder().with_header(false).build().expect("no byte has two meanings");
    let Outcome { rows, failure } = Setup::free(headless).expect(input);
    let first = u64::from(!dialect.has_header());
    let rows = rows.into_iter().map(|row| (row.byte, row.line));
    let places = rows.chain(failure.map(|failure| (failure.byte, failure.line)));
    (first..).zip(places).map(|(record, (byte, line))| RecordStart { byte, line, record }).collect()
}

/// Looks for the first start at or after every byte, in chunks of `chunk_bytes`. Returns the number
/// of starts.
fn assert_starts(dialect: &Dialect, input: &[u8], chunk_bytes: usize) -> usize {
    let starts = starts(dialect, input);
    let mut found = 0;
    for offset in 0..=input.len() as u64 + 1 {
        let expected = starts.iter().find(|start| start.byte >= offset).copied();
        for backend in Backend::available() {
            for bytes in [chunk_bytes, usize::MAX] {
                let counter = RecordCounter::new(dialect, 1 << 30).with_backend(backend);
                let start = seek(counter, offset, &Cuts::every(bytes).chunks(input));
                let expected = expected.filter(|_| input.len() > 2 || !BOM.starts_with(input));
                assert_eq!(start, expected, "\"{}\" at {offset}", input.escape_ascii());
            }
        }
        found += usize::from(expected.is_some());
    }
    found
}

/// Gives a prefix alternately to `push` and to the search, which makes no difference.
fn seek(mut counter: RecordCounter, offset: u64, chunks: &[&[u8]]) -> Option<RecordStart> {
    let mut byte = 0;
    for chunk in chunks {
        if byte % 2 == 0 && byte + chunk.len() as u64 <= offset {
            counter.push(chunk).expect("there is no limit");
        } else {
            let start = counter.first_record_start_at_or_after(offset, chunk).expect("there is no limit");
            if let Some(start) = start {
                let has_content = start.byte < 3 && counter.byte() < 3;
                assert!(counter.byte() == start.byte || has_content, "{start:?}");
                return Some(start);
            }
        }
        byte += chunk.len() as u64;
    }
    None
}

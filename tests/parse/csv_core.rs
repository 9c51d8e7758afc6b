//! The same records as `csv-core`, except for the differences that `testdata/divergences.toml`
//! lists with their reasons.

use std::collections::{BTreeMap, BTreeSet};

use csv_core::ReadRecordResult;
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::grammar::Trim;
use datafusion_csv_stream::internal::BOM;
use datafusion_csv_stream::internal::{Machine, State};
use datafusion_csv_stream::simd::Backend;
use toml::{Table, Value as Toml};

use crate::check::{Cuts, read};
use crate::generated::soup;
use crate::oracle::{Kind, Setup, Value, scan};
use crate::peer::reader;
use crate::seeds::for_each_seed;
use crate::support::{DIALECT_KEYS, assert_keys, bytes, cases, dialect, rows, testdata};

type Rows = Vec<Vec<Value>>;

/// A way in which `csv-core` reads differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Divergence {
    UnclosedQuote,
    BomCut,
    BomChunk,
    EmptyChunk,
    CommentAtEnd,
    CommentWithoutEnd,
}

impl Divergence {
    const ALL: [Divergence; 6] = [
        Divergence::UnclosedQuote,
        Divergence::BomCut,
        Divergence::BomChunk,
        Divergence::EmptyChunk,
        Divergence::CommentAtEnd,
        Divergence::CommentWithoutEnd,
    ];

    fn id(self) -> &'static str {
        match self {
            Divergence::UnclosedQuote => "unclosed-quote",
            Divergence::BomCut => "bom-cut",
            Divergence::BomChunk => "bom-chunk",
            Divergence::EmptyChunk => "empty-chunk",
            Divergence::CommentAtEnd => "comment-at-end",
            Divergence::CommentWithoutEnd => "comment-without-end",
        }
    }
}

#[test]
fn each_listed_divergence_is_there() {
    let mut ids = BTreeSet::new();
    for entry in listed() {
        let id = entry["id"].as_str().expect("an id");
        let mut known = vec!["id", "reason", "chunks", "ours", "our_error", "csv_core", "cases"];
        known.extend(DIALECT_KEYS);
        assert_keys(id, &entry, &known);
        assert!(entry["reason"].as_str().is_some_and(|reason| reason.len() > 40), "{id} has no reason");
        let chunks: Vec<_> =
            entry["chunks"].as_array().expect("chunks").iter().map(|c| bytes(id, c)).collect();
        let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let dialect = dialect(id, &entry);

        let ours = read_ours(&dialect, &chunks);
        assert_eq!(ours.0, rows(id, &entry["ours"]), "{id}");
        assert_eq!(
            ours.1.map(|kind| format!("{kind:?}")).as_deref(),
            entry.get("our_error").and_then(Toml::as_str)
        );
        let theirs = read_csv_core(&dialect, &chunks);
        assert_eq!(theirs, rows(id, &entry["csv_core"]), "{id}");
        assert_ne!(ours.0, theirs, "{id} is stale");
        let (predicted, reasons) = predict(&dialect, &chunks);
        assert_eq!(predicted, theirs, "{id}");
        assert!(reasons.iter().any(|reason| reason.id() == id), "{id}: {reasons:?}");
        assert!(ids.insert(id.to_owned()), "{id} is listed twice");
    }
    assert_eq!(ids, Divergence::ALL.map(|divergence| divergence.id().to_owned()).into());
}

#[test]
fn the_cases_that_differ_are_those_that_are_listed() {
    let mut found: BTreeMap<Divergence, BTreeSet<String>> = BTreeMap::new();
    for case in cases() {
        let dialect = plain(&case.setup.dialect);
        for divergence in assert_explained(&case.name, &dialect, &[&case.input]) {
            found.entry(divergence).or_default().insert(case.name.clone());
        }
    }
    for entry in listed() {
        let id = entry["id"].as_str().expect("an id");
        let cases = entry["cases"].as_array().expect("cases").iter();
        let listed: BTreeSet<String> = cases.map(|case| case.as_str().expect("a name").to_owned()).collect();
        let divergence =
            Divergence::ALL.into_iter().find(|divergence| divergence.id() == id).expect("a known id");
        assert_eq!(found.remove(&divergence).unwrap_or_default(), listed, "{id}: found, listed");
    }
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn cut_cases_differ_for_listed_reasons_only() {
    let mut found = BTreeSet::new();
    for case in cases() {
        let dialect = plain(&case.setup.dialect);
        for at in 0..=case.input.len() {
            let cuts = Cuts::at(&[at]);
            found.extend(assert_explained(&case.name, &dialect, &cuts.chunks(&case.input)));
            let cuts = cuts.with_empty_chunks();
            found.extend(assert_explained(&case.name, &dialect, &cuts.chunks(&case.input)[1..]));
        }
    }
    assert_eq!(found, Divergence::ALL.into());
}

#[test]
fn soup_differs_for_listed_reasons_only() {
    for_each_seed(4_000, |rng| {
        let (setup, input) = soup(rng);
        let dialect = plain(&setup.dialect);
        assert_explained("soup", &dialect, &[&input]);
        let cuts = Cuts::random(rng.next() as u8, input.len());
        assert_explained("soup", &dialect, &cuts.chunks(&input));
    });
}

/// Fails unless `csv-core` gives the result that the listed divergences predict. Returns those that
/// show.
fn assert_explained(name: &str, dialect: &Dialect, chunks: &[&[u8]]) -> Vec<Divergence> {
    let theirs = read_csv_core(dialect, chunks);
    let (predicted, reasons) = predict(dialect, chunks);
    let shown =
        || format!("{name}: {:?} in {dialect:?}", chunks.iter().map(|c| c.escape_ascii().to_string()));
    assert_eq!(theirs, predicted, "{}: csv-core, and what is known of it: {reasons:?}", shown());
    let ours = read_ours(dialect, chunks);
    match ours == (theirs, None) {
        true => vec![],
        false => {
            assert!(!reasons.is_empty(), "{}: differs for no reason: {ours:?}", shown());
            reasons
        }
    }
}

/// The expected result of `csv-core`: the machine's, changed by each divergence that applies.
fn predict(dialect: &Dialect, chunks: &[&[u8]]) -> (Rows, Vec<Divergence>) {
    let mut reasons = Vec::new();
    let until = chunks.iter().position(|chunk| chunk.is_empty()).unwrap_or(chunks.len());
    if until < chunks.len() {
        reasons.push(Divergence::EmptyChunk);
    }
    let input = chunks[..until].concat();
    let mut input = &input[..];
    if until > 0 && chunks[0] == BOM {
        reasons.push(Divergence::BomChunk);
        input = &[];
    }
    if let Some(rest) = input.strip_prefix(BOM) {
        match chunks[0].len() < BOM.len() {
            true => reasons.push(Divergence::BomCut),
            false => input = rest,
        }
    }
    let machine = Machine::new(dialect);
    let mut state = State::StartRecord;
    for (at, &byte) in input.iter().enumerate() {
        state = machine.step(state, byte).0;
        if state == State::Comment && !knows_lf(dialect) {
            reasons.push(Divergence::CommentWithoutEnd);
            input = &input[..at];
            break;
        }
    }
    let mut rows: Rows = scan(dialect, input)
        .into_iter()
        .map(|record| record.fields.into_iter().map(|field| Some(field.copied)).collect())
        .collect();
    match state {
        State::Comment => {
            reasons.push(Divergence::CommentAtEnd);
            rows.push(vec![Some(vec![])]);
        }
        State::Quoted | State::AfterEscape => reasons.push(Divergence::UnclosedQuote),
        _ => {}
    }
    (rows, reasons)
}

/// Whether LF is one of the bytes that `csv-core`'s table distinguishes.
fn knows_lf(dialect: &Dialect) -> bool {
    let lf = Some(b'\n');
    dialect.terminator().is(b'\n')
        || dialect.delimiter() == b'\n'
        || dialect.quote() == lf
        || dialect.escape() == lf
}

fn read_ours(dialect: &Dialect, chunks: &[&[u8]]) -> (Rows, Option<Kind>) {
    let backend = *Backend::available().last().expect("swar is always there");
    let outcome =
        read(&Setup::free(dialect.clone()), backend, chunks, usize::MAX).expect("the parser keeps its word");
    (outcome.rows.into_iter().map(|row| row.values).collect(), outcome.failure.map(|failure| failure.kind))
}

fn read_csv_core(dialect: &Dialect, chunks: &[&[u8]]) -> Rows {
    let mut reader = reader(dialect);
    let len: usize = chunks.iter().map(|chunk| chunk.len()).sum();
    let (mut output, mut ends) = (vec![0; len + 1], vec![0; len + 2]);
    let (mut written, mut fields) = (0, 0);
    let mut rows = Vec::new();
    for chunk in chunks.iter().chain([&&[][..]]) {
        let mut rest = *chunk;
        loop {
            let (result, taken, more, more_fields) =
                reader.read_record(rest, &mut output[written..], &mut ends[fields..]);
            rest = &rest[taken..];
            written += more;
            fields += more_fields;
            match result {
                ReadRecordResult::InputEmpty => break,
                ReadRecordResult::Record => {
                    let starts = [0].into_iter().chain(ends.iter().copied());
                    let values =
                        starts.zip(&ends[..fields]).map(|(from, &to)| Some(output[from..to].to_vec()));
                    rows.push(values.collect());
                    (written, fields) = (0, 0);
                    if rest.is_empty() && !chunk.is_empty() {
                        break;
                    }
                }
                ReadRecordResult::End => return rows,
                full => panic!("{full:?}, but there is room for all"),
            }
        }
    }
    panic!("csv-core never came to an end");
}

/// The dialect without the options that `csv-core` leaves to its callers.
fn plain(dialect: &Dialect) -> Dialect {
    dialect
        .to_builder()
        .with_header(false)
        .with_trim(Trim::None)
        .build()
        .expect("no byte gets a second meaning")
}

fn listed() -> Vec<Table> {
    let text = std::fs::read_to_string(testdata("divergences.toml")).expect("the list can be read");
    let list: Table = text.parse().unwrap_or_else(|e| panic!("divergences.toml: {e}"));
    assert_keys("divergences.toml", &list, &["divergence"]);
    let entries = list["divergence"].as_array().expect("[[divergence]]");
    entries.iter().map(|entry| entry.as_table().expect("[[divergence]]").clone()).collect()
}

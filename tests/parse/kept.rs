//! The parts that are kept of records that are too long to be held, and a check of one input, which
//! the fuzz target calls too.

use datafusion_csv_stream::internal::{Action, Machine, State};
use datafusion_csv_stream::internal::{BOM, CutFields};
use datafusion_csv_stream::parse::{FieldCount, Parser};
use datafusion_csv_stream::simd::Backend;

use crate::check::{Cuts, HEAD, read_with, setup};
use crate::oracle::{Failure, Field, Kind, Outcome, Row, Scanned, Setup, scan};

/// The number of bytes of an input to the check that choose how the other bytes are read: those of
/// the [other checks](HEAD), and two.
const CUT_HEAD: usize = HEAD + 2;

/// The rows of an input, and the errors with which it may end. If two things are wrong with a
/// record, either error is right.
#[derive(Debug)]
pub struct Expected {
    pub rows: Vec<Row>,
    pub failures: Vec<Failure>,
    /// The number of records of which something is cut.
    pub cut_records: usize,
}

/// Reads bytes whole, in single bytes, and cut as the first of them say. These also choose how much
/// is held of a record.
pub fn check_cut_fields(bytes: &[u8]) {
    let Some((head, input)) = bytes.split_first_chunk::<CUT_HEAD>() else {
        return;
    };
    let [.., cuts, held, fields] = *head;
    let held_bytes = usize::from(held) / 2 + 1;
    let setup = setup([head[0], head[1], head[2], cuts]);
    // The limit of a held record is lower than that of a record.
    let setup = Setup { max_record_bytes: held_bytes + setup.max_record_bytes, ..setup };
    let columns = (fields >= 128).then(|| (0..3).map(|column| fields >> (4 + column) & 1 == 1).collect());
    let whole_bytes = if fields & 64 == 0 { held_bytes } else { held_bytes / 3 };
    let cut = CutFields { whole_bytes, held_bytes, max_value_bytes: usize::from(fields & 15), columns };
    let expected = expect(&setup, &cut, input);
    let backend = *Backend::available().last().expect("swar is always there");
    for cuts in [Cuts::whole(), Cuts::every(1), Cuts::random(cuts, input.len())] {
        assert_kept(&setup, &cut, backend, input, &cuts, &expected);
    }
}

/// Fails, with everything that is needed to find the cause, if reading `input` doesn't give what is
/// expected.
pub fn assert_kept(
    setup: &Setup,
    cut: &CutFields,
    backend: Backend,
    input: &[u8],
    cuts: &Cuts,
    expected: &Expected,
) {
    let shown = || {
        format!(
            "\n  input \"{}\"\n  {}, {cuts:?}\n  {setup:?}\n  {cut:?}\n  expected one of {:?}",
            input.escape_ascii(),
            backend.name(),
            expected.failures
        )
    };
    let Setup { dialect, field_count, max_record_bytes } = setup;
    let parser = Parser::new(dialect, *field_count, *max_record_bytes)
        .with_backend(backend)
        .with_cut_fields(Some(cut.clone()));
    let found = match read_with(parser, &cuts.chunks(input), usize::MAX) {
        Ok(found) => found,
        Err(broken) => panic!("{broken}{}", shown()),
    };
    // A record that is not longer than the limit may be cut or not.
    let found = Outcome { rows: comparable(found.rows, cut), ..found };
    let rows = Outcome { rows: comparable(expected.rows.clone(), cut), failure: found.failure.clone() };
    assert!(found == rows, "{}{}", found.difference(&rows), shown());
    match &found.failure {
        None => assert!(expected.failures.is_empty(), "no error{}", shown()),
        Some(failure) => assert!(expected.failures.contains(failure), "{failure:?}{}", shown()),
    }
}

/// The rows with values that are too long cut after the first byte too many. The bytes after that
/// make no difference.
fn comparable(mut rows: Vec<Row>, cut: &CutFields) -> Vec<Row> {
    for (column, value) in rows.iter_mut().flat_map(|row| row.values.iter_mut().enumerate()) {
        if let Some(value) = value.as_mut().filter(|_| may_be_cut(cut, column)) {
            value.truncate(cut.max_value_bytes + 1);
        }
    }
    rows
}

fn may_be_cut(cut: &CutFields, column: usize) -> bool {
    cut.columns.as_ref().is_none_or(|columns| columns.get(column) == Some(&true))
}

/// The expected result, computed in the simplest way.
pub fn expect(setup: &Setup, cut: &CutFields, input: &[u8]) -> Expected {
    let bom = if input.starts_with(BOM) { BOM.len() } else { 0 };
    let input = &input[bom..];
    let mut expected = Expected { rows: vec![], failures: vec![], cut_records: 0 };
    let first = u64::from(!setup.dialect.has_header());
    for (number, record) in (first..).zip(scan(&setup.dialect, input)) {
        let (byte, line) = ((bom + record.start) as u64, record.lines_before + 1);
        let is_long = raw_bytes(&record.fields) > cut.held_bytes;
        let may_be_cut = is_long && number > 0 && record.fields.len() <= width(setup);
        let fields: Vec<Field> = match may_be_cut {
            true => {
                let fields = record.fields.iter().enumerate();
                fields.map(|(column, field)| kept(setup, cut, column, field)).collect()
            }
            false => record.fields.clone(),
        };
        let kinds = failures(setup, cut, &record, &fields, input);
        if kinds.is_empty() {
            if number > 0 {
                let values = setup.values(&fields);
                expected.cut_records += usize::from(fields != record.fields);
                expected.rows.push(Row { byte, line, record: number, values });
            }
            continue;
        }
        let failure = |kind| Failure { kind, byte, line, record: number };
        expected.failures = kinds.into_iter().map(failure).collect();
        break;
    }
    expected
}

fn failures(setup: &Setup, cut: &CutFields, record: &Scanned, fields: &[Field], input: &[u8]) -> Vec<Kind> {
    let mut kinds = Vec::new();
    let (raw, limit) = (raw_bytes(&record.fields), setup.max_record_bytes);
    if raw > limit {
        // The error describes the bytes up to the limit and one more, or only up to the limit if
        // nothing has been cut.
        let seen = |bytes| &input[record.start..input.len().min(record.start + bytes)];
        kinds.extend([limit, limit + 1].map(|bytes| setup.too_long(seen(bytes))));
    }
    if raw_bytes(fields) > cut.held_bytes {
        kinds.push(Kind::RecordTooLarge { limit: cut.held_bytes });
    }
    let alone = Setup { max_record_bytes: usize::MAX >> 1, ..setup.clone() };
    let end = record.start + raw + 1;
    // A BOM is put before the record, so that the record's own first bytes are not taken for one.
    let alone = alone.expect(&[BOM, &input[record.start..input.len().min(end)]].concat()).failure;
    // The end of a record that is too long is not reached, unless it is too long by one byte only.
    // Too many fields may be noticed before that.
    let is_seen = raw <= limit + 1 && raw_bytes(fields) <= cut.held_bytes + 1;
    if is_seen || record.fields.len() > width(setup) {
        kinds.extend(alone.map(|failure| failure.kind));
    }
    kinds
}

/// The part that is kept of a field: its shortest prefix with a value that is too long.
fn kept(setup: &Setup, cut: &CutFields, column: usize, field: &Field) -> Field {
    if !may_be_cut(cut, column) {
        return field.clone();
    }
    let machine = Machine::new(&setup.dialect);
    let mut parts = (0..=field.raw.len()).map(|len| {
        let mut state = State::StartField;
        let mut copied = Vec::new();
        for &byte in &field.raw[..len] {
            let (next, action) = machine.step(state, byte);
            if action == Action::Copy {
                copied.push(byte);
            }
            state = next;
        }
        Field { raw: field.raw[..len].to_vec(), copied }
    });
    let is_long = |part: &Field| setup.value(part).len() > cut.max_value_bytes;
    parts.find(is_long).unwrap_or_else(|| field.clone())
}

/// The most fields of a record.
fn width(setup: &Setup) -> usize {
    match setup.field_count {
        FieldCount::Any => usize::MAX,
        FieldCount::Exactly(width) | FieldCount::UpTo(width) => width,
    }
}

fn raw_bytes(fields: &[Field]) -> usize {
    fields.iter().map(|field| field.raw.len() + 1).sum::<usize>() - 1
}

//! Records that are too long to be held: what is cut, what is kept, and where they start.

use datafusion_csv_stream::dialect::Dialect;
use datafusion_csv_stream::error::ErrorKind;
use datafusion_csv_stream::parse::reference::{Action, Machine, State};
use datafusion_csv_stream::parse::{BOM, Backend, CutFields, FieldCount, Parser, Step};

use crate::check::{Cuts, dialects, read_with};
use crate::oracle::{Failure, Field, Kind, Outcome, Row, Scanned, Setup, Value, scan};
use crate::rng::Rng;

#[test]
fn every_cut_of_generated_records_gives_what_is_kept_of_them() {
    let dialects = dialects();
    let mut rng = Rng::new(40_000_000);
    let (mut cut_records, mut refused) = (0, 0);
    for round in 0..3000 {
        let dialect = &dialects[round % dialects.len()];
        let width = rng.below(4) + 1;
        let field_count = match rng.below(3) {
            0 => FieldCount::Any,
            1 => FieldCount::Exactly(width),
            _ => FieldCount::UpTo(width),
        };
        let held_bytes = rng.below(80) + 10;
        let setup =
            Setup { dialect: dialect.clone(), field_count, max_record_bytes: held_bytes + rng.below(400) };
        let cut = CutFields {
            held_bytes,
            max_value_bytes: rng.below(12),
            columns: (rng.once_in(2)).then(|| (0..width).map(|_| rng.below(4) > 0).collect()),
        };
        let input = generate(&mut rng, dialect, width);
        let expected = expect(&setup, &cut, &input);
        cut_records += expected.cut_records;
        refused += usize::from(!expected.failures.is_empty());
        let backends = Backend::available();
        let backend = backends[round % backends.len()];
        for cuts in [
            Cuts::whole(),
            Cuts::every(1),
            Cuts::every(held_bytes),
            Cuts::random(rng.below(256) as u8, input.len()),
        ] {
            let parser =
                Parser::with_backend(&setup.dialect, setup.field_count, setup.max_record_bytes, backend)
                    .with_cut_fields(Some(cut.clone()));
            let found = read_with(parser, &cuts.chunks(&input), usize::MAX).expect("a contract is kept");
            let shown = || {
                format!(
                    "\n  input \"{}\"\n  {}, {cuts:?}\n  {setup:?}\n  {cut:?}\n  expected one of {:?}",
                    input.escape_ascii(),
                    backend.name(),
                    expected.failures
                )
            };
            let rows = Outcome { rows: expected.rows.clone(), failure: found.failure.clone() };
            assert!(found == rows, "{}{}", found.difference(&rows), shown());
            match &found.failure {
                None => assert!(expected.failures.is_empty(), "no error{}", shown()),
                Some(failure) => assert!(expected.failures.contains(failure), "{failure:?}{}", shown()),
            }
        }
    }
    assert!(cut_records > 1000 && refused > 500, "{cut_records} records cut, {refused} inputs refused");
}

/// What is held is no more than may be, however long the field is, and what follows it has its place.
#[test]
fn a_field_of_40_mb_takes_no_more_room_than_it_may() {
    const FIELD_BYTES: usize = 40_000_000;
    const HELD_BYTES: usize = 100_000;
    let dialect = Dialect::builder().has_header(false).build().expect("no byte has two meanings");
    for (start, fill, end) in [("1,", "x", ",2\n"), ("1,\"", "\"\"", "\",2\n"), ("1,\"a", "\r\nb,", "\",2\n")]
    {
        let mut input = start.as_bytes().to_vec();
        input.extend(fill.as_bytes().iter().cycle().take(FIELD_BYTES));
        input.extend_from_slice(end.as_bytes());
        let second = input.len() as u64;
        input.extend_from_slice(b"3,four,5\n");
        let lines = if fill.contains('\n') { (FIELD_BYTES / fill.len()) as u64 } else { 0 };
        for chunk_bytes in [1000, 256 << 10] {
            let cut = CutFields { held_bytes: HELD_BYTES, max_value_bytes: 10, columns: None };
            let mut parser = Parser::new(&dialect, FieldCount::Exactly(3), 64 << 20)
                .expect("the environment forces no back end that is not there")
                .with_cut_fields(Some(cut));
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
                        let position = records.position(record, None);
                        found.push((
                            position.byte,
                            position.line,
                            value,
                            records.raw(record, 2).unwrap().to_vec(),
                        ));
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
            // An index, which is small here, beside the record.
            assert!(most < 2 * HELD_BYTES, "{most} bytes held, chunks of {chunk_bytes}");
        }
    }
}

#[test]
fn the_header_is_not_cut() {
    let cut = CutFields { held_bytes: 20, max_value_bytes: 4, columns: None };
    let parser = || {
        Parser::new(&Dialect::default(), FieldCount::Any, 1 << 20)
            .expect("the environment forces no back end that is not there")
            .with_cut_fields(Some(cut.clone()))
    };
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

/// What an input gives, and which errors it may end with: where two things are wrong with a record, either.
struct Expected {
    rows: Vec<Row>,
    failures: Vec<Failure>,
    cut_records: usize,
}

/// What has to come out, by the plainest way.
fn expect(setup: &Setup, cut: &CutFields, input: &[u8]) -> Expected {
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
                fields.map(|(column, field)| kept(&setup.dialect, cut, column, field)).collect()
            }
            false => record.fields.clone(),
        };
        let mut kinds = failures(setup, cut, &record, &fields, input);
        if kinds.is_empty() {
            if number > 0 {
                let values = values(setup, &fields);
                expected.cut_records += usize::from(fields != record.fields);
                expected.rows.push(Row { byte, line, record: number, values });
            }
            continue;
        }
        let failures = kinds.drain(..).map(|kind| Failure { kind, byte, line, record: number });
        expected.failures = failures.collect();
        break;
    }
    expected
}

fn failures(setup: &Setup, cut: &CutFields, record: &Scanned, fields: &[Field], input: &[u8]) -> Vec<Kind> {
    let mut kinds = Vec::new();
    let (raw, limit) = (raw_bytes(&record.fields), setup.max_record_bytes);
    if raw > limit {
        let machine = Machine::new(&setup.dialect);
        let seen = &input[record.start..input.len().min(record.start + limit + 1)];
        let state = seen.iter().fold(State::StartRecord, |state, &byte| machine.step(state, byte).0);
        let in_quotes = matches!(state, State::Quoted | State::AfterEscape);
        kinds.push(Kind::RecordTooLong { limit, in_quotes });
    }
    if raw_bytes(fields) > cut.held_bytes {
        kinds.push(Kind::RecordTooLarge { limit: cut.held_bytes });
    }
    let alone = Setup { max_record_bytes: usize::MAX >> 1, ..setup.clone() };
    let end = record.start + raw + 1;
    // Behind a BOM, so that its own first bytes are none.
    let alone = alone.expect(&[BOM, &input[record.start..input.len().min(end)]].concat()).failure;
    // Of one that is too long the end is not waited for, unless it is by one byte, or fields too many are noticed first.
    let is_seen = raw <= limit + 1 && raw_bytes(fields) <= cut.held_bytes + 1;
    if is_seen || record.fields.len() > width(setup) {
        kinds.extend(alone.map(|failure| failure.kind));
    }
    kinds
}

/// What is kept of a field: the shortest part of it, from its start, with a value that is too long.
fn kept(dialect: &Dialect, cut: &CutFields, column: usize, field: &Field) -> Field {
    if cut.columns.as_ref().is_some_and(|columns| columns.get(column) != Some(&true)) {
        return field.clone();
    }
    let machine = Machine::new(dialect);
    let parts = (0..=field.raw.len()).map(|len| {
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
    let is_long = |part: &Field| match dialect.trim().fields() {
        true => part.copied.trim_ascii().len() > cut.max_value_bytes,
        false => part.copied.len() > cut.max_value_bytes,
    };
    let mut parts = parts;
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

fn values(setup: &Setup, fields: &[Field]) -> Vec<Value> {
    let trimmed = |field: &Field| match setup.dialect.trim().fields() {
        true => field.copied.trim_ascii().to_vec(),
        false => field.copied.clone(),
    };
    let mut values: Vec<Value> = fields.iter().map(|field| Some(trimmed(field))).collect();
    if let FieldCount::UpTo(width) = setup.field_count {
        values.resize(width, None);
    }
    values
}

/// Records of mostly `width` fields, some of them long, of all bytes that mean something.
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
            datafusion_csv_stream::dialect::Terminator::Byte(byte) => byte,
            datafusion_csv_stream::dialect::Terminator::CrLf => rng.pick(b"\n\r"),
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

//! Checks of one input: every way to read it has to give the [oracle](crate::oracle)'s result.
//!
//! [`check_chunks`] and [`check_backends`] take bare bytes, the first of which choose dialect,
//! limits and cuts. The fuzz targets call them too.

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::error::Error;
use datafusion_csv_stream::grammar::{Terminator, Trim};
use datafusion_csv_stream::parse::{FieldCount, Parser, Records, Step};
use datafusion_csv_stream::simd::Backend;

use crate::oracle::{Failure, Outcome, Row, Setup};

/// The number of bytes of an input to the two checks that choose how the other bytes are read.
pub const HEAD: usize = 4;

/// Reads the same bytes whole, in single bytes, and cut as the head says, with the fastest back
/// end.
pub fn check_chunks(bytes: &[u8]) {
    let Some((head, input)) = bytes.split_first_chunk::<HEAD>() else {
        return;
    };
    let setup = setup(*head);
    let backend = *Backend::available().last().expect("swar is always there");
    let expected = setup.expect(input);
    for max_records in [1, usize::MAX] {
        assert_same(&setup, backend, input, &Cuts::whole(), max_records, &expected);
        assert_same(&setup, backend, input, &Cuts::every(1), max_records, &expected);
        assert_same(&setup, backend, input, &Cuts::random(head[3], input.len()), max_records, &expected);
    }
}

/// Reads the same bytes with every back end.
pub fn check_backends(bytes: &[u8]) {
    let Some((head, input)) = bytes.split_first_chunk::<HEAD>() else {
        return;
    };
    let setup = setup(*head);
    let expected = setup.expect(input);
    for backend in Backend::available() {
        for cuts in [Cuts::whole(), Cuts::random(head[3], input.len())] {
            assert_same(&setup, backend, input, &cuts, usize::MAX, &expected);
        }
    }
}

/// The setup that the first bytes of an input to a check choose.
pub fn setup(head: [u8; HEAD]) -> Setup {
    let dialects = dialects();
    let width = usize::from(head[1] >> 4) % 4 + 1;
    let field_count = match head[1] & 3 {
        0 | 1 => FieldCount::Any,
        2 => FieldCount::Exactly(width),
        _ => FieldCount::UpTo(width),
    };
    let max_record_bytes = match head[2] {
        0..=127 => 1 << 30,
        limit => usize::from(limit) - 127,
    };
    Setup { dialect: dialects[usize::from(head[0]) % dialects.len()].clone(), field_count, max_record_bytes }
}

/// Dialects that together have every option, and bytes at both ends of their range.
pub fn dialects() -> Vec<Dialect> {
    let plain = || Dialect::builder().with_header(false);
    [
        plain(),
        Dialect::builder(),
        plain().with_comment(b'#'),
        plain().with_escape(b'\\'),
        plain().with_escape(b'\\').with_double_quote(false),
        plain().with_double_quote(false),
        plain().with_quote(None),
        plain().with_quote(None).with_comment(b'#'),
        plain().with_quote(b'\'').with_delimiter(b';').with_comment(b'"'),
        plain().with_terminator(Terminator::Byte(b'\n')),
        plain().with_terminator(Terminator::Byte(b'\r')).with_comment(b'#'),
        plain().with_terminator(Terminator::Byte(b';')).with_comment(b'#').with_escape(b'\\'),
        plain().with_delimiter(b'\n').with_terminator(Terminator::Byte(b';')),
        plain().with_delimiter(0).with_quote(0xff).with_escape(0x80),
        plain().with_delimiter(0x7f).with_terminator(Terminator::Byte(0)).with_comment(0xff),
        plain().with_delimiter(0xef).with_quote(0xbb).with_escape(0xbf),
        plain().with_quote(0xef).with_terminator(Terminator::Byte(0xbb)),
        plain().with_comment(0xef).with_terminator(Terminator::Byte(0xbf)),
        plain().with_trim(Trim::Fields),
        Dialect::builder().with_trim(Trim::All).with_comment(b'#').with_escape(b'\\'),
    ]
    .map(|builder| builder.build().expect("no byte has two meanings"))
    .into()
}

/// The places at which an input is cut into chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cuts {
    at: Vec<usize>,
    /// A cut after each of this many bytes, in addition to `at`.
    every: Option<usize>,
    /// Whether there is an empty chunk before each chunk and after the last.
    empty: bool,
}

impl Cuts {
    pub fn whole() -> Self {
        Cuts { at: vec![], every: None, empty: false }
    }

    /// Cuts at these places, which are in ascending order.
    pub fn at(at: &[usize]) -> Self {
        Cuts { at: at.to_vec(), every: None, empty: false }
    }

    pub fn every(bytes: usize) -> Self {
        Cuts { at: vec![], every: Some(bytes), empty: false }
    }

    pub fn with_empty_chunks(self) -> Self {
        Cuts { empty: true, ..self }
    }

    /// Cuts of an input of `len` bytes, with empty chunks in half of all cases.
    pub fn random(seed: u8, len: usize) -> Self {
        let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let longest = 1 + usize::from(seed) % 97;
        let mut at = Vec::new();
        let mut next = 0;
        while next < len {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            next += (state >> 33) as usize % longest + 1;
            at.push(next.min(len));
        }
        Cuts { at, every: None, empty: seed & 1 == 1 }
    }

    pub fn chunks<'a>(&self, input: &'a [u8]) -> Vec<&'a [u8]> {
        let mut chunks = Vec::new();
        let mut push = |chunk: &'a [u8]| {
            if self.empty {
                chunks.push(&[][..]);
            }
            chunks.push(chunk);
        };
        match self.every {
            Some(bytes) => input.chunks(bytes).for_each(push),
            None => {
                let mut from = 0;
                for &to in self.at.iter().chain([&input.len()]) {
                    push(&input[from..to]);
                    from = to;
                }
            }
        }
        if self.empty {
            chunks.push(&[]);
        }
        chunks
    }
}

/// Reads `input` with the parser.
pub fn read(
    setup: &Setup,
    backend: Backend,
    chunks: &[&[u8]],
    max_records: usize,
) -> Result<Outcome, String> {
    let Setup { dialect, field_count, max_record_bytes } = setup;
    read_with(
        Parser::new(dialect, *field_count, *max_record_bytes).with_backend(backend),
        chunks,
        max_records,
    )
}

/// Reads with a parser that has read nothing yet.
pub fn read_with(parser: Parser, chunks: &[&[u8]], max_records: usize) -> Result<Outcome, String> {
    let mut rows = Vec::new();
    let failure = match read_into(parser, chunks, max_records, &mut rows)? {
        Ok(()) => None,
        Err(error) => Some(Failure::from(&error)),
    };
    Ok(Outcome { rows, failure })
}

/// Fails, with everything that is needed to find the cause, if reading `input` doesn't give
/// `expected`.
pub fn assert_same(
    setup: &Setup,
    backend: Backend,
    input: &[u8],
    cuts: &Cuts,
    max_records: usize,
    expected: &Outcome,
) {
    let shown = || {
        let Setup { dialect, field_count, max_record_bytes } = setup;
        format!(
            "\n  input \"{}\"\n  back end {}, {cuts:?}, max_records {max_records}\n  {field_count:?}, max_record_bytes \
             {max_record_bytes}\n  {dialect:?}",
            input.escape_ascii(),
            backend.name()
        )
    };
    match read(setup, backend, &cuts.chunks(input), max_records) {
        Ok(found) => assert!(found == *expected, "{}{}", found.difference(expected), shown()),
        Err(broken) => panic!("{broken}{}", shown()),
    }
}

/// Reads all chunks. The outer error is a contract that the parser has broken.
fn read_into(
    mut parser: Parser,
    chunks: &[&[u8]],
    max_records: usize,
    rows: &mut Vec<Row>,
) -> Result<Result<(), Error>, String> {
    for &chunk in chunks {
        let mut rest = chunk;
        loop {
            let (taken, step) = match parser.next(rest, max_records) {
                Ok(step) => step,
                Err(error) => return Ok(Err(error)),
            };
            match step {
                Step::NeedInput if taken != rest.len() => {
                    return Err(format!(
                        "input is needed, but only {taken} of {} bytes are taken",
                        rest.len()
                    ));
                }
                Step::NeedInput => break,
                Step::Records(records) if records.is_empty() => return Err("no record in a step".into()),
                Step::Records(records) if records.len() > max_records => {
                    return Err(format!("{} records, asked for {max_records}", records.len()));
                }
                Step::Records(records) => push_rows(&records, rows)?,
            }
            rest = &rest[taken..];
        }
    }
    match parser.finish() {
        Ok(last) => last.map_or(Ok(()), |records| push_rows(&records, rows))?,
        Err(error) => return Ok(Err(error)),
    }
    match parser.finish() {
        Ok(None) => Ok(Ok(())),
        Ok(Some(_)) => Err("a second finish gives a record".into()),
        Err(error) => Err(format!("a second finish gives an error: {error}")),
    }
}

/// Pushes the values of all fields, after comparing the other views of the same records with them.
fn push_rows(records: &Records<'_>, rows: &mut Vec<Row>) -> Result<(), String> {
    let unescape = records.unescape();
    let mut scratch = Vec::new();
    for record in 0..records.len() {
        let fields = records.field_count(record);
        if records.width().is_some_and(|width| width != fields) {
            return Err(format!("{fields} fields, and a width of {:?}", records.width()));
        }
        let raw: Vec<_> = (0..fields).map(|field| records.raw(record, field)).collect();
        if records.width().is_some() {
            for (column, &raw) in raw.iter().enumerate() {
                if records.column(column).raw(record) != raw {
                    return Err(format!("column {column} and record {record} disagree"));
                }
            }
        }
        let present: Vec<_> = raw.iter().flatten().collect();
        let bytes = present.iter().map(|raw| raw.len() + 1).sum::<usize>() - 1;
        if records.record(record).len() != bytes {
            return Err(format!("record {record} is not as long as its fields"));
        }
        let one = records.slice(record..record + 1);
        if (0..fields).any(|field| one.raw(0, field) != raw[field]) {
            return Err(format!("a slice of record {record} has other fields"));
        }
        let place = records.place(record, None);
        if one.place(0, None) != place {
            return Err(format!("a slice of record {record} has another position"));
        }
        let values =
            raw.iter().map(|raw| raw.map(|raw| unescape.value(raw, &mut scratch).to_vec())).collect();
        rows.push(Row { byte: place.byte, line: place.line, record: place.record, values });
    }
    Ok(())
}

//! Generated inputs: tables whose values are known because they were written from them, and soup.

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::grammar::Terminator;
use datafusion_csv_stream::internal::BOM;
use datafusion_csv_stream::parse::FieldCount;
use datafusion_csv_stream::simd::Backend;

use crate::check::{Cuts, HEAD, assert_same, check_backends, check_chunks, dialects, setup};
use crate::oracle::{Setup, Value};
use crate::rng::Rng;
use crate::seeds::for_each_seed;
use crate::unescape::for_each_text;

#[test]
fn what_was_written_is_read() {
    for_each_seed(6_000, |rng| {
        let shape = Shape { records: rng.below(12), fields: 1 + rng.below(5), bytes: 9 };
        let dialect = rng.pick(&writable_dialects());
        let written = Written::new(rng, dialect, shape);
        written.assert_read(rng);
    });
}

#[test]
fn long_values_are_read_across_blocks() {
    for_each_seed(400, |rng| {
        let shape = Shape { records: 1 + rng.below(12), fields: 1 + rng.below(4), bytes: 300 };
        let dialect = rng.pick(&writable_dialects());
        let written = Written::new(rng, dialect, shape);
        written.assert_read(rng);
    });
}

/// Values longer than the groups of blocks that are looked at together, mostly without a byte that
/// has a meaning.
#[test]
fn very_long_values_are_read() {
    for_each_seed(60, |rng| {
        let shape = Shape { records: 1 + rng.below(6), fields: 1 + rng.below(3), bytes: 3000 };
        let dialect = rng.pick(&writable_dialects());
        let written = Written::new(rng, dialect, shape);
        written.assert_read(rng);
    });
}

/// More fields than the index takes at once: in many records, and in one.
#[test]
fn many_fields_are_read() {
    for_each_seed(2, |rng| {
        for (records, fields) in [(9_000, 4), (30, 3_000), (2, 50_000)] {
            let dialect = rng.pick(&writable_dialects());
            let written = Written::new(rng, dialect, Shape { records, fields, bytes: 4 });
            written.assert_read(rng);
        }
    });
}

#[test]
fn soup_is_read_as_the_machine_reads_it() {
    for_each_seed(20_000, |rng| {
        let bytes = head_and_soup(rng);
        check_chunks(&bytes);
        check_backends(&bytes);
    });
}

#[test]
fn every_short_text_reads_the_same_however_it_is_cut() {
    let backends = Backend::available();
    for dialect in dialects() {
        let setup = Setup::free(dialect);
        for_each_text(&alphabet(&setup.dialect), 4, &mut |text| {
            let expected = setup.expect(text);
            for &backend in &backends {
                for max_records in [1, usize::MAX] {
                    assert_same(&setup, backend, text, &Cuts::whole(), max_records, &expected);
                }
            }
            for at in 1..text.len() {
                assert_same(&setup, backends[0], text, &Cuts::at(&[at]), 1, &expected);
            }
        });
    }
}

/// The size of a table.
#[derive(Debug, Clone, Copy)]
struct Shape {
    records: usize,
    fields: usize,
    /// The length of the longest value.
    bytes: usize,
}

/// A table in a file.
struct Written {
    dialect: Dialect,
    bytes: Vec<u8>,
    values: Vec<Vec<Value>>,
    /// The starts of all records.
    starts: Vec<u64>,
}

impl Written {
    /// Writes random values, each in one of the forms that the dialect allows.
    fn new(rng: &mut Rng, dialect: Dialect, shape: Shape) -> Self {
        let mut written = Written { dialect, bytes: vec![], values: vec![], starts: vec![] };
        let line_ends: &[&[u8]] = match (written.dialect.terminator(), rng.below(4)) {
            (Terminator::Byte(byte), _) => &[&[byte]],
            (Terminator::CrLf, 0) => &[b"\n"],
            (Terminator::CrLf, 1) => &[b"\r\n"],
            (Terminator::CrLf, 2) => &[b"\r"],
            (Terminator::CrLf, _) => &[b"\n", b"\r\n", b"\r"],
            (other, _) => panic!("{other:?} has no test yet"),
        };
        if rng.once_in(4) {
            written.bytes.extend_from_slice(BOM);
        }
        let is_spaced = rng.once_in(3);
        for record in 0..shape.records {
            written.space(rng, line_ends, is_spaced);
            written.starts.push(written.bytes.len() as u64);
            let values = (0..shape.fields).map(|_| value(rng, &written.dialect, shape.bytes)).collect();
            written.record(rng, values);
            if record + 1 < shape.records || !rng.once_in(3) {
                written.bytes.extend_from_slice(rng.pick(line_ends));
                written.space(rng, line_ends, is_spaced);
            }
        }
        written
    }

    /// Checks that every way to read the table gives its values.
    fn assert_read(&self, rng: &mut Rng) {
        let field_count = match (self.values.first(), rng.below(3)) {
            (Some(record), 0) => FieldCount::Exactly(record.len()),
            (Some(record), 1) => FieldCount::UpTo(record.len()),
            _ => FieldCount::Any,
        };
        let setup = Setup { field_count, ..Setup::free(self.dialect.clone()) };
        let expected = setup.expect(&self.bytes);
        let text = self.bytes.escape_ascii();
        assert_eq!(expected.failure, None, "\"{text}\" in {:?}", self.dialect);
        let values: Vec<_> = expected.rows.iter().map(|row| row.values.clone()).collect();
        assert!(values == self.values, "\"{text}\" in {:?}\n  got {expected:?}", self.dialect);
        let starts: Vec<_> = expected.rows.iter().map(|row| row.byte).collect();
        assert_eq!(starts, self.starts, "\"{text}\" in {:?}", self.dialect);

        let seed = rng.next() as u8;
        for backend in Backend::available() {
            for max_records in [1 + rng.below(3), usize::MAX] {
                for cuts in
                    [Cuts::whole(), Cuts::random(seed, self.bytes.len()), Cuts::every(1 + rng.below(80))]
                {
                    assert_same(&setup, backend, &self.bytes, &cuts, max_records, &expected);
                }
            }
        }
    }

    /// Writes blank lines and comments.
    fn space(&mut self, rng: &mut Rng, line_ends: &[&[u8]], is_spaced: bool) {
        while is_spaced && rng.once_in(2) {
            match self.dialect.comment() {
                Some(comment) if rng.once_in(2) => {
                    self.bytes.push(comment);
                    let text = raw_value(rng, &self.dialect, 20);
                    self.bytes.extend(text.into_iter().filter(|&byte| byte != b'\n'));
                    self.bytes.push(b'\n');
                }
                _ => self.bytes.extend_from_slice(rng.pick(line_ends)),
            }
        }
    }

    fn record(&mut self, rng: &mut Rng, values: Vec<Vec<u8>>) {
        let is_alone = values.len() == 1;
        for (field, value) in values.iter().enumerate() {
            if field > 0 {
                self.bytes.push(self.dialect.delimiter());
            }
            self.field(rng, value, field == 0, is_alone);
        }
        self.values.push(values.into_iter().map(Some).collect());
    }

    fn field(&mut self, rng: &mut Rng, value: &[u8], is_first: bool, is_alone: bool) {
        let quote = self.dialect.quote();
        let starts_special = value.first().is_some_and(|&first| {
            Some(first) == quote || (is_first && Some(first) == self.dialect.comment())
        });
        let is_blank = is_alone && value.is_empty();
        let can_stand_bare = !starts_special && !is_blank && value.iter().all(|&byte| self.is_literal(byte));
        let Some(quote) = quote.filter(|_| !can_stand_bare || rng.once_in(2)) else {
            assert!(can_stand_bare, "a value without a way to write it");
            self.bytes.extend_from_slice(value);
            return;
        };
        // Text after the closing quote is literal, so the end of the value may stand there.
        let mut inside = value.len();
        if rng.once_in(8) {
            while inside > 0 && self.is_literal(value[inside - 1]) && !rng.once_in(4) {
                inside -= 1;
            }
            if self.dialect.double_quote() && value.get(inside) == Some(&quote) {
                inside = value.len();
            }
        }
        self.bytes.push(quote);
        for &byte in &value[..inside] {
            match self.dialect.escape() {
                Some(escape) if byte == escape => self.bytes.push(escape),
                Some(escape) if byte == quote && (!self.dialect.double_quote() || rng.once_in(2)) => {
                    self.bytes.push(escape)
                }
                Some(escape) if byte != quote && rng.once_in(20) => self.bytes.push(escape),
                _ if byte == quote => self.bytes.push(quote),
                _ => {}
            }
            self.bytes.push(byte);
        }
        self.bytes.push(quote);
        self.bytes.extend_from_slice(&value[inside..]);
    }

    /// Whether the byte has no special meaning outside quotes.
    fn is_literal(&self, byte: u8) -> bool {
        byte != self.dialect.delimiter() && !self.dialect.terminator().is(byte)
    }
}

/// A value that the dialect can write.
fn value(rng: &mut Rng, dialect: &Dialect, longest: usize) -> Vec<u8> {
    let mut value = raw_value(rng, dialect, longest);
    let Some(quote) = dialect.quote() else {
        value.retain(|&byte| {
            byte != dialect.delimiter() && !dialect.terminator().is(byte) && Some(byte) != dialect.comment()
        });
        value.push(b'v');
        return value;
    };
    if !dialect.double_quote() && dialect.escape().is_none() {
        value.retain(|&byte| byte != quote);
    }
    value
}

fn raw_value(rng: &mut Rng, dialect: &Dialect, longest: usize) -> Vec<u8> {
    let alphabet = alphabet(dialect);
    // In some tables nearly every byte is special, in most only few are.
    let plain = rng.pick(&[0, 3, 3, 20, 1000]);
    let len = match rng.below(3) {
        0 => 0,
        _ => rng.below(longest + 1),
    };
    (0..len)
        .map(|_| match rng.below(plain + 1) {
            0 => rng.pick(&alphabet),
            _ => b'a' + rng.below(26) as u8,
        })
        .collect()
}

/// Dialects in which any value can be written. Their bytes are not those of the BOM.
fn writable_dialects() -> Vec<Dialect> {
    let plain = || Dialect::builder().with_header(false);
    [
        plain(),
        plain().with_comment(b'#'),
        plain().with_escape(b'\\'),
        plain().with_escape(b'\\').with_double_quote(false).with_comment(b'#'),
        plain().with_double_quote(false),
        plain().with_quote(None).with_comment(b'#'),
        plain().with_quote(b'\'').with_delimiter(b';'),
        plain().with_terminator(Terminator::Byte(b'\n')),
        plain().with_terminator(Terminator::Byte(b'\r')).with_comment(b'#'),
        plain()
            .with_delimiter(0x1f)
            .with_terminator(Terminator::Byte(0x1e))
            .with_comment(b'#')
            .with_escape(b'\\'),
        plain().with_delimiter(b'\t').with_quote(0).with_terminator(Terminator::Byte(b'|')),
    ]
    .map(|builder| builder.build().expect("no byte has two meanings"))
    .into()
}

/// The bytes that have a meaning in this dialect or in another one, and some that have none.
pub fn alphabet(dialect: &Dialect) -> Vec<u8> {
    let mut alphabet = vec![dialect.delimiter(), b'\n', b'\r', b'a'];
    alphabet.extend([dialect.quote(), dialect.escape(), dialect.comment()].into_iter().flatten());
    if let Terminator::Byte(terminator) = dialect.terminator() {
        alphabet.push(terminator);
    }
    alphabet
}

/// A table of some blocks, and its dialect.
pub fn table(rng: &mut Rng) -> (Dialect, Vec<u8>) {
    let shape = Shape { records: 1 + rng.below(12), fields: 1 + rng.below(4), bytes: 100 };
    let dialect = rng.pick(&writable_dialects());
    let Written { dialect, bytes, .. } = Written::new(rng, dialect, shape);
    (dialect, bytes)
}

/// Random bytes, most of which have a meaning in the dialect with which they are read.
pub fn soup(rng: &mut Rng) -> (Setup, Vec<u8>) {
    let bytes = head_and_soup(rng);
    let (head, input) = bytes.split_first_chunk::<HEAD>().expect("there is a head");
    (setup(*head), input.to_vec())
}

/// The same, after the bytes that choose how it is read.
pub fn head_and_soup(rng: &mut Rng) -> Vec<u8> {
    let head: [u8; HEAD] = std::array::from_fn(|_| rng.next() as u8);
    let mut bytes = head.to_vec();
    let mut alphabet = alphabet(&setup(head).dialect);
    alphabet.extend([b'b', b' ', 0, 0xff]);
    if rng.once_in(3) {
        bytes.extend_from_slice(&BOM[..1 + rng.below(3)]);
    }
    let len = match rng.below(8) {
        0..4 => rng.below(16),
        4..7 => rng.below(200),
        _ => rng.below(1500),
    };
    let longest_run = rng.pick(&[1, 2, 8, 70]);
    while bytes.len() < HEAD + len {
        let byte = rng.pick(&alphabet);
        let times = match rng.below(4) {
            0 => 1 + rng.below(longest_run),
            _ => 1,
        };
        bytes.extend(std::iter::repeat_n(byte, times));
        if rng.once_in(6) {
            bytes.extend(std::iter::repeat_n(b'x', rng.below(longest_run)));
        }
    }
    bytes
}

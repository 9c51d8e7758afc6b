//! The kinds of CSV file that the tests of byte ranges cut, and generated files of each kind.

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::grammar::{DialectBuilder, Terminator};
use datafusion_csv_stream::internal::BOM;
use datafusion_csv_stream::parse::FieldCount;

use crate::rng::Rng;

/// A kind of file.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// The dialect, without a header.
    pub(crate) dialect: DialectBuilder,
    pub(crate) field_count: fn(usize) -> FieldCount,
    /// The most fields of a record.
    pub(crate) width: usize,
    /// Writes one field of a record that has this many.
    field: fn(&mut Rng, usize, &mut Vec<u8>),
    /// The strings between two records, one of which is picked.
    between: &'static [&'static str],
    /// Whether some records lack their last fields.
    has_short_rows: bool,
}

const LF: &[&str] = &["\n"];
const CR: &[&str] = &["\r"];
const CRLF: &[&str] = &["\r\n"];
const MIXED: &[&str] = &["\n", "\n", "\r\n", "\r", "\n\n", "\r\n\r\n\n"];
const COMMENTS: &[&str] =
    &["\n", "\n", "\n#\n", "\n# it's \"quoted\n", "\n#1,2,3\n#\"\n", "\n\n# \"a\",\"b\"\n"];

/// All kinds.
pub(crate) fn kinds() -> Vec<Kind> {
    let plain = || Dialect::builder().with_header(false);
    let exactly = FieldCount::Exactly;
    let up_to = FieldCount::UpTo;
    let kind = |name, field| Kind {
        name,
        dialect: plain(),
        field_count: exactly,
        width: 6,
        field,
        between: LF,
        has_short_rows: false,
    };
    vec![
        kind("numbers", number),
        Kind { width: 1, ..kind("one column of numbers", number) },
        Kind { between: MIXED, ..kind("blank lines and line ends of all kinds", number) },
        Kind { field_count: up_to, ..kind("numbers, short rows allowed", number) },
        Kind { dialect: plain().with_quote(None), ..kind("no quoting", stray) },
        kind("some words quoted", quoted_word),
        kind("quoted newlines", quoted_lines),
        Kind { between: CRLF, ..kind("quoted newlines, CRLF", quoted_lines) },
        Kind { between: CR, ..kind("quoted newlines, CR", quoted_lines) },
        Kind { width: 1, ..kind("one column of quoted newlines", quoted_lines) },
        kind("all quoted, any text", quoted_text),
        kind("a table of the same width in a field", table_in_a_field),
        kind("all empty, all quoted", |_, _, out| out.extend(b"\"\"")),
        kind("commas alone, quoted", |_, _, out| out.extend(b"\",\"")),
        kind("commas and line ends, quoted", commas_and_lines),
        Kind { dialect: plain().with_escape(b'\\'), ..kind("escapes", escaped_text) },
        Kind {
            dialect: plain().with_escape(b'\\').with_double_quote(false),
            ..kind("escapes, no doubled quotes", |rng, _, out| escaped(rng, out, false))
        },
        Kind { dialect: plain().with_comment(b'#'), between: COMMENTS, ..kind("comments", quoted_word) },
        Kind {
            dialect: plain().with_terminator(Terminator::Byte(b';')),
            between: &[";", ";", ";;"],
            ..kind("a terminator of its own", quoted_lines)
        },
        Kind {
            dialect: plain().with_comment(b'#').with_terminator(Terminator::Byte(b';')),
            between: &[";", ";", ";;", ";# \"\n", ";#;\"x;\n;"],
            ..kind("a terminator of its own, and comments", quoted_lines)
        },
        kind("stray quotes, seldom", |rng, width, out| seldom(rng, width, out, stray)),
        kind("stray quotes", stray),
        kind("a table in a field, text behind its quote", |rng, width, out| {
            table_in_a_field(rng, width, out);
            out.extend(if out.ends_with(b"\"") { &b"x"[..] } else { b"" });
        }),
        kind("ragged", |rng, width, out| seldom(rng, width, out, |_, _, out| out.extend(b"1,2"))),
        Kind { has_short_rows: true, ..kind("some rows too short", quoted_lines) },
        Kind { field_count: up_to, ..kind("quoted, short rows allowed", quoted_lines) },
        Kind { field_count: up_to, has_short_rows: true, ..kind("short rows", quoted_lines) },
        Kind { field_count: |_| FieldCount::Any, ..kind("quoted, any number of fields", quoted_lines) },
        Kind { field_count: |_| FieldCount::Any, ..kind("stray quotes, any number of fields", stray) },
    ]
}

impl Kind {
    /// A file of a header and up to `records` records of `width` fields, unless the kind sets their
    /// number.
    pub(crate) fn file(&self, rng: &mut Rng, width: usize, records: usize) -> Vec<u8> {
        let mut out = if rng.once_in(8) { BOM.to_vec() } else { vec![] };
        let names: Vec<_> = (0..width).map(|column| format!("c{column}")).collect();
        out.extend(names.join(",").bytes());
        out.extend(rng.pick(self.between).bytes());
        let records = 1 + rng.below(records);
        self.write(rng, width, records, &mut out);
        out
    }

    /// Whether `csv-core` can read the kind. A comment ends with LF, which `csv-core` doesn't find
    /// if LF isn't the terminator: a listed divergence.
    pub(crate) fn is_known_to_csv_core(&self) -> bool {
        let dialect = self.dialect.clone().build().expect("no byte has two meanings");
        dialect.comment().is_none() || dialect.terminator() == Terminator::CrLf
    }

    fn write(&self, rng: &mut Rng, width: usize, records: usize, out: &mut Vec<u8>) {
        for record in 0..records {
            if record > 0 {
                out.extend(rng.pick(self.between).bytes());
            }
            let missing = if self.has_short_rows && rng.once_in(8) { rng.below(width) } else { 0 };
            for field in 0..width - missing {
                if field > 0 {
                    out.push(b',');
                }
                (self.field)(rng, width, out);
            }
        }
        if rng.once_in(2) {
            out.extend(rng.pick(self.between).bytes());
        }
    }
}

fn number(rng: &mut Rng, _: usize, out: &mut Vec<u8>) {
    out.extend(rng.below(100_000).to_string().bytes());
}

/// One of the texts in quotes, with its own quotes doubled.
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

/// Writes a field of quoted lines, or once in a while a field of another kind.
fn seldom(rng: &mut Rng, width: usize, out: &mut Vec<u8>, field: fn(&mut Rng, usize, &mut Vec<u8>)) {
    match rng.once_in(20) {
        true => field(rng, width, out),
        false => quoted_lines(rng, width, out),
    }
}

//! `csv-core`'s reading of a whole file: an independent opinion on its records and their places.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::grammar::Terminator;
use datafusion_csv_stream::internal::BOM;

/// A file as `csv-core` reads it. The header is a record like the others.
///
/// Not for a dialect with comments and its own terminator byte: there `csv-core` finds no end of a
/// comment.
#[derive(Debug)]
pub(crate) struct Whole {
    /// All records. The last one is left out if the file ends inside its quotes.
    pub(crate) records: Vec<Record>,
    /// Whether the file ends outside quotes.
    pub(crate) is_closed: bool,
}

#[derive(Debug)]
pub(crate) struct Record {
    /// The offset of its first byte in the file.
    pub(crate) start: usize,
    /// The line in which it starts, from 1.
    pub(crate) line: u64,
    pub(crate) fields: Vec<Vec<u8>>,
}

impl Whole {
    pub(crate) fn read(dialect: &Dialect, input: &[u8]) -> Self {
        let bom = if input.starts_with(BOM) { BOM.len() } else { 0 };
        // A record is appended as a probe. It is read as the last record, unless it has become part
        // of the one before. It also ends a comment: `csv-core` takes a comment at the end of a
        // file for a record.
        let terminator = match dialect.terminator() {
            Terminator::CrLf => b'\n',
            Terminator::Byte(byte) => byte,
            other => panic!("{other:?} has no test yet"),
        };
        let text = [&input[bom..], &[terminator, b'x']].concat();
        let mut records = records(dialect, &text);
        let probe = records.pop();
        let is_closed = probe.is_some_and(|probe| probe.start == text.len() - 1);
        for record in &mut records {
            record.start += bom;
        }
        Whole { records, is_closed }
    }
}

/// `csv-core`'s reader for a dialect.
pub(crate) fn reader(dialect: &Dialect) -> Reader {
    let mut builder = ReaderBuilder::new();
    builder
        .delimiter(dialect.delimiter())
        .escape(dialect.escape())
        .double_quote(dialect.double_quote())
        .comment(dialect.comment())
        .quoting(dialect.quote().is_some())
        .terminator(match dialect.terminator() {
            Terminator::CrLf => csv_core::Terminator::CRLF,
            Terminator::Byte(byte) => csv_core::Terminator::Any(byte),
            other => panic!("{other:?} has no test yet"),
        });
    if let Some(quote) = dialect.quote() {
        builder.quote(quote);
    }
    builder.build()
}

fn records(dialect: &Dialect, input: &[u8]) -> Vec<Record> {
    let mut reader = reader(dialect);
    let (mut values, mut ends) = (vec![0; input.len() + 1], vec![0; input.len() + 2]);
    let mut records = Vec::new();
    let mut at = 0;
    loop {
        let start = first_byte(dialect, input, at);
        let (mut fields, mut written) = (0, 0);
        loop {
            let (result, taken, more, more_fields) =
                reader.read_record(&input[at..], &mut values[written..], &mut ends[fields..]);
            at += taken;
            written += more;
            fields += more_fields;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return records,
                full => panic!("{full:?}, but there is room for all"),
            }
        }
        let starts = [0].into_iter().chain(ends.iter().copied());
        let fields = starts.zip(&ends[..fields]).map(|(from, &to)| values[from..to].to_vec()).collect();
        let before = records.last().map_or((0, 1), |record: &Record| (record.start, record.line));
        let line = before.1 + lines_that_end(dialect.terminator(), input, before.0, start);
        records.push(Record { start, line, fields });
    }
}

/// The first byte of the next record from `at` on, after blank lines and comments. No record may be
/// open at `at`.
fn first_byte(dialect: &Dialect, input: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = input.get(at) {
        if dialect.terminator().is(byte) {
            at += 1;
        } else if dialect.comment() == Some(byte) {
            at = input[at..].iter().position(|&byte| byte == b'\n').map_or(input.len(), |lf| at + lf + 1);
        } else {
            break;
        }
    }
    at
}

/// The number of physical lines that end in the bytes from `from` to before `to`. A CRLF ends one
/// line.
fn lines_that_end(terminator: Terminator, input: &[u8], from: usize, to: usize) -> u64 {
    let ends = |at: &usize| match terminator {
        Terminator::Byte(byte) => input[*at] == byte,
        Terminator::CrLf => {
            input[*at] == b'\r' || (input[*at] == b'\n' && (*at == 0 || input[*at - 1] != b'\r'))
        }
        other => panic!("{other:?} has no test yet"),
    };
    (from..to).filter(ends).count() as u64
}

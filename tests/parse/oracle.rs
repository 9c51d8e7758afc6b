//! The expected result of an input: that of the reference machine, one byte at a time, with
//! everything that the parser adds to it.
//!
//! The only code that is shared with the parser is [`Machine::step`]. Lines, limits, the count of
//! fields, padding and the header are implemented again, in the simplest way.

use std::fmt;

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::error::{Error, ErrorKind};
use datafusion_csv_stream::grammar::Terminator;
use datafusion_csv_stream::internal::BOM;
use datafusion_csv_stream::internal::{Action, Machine, State};
use datafusion_csv_stream::parse::FieldCount;
use datafusion_csv_stream::parse::MAX_FIELDS;

/// A field's value; `None` if it is the padding of a short record.
pub type Value = Option<Vec<u8>>;

/// Everything that decides how an input is read, except for its cuts.
#[derive(Debug, Clone)]
pub struct Setup {
    pub dialect: Dialect,
    pub field_count: FieldCount,
    pub max_record_bytes: usize,
}

/// The full result of reading an input.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    pub rows: Vec<Row>,
    pub failure: Option<Failure>,
}

/// A record and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub byte: u64,
    pub line: u64,
    pub record: u64,
    pub values: Vec<Value>,
}

/// An error and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub kind: Kind,
    pub byte: u64,
    pub line: u64,
    pub record: u64,
}

/// The errors of a parser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    UnclosedQuote,
    RecordTooLong {
        limit: usize,
        in_quotes: bool,
    },
    RecordTooLarge {
        limit: usize,
    },
    FieldCount {
        expected: usize,
        found: usize,
    },
    /// More fields than any record may have.
    TooManyFields {
        found: usize,
    },
    Other(String),
}

/// A field as the machine sees it: its bytes in the file, and those that it copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub raw: Vec<u8>,
    pub copied: Vec<u8>,
}

/// A record as the machine sees it.
#[derive(Debug, Clone)]
pub struct Scanned {
    /// The offset of its first byte, without the BOM.
    pub start: usize,
    end: usize,
    pub lines_before: u64,
    pub fields: Vec<Field>,
    /// The state at the end of the input, if that ended this record.
    last_state: Option<State>,
}

impl Setup {
    /// A setup without any limit.
    pub fn free(dialect: Dialect) -> Self {
        Setup { dialect, field_count: FieldCount::Any, max_record_bytes: 1 << 30 }
    }

    /// The expected result of `input`.
    pub fn expect(&self, input: &[u8]) -> Outcome {
        let bom = if input.starts_with(BOM) { BOM.len() } else { 0 };
        let mut outcome = Outcome::default();
        let first = u64::from(!self.dialect.has_header());
        for (number, record) in (first..).zip(scan(&self.dialect, &input[bom..])) {
            let (byte, line) = ((bom + record.start) as u64, record.lines_before + 1);
            if let Some(kind) = self.failure(&record, &input[bom..]) {
                outcome.failure = Some(Failure { kind, byte, line, record: number });
                return outcome;
            }
            if number > 0 {
                outcome.rows.push(Row { byte, line, record: number, values: self.values(&record.fields) });
            }
        }
        outcome
    }

    fn failure(&self, record: &Scanned, input: &[u8]) -> Option<Kind> {
        let limit = self.max_record_bytes;
        if record.end - record.start > limit {
            return Some(self.too_long(&input[record.start..record.start + limit]));
        }
        if record.last_state.is_some_and(is_open) {
            return Some(Kind::UnclosedQuote);
        }
        let found = record.fields.len();
        match self.field_count {
            FieldCount::Exactly(expected) if found != expected => Some(Kind::FieldCount { expected, found }),
            FieldCount::Any if found > MAX_FIELDS => Some(Kind::TooManyFields { found }),
            FieldCount::UpTo(expected) if found > expected => Some(Kind::FieldCount { expected, found }),
            _ => None,
        }
    }

    /// The error for a record that is too long, of which these bytes are known.
    pub fn too_long(&self, seen: &[u8]) -> Kind {
        let machine = Machine::new(&self.dialect);
        let state = seen.iter().fold(State::StartRecord, |state, &byte| machine.step(state, byte).0);
        Kind::RecordTooLong { limit: self.max_record_bytes, in_quotes: is_open(state) }
    }

    /// The value of a field.
    pub fn value<'a>(&self, field: &'a Field) -> &'a [u8] {
        match self.dialect.trim().fields() {
            true => field.copied.trim_ascii(),
            false => &field.copied,
        }
    }

    /// The values of a record.
    pub fn values(&self, fields: &[Field]) -> Vec<Value> {
        let mut values: Vec<Value> = fields.iter().map(|field| Some(self.value(field).to_vec())).collect();
        if let FieldCount::UpTo(width) = self.field_count {
            values.resize(width, None);
        }
        values
    }
}

/// The records of an input without its BOM, with the header, and with a last record that is still
/// open.
pub fn scan(dialect: &Dialect, input: &[u8]) -> Vec<Scanned> {
    let machine = Machine::new(dialect);
    let mut records = Vec::new();
    let mut open: Option<Scanned> = None;
    let mut field_start = 0;
    let mut copied = Vec::new();
    let mut lines = 0;
    let mut state = State::StartRecord;
    for (at, &byte) in input.iter().enumerate() {
        let (next, action) = machine.step(state, byte);
        if state == State::StartRecord && !matches!(next, State::StartRecord | State::Comment) {
            field_start = at;
            let fields = Vec::new();
            open = Some(Scanned { start: at, end: at, lines_before: lines, fields, last_state: None });
        }
        match action {
            Action::Discard => {}
            Action::Copy => copied.push(byte),
            Action::EndField | Action::EndRecord => {
                let raw = input[field_start..at].to_vec();
                let field = Field { raw, copied: std::mem::take(&mut copied) };
                field_start = at + 1;
                let record = open.as_mut().expect("a field stands in a record");
                record.fields.push(field);
                record.end = at;
                if action == Action::EndRecord {
                    records.extend(open.take());
                }
            }
        }
        lines += u64::from(ends_line(dialect.terminator(), at.checked_sub(1).map(|at| input[at]), byte));
        state = next;
    }
    if let Some(mut record) = open {
        record.fields.push(Field { raw: input[field_start..].to_vec(), copied });
        record.end = input.len();
        record.last_state = Some(state);
        records.push(record);
    }
    records
}

/// The length of an input's longest record.
pub fn longest_record(dialect: &Dialect, input: &[u8]) -> usize {
    let input = input.strip_prefix(BOM).unwrap_or(input);
    scan(dialect, input).iter().map(|record| record.end - record.start).max().unwrap_or(0)
}

/// Whether `byte` ends a physical line. An LF after a CR ends none, because the CR already has.
fn ends_line(terminator: Terminator, before: Option<u8>, byte: u8) -> bool {
    match terminator {
        Terminator::Byte(terminator) => byte == terminator,
        Terminator::CrLf => byte == b'\r' || (byte == b'\n' && before != Some(b'\r')),
        other => panic!("{other:?} has no test yet"),
    }
}

fn is_open(state: State) -> bool {
    matches!(state, State::Quoted | State::AfterEscape)
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let kind = match *error.kind() {
            ErrorKind::UnclosedQuote => Kind::UnclosedQuote,
            ErrorKind::RecordTooLong { limit, in_quotes } => Kind::RecordTooLong { limit, in_quotes },
            ErrorKind::RecordTooLarge { limit } => Kind::RecordTooLarge { limit },
            ErrorKind::FieldCount { expected, found } => Kind::FieldCount { expected, found },
            ErrorKind::Schema { ref reason } => {
                let words = reason.strip_prefix("the record that starts here has ");
                let found = words.and_then(|words| words.split(' ').next()?.parse().ok());
                found.map_or(Kind::Other(reason.clone()), |found| Kind::TooManyFields { found })
            }
            ref other => Kind::Other(other.to_string()),
        };
        let place = error.place().expect("an error of the parser has a place");
        Failure { kind, byte: place.byte, line: place.line, record: place.record }
    }
}

impl Outcome {
    /// The differences, for the message of a failing test: the first different record, and the
    /// errors.
    pub fn difference(&self, expected: &Outcome) -> String {
        let same = self.rows.iter().zip(&expected.rows).take_while(|(one, other)| one == other).count();
        let shown = |outcome: &Outcome| {
            let row = outcome.rows.get(same).map_or("no more records".to_owned(), Row::to_string);
            let failure =
                outcome.failure.as_ref().map_or("no error".to_owned(), |failure| format!("{failure:?}"));
            format!("{} records\n    {row}\n    {failure}", outcome.rows.len())
        };
        format!("after {same} records\n  got {}\n  expected {}", shown(self), shown(expected))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {}, line {}, byte {}:", self.record, self.line, self.byte)?;
        for value in &self.values {
            match value {
                Some(value) => write!(f, " [{}]", value.escape_ascii())?,
                None => write!(f, " (missing)")?,
            }
        }
        Ok(())
    }
}

//! The specification: one byte at a time, state × byte class → state and action.
//!
//! This is `csv-core`'s grammar (csv-core 0.1.13, `reader.rs`, `transition_nfa`), with its epsilon
//! states folded away. It is kept slow and readable forever. Everything faster in this crate is
//! tested against it, and hands over to it where a comment starts.
//!
//! | state | delimiter | terminator | quote | escape | comment | other |
//! |---|---|---|---|---|---|---|
//! | `StartRecord` | `StartField`, end field | — | `Quoted` | `Field`, copy | `Comment` | `Field`, copy |
//! | `StartField` | —, end field | `StartRecord`, end record | `Quoted` | `Field`, copy | `Field`, copy | `Field`, copy |
//! | `Field` | `StartField`, end field | `StartRecord`, end record | copy | copy | copy | copy |
//! | `Quoted` | copy | copy | `AfterQuote` | `AfterEscape` | copy | copy |
//! | `AfterEscape` | `Quoted`, copy | `Quoted`, copy | `Quoted`, copy | `Quoted`, copy | `Quoted`, copy | `Quoted`, copy |
//! | `AfterQuote` | `StartField`, end field | `StartRecord`, end record | `Quoted`, copy ¹ | `Field`, copy | `Field`, copy | `Field`, copy |
//! | `Comment` | — | — ² | — | — | — | — |
//!
//! — means: same state, nothing copied. ¹ Only with `double_quote`, else `Field`, copy. ² LF ends a
//! comment, whatever the terminator is.
//!
//! A CRLF needs no state of its own: the LF after the CR that ended a record is a blank line, and
//! blank lines are skipped.

use memchr::{memchr, memchr2};

use super::bom::BOM;
use super::dialect::Dialect;
use super::rules::Grammar;

/// The state of the machine between two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Before the first byte of a record.
    StartRecord,
    /// Before the first byte of a field that is not a record's first.
    StartField,
    /// In an unquoted field, or after the closing quote of a quoted one.
    Field,
    /// Inside quotes.
    Quoted,
    /// After an escape inside quotes.
    AfterEscape,
    /// After a quote inside quotes: the closing one, or the first of two.
    AfterQuote,
    /// In a comment.
    Comment,
}

/// The effect of a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Nothing.
    Discard,
    /// It belongs to the field's value.
    Copy,
    /// It ends the field.
    EndField,
    /// It ends the field and the record.
    EndRecord,
}

impl State {
    /// Whether a record has started and has not ended.
    #[inline]
    pub fn is_in_record(self) -> bool {
        !matches!(self, State::StartRecord | State::Comment)
    }

    /// Whether the next byte is inside quotes. False after a quote that may be the first of two.
    #[inline]
    pub fn is_inside_quotes(self) -> bool {
        matches!(self, State::Quoted | State::AfterEscape)
    }

    /// Whether the byte that leads from this state to `next` is the first of a record.
    #[inline]
    pub fn starts_record(self, next: State) -> bool {
        !self.is_in_record() && next.is_in_record()
    }
}

/// The machine for one dialect. It holds no state: [`step`](Self::step) is a function.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    grammar: Grammar,
}

impl Machine {
    /// The machine for a dialect.
    pub fn new(dialect: &Dialect) -> Self {
        Self::with_grammar(dialect.grammar())
    }

    /// The machine for a dialect's grammar.
    pub(crate) fn with_grammar(grammar: Grammar) -> Self {
        Machine { grammar }
    }

    /// The next state, and the effect of `byte`.
    #[inline]
    pub fn step(&self, state: State, byte: u8) -> (State, Action) {
        let Grammar { quote, escape, double_quote, comment, terminator, .. } = self.grammar;
        match state {
            State::StartRecord if terminator.is(byte) => (State::StartRecord, Action::Discard),
            State::StartRecord if comment == Some(byte) => (State::Comment, Action::Discard),
            State::StartRecord | State::StartField if quote == Some(byte) => (State::Quoted, Action::Discard),
            State::StartRecord | State::StartField | State::Field => self.unquoted(byte),
            State::Quoted if quote == Some(byte) => (State::AfterQuote, Action::Discard),
            State::Quoted if escape == Some(byte) => (State::AfterEscape, Action::Discard),
            State::Quoted | State::AfterEscape => (State::Quoted, Action::Copy),
            State::AfterQuote if double_quote && quote == Some(byte) => (State::Quoted, Action::Copy),
            State::AfterQuote => self.unquoted(byte),
            State::Comment if byte == b'\n' => (State::StartRecord, Action::Discard),
            State::Comment => (State::Comment, Action::Discard),
        }
    }

    #[inline]
    fn unquoted(&self, byte: u8) -> (State, Action) {
        if byte == self.grammar.delimiter {
            (State::StartField, Action::EndField)
        } else if self.grammar.terminator.is(byte) {
            (State::StartRecord, Action::EndRecord)
        } else {
            (State::Field, Action::Copy)
        }
    }

    /// The number of bytes at the front that change nothing: those inside quotes before the next
    /// quote or escape, and those of a comment before its LF. In other states it is zero, because
    /// nothing is searched for.
    pub(crate) fn skip(&self, state: State, bytes: &[u8]) -> usize {
        let next = match (state, self.grammar.quote, self.grammar.escape) {
            (State::Quoted, Some(quote), Some(escape)) => memchr2(quote, escape, bytes),
            (State::Quoted, Some(quote), None) => memchr(quote, bytes),
            (State::Comment, ..) => memchr(b'\n', bytes),
            _ => Some(0),
        };
        next.unwrap_or(bytes.len())
    }

    /// Reads a whole input: the values of all records, and whether the input ended inside quotes.
    /// In that case the open record is the last one.
    ///
    /// A BOM at the front is no part of the input, and the header is a record like the others.
    pub fn read(&self, input: &[u8]) -> (Vec<Vec<Vec<u8>>>, bool) {
        let input = input.strip_prefix(BOM).unwrap_or(input);
        let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), Vec::new());
        let mut state = State::StartRecord;
        for &byte in input {
            let (next, action) = self.step(state, byte);
            match action {
                Action::Discard => {}
                Action::Copy => field.push(byte),
                Action::EndField => record.push(std::mem::take(&mut field)),
                Action::EndRecord => {
                    record.push(std::mem::take(&mut field));
                    records.push(std::mem::take(&mut record));
                }
            }
            state = next;
        }
        if state.is_in_record() {
            record.push(field);
            records.push(record);
        }
        (records, state.is_inside_quotes())
    }
}

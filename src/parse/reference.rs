//! The specification: one byte at a time, state × byte class → state and action.
//!
//! This is `csv-core`'s grammar (csv-core 0.1.13, `reader.rs`, `transition_nfa`), with its epsilon states folded away.
//! It is kept slow and readable forever. Everything faster in this crate is tested against it, and hands over to it
//! where a comment starts.
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
//! — means: same state, nothing copied. ¹ Only with `double_quote`, else `Field`, copy. ² LF ends a comment, whatever
//! the terminator is.
//!
//! A CRLF needs no state of its own: the LF after the CR that ended a record is a blank line, and blank lines are
//! skipped.

use crate::dialect::{Dialect, Terminator};

/// Where the machine is.
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

/// What becomes of the byte.
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

/// The machine for one dialect. It holds no state: [`step`](Self::step) is a function.
#[derive(Debug, Clone)]
pub struct Machine {
    delimiter: u8,
    quote: Option<u8>,
    escape: Option<u8>,
    double_quote: bool,
    comment: Option<u8>,
    terminator: Terminator,
}

impl Machine {
    /// The machine for a dialect.
    pub fn new(dialect: &Dialect) -> Self {
        Machine {
            delimiter: dialect.delimiter(),
            quote: dialect.quote(),
            escape: dialect.escape(),
            double_quote: dialect.double_quote(),
            comment: dialect.comment(),
            terminator: dialect.terminator(),
        }
    }

    /// The next state, and what becomes of `byte`.
    #[inline]
    pub fn step(&self, state: State, byte: u8) -> (State, Action) {
        match state {
            State::StartRecord if self.terminator.is(byte) => (State::StartRecord, Action::Discard),
            State::StartRecord if self.comment == Some(byte) => (State::Comment, Action::Discard),
            State::StartRecord | State::StartField if self.quote == Some(byte) => {
                (State::Quoted, Action::Discard)
            }
            State::StartRecord | State::StartField | State::Field => self.unquoted(byte),
            State::Quoted if self.quote == Some(byte) => (State::AfterQuote, Action::Discard),
            State::Quoted if self.escape == Some(byte) => (State::AfterEscape, Action::Discard),
            State::Quoted | State::AfterEscape => (State::Quoted, Action::Copy),
            State::AfterQuote if self.double_quote && self.quote == Some(byte) => {
                (State::Quoted, Action::Copy)
            }
            State::AfterQuote => self.unquoted(byte),
            State::Comment if byte == b'\n' => (State::StartRecord, Action::Discard),
            State::Comment => (State::Comment, Action::Discard),
        }
    }

    #[inline]
    fn unquoted(&self, byte: u8) -> (State, Action) {
        if byte == self.delimiter {
            (State::StartField, Action::EndField)
        } else if self.terminator.is(byte) {
            (State::StartRecord, Action::EndRecord)
        } else {
            (State::Field, Action::Copy)
        }
    }

    /// Reads a whole input: the values of all records, and whether the input ended inside quotes (the last record is
    /// then what was there).
    ///
    /// A BOM at the front is no part of the input, and the header is a record like the others.
    pub fn read(&self, input: &[u8]) -> (Vec<Vec<Vec<u8>>>, bool) {
        let input = input.strip_prefix(super::BOM).unwrap_or(input);
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
        if !matches!(state, State::StartRecord | State::Comment) {
            record.push(field);
            records.push(record);
        }
        (records, matches!(state, State::Quoted | State::AfterEscape))
    }
}

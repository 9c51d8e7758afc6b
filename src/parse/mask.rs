//! The `u64` algebra: from "where are these bytes" to "where are fields and records", 64 bytes at a time.
//!
//! One bit a byte, the first byte lowest. A row, its masks, and what comes out of them:
//!
//! ```text
//! bytes        1 , " a , b " , " x " " y " ⏎ ⏎ 2 , … ⏎
//! quote        . . 1 . . . 1 . 1 . 1 1 . 1 . . . . . .
//! inside       . . 1 1 1 1 . . 1 1 . 1 1 . . . . . . .     prefix xor: the opening quote in, the closing one out
//! delimiter    . 1 . . 1 . . 1 . . . . . . . . . 1 . .
//! terminator   . . . . . . . . . . . . . . 1 1 . . . 1
//! fields       . 1 . . . . . 1 . . . . . . 1 . . 1 . 1     (delimiter | record end) & !inside
//! record ends  . . . . . . . . . . . . . . 1 . . . . 1     terminator & !inside & !(terminator before)
//! starts       1 . . . . . . . . . . . . . . . 1 . . .     !terminator & (terminator before)
//! ```
//!
//! A run of terminators counts once: that is both how CRLF is one terminator and how blank lines are skipped.
//!
//! The prefix xor is right only while quoting is *regular*: each opening quote comes first in its field, or right behind
//! a closing one where two stand for one, and each escape stands inside quotes. By induction over the blocks the first
//! byte where the parity and the [machine](super::reference) would part is one that breaks this rule, with everything
//! before it right. What follows a closing quote otherwise, as in `"a"b`, is literal to both, and the parity is even there
//! until the field ends, or a quote or escape breaks the rule.
//!
//! The machine is in a field then, where quotes and escapes are literal up to the next delimiter or terminator. So they
//! are taken out of the masks that far, and the algebra is done again, until nothing breaks the rule: a turn for each
//! field with such bytes. Only a comment has no algebra: [`resolve_quoted`](Carries::resolve_quoted) returns `None`, and
//! the machine takes over.
//!
//! What is carried from block to block is the machine's state, as far as its next step depends on it: [`Carries::at`] and
//! [`Carries::state`] go from one to the other. After a quote inside quotes, where two stand for one, every byte does what
//! it does at the start of a field; where they don't, what it does in a field.

use super::reference::State;
use crate::dialect::{Dialect, Terminator};
use crate::simd::BLOCK;

/// The bits of a block that has `len` bytes (1 to 64).
#[inline(always)]
pub(super) fn valid_bits(len: usize) -> u64 {
    !0 >> (64 - len)
}

/// Where the bytes that the grammar knows stand in a block, whatever they mean there. Zero where the dialect has no
/// such byte.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Raw {
    pub(super) delimiter: u64,
    pub(super) quote: u64,
    pub(super) escape: u64,
    pub(super) comment: u64,
    /// Default terminator: LF. Else the one byte.
    pub(super) lf: u64,
    /// Default terminator: CR. Else zero.
    pub(super) cr: u64,
}

impl Raw {
    /// Where any of them stands.
    #[inline(always)]
    pub(super) fn any(&self) -> u64 {
        self.delimiter | self.quote | self.escape | self.comment | self.lf | self.cr
    }
}

/// What a block's bytes mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Structure {
    /// Where a field ends.
    pub(super) fields: u64,
    /// Where a record ends, a part of `fields`.
    pub(super) record_ends: u64,
    /// The first bytes of records.
    pub(super) starts: u64,
    /// The number of lines that end in the block.
    pub(super) line_breaks: u32,
}

/// The parts of a dialect that the algebra asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Syntax {
    pub(super) delimiter: u8,
    pub(super) quote: Option<u8>,
    pub(super) escape: Option<u8>,
    pub(super) comment: Option<u8>,
    pub(super) terminator: Terminator,
    pub(super) double_quote: bool,
}

impl Syntax {
    pub(super) fn new(dialect: &Dialect) -> Self {
        Syntax {
            delimiter: dialect.delimiter(),
            quote: dialect.quote(),
            escape: dialect.escape(),
            comment: dialect.comment(),
            terminator: dialect.terminator(),
            double_quote: dialect.double_quote(),
        }
    }
}

/// What one block has to know of the byte before it. Each is a bit, in the lowest place, but `inside`, which is all
/// bits or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Carries {
    inside: u64,
    /// It was a terminator outside quotes.
    terminator: u64,
    /// A quote may follow it: a delimiter, a terminator, the first of two quotes.
    before_quote: u64,
    /// It was an escape.
    escaping: u64,
    /// It was a CR, quoted or not, where that is a terminator beside LF.
    cr: u64,
}

impl Carries {
    /// Before the first byte of a record.
    pub(super) fn at_record_start(syntax: &Syntax, after_cr: bool) -> Self {
        let after_cr = after_cr && syntax.terminator == Terminator::CrLf;
        Carries { inside: 0, terminator: 1, before_quote: 1, escaping: 0, cr: u64::from(after_cr) }
    }

    /// Where the machine is in `state`; `None` in a comment.
    pub(super) fn at(syntax: &Syntax, state: State, after_cr: bool) -> Option<Self> {
        let start = Self::at_record_start(syntax, after_cr);
        let field = Carries { terminator: 0, before_quote: 0, ..start };
        Some(match state {
            State::StartRecord => start,
            State::StartField => Carries { before_quote: 1, ..field },
            State::Field => field,
            State::Quoted => Carries { inside: !0, ..field },
            State::AfterEscape => Carries { inside: !0, escaping: 1, ..field },
            State::AfterQuote => Carries { before_quote: u64::from(syntax.double_quote), ..field },
            State::Comment => return None,
        })
    }

    /// The machine's state, or one from which it does the same with whatever follows.
    pub(super) fn state(&self) -> State {
        match self {
            Carries { inside: 1.., escaping: 1.., .. } => State::AfterEscape,
            Carries { inside: 1.., .. } => State::Quoted,
            Carries { terminator: 1.., .. } => State::StartRecord,
            Carries { before_quote: 1.., .. } => State::StartField,
            _ => State::Field,
        }
    }

    /// Whether the byte before was a CR that an LF may belong to.
    pub(super) fn after_cr(&self) -> bool {
        self.cr != 0
    }

    /// Whether a byte without a meaning, inside quotes or out of them, would change nothing.
    #[inline(always)]
    pub(super) fn in_field(&self) -> bool {
        (self.terminator | self.before_quote | self.escaping | self.cr) == 0
    }

    /// Whether the next byte is inside quotes.
    pub(super) fn inside(&self) -> bool {
        self.inside != 0
    }

    /// What the next `len` bytes mean; `None`, and then no longer of use, where a comment starts.
    #[inline(always)]
    pub(super) fn resolve_quoted(
        &mut self,
        syntax: &Syntax,
        raw: Raw,
        len: usize,
        prefix_xor: impl Fn(u64) -> u64,
    ) -> Option<Structure> {
        let (valid, last) = (valid_bits(len), len - 1);
        let (delimiter, terminator) = (raw.delimiter & valid, (raw.lf | raw.cr) & valid);
        let (mut quotes, mut escapes) = (raw.quote & valid, raw.escape & valid);
        let doubled = if syntax.double_quote { !0 } else { 0 };
        let (inside, before_quote) = loop {
            let (escaped, escaping) = escaped(escapes, self.escaping, last);
            let quote = quotes & !escaped;
            let inside = prefix_xor(quote) ^ self.inside;
            let closing = quote & !inside;
            let before_quote = ((delimiter | terminator) & !inside) | (closing & doubled);
            let misplaced_opening = quote & inside & !(before_quote << 1 | self.before_quote);
            let misplaced_escape = escapes & !inside;
            let misplaced = misplaced_opening | misplaced_escape;
            if misplaced == 0 {
                self.escaping = escaping;
                break (inside, before_quote);
            }
            let literal = up_to_stop(misplaced, delimiter | terminator);
            quotes &= !literal;
            escapes &= !literal;
        };
        self.inside = 0u64.wrapping_sub(inside >> last & 1);
        self.before_quote = before_quote >> last & 1;
        self.records(raw, delimiter & !inside, terminator & !inside, valid, last)
    }

    /// [`resolve_quoted`](Self::resolve_quoted) for a whole block that starts outside quotes and has no quotes and no
    /// escapes.
    #[inline(always)]
    pub(super) fn resolve_unquoted(&mut self, raw: Raw) -> Option<Structure> {
        let (last, terminator) = (BLOCK - 1, raw.lf | raw.cr);
        self.before_quote = (raw.delimiter | terminator) >> last;
        self.records(raw, raw.delimiter, terminator, !0, last)
    }

    /// The records and lines of a block, from its delimiters and terminators outside quotes.
    #[inline(always)]
    fn records(
        &mut self,
        raw: Raw,
        delimiter: u64,
        terminator: u64,
        valid: u64,
        last: usize,
    ) -> Option<Structure> {
        let after_terminator = terminator << 1 | self.terminator;
        let record_ends = terminator & !after_terminator;
        let starts = !terminator & after_terminator & valid;
        if (starts & raw.comment) != 0 {
            return None;
        }
        self.terminator = terminator >> last & 1;

        let lf_of_crlf = raw.lf & (raw.cr << 1 | self.cr);
        let line_breaks = (((raw.lf | raw.cr) ^ lf_of_crlf) & valid).count_ones();
        self.cr = raw.cr >> last & 1;
        Some(Structure { fields: delimiter | record_ends, record_ends, starts, line_breaks })
    }
}

/// The bytes that an escape makes literal, taking every escape byte for one that stands inside quotes, and whether that
/// is so of the byte behind the last.
///
/// In a run of escapes every second one is literal; the subtraction carries through each run and so finds the parity of
/// its start (simdjson's `json_escape_scanner`).
#[inline(always)]
fn escaped(escape: u64, escaping: u64, last: usize) -> (u64, u64) {
    const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
    if escape == 0 {
        return (escaping, 0);
    }
    let first_of_run = escape & !escaping;
    let ends_odd = (first_of_run << 1 | ODD).wrapping_sub(first_of_run) ^ ODD;
    (ends_odd ^ (escape | escaping), (ends_odd & escape) >> last & 1)
}

/// From the lowest bit of `from`, which is not zero, to before the next one of `stops`.
#[inline(always)]
fn up_to_stop(from: u64, stops: u64) -> u64 {
    let from = !0 << from.trailing_zeros();
    let stops = stops & from;
    from & (stops & stops.wrapping_neg()).wrapping_sub(1)
}

/// A mask under the text of its block, for the message of a failing test.
#[cfg(test)]
pub(super) fn print_mask(name: &str, text: &[u8], mask: u64) -> String {
    let shown: String = text
        .iter()
        .map(|&byte| match byte {
            b'\n' => '⏎',
            b'\r' => '␍',
            b' '..=b'~' => byte as char,
            _ => '·',
        })
        .collect();
    let bits: String = (0..text.len()).map(|i| if mask >> i & 1 == 1 { '1' } else { '.' }).collect();
    format!("{shown}\n{bits} {name}")
}

#[cfg(test)]
mod tests {
    use super::super::lines::line_breaks;
    use super::super::reference::{Action, Machine, State};
    use super::*;
    use crate::simd::prefix_xor;

    fn mask_of(text: &[u8], byte: Option<u8>) -> u64 {
        text.iter().enumerate().map(|(i, &b)| u64::from(Some(b) == byte) << i).sum()
    }

    fn raw(dialect: &Dialect, text: &[u8]) -> Raw {
        Raw {
            delimiter: mask_of(text, Some(dialect.delimiter())),
            quote: mask_of(text, dialect.quote()),
            escape: mask_of(text, dialect.escape()),
            comment: mask_of(text, dialect.comment()),
            lf: mask_of(text, Some(b'\n')),
            cr: mask_of(text, Some(b'\r')),
        }
    }

    /// Resolves one block that starts a record.
    fn resolve(dialect: &Dialect, text: &[u8]) -> Option<Structure> {
        let syntax = Syntax::new(dialect);
        Carries::at_record_start(&syntax, false).resolve_quoted(
            &syntax,
            raw(dialect, text),
            text.len(),
            prefix_xor,
        )
    }

    /// What the machine says of the bytes of a block, and the state behind it.
    fn step_through(machine: &Machine, mut state: State, after_cr: bool, block: &[u8]) -> (Structure, State) {
        let line_breaks = line_breaks(Terminator::CrLf, after_cr, block) as u32;
        let mut structure = Structure { fields: 0, record_ends: 0, starts: 0, line_breaks };
        for (at, &byte) in block.iter().enumerate() {
            let (next, action) = machine.step(state, byte);
            let is_start = state == State::StartRecord && next != State::StartRecord;
            structure.starts |= u64::from(is_start) << at;
            let ends_field = matches!(action, Action::EndField | Action::EndRecord);
            structure.fields |= u64::from(ends_field) << at;
            structure.record_ends |= u64::from(action == Action::EndRecord) << at;
            state = next;
        }
        (structure, state)
    }

    /// Compares the blocks of a text with what the machine says.
    fn assert_as_the_machine(dialect: &Dialect, text: &[u8], block_bytes: usize) {
        let (syntax, machine) = (Syntax::new(dialect), Machine::new(dialect));
        let mut carries = Carries::at_record_start(&syntax, false);
        let (mut state, mut after_cr) = (State::StartRecord, false);
        for block in text.chunks(block_bytes) {
            let found =
                carries.resolve_quoted(&syntax, raw(dialect, block), block.len(), prefix_xor).unwrap();
            let (expected, next) = step_through(&machine, state, after_cr, block);
            assert_eq!(found, expected, "\"{}\", {block_bytes} at once", text.escape_ascii());
            (state, after_cr) = (next, block.last() == Some(&b'\r'));
            let same = Carries::at(&syntax, state, after_cr);
            assert_eq!(Some(carries), same, "\"{}\", {block_bytes} at once", text.escape_ascii());
            assert_eq!(Carries::at(&syntax, carries.state(), after_cr), same, "{state:?}");
        }
    }

    fn bits(drawn: &str) -> u64 {
        drawn.bytes().enumerate().map(|(i, b)| u64::from(b == b'1') << i).sum()
    }

    #[test]
    fn the_drawing_above_is_true() {
        let text = b"1,\"a,b\",\"x\"\"y\"\n\n2,z\n";
        let structure = resolve(&Dialect::default(), text).unwrap();
        for (name, found, drawn) in [
            ("fields", structure.fields, ".1.....1......1..1.1"),
            ("record ends", structure.record_ends, "..............1....1"),
            ("starts", structure.starts, "1...............1..."),
        ] {
            assert_eq!(found, bits(drawn), "\n{}", print_mask(name, text, found));
        }
        assert_eq!(structure.line_breaks, 3);
    }

    #[test]
    fn a_crlf_is_one_terminator_and_one_line() {
        let structure = resolve(&Dialect::default(), b"a\r\nb\rc\nd").unwrap();
        assert_eq!(structure.record_ends, bits(".1..1.1."));
        assert_eq!(structure.starts, bits("1..1.1.1"));
        assert_eq!(structure.line_breaks, 3);
    }

    #[test]
    fn irregular_quotes_are_literal() {
        let escape = Dialect::builder().escape(b'\\').build().unwrap();
        let single = Dialect::builder().double_quote(false).build().unwrap();
        let default = Dialect::default();
        for (dialect, text, fields) in [
            (&default, &b"5\" pipe,a"[..], ".......1."),
            (&default, b"5\",\"a,\"", "..1....."),
            (&default, b"\"a\"b,", "....1"),
            (&default, b"\"a\"b\",", ".....1"),
            (&default, b"\"a\"\",\"", "......"),
            (&default, b"a\"\"\",\"\",", "....1..1"),
            (&single, b"\"a\"\"b\",", "......1"),
            (&single, b"\"a\",\"b,\"", "...1...."),
            (&escape, b"\"a\\\"b,\",", ".......1"),
            (&escape, b"\"a\\\\\",", ".....1"),
            (&escape, b"a\\\",\"\",", "...1..1"),
            (&escape, b"\"a\"\\\",", ".....1"),
        ] {
            let found = resolve(dialect, text).unwrap().fields;
            assert_eq!(found, bits(fields), "\n{}", print_mask("fields", text, found));
        }
    }

    #[test]
    fn a_comment_is_seen() {
        let dialect = Dialect::builder().comment(b'#').build().unwrap();
        for (text, is_seen) in [(&b"#a\n"[..], true), (b"a#\n", false), (b"a\n#", true), (b"\"\n#\"", false)]
        {
            assert_eq!(resolve(&dialect, text).is_none(), is_seen, "{}", text.escape_ascii());
        }
    }

    /// All texts of one length; that of 10 bytes has passed too. A shorter text is the start of one of them, and its
    /// blocks of one byte have been compared then.
    #[test]
    fn every_text_is_what_the_machine_says() {
        let plain = Dialect::builder;
        for (builder, alphabet, length) in [
            (plain(), &b"\",\na"[..], 8),
            (plain().double_quote(false), b"\",\na", 8),
            (plain(), b"\",\r\n", 8),
            (plain().escape(b'\\'), b"\",\na\\", 7),
            (plain().escape(b'\\').double_quote(false), b"\",\na\\", 7),
        ] {
            let dialect = builder.build().unwrap();
            let base = alphabet.len();
            for number in 0..base.pow(length) {
                let digits = (0..length).map(|place| number / base.pow(place) % base);
                let text: Vec<u8> = digits.map(|digit| alphabet[digit]).collect();
                for block_bytes in [1, 3, 64] {
                    assert_as_the_machine(&dialect, &text, block_bytes);
                }
            }
        }
    }

    /// Carries hold all of a state that anything behind it depends on.
    #[test]
    fn a_state_that_is_carried_does_the_same_with_every_byte() {
        let dialect = Dialect::builder().escape(b'\\').comment(b'#');
        for dialect in [dialect.clone(), dialect.double_quote(false)] {
            let dialect = dialect.build().unwrap();
            let (syntax, machine) = (Syntax::new(&dialect), Machine::new(&dialect));
            let carried = |state| Carries::at(&syntax, state, false).map(|carries| carries.state());
            let mut states = 0;
            for state in [
                State::StartRecord,
                State::StartField,
                State::Field,
                State::Quoted,
                State::AfterEscape,
                State::AfterQuote,
            ] {
                let Some(same) = carried(state) else { panic!("{state:?} has masks") };
                states += usize::from(state == same);
                for byte in 0..=u8::MAX {
                    let ((next, action), (other, other_action)) =
                        (machine.step(state, byte), machine.step(same, byte));
                    assert_eq!(carried(next), carried(other), "{state:?}, {byte}");
                    let ends =
                        |action| matches!(action, Action::EndField | Action::EndRecord).then_some(action);
                    assert_eq!(ends(action), ends(other_action), "{state:?}, {byte}");
                }
            }
            assert_eq!((states, carried(State::Comment)), (5, None));
        }
    }
}

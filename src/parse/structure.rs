//! The `u64` algebra: from the places of bytes to those of fields and records, 64 bytes at a time.
//!
//! One bit stands for each byte, the lowest for the first. A row, its masks, and the result:
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
//! A run of terminators counts once. So CRLF is one terminator, and blank lines are skipped.
//!
//! The prefix xor is right only while quoting is *regular*: each opening quote comes first in its
//! field, or right after a closing one where two stand for one, and each escape stands inside
//! quotes. Take the first byte where the parity and the [machine](crate::grammar::machine)
//! disagree. By induction over the blocks that byte breaks this rule, and everything before it is
//! right. Other bytes after a closing quote, as in `"a"b`, are literal to both. The parity is even
//! there until the field ends, or a quote or escape breaks the rule.
//!
//! Where the rule is broken, the machine is in a field, and quotes and escapes are literal up to
//! the next delimiter or terminator. So they are removed from the masks up to there, and the
//! algebra is done again until nothing breaks the rule. That takes one turn for each field with
//! such bytes. Only a comment has no algebra: [`resolve_quoted`](BlockState::resolve_quoted)
//! returns `None`, and the machine takes over.
//!
//! A block passes the machine's state on to the next one, as far as the next step depends on it:
//! [`BlockState::from_machine`] and [`BlockState::machine_state`] translate. After a quote inside
//! quotes every byte does what it does at the start of a field, if two quotes stand for one;
//! otherwise it does what it does in a field.

use super::byte_masks::ByteMasks;
use crate::grammar::{Grammar, State, Terminator};
use crate::simd::BLOCK;

/// The bits of a block that has `len` bytes (1 to 64).
#[inline(always)]
fn valid_bits(len: usize) -> u64 {
    !0 >> (64 - len)
}

/// The meaning of a block's bytes.
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

/// The state between two blocks: the facts about the last byte that the next block depends on.
///
/// Each part is 0 or 1, except `inside`, which is all ones or zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockState {
    /// The next byte is inside quotes.
    inside: u64,
    /// The last byte was a terminator outside quotes.
    terminator: u64,
    /// The last byte was one that a quote may follow: a delimiter, a terminator, the first of two
    /// quotes.
    before_quote: u64,
    /// The last byte was an escape.
    escaping: u64,
    /// The last byte was a CR, quoted or not, and CR is a terminator as well as LF.
    cr: u64,
}

impl BlockState {
    /// Before the first byte of a record.
    pub(super) fn at_record_start(grammar: &Grammar, after_cr: bool) -> Self {
        let after_cr = after_cr && grammar.terminator == Terminator::CrLf;
        BlockState { inside: 0, terminator: 1, before_quote: 1, escaping: 0, cr: u64::from(after_cr) }
    }

    /// The state of the machine, translated; `None` in a comment.
    pub(super) fn from_machine(grammar: &Grammar, state: State, after_cr: bool) -> Option<Self> {
        let start = Self::at_record_start(grammar, after_cr);
        let field = BlockState { terminator: 0, before_quote: 0, ..start };
        Some(match state {
            State::StartRecord => start,
            State::StartField => BlockState { before_quote: 1, ..field },
            State::Field => field,
            State::Quoted => BlockState { inside: !0, ..field },
            State::AfterEscape => BlockState { inside: !0, escaping: 1, ..field },
            State::AfterQuote => BlockState { before_quote: u64::from(grammar.double_quote), ..field },
            State::Comment => return None,
        })
    }

    /// The state of the machine, or an equivalent one, from which it does the same with all bytes
    /// that follow.
    pub(super) fn machine_state(&self) -> State {
        match self {
            BlockState { inside: 1.., escaping: 1.., .. } => State::AfterEscape,
            BlockState { inside: 1.., .. } => State::Quoted,
            BlockState { terminator: 1.., .. } => State::StartRecord,
            BlockState { before_quote: 1.., .. } => State::StartField,
            _ => State::Field,
        }
    }

    /// Whether the state is in the middle of a field: a byte without a meaning would change
    /// nothing, inside quotes or outside.
    #[inline(always)]
    pub(super) fn is_in_field(&self) -> bool {
        (self.terminator | self.before_quote | self.escaping | self.cr) == 0
    }

    /// Whether the last byte was a CR that may be followed by the LF of the same line.
    #[inline(always)]
    pub(super) fn is_after_cr(&self) -> bool {
        self.cr != 0
    }

    /// Whether the next byte is inside quotes.
    #[inline(always)]
    pub(super) fn is_inside_quotes(&self) -> bool {
        self.inside != 0
    }

    /// The meaning of the next `len` bytes. `None` if a comment starts in them; the state must not
    /// be used after that.
    #[inline(always)]
    pub(super) fn resolve_quoted(
        &mut self,
        grammar: &Grammar,
        masks: ByteMasks,
        len: usize,
        prefix_xor: impl Fn(u64) -> u64,
    ) -> Option<Structure> {
        let (valid, last) = (valid_bits(len), len - 1);
        let (delimiter, terminator) = (masks.delimiter & valid, (masks.lf | masks.cr) & valid);
        let (mut quotes, mut escapes) = (masks.quote & valid, masks.escape & valid);
        let doubled = if grammar.double_quote { !0 } else { 0 };
        let (inside, before_quote) = loop {
            let (escaped, escaping) = match grammar.escape {
                Some(_) => escaped(escapes, self.escaping, last),
                None => (0, 0),
            };
            let quote = quotes & !escaped;
            let inside = prefix_xor(quote) ^ self.inside;
            // No byte before an opening quote is inside quotes.
            let before_quote = delimiter | terminator | (quote & doubled);
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
        self.before_quote = (before_quote & !inside) >> last & 1;
        self.records(grammar, masks, delimiter & !inside, terminator & !inside, valid, last)
    }

    /// [`resolve_quoted`](Self::resolve_quoted) for a whole block that starts outside quotes, and
    /// in which no quote stands. So an escape means nothing there.
    #[inline(always)]
    pub(super) fn resolve_unquoted(&mut self, grammar: &Grammar, masks: ByteMasks) -> Option<Structure> {
        let (last, terminator) = (BLOCK - 1, masks.lf | masks.cr);
        self.before_quote = (masks.delimiter | terminator) >> last;
        self.records(grammar, masks, masks.delimiter, terminator, !0, last)
    }

    /// The records and lines of a block, from its delimiters and terminators outside quotes.
    #[inline(always)]
    fn records(
        &mut self,
        grammar: &Grammar,
        masks: ByteMasks,
        delimiter: u64,
        terminator: u64,
        valid: u64,
        last: usize,
    ) -> Option<Structure> {
        let after_terminator = terminator << 1 | self.terminator;
        let record_ends = terminator & !after_terminator;
        let starts = !terminator & after_terminator & valid;
        if (starts & masks.comment) != 0 {
            return None;
        }
        self.terminator = terminator >> last & 1;

        let (lf_of_crlf, cr) = match grammar.terminator {
            Terminator::CrLf => (masks.lf & (masks.cr << 1 | self.cr), masks.cr >> last & 1),
            Terminator::Byte(_) => (0, 0),
        };
        let line_breaks = (((masks.lf | masks.cr) ^ lf_of_crlf) & valid).count_ones();
        self.cr = cr;
        Some(Structure { fields: delimiter | record_ends, record_ends, starts, line_breaks })
    }
}

/// The bytes that an escape makes literal, if every escape stands inside quotes, and whether the
/// byte after the last is literal too.
///
/// In a run of escapes every second one is literal. The subtraction carries through each run, and
/// so finds the parity of its start (simdjson's `json_escape_scanner`).
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

/// The bits from the lowest one of `from`, which is not zero, to before the next one of `stops`.
#[inline(always)]
fn up_to_stop(from: u64, stops: u64) -> u64 {
    let from = !0 << from.trailing_zeros();
    let stops = stops & from;
    from & (stops & stops.wrapping_neg()).wrapping_sub(1)
}

/// A mask under the text of its block, for the message of a failing test.
#[cfg(test)]
fn print_mask(name: &str, text: &[u8], mask: u64) -> String {
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
    use super::*;
    use crate::grammar::{Action, Dialect, Machine};
    use crate::simd::prefix_xor;

    fn mask_of(text: &[u8], byte: Option<u8>) -> u64 {
        text.iter().enumerate().map(|(i, &b)| u64::from(Some(b) == byte) << i).sum()
    }

    fn raw(dialect: &Dialect, text: &[u8]) -> ByteMasks {
        ByteMasks {
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
        let grammar = dialect.grammar();
        BlockState::at_record_start(&grammar, false).resolve_quoted(
            &grammar,
            raw(dialect, text),
            text.len(),
            prefix_xor,
        )
    }

    /// The structure of a block according to the machine, and the state after it.
    fn step_through(machine: &Machine, mut state: State, after_cr: bool, block: &[u8]) -> (Structure, State) {
        let line_breaks = line_breaks(Terminator::CrLf, after_cr, block) as u32;
        let mut structure = Structure { fields: 0, record_ends: 0, starts: 0, line_breaks };
        for (at, &byte) in block.iter().enumerate() {
            let (next, action) = machine.step(state, byte);
            structure.starts |= u64::from(state.starts_record(next)) << at;
            let ends_field = matches!(action, Action::EndField | Action::EndRecord);
            structure.fields |= u64::from(ends_field) << at;
            structure.record_ends |= u64::from(action == Action::EndRecord) << at;
            state = next;
        }
        (structure, state)
    }

    /// Compares the blocks of a text with what the machine says.
    fn assert_as_the_machine(dialect: &Dialect, text: &[u8], block_bytes: usize) {
        let (grammar, machine) = (dialect.grammar(), Machine::new(dialect));
        let mut carried = BlockState::at_record_start(&grammar, false);
        let (mut state, mut after_cr) = (State::StartRecord, false);
        for block in text.chunks(block_bytes) {
            let found =
                carried.resolve_quoted(&grammar, raw(dialect, block), block.len(), prefix_xor).unwrap();
            let (expected, next) = step_through(&machine, state, after_cr, block);
            assert_eq!(found, expected, "\"{}\", {block_bytes} at once", text.escape_ascii());
            (state, after_cr) = (next, block.last() == Some(&b'\r'));
            let same = BlockState::from_machine(&grammar, state, after_cr);
            assert_eq!(Some(carried), same, "\"{}\", {block_bytes} at once", text.escape_ascii());
            assert_eq!(
                BlockState::from_machine(&grammar, carried.machine_state(), after_cr),
                same,
                "{state:?}"
            );
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
        let escape = Dialect::builder().with_escape(b'\\').build().unwrap();
        let single = Dialect::builder().with_double_quote(false).build().unwrap();
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
        let dialect = Dialect::builder().with_comment(b'#').build().unwrap();
        for (text, is_seen) in [(&b"#a\n"[..], true), (b"a#\n", false), (b"a\n#", true), (b"\"\n#\"", false)]
        {
            assert_eq!(resolve(&dialect, text).is_none(), is_seen, "{}", text.escape_ascii());
        }
    }

    /// All texts of one length. Texts of 10 bytes have passed too. A shorter text is a prefix of
    /// one of them, so the comparison in blocks of one byte covers it.
    #[test]
    fn every_text_is_what_the_machine_says() {
        let plain = Dialect::builder;
        for (builder, alphabet, length) in [
            (plain(), &b"\",\na"[..], 8),
            (plain().with_double_quote(false), b"\",\na", 8),
            (plain(), b"\",\r\n", 8),
            (plain().with_escape(b'\\'), b"\",\na\\", 7),
            (plain().with_escape(b'\\').with_double_quote(false), b"\",\na\\", 7),
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

    /// A block state holds all that the bytes after it depend on.
    #[test]
    fn a_state_that_is_carried_does_the_same_with_every_byte() {
        let dialect = Dialect::builder().with_escape(b'\\').with_comment(b'#');
        for dialect in [dialect.clone(), dialect.with_double_quote(false)] {
            let dialect = dialect.build().unwrap();
            let (grammar, machine) = (dialect.grammar(), Machine::new(&dialect));
            let carried = |state| {
                BlockState::from_machine(&grammar, state, false).map(|carried| carried.machine_state())
            };
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

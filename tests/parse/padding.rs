//! Every case, moved to each of the 64 places in a block, so that each structural byte meets each
//! lane.

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::grammar::Terminator;
use datafusion_csv_stream::parse::FieldCount;
use datafusion_csv_stream::simd::Backend;

use crate::check::{Cuts, assert_same};
use crate::oracle::Setup;
use crate::support::cases;

/// The number of bytes after the case, which keep its own bytes out of the short last block.
const BEHIND: usize = 70;

#[test]
fn every_case_reads_the_same_at_every_place_in_a_block() {
    for case in cases() {
        let Setup { dialect, field_count, .. } = &case.setup;
        println!("case {}", case.name);
        let terminator = match dialect.terminator() {
            Terminator::CrLf => b'\n',
            Terminator::Byte(byte) => byte,
            other => panic!("{other:?} has no test yet"),
        };
        let letter = free_letter(dialect);
        for shift in 0..64 {
            let before = match field_count {
                FieldCount::Exactly(width) => record(letter, shift, dialect.delimiter(), *width),
                _ => vec![letter; shift],
            };
            for before in [before, vec![terminator; shift]] {
                let mut input = before;
                input.push(terminator);
                input.extend_from_slice(&case.input);
                let expected = case.setup.expect(&input);
                let mut longer = input.clone();
                longer.push(terminator);
                longer.extend(record(letter, BEHIND, dialect.delimiter(), 2));
                let expected_longer = case.setup.expect(&longer);
                for backend in Backend::available() {
                    for (cuts, max_records) in
                        [(Cuts::whole(), 1), (Cuts::whole(), usize::MAX), (Cuts::every(67), 2)]
                    {
                        assert_same(&case.setup, backend, &input, &cuts, max_records, &expected);
                        assert_same(&case.setup, backend, &longer, &cuts, max_records, &expected_longer);
                    }
                }
            }
        }
    }
}

/// A letter that has no meaning in the dialect.
fn free_letter(dialect: &Dialect) -> u8 {
    let taken = [Some(dialect.delimiter()), dialect.quote(), dialect.escape(), dialect.comment()];
    (b'a'..=b'z')
        .find(|&letter| !taken.contains(&Some(letter)) && !dialect.terminator().is(letter))
        .expect("a dialect gives a meaning to six bytes at most")
}

/// A record of `width` fields, the last of which is `letters` long.
fn record(letter: u8, letters: usize, delimiter: u8, width: usize) -> Vec<u8> {
    let mut record = vec![delimiter; width - 1];
    record.extend(std::iter::repeat_n(letter, letters));
    record
}

//! Every case, on every back end, at every cut.

use std::collections::HashSet;

use datafusion_csv_stream::internal::Machine;
use datafusion_csv_stream::parse::{FieldCount, Parser};
use datafusion_csv_stream::simd::Backend;

use crate::check::{Cuts, assert_same};
use crate::oracle::Value;
use crate::support::{Case, cases};

/// An input up to this length is cut at every pair of places.
const PAIRS_UP_TO: usize = 40;

#[test]
fn there_are_cases_and_each_has_a_name_of_its_own() {
    let cases = cases();
    assert!(cases.len() >= 160, "{} cases", cases.len());
    let mut names = HashSet::new();
    for case in &cases {
        assert!(names.insert(&case.name), "two cases are called {}", case.name);
    }
}

/// The oracle, on which all other tests depend, gives what the cases expect, and so does the
/// reference machine by itself.
#[test]
fn the_oracle_gives_what_is_expected() {
    for Case { name, input, setup, records, error } in cases() {
        let outcome = setup.expect(&input);
        let found: Vec<&Vec<Value>> = outcome.rows.iter().map(|row| &row.values).collect();
        assert!(
            found == records.iter().collect::<Vec<_>>(),
            "{name}: got {outcome:?}\n  expected {records:?}"
        );
        assert_eq!(outcome.failure.as_ref(), error.as_ref().map(|error| &error.failure), "{name}");

        let is_free = setup.field_count == FieldCount::Any && error.is_none();
        if is_free && !setup.dialect.has_header() && !setup.dialect.trim().fields() {
            let (machine, is_open) = Machine::new(&setup.dialect).read(&input);
            let machine: Vec<Vec<Value>> =
                machine.into_iter().map(|record| record.into_iter().map(Some).collect()).collect();
            assert_eq!(machine, records, "{name}");
            assert!(!is_open, "{name}");
        }
    }
}

#[test]
fn every_case_reads_the_same_however_it_is_cut() {
    for Case { name, input, setup, .. } in cases() {
        let expected = setup.expect(&input);
        let mut all = vec![
            Cuts::whole(),
            Cuts::whole().with_empty_chunks(),
            Cuts::every(1),
            Cuts::every(1).with_empty_chunks(),
        ];
        all.extend([2, 3, 63, 64, 65].map(Cuts::every));
        let positions = 1..input.len().max(1);
        all.extend(positions.clone().map(|at| Cuts::at(&[at])));
        if input.len() <= PAIRS_UP_TO {
            all.extend(positions.clone().flat_map(|a| (a + 1..input.len()).map(move |b| Cuts::at(&[a, b]))));
        }
        println!("case {name}");
        for backend in Backend::available() {
            for max_records in [1, 2, usize::MAX] {
                for cuts in &all {
                    assert_same(&setup, backend, &input, cuts, max_records, &expected);
                }
            }
        }
    }
}

#[test]
fn messages_say_what_the_cases_say() {
    let mut texts = 0;
    for Case { name, input, setup, error, .. } in cases() {
        let Some(text) = error.and_then(|error| error.text) else { continue };
        let mut parser = Parser::new(&setup.dialect, setup.field_count, setup.max_record_bytes);
        let mut rest = &input[..];
        let message = loop {
            match parser.next(rest, usize::MAX) {
                Ok((taken, _)) if taken < rest.len() => rest = &rest[taken..],
                Ok(_) => break parser.finish().expect_err(&name).to_string(),
                Err(error) => break error.to_string(),
            }
        };
        assert!(message.contains(&text), "{name}: {message}");
        texts += 1;
    }
    assert!(texts > 5, "{texts} cases with a text");
}

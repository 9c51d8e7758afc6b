//! The answers that a [`BoundaryFinder`] may give, by the oracle, which has read the whole file. The tests and a fuzz
//! target share them.

use datafusion_csv_stream::internal::{BOM, Boundary, BoundaryFinder, Machine, Proof, State};

use crate::check::{Cuts, HEAD, setup};
use crate::oracle::{Setup, scan};

/// A question to a finder.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    pub at: usize,
    pub lead: usize,
    /// The lead that is looked at first. If it leaves the start undecided, one half way to `lead` is, and `lead` then.
    pub shorter: Option<usize>,
}

/// The answer, and the bytes that all finders together have looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub boundary: Boundary,
    pub proof: Option<Proof>,
    pub bytes_looked_at: u64,
}

/// A file as it is.
pub struct Truth {
    starts: Vec<u64>,
    is_readable: bool,
}

/// Asks about every byte of an input, with leads of all lengths up to 9 and some longer ones. The first bytes choose how the
/// input is read.
pub fn check_boundary(bytes: &[u8]) {
    let Some((head, input)) = bytes.split_first_chunk::<HEAD>() else {
        return;
    };
    let setup = setup(*head);
    let input = &input[..input.len().min(200)];
    let truth = Truth::new(&setup, input);
    for at in 0..=input.len() + 1 {
        for lead in (1..10).chain([usize::from(head[3]), at]) {
            for shorter in [None, Some(1), Some(lead / 2)] {
                let question = Question { at, lead, shorter };
                truth.check(&setup, input, question, &Cuts::random(head[3], input.len()));
            }
        }
    }
}

impl Question {
    pub fn new(at: usize, lead: usize) -> Self {
        Question { at, lead, shorter: None }
    }

    /// A finder that has been pushed nothing.
    pub fn finder(self, setup: &Setup) -> BoundaryFinder {
        let Setup { dialect, field_count, max_record_bytes } = setup;
        let finder = BoundaryFinder::new(dialect, *field_count, *max_record_bytes, self.at as u64);
        finder.with_lead(self.shorter.unwrap_or(self.lead) as u64)
    }

    pub fn ask(self, setup: &Setup, input: &[u8], cuts: &Cuts) -> Found {
        let mut finder = self.finder(setup);
        let mut found = ask(&mut finder, input, cuts);
        let half_way = (self.shorter.unwrap_or(self.lead) + self.lead) / 2;
        for lead in [half_way, self.lead] {
            let Some(longer) = finder.with_longer_lead_of(lead as u64) else { continue };
            assert_eq!(longer.end_byte(), finder.first_byte(), "no byte is asked for twice");
            finder = longer;
            let before = found.bytes_looked_at;
            found = ask(&mut finder, input, cuts);
            found.bytes_looked_at += before;
        }
        found
    }
}

/// Pushes bytes of an input that is cut, until the finder needs no more.
pub fn ask(finder: &mut BoundaryFinder, input: &[u8], cuts: &Cuts) -> Found {
    let mut before = finder.first_byte() as usize;
    let found = cuts.chunks(input).into_iter().find_map(|chunk| {
        let passed = before.min(chunk.len());
        before -= passed;
        finder.push(&chunk[passed..])
    });
    let boundary = found.unwrap_or_else(|| finder.finish());
    assert_eq!(finder.push(b"\"\n,"), Some(boundary), "an answer is final");
    assert_eq!(finder.finish(), boundary, "an answer is final");
    Found { boundary, proof: finder.proof(), bytes_looked_at: finder.bytes_looked_at() }
}

impl Truth {
    pub fn new(setup: &Setup, input: &[u8]) -> Self {
        let bom = if input.starts_with(BOM) { BOM.len() } else { 0 };
        let records = scan(&setup.dialect, &input[bom..]);
        Truth {
            starts: records.iter().map(|record| (bom + record.start) as u64).collect(),
            is_readable: setup.expect(input).failure.is_none(),
        }
    }

    /// Of a file that is known to be readable: this takes less time and memory.
    pub fn of_readable(setup: &Setup, input: &[u8]) -> Self {
        let machine = Machine::new(&setup.dialect);
        let mut state = State::StartRecord;
        let starts = (0..input.len()).filter(|&at| {
            let next = machine.step(state, input[at]).0;
            std::mem::replace(&mut state, next).starts_record(next)
        });
        Truth { starts: starts.map(|start| start as u64).collect(), is_readable: true }
    }

    pub fn next(&self, at: usize) -> Option<u64> {
        let next = self.starts.partition_point(|&start| start < at as u64);
        self.starts.get(next).copied()
    }

    /// Asks with the bytes in one chunk, and cut. Fails if an answer is wrong that must not be, or if the two differ.
    pub fn check(&self, setup: &Setup, input: &[u8], question: Question, cuts: &Cuts) -> Found {
        let found = question.ask(setup, input, &Cuts::whole());
        let same = question.ask(setup, input, cuts);
        let shown = || format!("{question:?} of \"{}\", {cuts:?}, {setup:?}", input.escape_ascii());
        assert_eq!(
            same,
            found,
            "the reader of the range before has cut the bytes in its own way: {}",
            shown()
        );
        self.assert_right(&found, question, &shown);
        if question.shorter.is_none() && leads_to_one_state(setup, input, question) {
            let next = self.next(question.at).unwrap_or(input.len() as u64);
            let is_near = next < question.finder(setup).end_byte();
            assert!(found.proof == Some(Proof::Synchronised) || !is_near, "{found:?}: {}", shown());
        }
        found
    }

    pub fn assert_right(&self, found: &Found, question: Question, shown: &dyn Fn() -> String) {
        let is_right = match found.boundary {
            Boundary::Start(byte) => Some(byte) == self.next(question.at),
            Boundary::End => self.next(question.at).is_none(),
            Boundary::Undecided => true,
        };
        let is_decided = found.boundary != Boundary::Undecided;
        assert_eq!(found.proof.is_some(), is_decided, "{found:?}: {}", shown());
        let must_be_right = self.is_readable || found.proof == Some(Proof::Synchronised);
        assert!(is_right || !must_be_right, "{found:?}, not {:?}: {}", self.next(question.at), shown());
    }
}

/// Whether all states that the machine can have at the lead's start become one before `at`.
fn leads_to_one_state(setup: &Setup, input: &[u8], question: Question) -> bool {
    let first = question.at.saturating_sub(question.lead.max(1));
    if first < BOM.len() || question.at > input.len() {
        return first < BOM.len();
    }
    let machine = Machine::new(&setup.dialect);
    let dialect = &setup.dialect;
    let mut states = vec![State::StartRecord, State::StartField, State::Field];
    states.extend(dialect.quote().into_iter().flat_map(|_| [State::Quoted, State::AfterQuote]));
    states.extend(dialect.escape().map(|_| State::AfterEscape));
    states.extend(dialect.comment().map(|_| State::Comment));
    for state in &mut states {
        *state = input[first..question.at].iter().fold(*state, |state, &byte| machine.step(state, byte).0);
    }
    states.iter().all(|state| *state == states[0])
}

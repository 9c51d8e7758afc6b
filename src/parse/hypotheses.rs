//! [`Hypotheses`]: all runs through the same bytes, and what they say together.

use super::hypothesis::{FirstStart, Hypothesis, Proof, Trial, Verdict};

/// The most hypotheses that there are: one for each state.
const MOST: usize = 7;

/// One run for each state that the machine can have at the first byte. Those that have become the
/// same are one.
///
/// Its runs may go on with the runs of a later part of the file, which starts where they end.
#[derive(Debug, Clone)]
pub(super) struct Hypotheses {
    runs: Vec<Hypothesis>,
    /// By the state at the first byte: where the record ended that may have started before it. It
    /// is kept here when runs become one.
    part_ends: [Option<u64>; MOST],
    /// How runs have failed that are no more: the proof that assumes most.
    failed: Option<Proof>,
}

impl Hypotheses {
    pub(super) fn new(trial: &Trial) -> Self {
        let runs = trial.states().map(|state| Hypothesis::new(state, trial.first)).collect();
        Hypotheses { runs, part_ends: [None; MOST], failed: None }
    }

    /// Takes bytes before `at`, the first of which is at `byte`.
    pub(super) fn pass(&mut self, trial: &Trial, byte: u64, bytes: &[u8]) {
        for run in &mut self.runs {
            run.pass(trial, byte, bytes);
        }
        self.merge(byte + bytes.len() as u64);
    }

    /// Keeps one of the runs that have become the same. If all have one state at `byte`, it is the
    /// true one, and nothing else has to be known.
    fn merge(&mut self, byte: u64) {
        let mut kept: Vec<Hypothesis> = Vec::with_capacity(self.runs.len());
        for run in std::mem::take(&mut self.runs) {
            match kept.iter_mut().find(|other| is_one_enough(other, &run)) {
                Some(other) => self.absorb(other, &run),
                None => kept.push(run),
            }
        }
        if kept.iter().all(|run| run.state == kept[0].state) {
            let entries = kept.iter().fold(kept[0].entries, |all, run| all.with(run.entries));
            kept = vec![Hypothesis::new(kept[0].state, byte).with_entries(entries)];
        }
        self.runs = kept;
    }

    /// Makes `kept` stand for both.
    fn absorb(&mut self, kept: &mut Hypothesis, other: &Hypothesis) {
        for run in [&*kept, other] {
            for entry in run.entries.indices() {
                self.part_ends[entry] = self.part_ends[entry].or(run.part_end);
            }
        }
        self.failed = self.failed.max(kept.fails()).max(other.fails());
        let entries = kept.entries.with(other.entries);
        if kept.fails().is_some() {
            *kept = *other;
        }
        kept.entries = entries;
    }

    /// Takes bytes at `at` and after it, the first of which is at `base`. All runs advance together,
    /// so that no more are looked at than needed, however they are cut. Returns the byte up to which
    /// they were looked at, and whether that decides.
    pub(super) fn pass_until_decided(&mut self, trial: &Trial, base: u64, bytes: &[u8]) -> (u64, bool) {
        let skip = |run: &Hypothesis, at: usize| match run.is_active() {
            true => at + run.skip(trial, base + at as u64, &bytes[at..]),
            false => usize::MAX,
        };
        // Where each run looks again. Until there, nothing changes.
        let mut next = [usize::MAX; MOST];
        for (next, run) in next.iter_mut().zip(&self.runs) {
            *next = skip(run, 0);
        }
        loop {
            let at = next.iter().copied().min().unwrap_or(usize::MAX).min(bytes.len());
            let place = base + at as u64;
            let mut has_changed = false;
            for (_, run) in next.iter().zip(&mut self.runs).filter(|(next, _)| **next == at) {
                let before = run.verdict;
                run.check_length(trial, place);
                has_changed |= run.verdict != before;
            }
            if has_changed && self.are_decided() {
                return (place, true);
            }
            let Some(&byte) = bytes.get(at) else { return (place, false) };
            has_changed = false;
            for (next, run) in next.iter_mut().zip(&mut self.runs).filter(|(next, _)| **next == at) {
                let before = (run.verdict, run.found);
                run.step(trial, place, byte);
                has_changed |= (run.verdict, run.found) != before;
                *next = skip(run, at + 1);
            }
            if has_changed && self.are_decided() {
                return (place + 1, true);
            }
        }
    }

    /// The file has ended, at `byte`.
    pub(super) fn end(&mut self, trial: &Trial, byte: u64) {
        for run in self.runs.iter_mut().filter(|run| run.is_active()) {
            run.end(trial, byte);
        }
    }

    /// Goes on with the runs that start where these end. They have been looked at up to `byte`.
    pub(super) fn go_on(&mut self, trial: &Trial, later: &Hypotheses, byte: u64) {
        let mut runs = std::mem::take(&mut self.runs);
        self.failed = self.failed.max(later.failed);
        for run in &mut runs {
            let Some(next) = later.runs.iter().find(|next| next.entries.contains(run.state)) else {
                continue;
            };
            let part_end = later.part_ends[run.state as usize].or(next.part_end);
            // A record that is open where the two meet is as long as its parts together.
            let length = part_end.unwrap_or(byte).saturating_sub(run.start);
            let is_too_long = run.state.is_in_record() && trial.limit.is_exceeded_by(length);
            let too_long = is_too_long.then_some(Proof::Contradiction);
            let fails = [run.fails(), next.fails(), too_long].into_iter().max().flatten();
            let (entries, part_end) = (run.entries, run.part_end.or(part_end));
            *run = next.with_entries(entries);
            run.verdict = fails.map_or(next.verdict, Verdict::Fails);
            run.part_end = part_end;
        }
        self.runs = runs;
    }

    /// Whether a state is left, and all that are left lead to the same place, known or not.
    pub(super) fn are_together(&self) -> bool {
        unanimous(self.runs.iter().map(|run| run.found)).is_some()
    }

    /// Whether more bytes can't change the answer.
    pub(super) fn are_decided(&self) -> bool {
        let is_known = self.runs.iter().all(|run| run.found != FirstStart::Unknown);
        let all_tried = self.runs.iter().all(|run| run.verdict != Verdict::Open);
        let is_disputed = self.standing().next().is_some() && unanimous(self.standing()).is_none();
        // A single one is true, so it is not tried.
        (is_known && self.are_together()) || (self.runs.len() > 1 && (all_tried || is_disputed))
    }

    /// Where the record starts, and how that is known; `None` if it is not.
    pub(super) fn judge(&self) -> Option<(FirstStart, Proof)> {
        let known = |found: Option<FirstStart>| found.filter(|&found| found != FirstStart::Unknown);
        if let Some(found) = known(unanimous(self.runs.iter().map(|run| run.found))) {
            return Some((found, Proof::Synchronised));
        }
        let possible = self.runs.iter().filter(|run| run.fails().is_none());
        let found = known(unanimous(possible.map(|run| run.found)))?;
        // A run that has become one with another counts too. So the proof doesn't depend on when that
        // was noticed.
        let proof = self.runs.iter().map(Hypothesis::fails).fold(self.failed, Option::max);
        Some((found, proof?))
    }

    /// The record starts of the runs that have been tried enough.
    pub(super) fn standing(&self) -> impl Iterator<Item = FirstStart> {
        self.runs.iter().filter(|run| run.verdict == Verdict::Stands).map(|run| run.found)
    }
}

/// Whether one of two runs that have found nothing yet is enough for both: they can't lead to
/// different records, and the one that is kept fails only if both do.
fn is_one_enough(one: &Hypothesis, other: &Hypothesis) -> bool {
    let is_alive = one.fails().is_none() && other.fails().is_none();
    one.state == other.state && (!is_alive || one.is_same_as(other))
}

/// The value that all have; `None` if two differ, and without any.
fn unanimous<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Option<T> {
    let first = values.next()?;
    values.all(|other| other == first).then_some(first)
}

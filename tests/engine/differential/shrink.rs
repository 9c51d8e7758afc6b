//! Makes a fault small: leaves out everything that can go while the verdict stays.

use std::fmt::Write;
use std::mem::discriminant;
use std::time::{Duration, Instant};

use super::compare::{Answer, Comparison, Verdict, compare};
use super::query::Query;
use super::sessions::{Case, Sessions};

/// The most time that is spent on one fault.
const PATIENCE: Duration = Duration::from_secs(60);

/// Faults of filters that move while a query runs don't show in every run.
const TRIES: usize = 3;

#[derive(Debug)]
pub(super) struct Fault {
    pub(super) case: Case,
    pub(super) query: Query,
    pub(super) comparison: Comparison,
}

impl Fault {
    pub(super) async fn shrunk(mut self) -> Self {
        let start = Instant::now();
        let mut has_changed = true;
        while has_changed {
            has_changed = false;
            let mut left = self.steps();
            left.reverse();
            while let Some((case, query)) = left.pop() {
                if start.elapsed() > PATIENCE {
                    return self;
                }
                if let Some(comparison) = self.differs_still(&case, &query).await {
                    self = Fault { case, query, comparison };
                    left = self.steps();
                    left.reverse();
                    has_changed = true;
                }
            }
        }
        self
    }

    /// Everything that is one step simpler: first the query, because it makes the largest
    /// difference.
    fn steps(&self) -> Vec<(Case, Query)> {
        let queries = self.query.steps().into_iter().map(|query| (self.case.clone(), query));
        let tables = self.case.tables.iter().enumerate().flat_map(|(changed, table)| {
            table.steps().into_iter().map(move |table| {
                let mut case = self.case.clone();
                case.tables[changed] = table;
                case
            })
        });
        let settings = self.case.settings.steps().into_iter();
        let settings = settings.map(|settings| Case { settings, ..self.case.clone() });
        let cases = tables.chain(settings).map(|case| (case, self.query.clone()));
        queries.chain(cases).collect()
    }

    async fn differs_still(&self, case: &Case, query: &Query) -> Option<Comparison> {
        let sessions = Sessions::new(case).await.ok()?;
        for _ in 0..TRIES {
            let comparison = compare(&sessions, query).await;
            let is_alike = discriminant(&comparison.ours) == discriminant(&self.comparison.ours)
                && comparison.is_overflow_of_keys() == self.comparison.is_overflow_of_keys();
            match comparison.verdict {
                verdict if is_alike && verdict == self.comparison.verdict => return Some(comparison),
                // If all three are errors, a repetition gives the same.
                Verdict::BothFail | Verdict::TooSlow => return None,
                _ => {}
            }
        }
        None
    }

    /// All that is needed to reproduce the fault.
    pub(super) fn report(&self) -> String {
        let mut report = format!("{}\n{:#?}\n", self.query.sql(), self.case.settings);
        let used = |table: usize| self.query.sql().contains(&format!("{{{table}}}"));
        for (_, table) in self.case.tables.iter().enumerate().filter(|(index, _)| used(*index)) {
            let types = table.columns.iter().map(|column| format!("{} {}", column.name, column.data_type));
            // Writing to a string can't fail.
            let _ = writeln!(report, "{}: {}", table.name, types.collect::<Vec<_>>().join(", "));
            for (name, text) in table.texts(&self.case.settings.dialect) {
                let _ = writeln!(report, "{name}, {} bytes:\n{}", text.len(), cut(&text, 1500));
            }
        }
        for (name, answer) in [
            ("ours", &self.comparison.ours),
            ("built-in", &self.comparison.builtin),
            ("memory", &self.comparison.memory),
        ] {
            let answer = match answer {
                Answer::Rows { compared, count } => format!("{count} rows\n  {}", compared.join("\n  ")),
                Answer::Error(message) => message.clone(),
                Answer::TooSlow => "too slow".to_owned(),
            };
            let _ = writeln!(report, "{name}: {}", cut(&answer, 1500));
        }
        report
    }
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

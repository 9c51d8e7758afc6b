//! The test: it makes cases by seed and counts the verdicts.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use super::compare::{Answer, Comparison, Verdict, compare};
use super::query::Query;
use super::relation::{Generator, Known};
use super::sessions::{Case, Sessions};
use super::settings::{Settings, Way};
use super::shrink::Fault;
use super::table::Table;
use super::values::{Class, key_type};
use crate::rng::Rng;

/// The seeds that CI runs, and the number of queries of each. Seeds 26, 35, 38, 50 and 58 found
/// filters that DataFusion 55.2 pushes down wrongly.
const SEEDS: Range<u64> = 20..60;
const QUERIES: usize = 10;

/// A run ends after this many faults. When run by hand, it also makes up to this many differences
/// small that are not ours.
const MOST_FAULTS: usize = 10;

#[derive(Debug, Default)]
struct Totals {
    verdicts: BTreeMap<String, usize>,
    kinds: BTreeMap<&'static str, usize>,
    pairs: usize,
    with_rows: usize,
    failing: usize,
    unregistered: usize,
    faults: Vec<String>,
    /// The number of differences that are not ours and were made small.
    others: usize,
}

#[test]
fn ours_answers_as_the_builtin_reader_and_as_a_table_in_memory_do() {
    let seed = number("CSV_STREAM_DIFFERENTIAL_SEED");
    let time = number("CSV_STREAM_DIFFERENTIAL_SECONDS").map(Duration::from_secs);
    let seeds = match (seed, time) {
        (Some(seed), None) => seed..seed + 1,
        (Some(seed), Some(_)) => seed..u64::MAX,
        (None, Some(_)) => SEEDS.end..u64::MAX,
        (None, None) => SEEDS,
    };
    // Plans are deep, and the functions that walk over them need much stack in a debug build.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(16 << 20)
        .enable_all()
        .build()
        .unwrap();
    let by_hand = time.is_some();
    let start = Instant::now();
    let totals = runtime.block_on(async {
        tokio::spawn(async move {
            let mut totals = Totals::default();
            for seed in seeds {
                let is_over = time.is_some_and(|time| start.elapsed() >= time);
                if is_over || totals.faults.len() >= MOST_FAULTS {
                    break;
                }
                run(seed, by_hand, &mut totals).await;
            }
            totals
        })
        .await
        .unwrap()
    });
    println!("{} s: {totals:#?}", start.elapsed().as_secs());
    assert!(totals.faults.is_empty(), "{} faults:\n{}", totals.faults.len(), totals.faults.join("\n"));
    if seed.is_none() {
        totals.assert_that_it_compared();
    }
}

async fn run(seed: u64, by_hand: bool, totals: &mut Totals) {
    let mut rng = Rng::new(seed + 1);
    let case = case(&mut rng);
    let sessions = match Sessions::new(&case).await {
        Ok(sessions) => sessions,
        Err(error) => {
            println!("seed {seed}: not registered: {}", error.strip_backtrace());
            totals.unregistered += 1;
            return;
        }
    };
    let tables = case.tables.iter().zip(&sessions.schemas).map(|(table, schema)| {
        let columns = schema.fields().iter();
        let columns = columns.map(|field| (field.name().clone(), Class::of(field.data_type())));
        Known { columns: columns.collect(), rows: table.rows() }
    });
    let tables: Vec<_> = tables.collect();
    for _ in 0..QUERIES {
        let query = Generator::new(&mut rng, &tables).query();
        let comparison = compare(&sessions, &query).await;
        let mut verdict = comparison.verdict;
        // A scan makes its own batches as small as the keys need, and its predicates see only
        // those.
        let is_of_scan = query.kind == "scan" && case.settings.batch_size <= 100;
        if verdict == Verdict::Ours && comparison.is_overflow_of_keys() && !is_of_scan {
            verdict = Verdict::DataFusions;
        }
        totals.count(&query, &comparison, verdict);
        let fault = Fault { case: case.clone(), query, comparison };
        match verdict {
            Verdict::Ours => {
                println!("seed {seed}: a fault: {}", fault.query.sql());
                let report = format!("seed {seed}: {}", fault.shrunk().await.report());
                println!("{report}");
                totals.faults.push(report);
            }
            Verdict::DataFusions | Verdict::Shared if by_hand && totals.others < MOST_FAULTS => {
                totals.others += 1;
                println!("seed {seed}: {verdict:?}: {}", fault.shrunk().await.report());
            }
            Verdict::DataFusions => println!("seed {seed}: {verdict:?}: {}", fault.query.sql()),
            Verdict::Shared | Verdict::Undecided => println!("seed {seed}: {verdict:?}: {}", fault.report()),
            Verdict::Same | Verdict::BothFail | Verdict::TooSlow => {}
        }
    }
}

/// Tables of different sizes, with keys of one type.
fn case(rng: &mut Rng) -> Case {
    let settings = Settings::random(rng);
    let key = key_type(rng, settings.way == Way::External);
    let tables = (0..3).map(|index| {
        let most = if settings.batch_size == 1 { 200 } else { 2000 };
        let most_rows = rng.pick(&[20, 60, 300, 2000]).min(most);
        Table::random(rng, format!("t{index}"), &settings, &key, most_rows)
    });
    Case { tables: tables.collect(), settings }
}

impl Totals {
    fn count(&mut self, query: &Query, comparison: &Comparison, verdict: Verdict) {
        self.pairs += 1;
        *self.verdicts.entry(format!("{verdict:?}")).or_default() += 1;
        *self.kinds.entry(query.kind).or_default() += 1;
        match &comparison.memory {
            Answer::Rows { count, .. } => self.with_rows += usize::from(*count > 0),
            Answer::Error(_) => self.failing += 1,
            Answer::TooSlow => {}
        }
    }

    /// A run that compares nothing finds nothing.
    fn assert_that_it_compared(&self) {
        let part = |count: usize| count as f64 / self.pairs as f64;
        assert!(self.pairs >= SEEDS.count() * QUERIES, "{} pairs", self.pairs);
        assert!(part(self.with_rows) > 0.4, "{} pairs with rows", self.with_rows);
        assert!((0.02..0.2).contains(&part(self.failing)), "{} pairs that fail", self.failing);
    }
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|error| panic!("{name}={value}: {error}")))
}

//! The answers to a query, and the verdict on a difference between them.

use std::collections::HashMap;
use std::time::Duration;

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::Result as DataFusionResult;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use tokio::task::JoinHandle;

use super::query::Query;
use super::sessions::Sessions;

/// A query that takes longer is left out.
const PATIENCE: Duration = Duration::from_secs(20);

/// A query's answer, reduced to the parts that are the same for every correct reader.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Rows {
        /// The columns' types, then the keys in order if the query has an order, and the rows,
        /// sorted. Only the number of rows if a limit leaves a choice.
        compared: Vec<String>,
        count: usize,
    },
    Error(String),
    TooSlow,
}

impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Answer::Rows { compared, .. }, Answer::Rows { compared: others, .. }) => compared == others,
            (Answer::Error(_), Answer::Error(_)) | (Answer::TooSlow, Answer::TooSlow) => true,
            _ => false,
        }
    }
}

/// The three answers, and the verdict on them.
#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) ours: Answer,
    pub(super) builtin: Answer,
    pub(super) memory: Answer,
    pub(super) verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Verdict {
    Same,
    BothFail,
    /// Ours differs from the witness, and at least one other session agrees with it.
    Ours,
    /// Another session differs from the witness. If our rules aren't in our session, ours may
    /// differ in the same way.
    DataFusions,
    /// All three are alike and differ from the witness, although our rules are there: a fault of
    /// DataFusion that the rules don't fix.
    Shared,
    /// All three differ from the witness, and not all in the same way.
    Undecided,
    TooSlow,
}

pub(super) async fn compare(sessions: &Sessions, query: &Query) -> Comparison {
    let (our_sql, sql) = sessions.texts(&query.sql());
    let ours = run(&sessions.ours, &our_sql).await;
    let builtin = run(&sessions.builtin, &sql).await;
    let memory = run(&sessions.memory, &sql).await;

    let mut all = None;
    let columns =
        [&memory, &builtin, &ours].into_iter().find_map(|run| run.as_ref().ok()).map_or(0, Run::columns);
    if query.limit.is_some() && !query.is_total(columns) {
        match run(&sessions.memory, &sessions.texts(&query.unlimited()).1).await {
            Ok(run) => all = Some(run.rows),
            // A limit may end a query before its error.
            Err(_) => return Comparison::too_slow(),
        }
    }
    let witness = run(&sessions.witness, &sql).await;
    let [ours, builtin, memory, witness] =
        [ours, builtin, memory, witness].map(|run| reduce(run, query, all.as_deref()));
    let verdict = verdict([&ours, &builtin, &memory], &witness, sessions.is_guarded);
    Comparison { ours, builtin, memory, verdict }
}

fn verdict([ours, builtin, memory]: [&Answer; 3], witness: &Answer, is_guarded: bool) -> Verdict {
    if [ours, builtin, memory, witness].iter().any(|answer| matches!(answer, Answer::TooSlow)) {
        return Verdict::TooSlow;
    }
    let are_same = ours == builtin && ours == memory;
    if ours == witness {
        return match (are_same, ours) {
            (true, Answer::Error(_)) => Verdict::BothFail,
            (true, _) => Verdict::Same,
            (false, _) => Verdict::DataFusions,
        };
    }
    let is_like_another = ours == builtin || ours == memory;
    match (builtin == witness, memory == witness) {
        (true, true) => Verdict::Ours,
        // A session without our rules has DataFusion's faults.
        _ if !is_guarded && is_like_another => Verdict::DataFusions,
        (true, false) | (false, true) => Verdict::Ours,
        (false, false) if are_same => Verdict::Shared,
        (false, false) => Verdict::Undecided,
    }
}

impl Comparison {
    fn too_slow() -> Self {
        let verdict = Verdict::TooSlow;
        Comparison { ours: Answer::TooSlow, builtin: Answer::TooSlow, memory: Answer::TooSlow, verdict }
    }

    /// Whether our answer is an error that depends on how rows fall into batches. A dictionary's
    /// keys are numbered in each batch, and operators above the scan put batches together.
    pub(super) fn is_overflow_of_keys(&self) -> bool {
        matches!(&self.ours, Answer::Error(message) if message.contains("Dictionary key bigger than"))
    }
}

struct Run {
    types: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Run {
    fn columns(&self) -> usize {
        self.types.len()
    }
}

/// A query's rows; `Err(None)` if it takes too long. A panic is an error.
async fn run(ctx: &SessionContext, sql: &str) -> Result<Run, Option<String>> {
    let (ctx, sql) = (ctx.clone(), sql.to_owned());
    let task: JoinHandle<DataFusionResult<Run>> = tokio::spawn(async move {
        let frame = ctx.sql(&sql).await?;
        let fields = frame.schema().fields().clone();
        let types = fields.iter().map(|field| field.data_type().to_string()).collect();
        let batches = frame.execute_stream().await?.try_collect::<Vec<_>>().await?;
        Ok(Run { types, rows: batches.iter().flat_map(cells).collect() })
    });
    let abort = task.abort_handle();
    match tokio::time::timeout(PATIENCE, task).await {
        Ok(Ok(Ok(run))) => Ok(run),
        Ok(Ok(Err(error))) => Err(Some(error.strip_backtrace())),
        Ok(Err(panic)) => Err(Some(panic.to_string())),
        Err(_) => {
            abort.abort();
            Err(None)
        }
    }
}

/// Cells as text that tells all values of a type apart, also -0 from 0.
fn cells(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("␀");
    let columns: Vec<_> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect())
        .collect()
}

/// `all` are the rows without the limit, if the limit leaves a choice.
fn reduce(run: Result<Run, Option<String>>, query: &Query, all: Option<&[Vec<String>]>) -> Answer {
    let Run { types, rows } = match run {
        Ok(run) => run,
        Err(Some(message)) => return Answer::Error(message),
        Err(None) => return Answer::TooSlow,
    };
    let count = rows.len();
    let mut compared = vec![types.join(" | ")];
    for row in rows.iter().filter(|_| !query.order.is_empty()) {
        let keys = query.order.iter().filter_map(|(column, _)| row.get(column - 1).cloned());
        compared.push(format!("key {}", keys.collect::<Vec<_>>().join(" | ")));
    }
    match all {
        Some(all) if are_some_of(&rows, all) => compared.push(format!("{count} of all rows")),
        _ => {
            let mut rows: Vec<_> = rows.iter().map(|row| row.join(" | ")).collect();
            rows.sort();
            compared.extend(rows);
        }
    }
    Answer::Rows { compared, count }
}

/// Whether `all` contains the rows, each at least as often as they do.
fn are_some_of(rows: &[Vec<String>], all: &[Vec<String>]) -> bool {
    let mut left: HashMap<&[String], usize> = HashMap::new();
    for row in all {
        *left.entry(row).or_default() += 1;
    }
    rows.iter().all(|row| match left.get_mut(row.as_slice()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    })
}

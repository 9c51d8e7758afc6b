//! [`Progress`]: a progress bar on stderr, only on a terminal, and only after the work has taken a
//! while.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::query::bytes_scanned;

/// Shorter work ends before anyone could read a bar.
const SHOW_AFTER: Duration = Duration::from_secs(1);
const REDRAW_EVERY: Duration = Duration::from_millis(200);

pub(super) struct Progress {
    plan: Arc<dyn ExecutionPlan>,
    started: Instant,
    /// `None` if stderr is not a terminal.
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn start(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(total_bytes(plan)), ProgressDrawTarget::hidden());
            let template = "{bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta} left";
            bar.with_style(
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
            )
        });
        Progress { plan: Arc::clone(plan), started: Instant::now(), bar }
    }

    /// Waits for `work`, and redraws the bar meanwhile.
    pub(super) async fn wait<T>(&mut self, work: impl Future<Output = T>) -> T {
        let Some(bar) = &self.bar else {
            return work.await;
        };
        tokio::pin!(work);
        loop {
            match tokio::time::timeout(REDRAW_EVERY, &mut work).await {
                Ok(done) => return done,
                Err(_) => {
                    if bar.is_hidden() && self.started.elapsed() >= SHOW_AFTER {
                        bar.set_draw_target(ProgressDrawTarget::stderr());
                    }
                    bar.set_position(bytes_scanned(&self.plan) as u64);
                }
            }
        }
    }
}

impl Drop for Progress {
    /// Removes the bar from the terminal, after an error too.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The size of all files that the scans of a plan will read.
fn total_bytes(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let own = plan
        .downcast_ref::<DataSourceExec>()
        .and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>())
        .map_or(0, |config| {
            let files = config.file_groups.iter().flat_map(|group| group.iter());
            files.map(|file| file.object_meta.size).sum()
        });
    own + plan.children().into_iter().map(total_bytes).sum::<u64>()
}

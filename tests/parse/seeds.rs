//! Random tests whose failures can be repeated.

use crate::rng::{Rng, seeds};

/// Runs `test` for each seed, and names the seed of one that fails.
pub(crate) fn for_each_seed(count: u64, test: impl Fn(&mut Rng)) {
    for seed in seeds(count) {
        let run = std::panic::AssertUnwindSafe(|| test(&mut Rng::new(seed)));
        if let Err(panic) = std::panic::catch_unwind(run) {
            eprintln!("repeat with CSV_STREAM_TEST_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

//! A small seeded generator, so that every failure can be repeated.

/// Xorshift64*: the same numbers for the same seed on every machine.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from 0 to below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() >> 11) as usize % end
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

/// The seeds of a test: `count` of them, times `CSV_STREAM_TEST_ROUNDS` if it is set. If
/// `CSV_STREAM_TEST_SEED` is set, only that one.
pub(crate) fn seeds(count: u64) -> std::ops::Range<u64> {
    let number = |name: &str| {
        let value = std::env::var(name).ok()?;
        Some(value.parse().unwrap_or_else(|e| panic!("{name}={value}: {e}")))
    };
    match number("CSV_STREAM_TEST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..count * number("CSV_STREAM_TEST_ROUNDS").unwrap_or(1),
    }
}

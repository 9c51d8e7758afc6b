//! [`Backend`]: the one choice and the one dispatch.

use std::sync::OnceLock;

#[cfg(target_arch = "aarch64")]
use super::aarch64::{Neon, NeonPmull};
use super::kernel::Kernel;
use super::swar::Swar;
#[cfg(target_arch = "x86_64")]
use super::x86_64::{Avx2, Avx512, Sse2};

/// The environment variable that asks for a back end, by [name](Backend::name).
const VARIABLE: &str = "CSV_STREAM_BACKEND";

/// A set of vector instructions that this CPU has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backend(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Swar(Swar),
    #[cfg(target_arch = "x86_64")]
    Sse2(Sse2),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
    #[cfg(target_arch = "aarch64")]
    NeonPmull(NeonPmull),
}

impl Backend {
    /// The back ends that this CPU has, the slowest first. `swar` is always there.
    pub fn available() -> Vec<Backend> {
        let kinds = [
            Some(Kind::Swar(Swar)),
            #[cfg(target_arch = "x86_64")]
            Sse2::new().map(Kind::Sse2),
            #[cfg(target_arch = "x86_64")]
            Avx2::new().map(Kind::Avx2),
            #[cfg(target_arch = "x86_64")]
            Avx512::new().map(Kind::Avx512),
            #[cfg(target_arch = "aarch64")]
            Neon::new().map(Kind::Neon),
            #[cfg(target_arch = "aarch64")]
            NeonPmull::new().map(Kind::NeonPmull),
        ];
        kinds.into_iter().flatten().map(Backend).collect()
    }

    /// The fastest back end.
    ///
    /// For tests and benches, the environment variable `CSV_STREAM_BACKEND` may name another one. A
    /// name that this CPU has no back end for is ignored. The variable is read once in a process.
    pub fn detect() -> Backend {
        static CHOICE: OnceLock<Backend> = OnceLock::new();
        *CHOICE.get_or_init(|| Self::named_or_fastest(std::env::var(VARIABLE).ok().as_deref()))
    }

    fn named_or_fastest(name: Option<&str>) -> Backend {
        let fastest = || *Self::available().last().expect("swar is always there");
        name.and_then(Self::by_name).unwrap_or_else(fastest)
    }

    /// The back end of that name, if this CPU has it.
    pub fn by_name(name: &str) -> Option<Backend> {
        Backend::available().into_iter().find(|backend| backend.name() == name)
    }

    /// `swar`; on x86-64 also `sse2`, `avx2`, `avx512`; on 64-bit Arm `neon`, `neon_pmull`.
    pub fn name(&self) -> &'static str {
        match self.0 {
            Kind::Swar(_) => "swar",
            #[cfg(target_arch = "x86_64")]
            Kind::Sse2(_) => "sse2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(_) => "avx512",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon(_) => "neon",
            #[cfg(target_arch = "aarch64")]
            Kind::NeonPmull(_) => "neon_pmull",
        }
    }

    /// Runs a kernel with this back end's instructions.
    #[inline]
    pub(crate) fn run<K: Kernel>(&self, kernel: K) -> K::Output {
        match self.0 {
            Kind::Swar(swar) => kernel.run(swar),
            #[cfg(target_arch = "x86_64")]
            Kind::Sse2(sse2) => sse2.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(avx2) => avx2.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(avx512) => avx512.run(kernel),
            #[cfg(target_arch = "aarch64")]
            Kind::Neon(neon) => neon.run(kernel),
            #[cfg(target_arch = "aarch64")]
            Kind::NeonPmull(neon_pmull) => neon_pmull.run(kernel),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::kernel::{BLOCK, Simd};
    use super::super::prefix_xor::prefix_xor;
    use super::*;

    struct Probe<'a>(&'a [u8; BLOCK], u8);

    impl Kernel for Probe<'_> {
        type Output = (u64, u64, Vec<u32>);

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Self::Output {
            let mask = simd.eq(simd.load(self.0), self.1);
            let mut positions = [0; BLOCK];
            simd.positions(mask, 1000, &mut positions);
            (mask, simd.prefix_xor(mask), positions[..mask.count_ones() as usize].to_vec())
        }
    }

    #[test]
    fn every_backend_finds_the_same_bytes() {
        let mut state = 1u64;
        for density in [1, 2, 3, 8, 64, 256] {
            for _ in 0..200 {
                let block: [u8; BLOCK] = std::array::from_fn(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    ((state >> 33) % density) as u8
                });
                for byte in [0, 1, 0x7f, 0x80, 0xff] {
                    let mask = (0..BLOCK).map(|i| u64::from(block[i] == byte) << i).sum();
                    let positions = (0..64).filter(|i| mask >> i & 1 == 1).map(|i| 1000 + i).collect();
                    let expected = (mask, prefix_xor(mask), positions);
                    for backend in Backend::available() {
                        assert_eq!(backend.run(Probe(&block, byte)), expected, "{}", backend.name());
                    }
                }
            }
        }
    }

    struct AnyEq<'a>(&'a [[u8; BLOCK]; 3], u8);

    impl Kernel for AnyEq<'_> {
        type Output = bool;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> bool {
            let [first, second, third] = self.0;
            simd.any_eq(&[simd.load(first), simd.load(second), simd.load(third)], self.1)
        }
    }

    /// The other bytes differ from the wanted one in one bit, or by one, so that a carry would show.
    #[test]
    fn every_backend_sees_the_same_bytes_in_a_group() {
        for byte in [0, 1, b'\r', 0x7f, 0x80, 0xff] {
            for other in (0..8).map(|bit| byte ^ 1 << bit).chain([byte.wrapping_add(1)]) {
                for backend in Backend::available() {
                    let mut group = [[other; BLOCK]; 3];
                    assert!(!backend.run(AnyEq(&group, byte)), "{}, {byte}, {other}", backend.name());
                    for at in 0..3 * BLOCK {
                        group[at / BLOCK][at % BLOCK] = byte;
                        assert!(backend.run(AnyEq(&group, byte)), "{}, {byte} at {at}", backend.name());
                        group[at / BLOCK][at % BLOCK] = other;
                    }
                }
            }
        }
    }

    #[test]
    fn what_every_cpu_of_an_architecture_has_is_there() {
        assert!(Backend::by_name("swar").is_some());
        let is_arm = cfg!(all(target_arch = "aarch64", target_endian = "little"));
        assert_eq!(Backend::by_name("neon").is_some(), is_arm);
    }

    #[test]
    fn names_lead_back() {
        for backend in Backend::available() {
            assert_eq!(Backend::by_name(backend.name()), Some(backend));
        }
        assert_eq!(Backend::by_name("mmx"), None);
    }

    #[test]
    fn a_name_that_the_cpu_does_not_have_falls_back_to_the_fastest() {
        let fastest = Backend::available().into_iter().next_back().unwrap();
        for name in [None, Some(""), Some("mmx")] {
            assert_eq!(Backend::named_or_fastest(name), fastest, "{name:?}");
        }
        for backend in Backend::available() {
            assert_eq!(Backend::named_or_fastest(Some(backend.name())), backend);
        }
    }
}

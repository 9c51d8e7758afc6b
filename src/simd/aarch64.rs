//! The aarch64 back ends: NEON, and NEON with the carry-less product.
//!
//! A value of [`Neon`] or [`NeonPmull`] exists only if `new` has seen the instructions, so its
//! methods may use them.

use std::arch::aarch64::*;
use std::arch::{asm, is_aarch64_feature_detected};

use super::kernel::{BLOCK, Kernel, Simd};

/// NEON, which is a part of the architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Neon(());

impl Neon {
    /// A value, if the CPU has the instructions.
    pub(super) fn new() -> Option<Self> {
        // The first byte of a block is the lowest of a mask only where the CPU is little-endian.
        let all = cfg!(target_endian = "little") && is_aarch64_feature_detected!("neon");
        all.then_some(Neon(()))
    }

    /// Runs a kernel, compiled with these instructions.
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "neon")]
        fn compiled<K: Kernel>(simd: Neon, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: a `Neon` exists only where `new` found the feature.
        unsafe { compiled(self, kernel) }
    }
}

impl Simd for Neon {
    type Block = [uint8x16_t; 4];

    #[inline(always)]
    fn load(self, bytes: &[u8; BLOCK]) -> Self::Block {
        let (quarters, _) = bytes.as_chunks::<16>();
        // SAFETY: NEON is there, as `self` exists; each quarter is 16 readable bytes, and the load
        // needs no alignment.
        std::array::from_fn(|i| unsafe { vld1q_u8(quarters[i].as_ptr()) })
    }

    #[inline(always)]
    fn eq(self, block: Self::Block, byte: u8) -> u64 {
        const WEIGHTS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
        // SAFETY: NEON is there, as `self` exists; the weights are 16 readable bytes, and the load
        // needs no alignment.
        unsafe {
            let (wanted, weights) = (vdupq_n_u8(byte), vld1q_u8(WEIGHTS.as_ptr()));
            let bits = |bytes| vandq_u8(vceqq_u8(bytes, wanted), weights);
            let low = add_neighbours(bits(block[0]), bits(block[1]));
            let high = add_neighbours(bits(block[2]), bits(block[3]));
            let fours = add_neighbours(low, high);
            let eights = add_neighbours(fours, fours);
            vgetq_lane_u64::<0>(vreinterpretq_u64_u8(eights))
        }
    }

    #[inline(always)]
    fn any_eq<const N: usize>(self, group: &[Self::Block; N], byte: u8) -> bool {
        // SAFETY: NEON is there, as `self` exists; only registers are touched.
        unsafe {
            let (wanted, mut any) = (vdupq_n_u8(byte), vdupq_n_u8(0));
            for block in group {
                for &quarter in block {
                    any = vorrq_u8(any, vceqq_u8(quarter, wanted));
                }
            }
            vmaxvq_u8(any) != 0
        }
    }
}

/// The sums of neighbouring bytes, first those of `a`, then those of `b`: ADDP.
///
/// It isn't `vpaddq_u8`, because LLVM sees through that. No sum of single bits carries, so LLVM
/// makes two shuffles and an `or` out of each.
#[target_feature(enable = "neon")]
#[inline]
fn add_neighbours(a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
    let sums;
    // SAFETY: NEON is there, as the function requires it; only registers are touched.
    unsafe {
        asm!(
            "addp {sums:v}.16b, {a:v}.16b, {b:v}.16b",
            sums = lateout(vreg) sums,
            a = in(vreg) a,
            b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sums
}

/// NEON with PMULL, the carry-less product. Some CPUs don't have it, such as the Raspberry Pi 4's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NeonPmull(Neon);

impl NeonPmull {
    /// A value, if the CPU has the instructions.
    pub(super) fn new() -> Option<Self> {
        let all = is_aarch64_feature_detected!("pmull") && is_aarch64_feature_detected!("aes");
        Neon::new().filter(|_| all).map(NeonPmull)
    }

    /// Runs a kernel, compiled with these instructions.
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        // To the compiler PMULL is a part of AES.
        #[target_feature(enable = "neon,aes")]
        fn compiled<K: Kernel>(simd: NeonPmull, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: a `NeonPmull` exists only where `new` found PMULL and AES, and a `Neon` with NEON.
        unsafe { compiled(self, kernel) }
    }
}

impl Simd for NeonPmull {
    type Block = <Neon as Simd>::Block;

    #[inline(always)]
    fn load(self, bytes: &[u8; BLOCK]) -> Self::Block {
        self.0.load(bytes)
    }

    #[inline(always)]
    fn eq(self, block: Self::Block, byte: u8) -> u64 {
        self.0.eq(block, byte)
    }

    #[inline(always)]
    fn any_eq<const N: usize>(self, group: &[Self::Block; N], byte: u8) -> bool {
        self.0.any_eq(group, byte)
    }

    /// The carry-less product with all ones.
    #[inline(always)]
    fn prefix_xor(self, mask: u64) -> u64 {
        // SAFETY: PMULL is there, as `self` exists; only registers are touched.
        unsafe { vmull_p64(mask, !0) as u64 }
    }
}

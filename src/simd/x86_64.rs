//! The x86-64 back ends: SSE2, AVX2, and AVX-512 with byte compression.
//!
//! A value of [`Sse2`], [`Avx2`] or [`Avx512`] exists only if `new` has seen the instructions, so
//! its methods may use them.

use std::arch::x86_64::*;

use super::kernel::{BLOCK, Kernel, Simd};

/// SSE2 with POPCNT (since 2008). Without POPCNT, which counts fields and records, a scan would take
/// a quarter more time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sse2(());

impl Sse2 {
    /// A value, if the CPU has the instructions.
    pub(super) fn new() -> Option<Self> {
        let all = is_x86_feature_detected!("sse2") && is_x86_feature_detected!("popcnt");
        all.then_some(Sse2(()))
    }

    /// Runs a kernel, compiled with these instructions.
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "sse2,popcnt")]
        fn compiled<K: Kernel>(simd: Sse2, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: an `Sse2` exists only where `new` found the two features.
        unsafe { compiled(self, kernel) }
    }
}

impl Simd for Sse2 {
    type Block = [__m128i; 4];

    #[inline(always)]
    fn load(self, bytes: &[u8; BLOCK]) -> Self::Block {
        let (quarters, _) = bytes.as_chunks::<16>();
        // SAFETY: SSE2 is there, as `self` exists; each quarter is 16 readable bytes, and the load
        // needs no alignment.
        std::array::from_fn(|i| unsafe { _mm_loadu_si128(quarters[i].as_ptr().cast()) })
    }

    #[inline(always)]
    fn eq(self, block: Self::Block, byte: u8) -> u64 {
        let mut mask = 0;
        for (i, quarter) in block.into_iter().enumerate() {
            // SAFETY: SSE2 is there, as `self` exists; only registers are touched.
            let bits = unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(quarter, _mm_set1_epi8(byte as i8))) };
            mask |= u64::from(bits as u16) << (16 * i);
        }
        opaque(mask)
    }

    #[inline(always)]
    fn any_eq<const N: usize>(self, group: &[Self::Block; N], byte: u8) -> bool {
        // SAFETY: SSE2 is there, as `self` exists; only registers are touched.
        unsafe {
            let wanted = _mm_set1_epi8(byte as i8);
            let mut any = _mm_setzero_si128();
            for block in group {
                for &quarter in block {
                    any = _mm_or_si128(any, _mm_cmpeq_epi8(quarter, wanted));
                }
            }
            opaque(_mm_movemask_epi8(any) as u64) != 0
        }
    }
}

/// AVX2 (Intel since 2013, AMD since 2015).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Avx2(());

impl Avx2 {
    /// A value, if the CPU has the instructions.
    pub(super) fn new() -> Option<Self> {
        let all = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("pclmulqdq");
        all.then_some(Avx2(()))
    }

    /// Runs a kernel, compiled with these instructions.
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt,pclmulqdq")]
        fn compiled<K: Kernel>(simd: Avx2, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: an `Avx2` exists only where `new` found the six features.
        unsafe { compiled(self, kernel) }
    }
}

impl Simd for Avx2 {
    type Block = [__m256i; 2];

    #[inline(always)]
    fn load(self, bytes: &[u8; BLOCK]) -> Self::Block {
        let (halves, _) = bytes.as_chunks::<32>();
        // SAFETY: AVX2 is there, as `self` exists; each half is 32 readable bytes, and the load
        // needs no alignment.
        unsafe {
            [_mm256_loadu_si256(halves[0].as_ptr().cast()), _mm256_loadu_si256(halves[1].as_ptr().cast())]
        }
    }

    #[inline(always)]
    fn eq(self, block: Self::Block, byte: u8) -> u64 {
        // SAFETY: AVX2 is there, as `self` exists; only registers are touched.
        unsafe {
            let wanted = _mm256_set1_epi8(byte as i8);
            let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(block[0], wanted)) as u32;
            let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(block[1], wanted)) as u32;
            opaque(u64::from(low) | u64::from(high) << 32)
        }
    }

    #[inline(always)]
    fn any_eq<const N: usize>(self, group: &[Self::Block; N], byte: u8) -> bool {
        // SAFETY: AVX2 is there, as `self` exists; only registers are touched.
        unsafe {
            let wanted = _mm256_set1_epi8(byte as i8);
            let mut any = _mm256_setzero_si256();
            for block in group {
                for &half in block {
                    any = _mm256_or_si256(any, _mm256_cmpeq_epi8(half, wanted));
                }
            }
            opaque(_mm256_movemask_epi8(any) as u32 as u64) != 0
        }
    }

    #[inline(always)]
    fn prefix_xor(self, mask: u64) -> u64 {
        // SAFETY: PCLMULQDQ is there, as `self` exists; only registers are touched.
        unsafe { carryless_prefix_xor(mask) }
    }

    #[inline(always)]
    fn extract(self, mask: u64, of: u64) -> u64 {
        // SAFETY: BMI2 is there, as `self` exists; only registers are touched.
        unsafe { _pext_u64(mask, of) }
    }

    #[inline(always)]
    fn positions(self, mut mask: u64, base: u32, out: &mut [u32; BLOCK]) {
        if mask.count_ones() as usize <= FEW {
            // Four in a turn, as the compiler doesn't unroll a loop over all. `opaque`, as it would
            // gather the positions in a vector, which takes more time than to store them.
            for four in out[..FEW].as_chunks_mut::<4>().0 {
                for out in four {
                    *out = opaque(u64::from(base.wrapping_add(mask.trailing_zeros()))) as u32;
                    mask &= mask.wrapping_sub(1);
                }
            }
            return;
        }
        // SAFETY: AVX2 is there, as `self` exists; an entry of the table is eight readable bytes. Each
        // byte of the mask has eight bits at most, so after those before it `out` has room for eight
        // more; neither the load nor the store needs alignment.
        unsafe {
            let mut base = _mm256_set1_epi32(base as i32);
            let mut to = out.as_mut_ptr();
            for bits in mask.to_le_bytes() {
                let positions = _mm_loadl_epi64(POSITIONS[usize::from(bits)].as_ptr().cast());
                let positions = _mm256_add_epi32(_mm256_cvtepu8_epi32(positions), base);
                _mm256_storeu_si256(to.cast(), positions);
                base = _mm256_add_epi32(base, _mm256_set1_epi32(8));
                to = to.add(bits.count_ones() as usize);
            }
        }
    }
}

/// Up to this many positions are found one by one in less time than in [`POSITIONS`].
const FEW: usize = 12;

/// The positions of the set bits of each byte, in order, then zeros. Eight are always written,
/// because a branch on how many a byte has can't be predicted.
static POSITIONS: [[u8; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut bits = 0;
    while bits < 256 {
        let (mut position, mut count) = (0, 0);
        while position < 8 {
            if bits >> position & 1 == 1 {
                table[bits][count] = position as u8;
                count += 1;
            }
            position += 1;
        }
        bits += 1;
    }
    table
};

/// AVX-512 with VBMI2 (Intel since Ice Lake, AMD since Zen 4): one comparison a block, and
/// positions by compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Avx512(Avx2);

impl Avx512 {
    /// A value, if the CPU has the instructions.
    pub(super) fn new() -> Option<Self> {
        let all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi2");
        Avx2::new().filter(|_| all).map(Avx512)
    }

    /// Runs a kernel, compiled with these instructions.
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,avx2,bmi1,bmi2,popcnt,lzcnt,pclmulqdq")]
        fn compiled<K: Kernel>(simd: Avx512, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: an `Avx512` exists only where `new` found the three features, and an `Avx2` with
        // the other six.
        unsafe { compiled(self, kernel) }
    }
}

impl Simd for Avx512 {
    type Block = __m512i;

    #[inline(always)]
    fn load(self, bytes: &[u8; BLOCK]) -> Self::Block {
        // SAFETY: AVX-512F is there, as `self` exists; 64 bytes are readable, and the load needs no
        // alignment.
        unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    fn eq(self, block: Self::Block, byte: u8) -> u64 {
        // SAFETY: AVX-512BW is there, as `self` exists; only registers are touched.
        unsafe { _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8(byte as i8)) }
    }

    #[inline(always)]
    fn prefix_xor(self, mask: u64) -> u64 {
        self.0.prefix_xor(mask)
    }

    #[inline(always)]
    fn extract(self, mask: u64, of: u64) -> u64 {
        self.0.extract(mask, of)
    }

    #[inline(always)]
    fn positions(self, mask: u64, base: u32, out: &mut [u32; BLOCK]) {
        const IOTA: [u8; BLOCK] = {
            let mut iota = [0; BLOCK];
            let mut i = 0;
            while i < BLOCK {
                iota[i] = i as u8;
                i += 1;
            }
            iota
        };
        let count = mask.count_ones() as usize;
        let (sixteens, _) = out.as_chunks_mut::<16>();
        // SAFETY: AVX-512F and VBMI2 are there, as `self` exists; `IOTA` is 64 readable bytes, each
        // store goes to an array of 16 `u32`, and neither needs alignment.
        unsafe {
            let base = _mm512_set1_epi32(base as i32);
            let packed = _mm512_maskz_compress_epi8(mask, _mm512_loadu_si512(IOTA.as_ptr().cast()));
            let store = |out: &mut [u32; 16], bytes: __m128i| {
                let positions = _mm512_add_epi32(_mm512_cvtepu8_epi32(bytes), base);
                _mm512_storeu_si512(out.as_mut_ptr().cast(), positions);
            };
            store(&mut sixteens[0], _mm512_castsi512_si128(packed));
            if count > 16 {
                store(&mut sixteens[1], _mm512_extracti32x4_epi32::<1>(packed));
            }
            if count > 32 {
                store(&mut sixteens[2], _mm512_extracti32x4_epi32::<2>(packed));
                store(&mut sixteens[3], _mm512_extracti32x4_epi32::<3>(packed));
            }
        }
    }
}

/// The same mask, but the compiler no longer knows that it came from a vector.
///
/// Otherwise LLVM does the algebra on vectors of bits. It takes masks apart and puts them together
/// bit by bit, which makes the whole scan four times slower.
#[inline(always)]
fn opaque(mut mask: u64) -> u64 {
    // SAFETY: the assembly holds a comment and no instruction.
    unsafe { std::arch::asm!("/* {0} */", inout(reg) mask, options(pure, nomem, nostack, preserves_flags)) };
    mask
}

/// The carry-less product with all ones is the prefix xor.
#[target_feature(enable = "pclmulqdq")]
#[inline]
fn carryless_prefix_xor(mask: u64) -> u64 {
    let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, mask as i64), _mm_set1_epi8(-1));
    _mm_cvtsi128_si64(product) as u64
}

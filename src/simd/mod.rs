//! The SIMD seam: vector instructions for parsing and decoding, chosen once, at run time.
//!
//! ```text
//!   Backend::detect()          one choice: the CPU, or CSV_STREAM_BACKEND
//!        │ run(kernel)         one dispatch: enters code compiled for those instructions
//!        ▼
//!   Kernel::run(simd)          the algorithm, written once over the trait Simd
//!        │ load, eq, any_eq, prefix_xor, extract, positions
//!        ▼
//!   swar.rs   x86_64.rs   aarch64.rs      `unsafe` stands in the vendors' files only
//! ```
//!
//! A new architecture is one file, with a type that implements `Simd`, and one variant in
//! `backend.rs`.

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod backend;
mod kernel;
mod positions;
mod prefix_xor;
mod swar;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub use backend::Backend;
pub(crate) use kernel::{BLOCK, Kernel, Simd};
pub(crate) use positions::first_positions;
#[cfg(test)]
pub(crate) use prefix_xor::prefix_xor;

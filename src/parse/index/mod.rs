//! The SIMD seam: "which of these 64 bytes are b", and nothing more.
//!
//! ```text
//!   Backend::detect()          one choice, at run time: CPU, or CSV_STREAM_BACKEND
//!        │ run(kernel)         one dispatch: enters code compiled for those instructions
//!        ▼
//!   Kernel::run(simd)          the algorithm, written once over the trait Simd
//!        │ load, eq, prefix_xor, positions
//!        ▼
//!   swar.rs   x86_64.rs        the vendor's words; the only files with `unsafe`
//! ```

mod backend;
mod simd;
mod swar;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub use backend::Backend;
pub(crate) use simd::{BLOCK, Kernel, Simd};

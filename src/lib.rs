//! A bounded-memory, quote-aware CSV engine for Apache DataFusion.

#[cfg(feature = "arrow")]
pub mod decode;
pub mod dialect;
pub mod error;
#[cfg(feature = "arrow")]
pub mod infer;
#[cfg(feature = "datafusion")]
pub mod input;
pub mod limits;
pub mod parse;

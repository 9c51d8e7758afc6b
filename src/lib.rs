//! A bounded-memory, quote-aware CSV engine for Apache DataFusion.

pub mod dialect;
pub mod error;
pub mod limits;
pub mod parse;

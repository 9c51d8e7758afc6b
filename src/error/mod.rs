//! The one error of this crate: what is wrong, where, and which option accepts the input.
//!
//! ```text
//!  located   Error: a kind, with the file and the place as far as they are known
//!  kind      ErrorKind: every defect of an input, every option that can't be
//!  display   the message: what is wrong, what was expected, the first thing to try
//!  place     Place: byte, line, record, column
//!  shown     a value in a message, escaped and cut
//! ```
//!
//! Errors go up through the layers, and each adds what it knows: a record its place, a batch the
//! column's name, a reader the file.

mod display;
mod kind;
mod located;
mod place;
mod shown;

pub use kind::ErrorKind;
pub use located::{Error, Result};
pub use place::Place;
pub use shown::{MAX_VALUE_CHARS, shown};

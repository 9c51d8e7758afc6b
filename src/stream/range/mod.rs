//! Byte ranges of a file: each finds its own records, exactly, whatever becomes of the others.
//!
//! ```text
//!            a                        b
//!  ──────────┼────────────────────────┼──────────
//!     …│ record │ record │ … │    record   │ record
//!              └ first start at or after a └ first start at or after b: verified
//!
//!  file     one file of which ranges are read
//!  start    the first record of a range: proven from the bytes around a, else by the prefix
//!  end      the first record past a range: compared with the one that the next reader concludes
//!  prefix   a scan of all bytes before a
//!  locate   the line and record of an error, which are counted only now
//! ```
//!
//! A record belongs to the range that holds its first byte. The start of a range's first record is
//! proven from the bytes that follow `a`. Where those leave a choice, the prefix `[0, a)` is
//! scanned, which decides. So in a readable file every range starts right, by itself.
//!
//! In a file that can't be read (a quote is never closed, for example) the proof doesn't hold. The
//! query fails there, in one of two ways. A reader meets the error. Or the reader of a range gets
//! to its end, knows where the next record starts, draws the next reader's conclusion from the same
//! bytes, and finds that it is different.
//!
//! A scan that ends early reaches neither the error nor the ends of its ranges. If its limit is
//! known to the scan, rows come from the front of a file, by the range at 0 alone. With a
//! predicate, each range scans its prefix. A limit of an operator above the scan is not known here:
//! of a file that can't be read, rows of a later range may be handed on before the error is met.

mod end;
mod file;
mod locate;
mod prefix;
mod start;

pub use end::NextRange;
pub use file::{ByteRange, FileRanges};
pub use start::Known;

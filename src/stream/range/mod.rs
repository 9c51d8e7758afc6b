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
//!  lead     the bytes before a: do they hold a part of a record?
//!  end      the first record past a range: compared with the one that the next reader concludes
//!  prefix   a pass over all bytes before a; starts: its results, shared by all ranges of a scan
//!  locate   the line and record of an error, which are counted only now
//! ```
//!
//! A record belongs to the range that holds its first byte. The start of a range's first record is
//! proven from the bytes around `a`: see [`BoundaryFinder`](crate::internal::BoundaryFinder). Where
//! those leave a choice, the prefix `[0, a)` is scanned, which decides. So in a readable file every
//! range starts right, by itself.
//!
//! In a file that can't be read (a quote is never closed, for example) the proof may not hold. The
//! query fails there, in one of two ways. A reader meets the error. Or the reader of a range gets to
//! its end, knows where the next record starts, draws the next reader's conclusion from the same
//! bytes, and finds that it is different.
//!
//! A scan that ends early reaches neither the error nor the ends of its ranges. So of a file that
//! can't be read, rows of a later range may be handed on before the error is met. If the scan knows
//! its limit and has no predicate, rows come from the front of a file, by the range at 0 alone.
//!
//! # Cost
//!
//! A range reads a lead of 64 KiB before `a`, in rare cases up to 256 KiB. If the file has no quotes
//! there, it then reads up to `max_record_bytes` after `a`. If that is more than 2 MiB and more than
//! half of the range, or if a choice is left, one pass over the prefix serves all ranges of the scan.

mod end;
mod file;
mod lead;
mod locate;
mod prefix;
mod start;
mod starts;

pub use end::NextRange;
pub use file::{ByteRange, FileRanges};
pub use start::Known;
pub use starts::PrefixPass;

//! Counting physical lines, for the positions of errors.

use memchr::{memchr_iter, memchr2_iter};

use crate::grammar::Terminator;

/// The number of lines that end in `bytes`. A CRLF ends one line. So an LF at the front ends none
/// if a CR stood before `bytes` (`after_cr`).
pub(super) fn line_breaks(terminator: Terminator, after_cr: bool, bytes: &[u8]) -> u64 {
    match terminator {
        Terminator::Byte(terminator) => memchr_iter(terminator, bytes).count() as u64,
        Terminator::CrLf => {
            let mut breaks = 0;
            let mut lf_of_crlf = after_cr.then_some(0);
            for at in memchr2_iter(b'\r', b'\n', bytes) {
                breaks += u64::from(bytes[at] == b'\r' || lf_of_crlf != Some(at));
                lf_of_crlf = (bytes[at] == b'\r').then_some(at + 1);
            }
            breaks
        }
    }
}

//! [`Grammar`]: the bytes that have a meaning, as one small value.

use super::dialect::Terminator;

/// The bytes that have a meaning. A [`Dialect`](super::Dialect) has checked that none has two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Grammar {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Option<u8>,
    pub(crate) double_quote: bool,
    pub(crate) comment: Option<u8>,
    pub(crate) terminator: Terminator,
}

impl Grammar {
    /// The default dialect's.
    pub(crate) const DEFAULT: Grammar = Grammar {
        delimiter: b',',
        quote: Some(b'"'),
        escape: None,
        double_quote: true,
        comment: None,
        terminator: Terminator::CrLf,
    };
}

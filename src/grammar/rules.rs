//! [`Grammar`]: the bytes that have a meaning, as one small value. [`Terminator`]: its record
//! separator.

/// The bytes that end a record outside quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Terminator {
    /// CR, LF or CRLF, each alone or mixed in one file. The default, as in `csv-core`.
    #[default]
    CrLf,
    /// Exactly this byte. With `Byte(b'\n')` a CR before the LF belongs to the last field.
    Byte(u8),
}

impl Terminator {
    /// Whether `byte` ends a record.
    #[inline]
    pub fn is(self, byte: u8) -> bool {
        match self {
            Terminator::CrLf => byte == b'\n' || byte == b'\r',
            Terminator::Byte(terminator) => byte == terminator,
        }
    }
}

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
    /// The grammar of the default dialect.
    pub(crate) const DEFAULT: Grammar = Grammar {
        delimiter: b',',
        quote: Some(b'"'),
        escape: None,
        double_quote: true,
        comment: None,
        terminator: Terminator::CrLf,
    };

    /// The grammar without CR and without comments, which means the same wherever neither a CR nor
    /// a comment byte stands.
    #[inline]
    pub(crate) fn plain(&self) -> Grammar {
        let terminator = match self.terminator {
            Terminator::CrLf => b'\n',
            Terminator::Byte(terminator) => terminator,
        };
        Grammar { comment: None, terminator: Terminator::Byte(terminator), ..*self }
    }

    /// CR with the default terminator.
    #[inline]
    pub(crate) fn cr(&self) -> Option<u8> {
        match self.terminator {
            Terminator::CrLf => Some(b'\r'),
            Terminator::Byte(_) => None,
        }
    }
}

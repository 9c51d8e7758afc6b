//! [`Error`]: a kind, with the file and the place as far as they are known.

use std::{fmt, io};

use super::kind::ErrorKind;
use super::place::Place;

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The defect, its place, and the first thing to try.
///
/// One word wide. Each layer adds the part of the place that it knows.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    path: Option<String>,
    place: Option<Place>,
}

impl Error {
    /// An error without a place.
    pub fn new(kind: ErrorKind) -> Self {
        Error(Box::new(Inner { kind, path: None, place: None }))
    }

    /// An error at a place.
    pub fn at(kind: ErrorKind, place: Place) -> Self {
        Error(Box::new(Inner { kind, path: None, place: Some(place) }))
    }

    /// A bad option: its name, the value given, and what is allowed, as a sentence.
    pub fn invalid_option(
        option: impl Into<String>,
        value: impl Into<String>,
        allowed: impl Into<String>,
    ) -> Self {
        Self::new(ErrorKind::InvalidOption {
            option: option.into(),
            value: value.into(),
            allowed: allowed.into(),
        })
    }

    /// The defect.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The defect, taken out.
    pub fn into_kind(self) -> ErrorKind {
        self.0.kind
    }

    /// The file, if the error is about one and it is known.
    pub fn path(&self) -> Option<&str> {
        self.0.path.as_deref()
    }

    /// The place in the input, if the error is about one.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// Adds the file, unless one is there, or the error is not about a file.
    #[must_use]
    pub fn with_path(mut self, path: &str) -> Self {
        if self.0.place.is_some() || self.0.kind.is_about_a_file() {
            self.0.path.get_or_insert_with(|| path.to_owned());
        }
        self
    }

    /// Adds the lines and records before the byte from which those of the place were counted.
    #[must_use]
    pub fn with_counted_before(mut self, lines: u64, records: u64) -> Self {
        if let Some(place) = &mut self.0.place {
            place.line += lines;
            place.record += records;
        }
        self
    }

    /// Adds the column's name, unless one is there.
    #[must_use]
    pub fn with_column_name(mut self, name: &str) -> Self {
        if let Some(place) = &mut self.0.place {
            place.column_name.get_or_insert_with(|| name.to_owned());
        }
        self
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        // An error of this crate that passed through a reader comes back as it was.
        match error.downcast::<Error>() {
            Ok(own) => own,
            Err(other) => Self::new(ErrorKind::Io(other)),
        }
    }
}

/// The kind is that of the error of reading, if it is one; else `OutOfMemory`, `InvalidInput` for
/// an option, or `InvalidData`.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Io(cause) => cause.kind(),
            ErrorKind::Memory { .. } => io::ErrorKind::OutOfMemory,
            ErrorKind::InvalidOption { .. } => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, error)
    }
}

impl std::error::Error for Error {
    /// The cause of the cause: the message has the cause's own text already.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            ErrorKind::Io(cause) => cause.source(),
            ErrorKind::Filter(cause) | ErrorKind::Internal(cause) => cause.source(),
            _ => None,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, path, place } = &*self.0;
        f.debug_struct("Error").field("kind", kind).field("path", path).field("place", place).finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, path, place } = &*self.0;
        if let Some(path) = path {
            write!(f, "{path}: ")?;
        }
        if let Some(place) = place {
            write!(f, "{place}: ")?;
        }
        kind.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn place() -> Place {
        let place = Place::of_record(40, 3, 2).with_column(Some(4));
        Place { column_name: Some("amount".into()), ..place }
    }

    #[test]
    fn the_file_and_the_place_come_first() {
        let error = Error::at(ErrorKind::UnclosedQuote, place()).with_path("a.csv");
        let text = error.to_string();
        assert!(text.starts_with("a.csv: line 3, record 2, byte 40, column 4 (\"amount\"): "), "{text}");
        assert_eq!((error.path(), error.place()), (Some("a.csv"), Some(&place())));
    }

    #[test]
    fn a_path_is_added_once_and_only_where_it_helps() {
        let gone = io::Error::other("gone");
        let error = Error::new(ErrorKind::Io(gone)).with_path("b.csv").with_path("c.csv");
        assert_eq!(error.to_string(), "b.csv: gone");
        assert_eq!(error.place(), None);
        let error = Error::invalid_option("trim", "x", "none").with_path("b.csv");
        assert_eq!(error.path(), None);
    }

    #[test]
    fn lines_and_records_that_were_counted_later_are_added() {
        let error = Error::at(ErrorKind::UnclosedQuote, place()).with_counted_before(100, 10);
        assert_eq!(error.place(), Some(&Place { line: 103, record: 12, ..place() }));
    }

    #[test]
    fn an_error_survives_the_way_through_a_reader() {
        let through: Error = io::Error::from(Error::at(ErrorKind::UnclosedQuote, place())).into();
        assert!(matches!(through.kind(), ErrorKind::UnclosedQuote));
        assert_eq!(through.place(), Some(&place()));
    }

    #[test]
    fn the_kind_of_an_error_of_reading_is_kept() {
        let of = |kind| io::Error::from(Error::new(kind)).kind();
        let denied = io::Error::new(io::ErrorKind::PermissionDenied, "no");
        assert_eq!(of(ErrorKind::Io(denied)), io::ErrorKind::PermissionDenied);
        assert_eq!(of(ErrorKind::UnclosedQuote), io::ErrorKind::InvalidData);
        let memory = ErrorKind::Memory { what: "x".into(), limit: 1, option: "memory_limit" };
        assert_eq!(of(memory), io::ErrorKind::OutOfMemory);
        let option = io::Error::from(Error::invalid_option("trim", "x", "none"));
        assert_eq!(option.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn a_chain_of_causes_says_nothing_twice() {
        let cause =
            io::Error::new(io::ErrorKind::ConnectionReset, Wrapper(io::Error::other("reset by peer")));
        let error = Error::new(ErrorKind::Io(cause));
        assert_eq!(error.to_string(), "the store failed");
        let source = error.source().expect("the cause of the cause");
        assert_eq!(source.to_string(), "reset by peer");
        assert!(Error::new(ErrorKind::Io(io::Error::other("gone"))).source().is_none());
    }

    #[derive(Debug)]
    struct Wrapper(io::Error);

    impl fmt::Display for Wrapper {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the store failed")
        }
    }

    impl std::error::Error for Wrapper {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
}

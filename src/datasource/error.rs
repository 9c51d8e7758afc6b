//! The one way from this crate's [`Error`] to DataFusion's.

use datafusion::error::DataFusionError;

use crate::error::{Error, ErrorKind};

/// An error of a filter that came from DataFusion comes out as it was. An option or a type that
/// can't be used is an error of the plan, and missing memory is `ResourcesExhausted`. All others
/// are `External`, so that the [`Error`] is found by a downcast.
impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidOption { .. } => DataFusionError::Configuration(error.to_string()),
            ErrorKind::UnsupportedType { .. } => DataFusionError::NotImplemented(error.to_string()),
            ErrorKind::Memory { .. } => DataFusionError::ResourcesExhausted(error.to_string()),
            ErrorKind::Internal(_) => DataFusionError::Internal(error.to_string()),
            ErrorKind::Filter(_) => of_filter(error),
            _ => DataFusionError::External(Box::new(error)),
        }
    }
}

fn of_filter(error: Error) -> DataFusionError {
    match error.into_kind() {
        ErrorKind::Filter(cause) => match cause.downcast::<DataFusionError>() {
            Ok(cause) => *cause,
            Err(cause) => DataFusionError::External(cause),
        },
        kind => DataFusionError::External(Box::new(Error::new(kind))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_kind() {
        let plan = Error::invalid_option("quote", "ab", "one byte").into();
        assert!(matches!(plan, DataFusionError::Configuration(_)), "{plan}");
        let kind = ErrorKind::Memory { what: "it".into(), limit: 1, option: "memory_limit" };
        let memory = Error::new(kind).into();
        assert!(matches!(memory, DataFusionError::ResourcesExhausted(_)), "{memory}");
        let DataFusionError::External(own) = Error::new(ErrorKind::UnclosedQuote).into() else {
            panic!("not External");
        };
        assert!(matches!(own.downcast_ref::<Error>().unwrap().kind(), ErrorKind::UnclosedQuote));
    }

    #[test]
    fn an_error_of_a_filter_comes_out_as_it_was() {
        let cause = DataFusionError::Execution("division by zero".into());
        let found = DataFusionError::from(Error::new(ErrorKind::Filter(cause.into())));
        assert!(matches!(&found, DataFusionError::Execution(text) if text == "division by zero"), "{found}");
        let found = DataFusionError::from(Error::new(ErrorKind::Filter("other".into())));
        assert_eq!(found.to_string(), "External error: other");
    }
}

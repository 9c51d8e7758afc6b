//! [`InferredMarks`]: the columns whose types were inferred, apart from the schema that shows them.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{FieldRef, Schema, SchemaRef};

use crate::decode::Inferred;

/// The marks of the columns of one table, in its order.
pub(super) type Marks = Arc<[Option<Inferred>]>;

/// The marks of an inferred schema.
///
/// A mark in a field's metadata would be seen by all who look at a table's schema, and DataFusion
/// compares metadata where it compares schemas. So the marks stand here.
#[derive(Debug, Clone)]
pub(super) struct InferredMarks {
    marked: SchemaRef,
}

impl InferredMarks {
    /// Takes the marks off a schema.
    pub(super) fn take(marked: SchemaRef) -> (SchemaRef, Self) {
        (Arc::new(Inferred::unmarked(&marked)), InferredMarks { marked })
    }

    /// The marks of a table's columns. A column has one if the inferred schema has a column of its
    /// name and type, or if its own field is marked.
    pub(super) fn of(&self, schema: &Schema) -> Marks {
        let marked: HashMap<_, _> =
            self.marked.fields().iter().map(|field| (field.name().as_str(), field)).collect();
        let mark = |field: &FieldRef| {
            let inferred = marked.get(field.name().as_str());
            let inferred = inferred.filter(|inferred| inferred.data_type() == field.data_type());
            inferred.and_then(|inferred| Inferred::of(inferred)).or_else(|| Inferred::of(field))
        };
        schema.fields().iter().map(mark).collect()
    }
}

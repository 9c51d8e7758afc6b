//! [`FileColumns`]: the places of a table's columns in the records of one file.

use std::sync::Arc;

/// The places of a table's columns in the records of one file.
///
/// ```
/// use datafusion_csv_stream::decode::FileColumns;
///
/// // A table (id, name, year) over a file whose header is `name,id`.
/// let columns = FileColumns::new([Some(1), Some(0), None], 2);
/// assert_eq!((columns.field(0), columns.field(2), columns.width()), (Some(1), None, 2));
/// assert_ne!(columns, FileColumns::in_order(3));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileColumns {
    /// For each column of the table, the field in a record. `None` where the file lacks it.
    fields: Arc<[Option<usize>]>,
    width: usize,
}

impl FileColumns {
    /// A file that has the table's columns in the table's order.
    pub fn in_order(columns: usize) -> Self {
        FileColumns { fields: (0..columns).map(Some).collect(), width: columns }
    }

    /// For each column of the table the field in the file's records, which have `width` fields.
    /// Fields without a column are not read. A column without a field is NULL.
    ///
    /// # Panics
    ///
    /// When a field is not below `width`.
    pub fn new(fields: impl Into<Arc<[Option<usize>]>>, width: usize) -> Self {
        let fields = fields.into();
        assert!(fields.iter().flatten().all(|&field| field < width), "{fields:?} of {width} fields");
        FileColumns { fields, width }
    }

    /// The field of a column of the table.
    ///
    /// # Panics
    ///
    /// When the table has no such column.
    pub fn field(&self, column: usize) -> Option<usize> {
        self.fields[column]
    }

    /// The number of fields of a record.
    pub fn width(&self) -> usize {
        self.width
    }

    /// For each field of a record, whether some rule holds for the column that it belongs to. For a
    /// field without a column it holds.
    pub(super) fn by_field(&self, rule: impl Fn(usize) -> bool) -> Vec<bool> {
        let mut holds = vec![true; self.width];
        for (column, field) in self.fields.iter().enumerate() {
            if let Some(field) = field {
                holds[*field] = rule(column);
            }
        }
        holds
    }
}

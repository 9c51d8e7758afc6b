//! The names of the columns, from the header or numbered.

use std::collections::{HashMap, HashSet};

use crate::error::{ErrorKind, Result, shown};
use crate::grammar::Dialect;
use crate::grammar::Unescape;
use crate::parse::{FieldCount, Parser, Records, Step};

/// The column names of a table whose file starts with `head`; `None` if `head` ends before the
/// first record does.
///
/// If `head_is_file`, `head` is the whole file, and the first record may end with it. A file
/// without records then has no names. Empty and repeated names are replaced as [`infer`](super)
/// describes. Without a header the names are `column_1`, `column_2`, …
///
/// # Errors
///
/// When the first record is longer than `max_record_bytes` or ends inside quotes, or a name is not
/// UTF-8.
pub fn read_names(
    dialect: &Dialect,
    head: &[u8],
    head_is_file: bool,
    max_record_bytes: usize,
) -> Result<Option<Vec<String>>> {
    let names = |records: &Records<'_>| {
        let mut names = Names::default();
        names.extend(dialect, records)?;
        Ok(Some(names.into_vec()))
    };
    let mut parser = Parser::new(dialect, FieldCount::Any, max_record_bytes).with_header_record();
    if let (_, Step::Records(records)) = parser.next(head, 1)? {
        return names(&records);
    }
    if !head_is_file {
        return Ok(None);
    }
    match parser.finish()? {
        Some(records) => names(&records),
        None => Ok(Some(Vec::new())),
    }
}

/// The names of a table's columns. They are all different, and none is empty.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: Vec<String>,
    taken: HashSet<String>,
    /// For a repeated name, the first number that may still be free.
    next_suffix: HashMap<String, usize>,
}

impl Names {
    /// The number of columns.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Names the columns in a file's first record that earlier files don't have.
    pub(super) fn extend(&mut self, dialect: &Dialect, first: &Records<'_>) -> Result<()> {
        let columns = self.len()..first.field_count(0);
        if !dialect.has_header() {
            self.add(columns.map(|_| String::new()).collect());
            return Ok(());
        }
        let unescape = Unescape::headers(dialect);
        let mut scratch = Vec::new();
        let mut header = Vec::with_capacity(columns.len());
        for column in columns {
            let raw = first.raw(0, column).unwrap_or_default();
            let name = unescape.value(raw, &mut scratch);
            let name = str::from_utf8(name).map_err(|error| {
                let kind = ErrorKind::InvalidUtf8 { value: shown(name), at: error.valid_up_to() };
                first.error(kind, 0, Some(column))
            })?;
            header.push(name.to_owned());
        }
        self.add(header);
        Ok(())
    }

    /// The names of a file's own columns, by the rule of this type.
    pub(super) fn of_file(dialect: &Dialect, first: &Records<'_>) -> Result<Vec<String>> {
        let mut names = Names::default();
        names.extend(dialect, first)?;
        Ok(names.into_vec())
    }

    /// The names, in the order of the columns.
    pub(super) fn as_slice(&self) -> &[String] {
        &self.names
    }

    /// Adds a column before another one. No column has its name.
    pub(super) fn insert(&mut self, column: usize, name: String) {
        self.taken.insert(name.clone());
        self.names.insert(column, name);
    }

    /// The names, in the order of the columns.
    pub(super) fn into_vec(self) -> Vec<String> {
        self.names
    }

    fn add(&mut self, header: Vec<String>) {
        // Names that stand in the header are kept, so that no generated name equals one further
        // right.
        let mut kept: HashSet<&str> = HashSet::new();
        let is_kept: Vec<bool> = header
            .iter()
            .map(|name| !name.is_empty() && !self.taken.contains(name) && kept.insert(name))
            .collect();
        self.taken.extend(kept.into_iter().map(str::to_owned));
        for (name, is_kept) in header.into_iter().zip(is_kept) {
            let name = match (is_kept, name.is_empty()) {
                (true, _) => name,
                (false, true) => self.free(format!("column_{}", self.len() + 1)),
                (false, false) => self.free(name),
            };
            self.names.push(name);
        }
    }

    /// The name itself if it is free, else the name with the first number that makes it free.
    fn free(&mut self, name: String) -> String {
        if self.taken.insert(name.clone()) {
            return name;
        }
        let mut suffix = self.next_suffix.get(&name).copied().unwrap_or(2);
        let free = loop {
            let numbered = format!("{name}_{suffix}");
            suffix += 1;
            if self.taken.insert(numbered.clone()) {
                break numbered;
            }
        };
        self.next_suffix.insert(name, suffix);
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(headers: &[&[&str]]) -> Vec<String> {
        let mut names = Names::default();
        for header in headers {
            names.add(header.iter().map(|name| name.to_string()).collect());
        }
        names.into_vec()
    }

    #[test]
    fn every_column_has_a_name_of_its_own() {
        for (header, expected) in [
            (&["a", "b"][..], &["a", "b"][..]),
            (&["", "b", ""], &["column_1", "b", "column_3"]),
            (&["a", "a", "a"], &["a", "a_2", "a_3"]),
            (&["a", "a", "a_2"], &["a", "a_3", "a_2"]),
            (&["a_2", "a", "a", "a_2"], &["a_2", "a", "a_3", "a_2_2"]),
            (&["", "column_1"], &["column_1_2", "column_1"]),
            (&["column_2", ""], &["column_2", "column_2_2"]),
            (&["A", "a"], &["A", "a"]),
        ] {
            assert_eq!(named(&[header]), expected, "{header:?}");
        }
    }

    #[test]
    fn columns_of_a_later_file_take_no_name_that_is_there() {
        assert_eq!(
            named(&[&["a", "a"], &["a", "a_2", "", "b"]]),
            ["a", "a_2", "a_3", "a_2_2", "column_5", "b"]
        );
    }

    #[test]
    fn a_header_of_one_name_takes_no_longer_than_another() {
        let header = vec!["a"; 200_000];
        let names = named(&[&header]);
        assert_eq!(names[199_999], "a_200000");
    }
}

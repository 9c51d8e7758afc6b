//! [`MatchColumns`]: how a file's header names are matched with a table's columns.

use std::collections::{HashMap, HashSet};

use crate::decode::FileColumns;
use crate::error::{Error, ErrorKind, Result};

/// The most names that an error shows of each list.
const SHOWN_NAMES: usize = 20;

/// How the fields of a file are matched with the columns of a table. Without a header they are
/// always matched by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MatchColumns {
    /// By name, if the header shows how:
    ///
    /// * A header that has only names of the table, in any order, is matched by name. A column that
    ///   it lacks is NULL.
    /// * A header that differs from a declared table only in names that the table doesn't have, each
    ///   at the position of a column that the header lacks, is matched by position: the columns were
    ///   renamed. So is a header that shares no name with a declared table. If the table was inferred,
    ///   a first record that shares no name is data if its values have the columns' types.
    /// * Any other header is an error.
    #[default]
    Auto,
    /// By name. A column that the header lacks is NULL. A field whose name the table doesn't have is
    /// not read.
    Name,
    /// By position, as DataFusion's reader does. The names are not compared.
    Position,
}

/// The result of a comparison of names.
#[derive(Debug, PartialEq, Eq)]
pub enum Matched {
    /// The places of the table's columns.
    Columns(FileColumns),
    /// The header shares no name with the table, and nobody has asked for names.
    NoName,
}

/// The rules for a comparison of names.
#[derive(Debug, Clone, Copy)]
pub struct MatchRules {
    /// How fields are matched with columns.
    pub how: MatchColumns,
    /// Whether files may have fewer columns.
    pub truncated_rows: bool,
    /// Whether the table's names are the user's own, so that a file may have other names for the same
    /// columns. Inferred names are those of a file.
    pub may_be_renamed: bool,
}

/// The names of a table's columns, prepared to look up those of headers.
#[derive(Debug)]
pub struct TableNames {
    names: Vec<String>,
    exact: HashMap<String, usize>,
    /// Without the case of ASCII letters; `None` for names that differ only in it.
    folded: HashMap<String, Option<usize>>,
    /// Names of fields that are not read, in lower case.
    ignored: HashSet<String>,
}

impl TableNames {
    /// For the names of a table's columns, in order.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let mut exact = HashMap::with_capacity(names.len());
        let mut folded = HashMap::with_capacity(names.len());
        for (column, name) in names.iter().enumerate() {
            exact.insert(name.clone(), column);
            folded
                .entry(name.to_ascii_lowercase())
                .and_modify(|column| *column = None)
                .or_insert(Some(column));
        }
        TableNames { names, exact, folded, ignored: HashSet::new() }
    }

    /// Ignores the fields of these names, if the table has no columns of them: those whose values come
    /// from the names of folders.
    #[must_use]
    pub fn ignoring<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.ignored = names.into_iter().map(str::to_ascii_lowercase).collect();
        self
    }

    /// The columns of the names in a header. No column is found twice.
    ///
    /// SQL makes names that are not quoted lower case. So a name that no column has exactly, and that
    /// differs from only one column's in the case of its letters alone, is that column's.
    pub(super) fn find_all(&self, header: &[String]) -> Vec<Option<usize>> {
        let mut found: Vec<_> = header.iter().map(|name| self.exact.get(name).copied()).collect();
        let mut is_taken = vec![false; self.names.len()];
        for column in found.iter().flatten() {
            is_taken[*column] = true;
        }
        for (name, column) in header.iter().zip(&mut found).filter(|(_, column)| column.is_none()) {
            let folded = self.folded.get(&name.to_ascii_lowercase()).copied().flatten();
            *column = folded.filter(|&folded| !std::mem::replace(&mut is_taken[folded], true));
        }
        found
    }

    /// Matches a header with the table.
    ///
    /// # Errors
    ///
    /// When the header shows no way to match it. The error has both lists.
    pub fn match_header(&self, header: &[String], rules: MatchRules) -> Result<Matched> {
        let MatchRules { how, truncated_rows, may_be_renamed } = rules;
        let width = self.names.len();
        if how == MatchColumns::Position || header == self.names {
            return Ok(Matched::Columns(FileColumns::in_order(width)));
        }
        let mut fields = vec![None; width];
        let mut unknown = Vec::new();
        for (field, column) in self.find_all(header).into_iter().enumerate() {
            match column {
                Some(column) => fields[column] = Some(field),
                None if self.ignored.contains(&header[field].to_ascii_lowercase()) => (),
                None => unknown.push(field),
            }
        }
        let is_shared = fields.iter().any(Option::is_some);
        if is_shared && (unknown.is_empty() || how == MatchColumns::Name) {
            return Ok(Matched::Columns(FileColumns::new(fields, header.len())));
        }
        if how == MatchColumns::Auto {
            if !is_shared {
                return Ok(Matched::NoName);
            }
            let is_long_enough = header.len() == width || (header.len() < width && truncated_rows);
            let in_place =
                |(column, field): (usize, &Option<usize>)| field.is_none_or(|field| field == column);
            let is_renamed = fields.iter().enumerate().all(in_place)
                && unknown.iter().all(|&field| fields.get(field) == Some(&None));
            if may_be_renamed && is_long_enough && is_renamed {
                return Ok(Matched::Columns(FileColumns::in_order(width)));
            }
        }
        Err(self.mismatch(header, how))
    }

    fn mismatch(&self, header: &[String], how: MatchColumns) -> Error {
        let advice = match how {
            MatchColumns::Name => "match_columns = position reads them in their order",
            _ => {
                "set match_columns = name to read the columns that both have, or match_columns = position to read \
                 them in their order"
            }
        };
        let (file, table) = (list(header), list(&self.names));
        let reason = format!("the header has the columns {file}; the table has {table}; {advice}");
        Error::new(ErrorKind::Schema { reason })
    }
}

fn list(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN_NAMES).map(|name| format!("{name:?}")).collect();
    let more = names.len().saturating_sub(SHOWN_NAMES);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(how: MatchColumns) -> MatchRules {
        MatchRules { how, truncated_rows: false, may_be_renamed: true }
    }

    #[test]
    fn a_file_s_own_names_are_not_renamed() {
        let rules = MatchRules { may_be_renamed: false, ..rules(MatchColumns::Auto) };
        let found = TableNames::new(["id", "price"]).match_header(&names("id,quantity"), rules);
        assert!(found.unwrap_err().to_string().contains("match_columns = position"));
    }

    fn names(text: &str) -> Vec<String> {
        text.split(',').map(str::to_owned).collect()
    }

    fn matched(table: &str, header: &str, how: MatchColumns) -> Result<Matched, String> {
        let header = names(header);
        TableNames::new(names(table)).match_header(&header, rules(how)).map_err(|error| error.to_string())
    }

    fn columns(fields: &[Option<usize>], width: usize) -> Result<Matched, String> {
        Ok(Matched::Columns(FileColumns::new(fields, width)))
    }

    #[test]
    fn a_header_of_the_table_s_names_is_matched_by_name() {
        for (table, header, expected) in [
            ("a,b,c", "a,b,c", columns(&[Some(0), Some(1), Some(2)], 3)),
            ("a,b,c", "c,a,b", columns(&[Some(1), Some(2), Some(0)], 3)),
            ("a,b,c", "c", columns(&[None, None, Some(0)], 1)),
            ("a,b", "A,B", columns(&[Some(0), Some(1)], 2)),
            ("a,A", "A,a", columns(&[Some(1), Some(0)], 2)),
            ("b,a", "B,A", columns(&[Some(0), Some(1)], 2)),
            ("a,b", "x,y", Ok(Matched::NoName)),
            // A rename, and one of a column that the table has nowhere.
            ("a,b,c", "a,x,c", columns(&[Some(0), Some(1), Some(2)], 3)),
        ] {
            assert_eq!(matched(table, header, MatchColumns::Auto), expected, "{table}: {header}");
        }
    }

    #[test]
    fn a_header_that_shows_no_way_is_an_error_with_both_lists() {
        for header in ["a,b,x", "a,b,c,x", "b,x,c", "a,A,c,x"] {
            let found = matched("a,c,b", header, MatchColumns::Auto);
            let error = found.as_ref().expect_err(header);
            assert!(error.contains(r#"the table has "a", "c", "b""#), "{error}");
            assert!(error.contains("match_columns = name"), "{error}");
        }
        assert!(matched("a,b", "x,y", MatchColumns::Name).unwrap_err().contains("match_columns = position"));
    }

    #[test]
    fn a_field_whose_value_a_folder_gives_is_ignored() {
        let table = TableNames::new(["a", "b"]).ignoring(["year"]);
        let found = table.match_header(&names("a,Year,b"), rules(MatchColumns::Auto)).unwrap();
        assert_eq!(found, Matched::Columns(FileColumns::new([Some(0), Some(2)], 3)));
        assert!(table.match_header(&names("a,month,b"), rules(MatchColumns::Auto)).is_err());
    }

    #[test]
    fn by_name_and_by_position_need_no_evidence() {
        assert_eq!(matched("a,c,b", "x,b,a", MatchColumns::Name), columns(&[Some(2), None, Some(1)], 3));
        assert_eq!(matched("a,b", "b,a", MatchColumns::Position), columns(&[Some(0), Some(1)], 2));
    }
}

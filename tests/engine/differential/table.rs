//! Random tables: their rows, and the files that hold them.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray, UInt32Array};
use datafusion::arrow::compute::{filter, take};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::error::Result;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::settings::{Dialect, Settings, Way};
use super::values::{any_type, array, cast, written_as};
use crate::rng::Rng;

/// The names that all tables share, so that a plan that goes by name instead of position goes
/// wrong.
pub(super) const NAMES: [&str; 6] = ["k", "x", "a", "b", "c", "d"];

#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) data_type: DataType,
    /// The values as they are written into files.
    values: ArrayRef,
}

#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The index of each row's file, in non-decreasing order.
    file_of: Vec<usize>,
    files: usize,
    /// Whether a file without rows has no header either.
    empty_files_are_bare: bool,
    pub(super) partition: Option<Partition>,
}

/// A column that folders name.
#[derive(Debug, Clone)]
pub(super) struct Partition {
    pub(super) data_type: DataType,
    values: &'static [&'static str],
}

pub(super) const PARTITION: &str = "p";

impl Table {
    /// A table of up to this number of rows. Keys have one type in all tables of a case.
    pub(super) fn random(
        rng: &mut Rng,
        name: String,
        settings: &Settings,
        key: &DataType,
        most_rows: usize,
    ) -> Self {
        let rows = match rng.below(10) {
            0 => rng.below(3),
            1 => rng.below(most_rows.min(30)),
            _ => most_rows / 2 + rng.below(most_rows / 2),
        };
        let files = rng.pick(&[1, 1, 2, 3, 5]);
        let mut file_of: Vec<_> = (0..rows).map(|_| rng.below(files)).collect();
        file_of.sort();
        let declared = settings.way == Way::External;
        let width = 2 + rng.below(NAMES.len() - 1);
        let columns = NAMES[..width].iter().map(|&name| {
            let data_type = match name {
                "k" => key.clone(),
                _ => any_type(rng, declared),
            };
            let numbers = numbers(rng, rows, name == "k");
            let values = array(&data_type, &numbers, settings.dialect.newlines);
            Column { name, data_type, values }
        });
        let columns = columns.collect();
        let partition = rng.once_in(5).then(|| match declared && rng.once_in(2) {
            true => Partition { data_type: DataType::Int32, values: &["1", "2", "7"] },
            false => {
                let key = Box::new(DataType::UInt16);
                let data_type = match declared {
                    true => DataType::Utf8View,
                    false => DataType::Dictionary(key, Box::new(DataType::Utf8)),
                };
                Partition { data_type, values: &["alpha", "b", "été"] }
            }
        });
        // Files without a header and without rows have no columns to infer.
        let empty_files_are_bare = rng.once_in(3) && !(settings.way.infers() && rows == 0);
        Table { name, columns, file_of, files, empty_files_are_bare, partition }
    }

    pub(super) fn rows(&self) -> usize {
        self.file_of.len()
    }

    /// The rows as a session holds them, in order or reversed, with a schema that may have been
    /// inferred. The batches are small enough for the smallest keys of dictionaries.
    pub(super) fn record_batches(&self, schema: &SchemaRef, is_reversed: bool) -> Result<Vec<RecordBatch>> {
        const ROWS: usize = 100;
        let partition = self.partition.iter().map(|partition| {
            let values = self.file_of.iter().map(|file| partition.of_file(*file));
            Arc::new(values.map(Some).collect::<StringArray>()) as ArrayRef
        });
        let columns: Vec<_> =
            self.columns.iter().map(|column| Arc::clone(&column.values)).chain(partition).collect();
        let mut order: Vec<_> = (0..self.rows() as u32).collect();
        if is_reversed {
            order.reverse();
        }
        let batches = order.chunks(ROWS).map(|rows| {
            let rows = UInt32Array::from(rows.to_vec());
            let taken = columns.iter().map(|values| take(values, &rows, None));
            let typed = taken.zip(schema.fields()).map(|(values, field)| cast(&values?, field.data_type()));
            RecordBatch::try_new(Arc::clone(schema), typed.collect::<Result<_>>()?)
        });
        batches.collect()
    }

    /// Writes the files into a folder of the table's own.
    pub(super) fn write(&self, folder: &Path, dialect: &Dialect) {
        for (name, text) in self.texts(dialect) {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }

    /// The files' names and contents.
    pub(super) fn texts(&self, dialect: &Dialect) -> Vec<(String, String)> {
        let newline = if dialect.crlf { "\r\n" } else { "\n" };
        let header = self.columns.iter().map(|column| column.name).collect::<Vec<_>>();
        let header = header.join(&(dialect.delimiter as char).to_string()) + newline;
        let options = FormatOptions::default();
        let values =
            self.columns.iter().map(|column| ArrayFormatter::try_new(&column.values, &options).unwrap());
        let values: Vec<_> = values.collect();

        let texts = (0..self.files).map(|file| {
            let mut text = String::new();
            let rows = self.file_of.iter().enumerate().filter(|(_, of)| **of == file).map(|(row, _)| row);
            let rows: Vec<_> = rows.collect();
            if dialect.has_header && !(rows.is_empty() && self.empty_files_are_bare) {
                text.push_str(&header);
            }
            for row in rows {
                for (index, column) in values.iter().enumerate() {
                    if index > 0 {
                        text.push(dialect.delimiter as char);
                    }
                    push_field(&mut text, &column.value(row).to_string(), dialect, values.len() == 1);
                }
                text.push_str(newline);
                if dialect.comment.is_some() && row % 50 == 7 {
                    text.push_str("# a comment, with \"quotes\"");
                    text.push_str(newline);
                }
            }
            let folder = self
                .partition
                .as_ref()
                .map_or_else(String::new, |partition| format!("{PARTITION}={}/", partition.of_file(file)));
            (format!("{folder}f{file}.csv"), text)
        });
        texts.collect()
    }

    /// Tables with fewer rows, files or columns.
    pub(super) fn steps(&self) -> Vec<Table> {
        let mut steps = Vec::new();
        if self.files > 1 && self.partition.is_none() {
            steps.push(Table { files: 1, file_of: vec![0; self.rows()], ..self.clone() });
        }
        if self.partition.is_some() {
            steps.push(Table { partition: None, ..self.clone() });
        }
        let mut part = self.rows().div_ceil(2);
        while part > 0 && steps.len() < 60 {
            for start in (0..self.rows()).step_by(part).take(40) {
                steps.push(self.without_rows(start, start + part));
            }
            part = if part == 1 { 0 } else { part.div_ceil(2) };
        }
        for left_out in (0..self.columns.len()).filter(|_| self.columns.len() > 1) {
            let mut columns = self.columns.clone();
            columns.remove(left_out);
            steps.push(Table { columns, ..self.clone() });
        }
        steps
    }

    fn without_rows(&self, start: usize, end: usize) -> Table {
        let kept: BooleanArray = (0..self.rows()).map(|row| Some(row < start || row >= end)).collect();
        let columns = self
            .columns
            .iter()
            .map(|column| Column { values: filter(&column.values, &kept).unwrap(), ..column.clone() });
        let file_of =
            self.file_of.iter().enumerate().filter(|(row, _)| kept.value(*row)).map(|(_, file)| *file);
        Table { columns: columns.collect(), file_of: file_of.collect(), ..self.clone() }
    }
}

impl Column {
    /// The type as which the built-in reader reads the column.
    pub(super) fn readable(data_type: &DataType) -> DataType {
        match data_type {
            DataType::LargeUtf8 | DataType::Binary | DataType::BinaryView => written_as(data_type),
            data_type => data_type.clone(),
        }
    }
}

impl Partition {
    fn of_file(&self, file: usize) -> &'static str {
        self.values[file % self.values.len()]
    }
}

/// A column's values by number: few or many distinct ones, with no, some or only NULLs, sorted or
/// not.
fn numbers(rng: &mut Rng, rows: usize, is_key: bool) -> Vec<Option<usize>> {
    let nulls = rng.pick(&[0, 0, 0, 10, 10, 10, 90, if is_key { 10 } else { 100 }]);
    // Too few distinct keys in large tables make joins that take for ever.
    let least = if is_key { rows / 10 } else { 0 };
    let different = rng.pick(&[1, 3, 20, 200, 5000]).max(least).max(1);
    let mut numbers: Vec<_> = match rng.once_in(5) {
        true => (0..rows).collect(),
        false => (0..rows).map(|_| rng.below(different)).collect(),
    };
    match rng.below(5) {
        0 => numbers.sort(),
        1 => numbers.sort_by(|left, right| right.cmp(left)),
        _ => {}
    }
    numbers.into_iter().map(|number| (rng.below(100) >= nulls).then_some(number)).collect()
}

/// Writes a field. A NULL is an empty field. If it is a record's only field, quotes keep the record
/// from being a blank line.
fn push_field(text: &mut String, value: &str, dialect: &Dialect, is_alone: bool) {
    let quote = dialect.quote as char;
    let is_special =
        |byte: char| byte == dialect.delimiter as char || byte == quote || "\r\n#".contains(byte);
    let needs_quotes = value.contains(is_special) || (value.is_empty() && is_alone);
    if !needs_quotes {
        text.push_str(value);
        return;
    }
    text.push(quote);
    for byte in value.chars() {
        if byte == quote {
            text.push(quote);
        } else if Some(byte) == dialect.escape.map(char::from) {
            text.push(byte);
        }
        text.push(byte);
    }
    text.push(quote);
}

//! The cases of `testdata/cases`, as `testdata/README.md` describes them.

use std::path::PathBuf;

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::grammar::{Terminator, Trim};
use datafusion_csv_stream::parse::FieldCount;
use toml::{Table, Value as Toml};

use crate::oracle::{Failure, Kind, Setup, Value};

/// An input, its setup, and the expected result.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    pub input: Vec<u8>,
    pub setup: Setup,
    pub records: Vec<Vec<Value>>,
    pub error: Option<ExpectedError>,
}

/// The expected error of a case.
#[derive(Debug)]
pub struct ExpectedError {
    pub failure: Failure,
    /// A part of the message.
    pub text: Option<String>,
}

/// The path of an entry of `testdata`.
pub fn testdata(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata").join(path)
}

/// All cases of all files.
pub fn cases() -> Vec<Case> {
    let mut files: Vec<_> = std::fs::read_dir(testdata("cases"))
        .expect("testdata/cases can be read")
        .map(|entry| entry.expect("testdata/cases can be listed").path())
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a file of cases can be read");
        let table: Table = text.parse().unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert_keys(&file.display().to_string(), &table, &["case"]);
        cases.extend(table["case"].as_array().expect("[[case]]").iter().map(|case| {
            let case = case.as_table().expect("[[case]]");
            Case::new(case)
        }));
    }
    cases
}

impl Case {
    fn new(table: &Table) -> Self {
        let name = table.get("name").and_then(Toml::as_str).expect("a case has a name").to_owned();
        let mut known =
            vec!["name", "input", "columns", "truncated_rows", "max_record_bytes", "records", "error"];
        known.extend(DIALECT_KEYS);
        assert_keys(&name, table, &known);
        assert!(
            table.contains_key("records") || table.contains_key("error"),
            "{name}: neither records nor error"
        );
        let columns = table.get("columns").map(|columns| count(&name, columns));
        let truncated_rows = table.get("truncated_rows").is_some_and(|value| value.as_bool() == Some(true));
        let field_count = match (columns, truncated_rows) {
            (None, false) => FieldCount::Any,
            (Some(width), false) => FieldCount::Exactly(width),
            (Some(width), true) => FieldCount::UpTo(width),
            (None, true) => panic!("{name}: truncated_rows without columns"),
        };
        let max_record_bytes = table.get("max_record_bytes").map_or(1 << 30, |limit| count(&name, limit));
        let setup = Setup { dialect: dialect(&name, table), field_count, max_record_bytes };
        let input = bytes(&name, &table["input"]);
        let records = table.get("records").map_or(vec![], |records| rows(&name, records));
        let error = table.get("error").map(|error| {
            expected_error(&name, error.as_table().unwrap_or_else(|| panic!("{name}: error is no table")))
        });
        Case { name, input, setup, records, error }
    }
}

/// The keys that [`dialect`] reads.
pub const DIALECT_KEYS: [&str; 8] =
    ["delimiter", "quote", "escape", "double_quote", "comment", "terminator", "has_header", "trim"];

/// The dialect that the keys of `table` describe; without a header by default.
pub fn dialect(name: &str, table: &Table) -> Dialect {
    let byte = |key: &str| {
        table.get(key).map(|value| match bytes(name, value)[..] {
            [] => None,
            [byte] => Some(byte),
            _ => panic!("{name}: {key} is more than one byte"),
        })
    };
    let flag = |key: &str| {
        table.get(key).map(|value| value.as_bool().unwrap_or_else(|| panic!("{name}: {key} is no boolean")))
    };
    let mut builder = Dialect::builder().with_header(flag("has_header").unwrap_or(false));
    if let Some(delimiter) = byte("delimiter") {
        builder = builder.with_delimiter(delimiter.expect("there is a delimiter"));
    }
    if let Some(quote) = byte("quote") {
        builder = builder.with_quote(quote);
    }
    if let Some(escape) = byte("escape") {
        builder = builder.with_escape(escape);
    }
    if let Some(double_quote) = flag("double_quote") {
        builder = builder.with_double_quote(double_quote);
    }
    if let Some(comment) = byte("comment") {
        builder = builder.with_comment(comment);
    }
    if let Some(terminator) = byte("terminator") {
        builder = builder.with_terminator(Terminator::Byte(terminator.expect("there is a terminator")));
    }
    if let Some(trim) = table.get("trim") {
        builder = builder.with_trim(match trim.as_str() {
            Some("none") => Trim::None,
            Some("headers") => Trim::Headers,
            Some("fields") => Trim::Fields,
            Some("all") => Trim::All,
            _ => panic!("{name}: trim is {trim}"),
        });
    }
    builder.build().unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The records of a TOML array of arrays.
pub fn rows(name: &str, value: &Toml) -> Vec<Vec<Value>> {
    let array =
        |value: &Toml| value.as_array().unwrap_or_else(|| panic!("{name}: {value} is no array")).clone();
    array(value)
        .iter()
        .map(|record| array(record).iter().map(|field| field_value(name, field)).collect())
        .collect()
}

/// The bytes that `"text"`, `{ hex = "ff 00" }`, `{ text = "x", times = 62 }` or an array of these
/// stand for.
pub fn bytes(name: &str, value: &Toml) -> Vec<u8> {
    match value {
        Toml::String(text) => text.as_bytes().to_vec(),
        Toml::Array(parts) => parts.iter().flat_map(|part| bytes(name, part)).collect(),
        Toml::Table(table) => {
            assert_keys(name, table, &["hex", "text", "times"]);
            let times = table.get("times").map_or(1, |times| count(name, times));
            let once = match (table.get("text"), table.get("hex")) {
                (Some(text), None) => bytes(name, text),
                (None, Some(hex)) => hex
                    .as_str()
                    .unwrap_or_else(|| panic!("{name}: hex is a string"))
                    .split_ascii_whitespace()
                    .map(|digits| {
                        u8::from_str_radix(digits, 16).unwrap_or_else(|e| panic!("{name}: {digits}: {e}"))
                    })
                    .collect(),
                _ => panic!("{name}: either text or hex"),
            };
            once.repeat(times)
        }
        other => panic!("{name}: {other} stands for no bytes"),
    }
}

/// Fails on an unknown key, which is probably misspelt.
pub fn assert_keys(name: &str, table: &Table, known: &[&str]) {
    for key in table.keys() {
        assert!(known.contains(&key.as_str()), "{name}: unknown key {key}");
    }
}

fn field_value(name: &str, value: &Toml) -> Value {
    match value {
        Toml::Table(table) if table.contains_key("missing") => {
            assert_keys(name, table, &["missing"]);
            None
        }
        value => Some(bytes(name, value)),
    }
}

fn expected_error(name: &str, table: &Table) -> ExpectedError {
    let number = |key: &str| {
        count(name, table.get(key).unwrap_or_else(|| panic!("{name}: an error has the key {key}")))
    };
    let mut known = vec!["kind", "line", "record", "byte", "text"];
    let kind = match table.get("kind").and_then(Toml::as_str) {
        Some("UnclosedQuote") => Kind::UnclosedQuote,
        Some("RecordTooLong") => {
            known.extend(["limit", "in_quotes"]);
            let in_quotes = table.get("in_quotes").and_then(Toml::as_bool);
            Kind::RecordTooLong {
                limit: number("limit"),
                in_quotes: in_quotes.unwrap_or_else(|| panic!("{name}: in_quotes is no boolean")),
            }
        }
        Some("FieldCount") => {
            known.extend(["expected", "found"]);
            Kind::FieldCount { expected: number("expected"), found: number("found") }
        }
        other => panic!("{name}: no kind of error {other:?}"),
    };
    assert_keys(name, table, &known);
    let [byte, line, record] = ["byte", "line", "record"].map(|key| number(key) as u64);
    let text = table.get("text").map(|text| text.as_str().expect("text is a string").to_owned());
    ExpectedError { failure: Failure { kind, byte, line, record }, text }
}

fn count(name: &str, value: &Toml) -> usize {
    let number = value.as_integer().unwrap_or_else(|| panic!("{name}: {value} is no number"));
    usize::try_from(number).unwrap_or_else(|e| panic!("{name}: {value}: {e}"))
}

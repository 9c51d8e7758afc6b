//! [`SchemaSampler`]: chunks of one file after the other in, a schema out.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::columns::{MatchColumns, TableNames};
use super::header::Names;
use super::types::ColumnType;
use crate::decode::{DecodeOptions, Inferred, LeadingZeros};
use crate::error::{Error, ErrorKind, Result};
use crate::grammar::Dialect;
use crate::parse::cut::CutFields;
use crate::parse::{FieldCount, Parser, Records, Step};
use crate::simd::Backend;

/// Records that are sampled: 1000, as DataFusion's `schema_infer_max_rec`.
const DEFAULT_MAX_RECORDS: usize = 1000;

/// Bytes that are sampled: 1 MiB, which holds 1000 records of most files.
const DEFAULT_MAX_BYTES: usize = 1 << 20;

/// Where values are cut, those of up to this many bytes are still looked at whole. 256 is far more
/// than a number or a date has.
const MAX_CUT_VALUE_BYTES: usize = 256;

/// The rule that tells whether a value is NULL. It gets the value's bytes, and whether they were
/// quoted. It has to be the same rule as in reading.
pub type IsNull = Box<dyn Fn(&[u8], bool) -> bool + Send + Sync>;

/// The NULL rule of these options for a sample, in which types aren't known yet. An empty field is
/// NULL, as it is for every type but text, unless it is quoted and quoted empty fields are strings.
pub fn nulls_of(options: &DecodeOptions) -> IsNull {
    let options = options.clone();
    Box::new(move |value, is_quoted| options.is_null_in_sample(value, is_quoted))
}

/// The size of the sample, and the choices that inference depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleOptions {
    /// Records to look at, over all files. Default 1000. With 0 nothing is inferred, and every
    /// column is a string.
    pub max_records: usize,
    /// Bytes to look at, over all files. Default 1 MiB. The first record is looked at even if it
    /// ends after them.
    pub max_bytes: usize,
    /// The type of columns of text. Default Utf8.
    pub string_type: StringType,
    /// Whether records may have fewer fields than the table has columns, and files fewer columns.
    /// Default false.
    pub truncated_rows: bool,
    /// Whether numbers with a leading zero are text. Default: they are.
    pub leading_zeros: LeadingZeros,
    /// How the columns of a later file are matched with those of the files before it. By name, the
    /// table has the columns of all files. Default [`MatchColumns::Auto`].
    pub match_columns: MatchColumns,
}

/// The type of columns of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum StringType {
    /// Utf8, as the built-in reader infers.
    #[default]
    Utf8,
    /// Utf8View.
    Utf8View,
}

/// Whether the sample is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enough {
    /// More bytes can change the schema.
    NotYet,
    /// More bytes would not be looked at.
    Yes,
}

/// The result of an inference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InferredSchema {
    /// The columns, all nullable. There are none if no file has a record. Columns of numbers, and
    /// of timestamps with a zone, are [marked](Inferred).
    pub schema: SchemaRef,
    /// Records that were looked at, without headers.
    pub records: usize,
    /// Bytes of the files that those records take, including the bytes between them.
    pub bytes: u64,
    /// Whether every file that was started was looked at to its end. Then nothing here is an
    /// estimate.
    pub is_whole: bool,
}

/// Infers a schema without I/O. Bytes are pushed to it, and it tells when it has seen enough.
///
/// It holds the name and a few bytes of each column, and the record that a chunk's end cuts in two.
/// It never holds the sample. The schema does not depend on where chunks end.
///
/// ```
/// use datafusion_csv_stream::{Dialect, infer::{Enough, SampleOptions, SchemaSampler}};
///
/// let is_null = Box::new(|value: &[u8], _quoted| value.is_empty());
/// let mut sampler = SchemaSampler::new(&Dialect::default(), is_null, &SampleOptions::default(), 2 << 20);
/// for file in [[&b"id,na"[..], b"me\n1,one\n"], [b"id,name\n2.5,", b"two\n"]] {
///     sampler.start_file();
///     for chunk in file {
///         if sampler.push(chunk)? == Enough::Yes {
///             break;
///         }
///     }
///     sampler.finish_file()?;
/// }
/// let inferred = sampler.finish();
/// let types: Vec<_> = inferred.schema.fields().iter().map(|field| field.data_type().to_string()).collect();
/// assert_eq!(types, ["Float64", "Utf8"]);
/// assert_eq!((inferred.records, inferred.is_whole), (2, true));
/// # Ok::<(), datafusion_csv_stream::error::Error>(())
/// ```
#[derive(Debug)]
pub struct SchemaSampler {
    parser: Option<Parser>,
    /// Bytes that the parser has taken of the current file.
    file_bytes: u64,
    /// Bytes that parsers have taken of all files.
    bytes: usize,
    is_whole: bool,
    table: Table,
    backend: Backend,
    max_record_bytes: usize,
}

/// The advice where a file's first record may be a header or data.
pub const HEADER_ADVICE: &str = "match_columns = position takes it for a header of other names; has_header = false takes \
                             the first record of every file for data";

/// Whether a name may be a number or a date, so that a header of such names looks like data.
pub fn may_be_number(name: &str) -> bool {
    name.trim_start_matches(['-', '+', ' ']).starts_with(|first: char| first.is_ascii_digit())
}

/// The part that looks at records.
struct Table {
    names: Names,
    types: Vec<ColumnType>,
    /// The table's column of each field of the current file's records.
    columns: Vec<usize>,
    /// The names in the current file's header, if it has one.
    header: Vec<String>,
    /// Files with a record, the current one among them.
    files: usize,
    /// The current file's first record has not been seen.
    at_file_start: bool,
    /// Where the current file's records start: after its header, if files have one.
    records_start: u64,
    records: usize,
    /// Bytes of records in the files before the current one, and in the current one.
    bytes_before: u64,
    bytes_here: u64,
    scratch: Vec<u8>,
    cut_fields: Option<CutFields>,
    is_null: IsNull,
    dialect: Dialect,
    options: SampleOptions,
}

impl Default for SampleOptions {
    fn default() -> Self {
        SampleOptions {
            max_records: DEFAULT_MAX_RECORDS,
            max_bytes: DEFAULT_MAX_BYTES,
            string_type: StringType::default(),
            truncated_rows: false,
            leading_zeros: LeadingZeros::default(),
            match_columns: MatchColumns::default(),
        }
    }
}

impl InferredSchema {
    /// Bytes that a record takes on average, if there is one.
    pub fn bytes_per_record(&self) -> Option<f64> {
        (self.records > 0).then(|| self.bytes as f64 / self.records as f64)
    }
}

impl SchemaSampler {
    /// A sampler that has not seen a file yet.
    pub fn new(dialect: &Dialect, is_null: IsNull, options: &SampleOptions, max_record_bytes: usize) -> Self {
        SchemaSampler {
            parser: None,
            file_bytes: 0,
            bytes: 0,
            is_whole: true,
            table: Table {
                names: Names::default(),
                types: Vec::new(),
                columns: Vec::new(),
                header: Vec::new(),
                files: 0,
                at_file_start: true,
                records_start: 0,
                records: 0,
                bytes_before: 0,
                bytes_here: 0,
                scratch: Vec::new(),
                cut_fields: None,
                is_null,
                dialect: dialect.clone(),
                options: options.clone(),
            },
            backend: Backend::detect(),
            max_record_bytes,
        }
    }

    /// Parses with this back end. Default: [`Backend::detect`].
    #[must_use]
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// Cuts the fields of records that are too long to be held whole, as reading does, but in all
    /// columns, because their types aren't known yet. A value of more than 256 bytes, or of more
    /// than `max_value_bytes` if that is larger, then counts as text. Default: a record is held
    /// whole.
    pub fn with_cut_fields(mut self, fields: Option<CutFields>) -> Self {
        self.table.cut_fields = fields.map(|fields| {
            let max_value_bytes = fields.max_value_bytes.max(MAX_CUT_VALUE_BYTES);
            CutFields { max_value_bytes, columns: None, ..fields }
        });
        self
    }

    /// Starts another file, with a header of its own if the dialect has one. The next bytes are its
    /// first.
    ///
    /// If the file before it was not [finished](Self::finish_file), the partial record at the end
    /// of that file's bytes is not looked at.
    pub fn start_file(&mut self) {
        self.leave_file();
        let dialect = &self.table.dialect;
        let parser = Parser::new(dialect, FieldCount::Any, self.max_record_bytes).with_backend(self.backend);
        self.parser = Some(parser.with_header_record().with_cut_fields(self.table.cut_fields.clone()));
        self.file_bytes = 0;
        self.table.start_file();
    }

    /// Looks at the next bytes of the file. Without a call of [`start_file`](Self::start_file)
    /// before, they start one.
    ///
    /// # Errors
    ///
    /// When reading the file would fail, because a record is too long, or has another number of
    /// fields than the table has columns. Also when the file has another number of columns than the
    /// files before it, or its header is not UTF-8. The sampler is of no further use then.
    pub fn push(&mut self, chunk: &[u8]) -> Result<Enough> {
        if self.parser.is_none() {
            self.start_file();
        }
        let mut rest = chunk;
        while !self.is_done() && !rest.is_empty() {
            let Some(parser) = &mut self.parser else { break };
            let room = self.table.options.max_bytes.saturating_sub(self.bytes);
            let (window, max_records) = match room {
                // The bound is reached without a record, so only the first one is still looked for.
                0 => (rest, 1),
                room => (&rest[..room.min(rest.len())], self.table.records_wanted()),
            };
            let (taken, step) = parser.next(window, max_records)?;
            rest = &rest[taken..];
            self.bytes = self.bytes.saturating_add(taken);
            self.file_bytes += taken as u64;
            if let Step::Records(records) = step {
                self.table.observe(&records, self.file_bytes)?;
            }
        }
        Ok(if self.is_done() { Enough::Yes } else { Enough::NotYet })
    }

    /// The file ends here. Its last record needs no terminator.
    ///
    /// Call it only at the file's own end, not where reading it was stopped.
    ///
    /// # Errors
    ///
    /// When the file ends inside quotes, and as [`push`](Self::push) does.
    pub fn finish_file(&mut self) -> Result<()> {
        if self.is_done() {
            return Ok(());
        }
        if let Some(mut parser) = self.parser.take()
            && let Some(records) = parser.finish()?
        {
            self.table.observe(&records, self.file_bytes)?;
        }
        Ok(())
    }

    /// The names in the header of the current file, or of the last one. Empty if it has none. `None`
    /// while its first record hasn't been seen.
    pub fn header(&self) -> Option<&[String]> {
        (!self.table.at_file_start).then_some(self.table.header.as_slice())
    }

    /// Whether a bound over all files is reached, so that further bytes are not looked at.
    pub fn is_done(&self) -> bool {
        let Table { names, records, options, .. } = &self.table;
        let has_enough = *records >= options.max_records;
        let has_read_enough = self.bytes >= options.max_bytes && *records > 0;
        names.len() > 0 && (has_enough || has_read_enough)
    }

    /// The schema.
    pub fn finish(mut self) -> InferredSchema {
        self.leave_file();
        let is_whole = self.is_whole;
        let SchemaSampler { table, .. } = self;
        InferredSchema {
            records: table.records,
            bytes: table.bytes_before + table.bytes_here,
            is_whole,
            schema: table.into_schema(is_whole),
        }
    }

    /// Leaves the current file. If its parser is still there, the file has not been looked at to
    /// its end.
    fn leave_file(&mut self) {
        self.is_whole &= self.parser.take().is_none();
    }
}

impl Table {
    fn start_file(&mut self) {
        self.at_file_start = true;
        self.records_start = 0;
        self.header.clear();
        self.bytes_before += std::mem::take(&mut self.bytes_here);
    }

    /// The number of records to look at together. The header comes alone.
    fn records_wanted(&self) -> usize {
        match self.at_file_start {
            true => 1,
            false => self.options.max_records.saturating_sub(self.records),
        }
    }

    /// Looks at records, the last of which ends at byte `end` of the file.
    fn observe(&mut self, records: &Records<'_>, end: u64) -> Result<()> {
        let mut first = 0;
        if std::mem::take(&mut self.at_file_start) {
            self.files += 1;
            if self.add_columns(records)? {
                self.records_start = end;
                first = 1;
            }
        }
        if self.options.max_records == 0 {
            return Ok(());
        }
        for record in first..records.len() {
            self.check_field_count(records, record)?;
            self.observe_values(records, record);
            self.records += 1;
        }
        if records.len() > first {
            self.bytes_here = end - self.records_start;
        }
        Ok(())
    }

    /// Matches the columns of a file with those of the files before it, and adds the columns that
    /// are new. Returns whether the file's first record is a header.
    fn add_columns(&mut self, first: &Records<'_>) -> Result<bool> {
        let is_first = self.files == 1;
        if !self.dialect.has_header() {
            self.add_by_position(first)?;
            return Ok(false);
        }
        self.header = Names::of_file(&self.dialect, first)?;
        if is_first || self.options.match_columns == MatchColumns::Position {
            self.add_by_position(first)?;
            return Ok(true);
        }
        let table = TableNames::new(self.names.as_slice());
        let found = table.find_all(&self.header);
        if found.iter().any(Option::is_some) || self.options.match_columns == MatchColumns::Name {
            self.add_by_name(found);
            return Ok(true);
        }
        if !self.is_data(first) {
            let reason = format!(
                "the first record of file {} of the table shares no name with the header of the files before it, \
                 and may be data; {HEADER_ADVICE}",
                self.files
            );
            return Err(Error::at(ErrorKind::Schema { reason }, first.place(0, None)));
        }
        self.header.clear();
        self.add_by_position(first).map(|()| false)
    }

    /// Takes the file's columns for those of the files before it, in their order.
    fn add_by_position(&mut self, first: &Records<'_>) -> Result<()> {
        let (known, found) = (self.types.len(), first.field_count(0));
        if self.files > 1 && known != found && !self.options.truncated_rows {
            let reason = format!(
                "file {} of the table has {found} columns, those before it have {known}; truncated_rows = true pads \
                 the shorter ones with NULL",
                self.files
            );
            return Err(Error::at(ErrorKind::Schema { reason }, first.place(0, None)));
        }
        self.names.extend(&self.dialect, first)?;
        self.types.resize(self.names.len(), ColumnType::default());
        self.columns = (0..found).collect();
        Ok(())
    }

    /// Takes the columns that were found by name, and puts each new one after the column that is
    /// before it in this file.
    fn add_by_name(&mut self, found: Vec<Option<usize>>) {
        self.columns = Vec::with_capacity(found.len());
        // The places of the new columns. Each has moved the columns after it.
        let mut added: Vec<usize> = Vec::new();
        for (field, column) in found.into_iter().enumerate() {
            let column = match column {
                Some(column) => added.iter().fold(column, |column, &at| column + usize::from(column >= at)),
                None => {
                    let at = self.columns.last().map_or(0, |before| before + 1);
                    self.names.insert(at, self.header[field].clone());
                    self.types.insert(at, ColumnType::default());
                    self.columns.iter_mut().filter(|column| **column >= at).for_each(|column| *column += 1);
                    added.push(at);
                    at
                }
            };
            self.columns.push(column);
        }
    }

    /// Whether the first record of a file, which shares no name with the table, is plainly data: its
    /// values have the types of the columns, and a column that isn't text has one. A name that starts
    /// with a digit, such as `2024`, makes it unclear.
    fn is_data(&mut self, first: &Records<'_>) -> bool {
        let string = DataType::Utf8;
        let unescape = first.unescape();
        let mut is_typed = false;
        if first.field_count(0) != self.types.len() {
            return false;
        }
        for (field, known) in self.types.iter().enumerate() {
            let raw = first.raw(0, field).unwrap_or_default();
            let value = unescape.value(raw, &mut self.scratch);
            let is_text = matches!(known.data_type(&string), DataType::Utf8 | DataType::Null);
            if is_text || (self.is_null)(value, unescape.is_quoted(raw)) {
                continue;
            }
            let mut with_value = *known;
            with_value.observe(value, self.options.leading_zeros);
            if with_value.data_type(&string) == string || may_be_number(&self.names.as_slice()[field]) {
                return false;
            }
            is_typed = true;
        }
        is_typed
    }

    fn check_field_count(&self, records: &Records<'_>, record: usize) -> Result<()> {
        let (expected, found) = (self.columns.len(), records.field_count(record));
        if found == expected || (found < expected && self.options.truncated_rows) {
            return Ok(());
        }
        Err(records.error(ErrorKind::FieldCount { expected, found }, record, None))
    }

    fn observe_values(&mut self, records: &Records<'_>, record: usize) {
        let unescape = records.unescape();
        let fields = records.field_count(record);
        // A longer value is text, whatever it looks like, because only its front may be there.
        let longest = self.cut_fields.as_ref().map_or(usize::MAX, |fields| fields.max_value_bytes);
        for (field, &column) in self.columns.iter().take(fields).enumerate() {
            let Some(raw) = records.raw(record, field) else { continue };
            let column_type = &mut self.types[column];
            let value = unescape.value(raw, &mut self.scratch);
            if !(self.is_null)(value, unescape.is_quoted(raw)) {
                match value.len() > longest {
                    true => column_type.observe_text(),
                    false => column_type.observe(value, self.options.leading_zeros),
                }
            }
        }
    }

    /// The schema. If the sample is not the whole input, a column without values is a string
    /// column, because it may have values elsewhere.
    fn into_schema(self, is_whole: bool) -> SchemaRef {
        let string = match self.options.string_type {
            StringType::Utf8 => DataType::Utf8,
            StringType::Utf8View => DataType::Utf8View,
        };
        let is_inferred = self.options.max_records > 0;
        let data_types = self.types.iter().map(|column| match is_inferred {
            true => match column.data_type(&string) {
                DataType::Null if !is_whole => string.clone(),
                data_type => data_type,
            },
            false => string.clone(),
        });
        let mark = Inferred { leading_zeros: self.options.leading_zeros };
        let fields = self.names.into_vec().into_iter().zip(data_types);
        Arc::new(Schema::new(
            fields.map(|(name, data_type)| mark.mark(Field::new(name, data_type, true))).collect::<Vec<_>>(),
        ))
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("names", &self.names)
            .field("types", &self.types)
            .field("files", &self.files)
            .field("records", &self.records)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

//! The inputs of the splitting bench: CSV in many forms, some of which are hard to split.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::internal::Machine;

use crate::random::Random;
use crate::readers::{Counts, Reader};
use crate::text;

/// The approximate number of bytes of a generated input.
const BYTES: usize = 8 << 20;

/// The most bytes that are read of a file.
const FILE_BYTES: u64 = 64 << 20;

/// Records that all have the same number of fields and all end with a terminator.
pub(crate) struct Input {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) counts: Counts,
}

impl Input {
    pub(crate) fn width(&self) -> usize {
        self.counts.fields / self.counts.records
    }

    /// Whether the reader can't read this input: `simd-csv` takes a quote anywhere in a field for
    /// the start of a quoted field.
    pub(crate) fn is_misread_by(&self, reader: Reader) -> bool {
        [STRAY, RARELY_STRAY].contains(&self.name)
            && matches!(reader, Reader::SimdCsvZeroCopy | Reader::SimdCsvRecord)
    }
}

/// The generated inputs, one after the other.
pub(crate) fn generated() -> impl Iterator<Item = Input> {
    std::iter::once_with(lineitem).chain(SHAPES.iter().map(Shape::write))
}

/// The start of a file, cut after the last newline, which must end a record.
pub(crate) fn lineitem_file(path: &Path) -> Input {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    file.take(FILE_BYTES).read_to_end(&mut bytes).expect("the file can be read");
    let end = bytes.iter().rposition(|&byte| byte == b'\n').expect("a line's end") + 1;
    bytes.truncate(end);
    let (records, _) = Machine::new(&Dialect::default()).read(&bytes);
    let counts = Counts { records: records.len(), fields: records.iter().map(Vec::len).sum() };
    Input { name: "lineitem, file", bytes, counts }
}

/// The form of an input: `field` gives the text of a field by record and column.
struct Shape {
    name: &'static str,
    width: usize,
    terminator: &'static str,
    field: fn(&mut Random, usize, usize) -> String,
}

const SHAPES: [Shape; 14] = [
    shape("quarter quoted", 8, |random, _, column| match column % 4 {
        3 => format!("\"{}, {}\"", words(random, 2), words(random, 1)),
        _ => words(random, 2),
    }),
    shape("all quoted", 8, |random, _, _| format!("\"{}\"", words(random, 2))),
    shape("doubled quotes", 8, |random, _, column| match column % 2 {
        1 => format!("\"{} \"\"{}\"\", {}\"", words(random, 1), words(random, 1), words(random, 1)),
        _ => words(random, 2),
    }),
    shape("quoted newlines", 8, |random, _, column| match column % 4 {
        3 => format!("\"{}\n{}\"", words(random, 3), words(random, 2)),
        _ => words(random, 2),
    }),
    shape("1,000 columns", 1000, |random, _, _| random.below(1_000_000).to_string()),
    shape("fields of 10 KB", 8, |random, _, _| words(random, 1600)),
    Shape { terminator: "\r\n", ..shape("CRLF", 8, |random, _, _| words(random, 2)) },
    shape("non-ASCII", 8, |random, _, _| {
        ["Grüße aus Köln", "東京都千代田区", "Привет мир", "naïve", "ñandú"][random.below(5) as usize]
            .to_owned()
    }),
    shape("empty fields", 16, |random, _, column| match column % 8 {
        0 => random.below(1000).to_string(),
        _ => String::new(),
    }),
    shape("records of 1 byte", 1, |random, _, _| random.below(10).to_string()),
    shape("records of 3 bytes", 2, |random, _, _| random.below(10).to_string()),
    shape("text behind quotes", 8, |random, _, column| match column % 4 {
        3 => format!("\"{}\"{}", words(random, 1), words(random, 1)),
        _ => words(random, 2),
    }),
    shape(STRAY, 8, |random, _, column| match column % 4 {
        3 => format!("{}\" pipe", random.below(100)),
        _ => words(random, 2),
    }),
    shape(RARELY_STRAY, 8, |random, record, column| match (record % 1000, column) {
        (0, 3) => format!("{}\" pipe", random.below(100)),
        _ => words(random, 2),
    }),
];

/// Inputs with quotes inside unquoted fields.
const STRAY: &str = "stray quotes";
const RARELY_STRAY: &str = "stray quotes, 1 record of 1,000";

const fn shape(name: &'static str, width: usize, field: fn(&mut Random, usize, usize) -> String) -> Shape {
    Shape { name, width, terminator: "\n", field }
}

impl Shape {
    fn write(&self) -> Input {
        let mut random = Random::new();
        let mut bytes = Vec::with_capacity(BYTES + (BYTES >> 3));
        let mut records = 0;
        while bytes.len() < BYTES {
            for column in 0..self.width {
                if column > 0 {
                    bytes.push(b',');
                }
                bytes.extend_from_slice((self.field)(&mut random, records, column).as_bytes());
            }
            bytes.extend_from_slice(self.terminator.as_bytes());
            records += 1;
        }
        let counts = Counts { records, fields: records * self.width };
        Input { name: self.name, bytes, counts }
    }
}

/// Rows like TPC-H's lineitem: dense numbers, no quotes.
fn lineitem() -> Input {
    const ROWS: usize = BYTES / 115;
    let counts = Counts { records: ROWS, fields: 16 * ROWS };
    Input { name: "lineitem", bytes: text::lineitem(ROWS).into_bytes(), counts }
}

fn words(random: &mut Random, count: usize) -> String {
    const WORDS: [&str; 10] =
        ["carefully", "final", "deposits", "sleep", "slyly", "requests", "about", "the", "even", "ideas"];
    let words: Vec<&str> = (0..count).map(|_| WORDS[random.below(10) as usize]).collect();
    words.join(" ")
}

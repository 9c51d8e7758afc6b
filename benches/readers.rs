//! The readers, each with the way in which it splits an input.

use std::hint::black_box;
use std::io::Read;

use csv_core::ReadRecordResult;
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::internal::{Action, Machine, State};
use datafusion_csv_stream::parse::{FieldCount, Parser, Step};
use datafusion_csv_stream::simd::Backend;

/// The size of a buffer, and so of a read, as in a scan with the default limits.
const CHUNK: usize = 256 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    Ours(Backend),
    /// The specification itself, one byte at a time.
    Machine,
    SimdCsvZeroCopy,
    SimdCsvRecord,
    CsvRecord,
    CsvCore,
    CsvAsyncRecord,
}

/// The records and fields of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) records: usize,
    pub(crate) fields: usize,
}

impl Reader {
    pub(crate) fn all() -> Vec<Reader> {
        let others = [
            Reader::Machine,
            Reader::SimdCsvZeroCopy,
            Reader::SimdCsvRecord,
            Reader::CsvRecord,
            Reader::CsvCore,
            Reader::CsvAsyncRecord,
        ];
        Backend::available().into_iter().rev().map(Reader::Ours).chain(others).collect()
    }

    pub(crate) fn name(self) -> String {
        match self {
            Reader::Ours(backend) => format!("ours, {}", backend.name()),
            Reader::Machine => "the machine".to_owned(),
            Reader::SimdCsvZeroCopy => "simd-csv zero-copy".to_owned(),
            Reader::SimdCsvRecord => "simd-csv ByteRecord".to_owned(),
            Reader::CsvRecord => "csv ByteRecord".to_owned(),
            Reader::CsvCore => "csv-core read_record".to_owned(),
            Reader::CsvAsyncRecord => "csv-async ByteRecord".to_owned(),
        }
    }

    /// Splits the whole input, whose records each have `width` fields.
    pub(crate) fn read(self, input: &[u8], width: usize) -> Counts {
        match self {
            Reader::Ours(backend) => ours(backend, input, width),
            Reader::Machine => machine(input),
            Reader::SimdCsvZeroCopy => simd_csv_zero_copy(input),
            Reader::SimdCsvRecord => simd_csv_record(input),
            Reader::CsvRecord => csv_record(input),
            Reader::CsvCore => csv_core(input),
            Reader::CsvAsyncRecord => csv_async_record(input),
        }
    }
}

impl Counts {
    fn add_record(&mut self, fields: usize) {
        self.records += 1;
        self.fields += fields;
    }
}

/// Passes on a stream's bytes in the chunks that a buffer of [`CHUNK`] bytes gets.
fn each_chunk(mut stream: impl Read, mut take: impl FnMut(&[u8])) {
    let mut buffer = vec![0; CHUNK];
    loop {
        match stream.read(&mut buffer).expect("memory can be read") {
            0 => return,
            len => take(&buffer[..len]),
        }
    }
}

fn ours(backend: Backend, input: &[u8], width: usize) -> Counts {
    let dialect = Dialect::builder().with_header(false).build().expect("a dialect");
    let mut parser = Parser::new(&dialect, FieldCount::Exactly(width), 1 << 20).with_backend(backend);
    let mut counts = Counts::default();
    each_chunk(input, |mut rest| {
        loop {
            let (taken, step) = parser.next(rest, usize::MAX).expect("valid CSV");
            rest = &rest[taken..];
            let Step::Records(records) = step else { break };
            let records = black_box(records);
            counts.records += records.len();
            counts.fields += records.len() * width;
        }
    });
    assert!(parser.finish().expect("valid CSV").is_none(), "the input ends with a terminator");
    counts
}

fn machine(input: &[u8]) -> Counts {
    let machine = Machine::new(&Dialect::default());
    let mut state = State::StartRecord;
    let mut counts = Counts::default();
    each_chunk(input, |chunk| {
        for &byte in chunk {
            let (next, action) = machine.step(state, byte);
            state = next;
            counts.fields += usize::from(matches!(action, Action::EndField | Action::EndRecord));
            counts.records += usize::from(action == Action::EndRecord);
        }
    });
    counts
}

fn simd_csv_zero_copy(input: &[u8]) -> Counts {
    let mut reader =
        simd_csv::ZeroCopyReaderBuilder::with_capacity(CHUNK).has_headers(false).from_reader(input);
    let mut counts = Counts::default();
    // An error, as on an input that this reader misreads, ends the counts. They are compared
    // afterwards.
    while let Ok(Some(record)) = reader.read_byte_record() {
        counts.add_record(black_box(&record).len());
    }
    counts
}

fn simd_csv_record(input: &[u8]) -> Counts {
    let mut reader = simd_csv::ReaderBuilder::with_capacity(CHUNK).has_headers(false).from_reader(input);
    let mut record = simd_csv::ByteRecord::new();
    let mut counts = Counts::default();
    while let Ok(true) = reader.read_byte_record(&mut record) {
        counts.add_record(black_box(&record).len());
    }
    counts
}

fn csv_record(input: &[u8]) -> Counts {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).buffer_capacity(CHUNK).from_reader(input);
    let mut record = csv::ByteRecord::new();
    let mut counts = Counts::default();
    while reader.read_byte_record(&mut record).expect("valid CSV") {
        counts.add_record(black_box(&record).len());
    }
    counts
}

fn csv_core(input: &[u8]) -> Counts {
    let mut reader = csv_core::Reader::new();
    let (mut values, mut ends) = (vec![0; 1024], vec![0; 64]);
    // The bytes and fields of an incomplete record so far.
    let (mut bytes, mut fields) = (0, 0);
    let mut counts = Counts::default();
    each_chunk(input, |mut rest| {
        // An empty input would mean the end of the file.
        while !rest.is_empty() {
            let (result, taken, more_bytes, more_fields) =
                reader.read_record(rest, &mut values[bytes..], &mut ends[fields..]);
            rest = &rest[taken..];
            bytes += more_bytes;
            fields += more_fields;
            match result {
                ReadRecordResult::Record => {
                    counts.add_record(black_box((&values[..bytes], &ends[..fields])).1.len());
                    (bytes, fields) = (0, 0);
                }
                ReadRecordResult::OutputFull => values.resize(2 * values.len(), 0),
                ReadRecordResult::OutputEndsFull => ends.resize(2 * ends.len(), 0),
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            }
        }
    });
    counts
}

fn csv_async_record(input: &[u8]) -> Counts {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let mut reader = csv_async::AsyncReaderBuilder::new()
            .has_headers(false)
            .buffer_capacity(CHUNK)
            .create_reader(input);
        let mut record = csv_async::ByteRecord::new();
        let mut counts = Counts::default();
        while reader.read_byte_record(&mut record).await.expect("valid CSV") {
            counts.add_record(black_box(&record).len());
        }
        counts
    })
}

//! `Decoder` and `Reader` as a program uses them: no async, no DataFusion.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{Array, AsArray, BooleanArray, Int64Array, RecordBatch, RecordBatchReader};
use arrow::compute::concat_batches;
use arrow::compute::kernels::cmp::{eq, gt};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::budget::Limits;
use datafusion_csv_stream::decode::{DecodeCounters, FilterError, RowFilter};
use datafusion_csv_stream::error::ErrorKind;
use datafusion_csv_stream::parse::{RecordCounter, RecordStart};
use datafusion_csv_stream::{Decoded, Decoder, DecoderBuilder, Error, Reader, infer};

const ORDERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/small/orders.csv");

/// Quoted newlines, doubled quotes, empty fields, and no terminator after the last record.
const TEXT: &[u8] =
    b"id,name\n1,one\n2,\"t,wo\"\n3,\"th\nree\"\n4,\"f\"\"our\"\r\n5,\n6,six\n\n7,seven\n8,\"eight\"";
const NAMES: [Option<&str>; 8] = [
    Some("one"),
    Some("t,wo"),
    Some("th\nree"),
    Some("f\"our"),
    None,
    Some("six"),
    Some("seven"),
    Some("eight"),
];

fn schema() -> SchemaRef {
    let columns = vec![Field::new("id", DataType::Int64, true), Field::new("name", DataType::Utf8, true)];
    Arc::new(Schema::new(columns))
}

fn builder() -> DecoderBuilder {
    DecoderBuilder::new(schema())
}

/// Reads bytes in chunks of this size.
fn read(bytes: &[u8], chunk: usize, builder: DecoderBuilder) -> Result<Vec<RecordBatch>, Error> {
    Reader::new(BufReader::with_capacity(chunk, bytes), builder.build()?).collect()
}

fn rows(batches: &[RecordBatch]) -> Vec<usize> {
    batches.iter().map(RecordBatch::num_rows).collect()
}

fn ids(batches: &[RecordBatch]) -> Vec<i64> {
    let of = |batch: &RecordBatch| batch.column(0).as_primitive::<Int64Type>().values().to_vec();
    batches.iter().flat_map(of).collect()
}

fn names(batches: &[RecordBatch]) -> Vec<Option<String>> {
    let of = |batch: &RecordBatch| {
        let column = batch.columns().last().expect("a column").as_string::<i32>();
        column.iter().map(|name| name.map(str::to_owned)).collect::<Vec<_>>()
    };
    batches.iter().flat_map(of).collect()
}

/// The program in the documentation.
#[test]
fn a_file_is_read_with_the_schema_inferred_from_it() {
    let mut file = BufReader::new(File::open(ORDERS).unwrap());
    let schema = infer::read_schema(&mut file, &Dialect::default()).unwrap();
    file.rewind().unwrap();
    let decoder = DecoderBuilder::new(Arc::clone(&schema)).with_path(ORDERS).build().unwrap();
    let ours: Vec<_> = Reader::new(file, decoder).collect::<Result<_, _>>().unwrap();
    assert_eq!(schema.field(2).data_type(), &DataType::Float64);

    let theirs = arrow_csv::ReaderBuilder::new(Arc::clone(&schema))
        .with_header(true)
        .build(File::open(ORDERS).unwrap())
        .unwrap()
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    let ours = concat_batches(&schema, &ours).unwrap();
    assert!(ours.num_rows() > 5);
    assert_eq!(ours, concat_batches(&schema, &theirs).unwrap());
}

#[test]
fn the_last_record_needs_no_terminator_and_chunks_may_end_anywhere() {
    for chunk in 1..=TEXT.len() {
        let batches = read(TEXT, chunk, builder().with_batch_size(3)).unwrap();
        assert_eq!(rows(&batches), [3, 3, 2], "chunks of {chunk}");
        assert_eq!(ids(&batches), [1, 2, 3, 4, 5, 6, 7, 8], "chunks of {chunk}");
        let names = names(&batches);
        assert_eq!(names.iter().map(Option::as_deref).collect::<Vec<_>>(), NAMES, "chunks of {chunk}");
        let counted = read(TEXT, chunk, builder().with_batch_size(3).with_projection(Some(vec![]))).unwrap();
        assert_eq!(rows(&counted), [3, 3, 2], "chunks of {chunk}");
    }
}

#[test]
fn pushing_gives_what_reading_gives() {
    for cut in 0..=TEXT.len() {
        let (first, second) = TEXT.split_at(cut);
        let mut decoder = builder().with_batch_size(3).build().unwrap();
        let mut batches = Vec::new();
        for mut chunk in [first, b"", second] {
            while !chunk.is_empty() {
                let (taken, decoded) = decoder.push(chunk).unwrap();
                chunk = &chunk[taken..];
                match decoded {
                    Decoded::Batch(batch) => batches.push(batch),
                    Decoded::NeedInput => assert!(chunk.is_empty()),
                    other => panic!("{other:?}"),
                }
            }
        }
        while let Some(batch) = decoder.finish().unwrap() {
            batches.push(batch);
        }
        assert!(decoder.is_done() && decoder.finish().unwrap().is_none());
        assert!(matches!(decoder.push(b"9,nine\n").unwrap(), (0, Decoded::End)));
        assert_eq!(rows(&batches), [3, 3, 2], "cut at {cut}");
        assert_eq!(decoder.counters().bytes(), TEXT.len() as u64);
        assert_eq!(decoder.byte(), TEXT.len() as u64);
        assert_eq!(decoder.counters().records(), 8);
    }
}

#[test]
fn columns_are_chosen_and_ordered() {
    let decoder = builder().with_projection(Some(vec![1, 0])).build().unwrap();
    let reader = Reader::new(TEXT, decoder);
    assert_eq!(reader.schema().field(0).name(), "name");
    let batches: Vec<_> = reader.collect::<Result<_, _>>().unwrap();
    assert_eq!(batches[0].column(1).as_primitive::<Int64Type>().value(7), 8);
    assert!(builder().with_projection(Some(vec![2])).build().is_err());
}

/// Counts the reads of a reader, and notices its drop.
struct Watched {
    bytes: &'static [u8],
    reads: Arc<AtomicUsize>,
}

const DROPPED: usize = 1 << 20;

impl Read for Watched {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        unreachable!("a buffered reader is read by its buffer")
    }
}

impl BufRead for Watched {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Ok(&self.bytes[..self.bytes.len().min(4)])
    }

    fn consume(&mut self, amount: usize) {
        self.bytes = &self.bytes[amount..];
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.reads.fetch_add(DROPPED, Ordering::Relaxed);
    }
}

fn watched(bytes: &'static [u8], builder: DecoderBuilder) -> (Reader<Watched>, Arc<AtomicUsize>) {
    let reads = Arc::new(AtomicUsize::new(0));
    let reader = Watched { bytes, reads: Arc::clone(&reads) };
    (Reader::new(reader, builder.build().unwrap()), reads)
}

#[test]
fn a_limit_ends_it_without_another_read() {
    for projection in [vec![], vec![0, 1]] {
        let builder = || builder().with_projection(Some(projection.clone()));
        let (mut reader, reads) = watched(TEXT, builder().with_limit(Some(2)));
        assert_eq!(reader.next().unwrap().unwrap().num_rows(), 2);
        let after = reads.load(Ordering::Relaxed);
        assert!((DROPPED..=DROPPED + 8).contains(&after), "{after}");
        assert!(reader.next().is_none());
        assert_eq!(reads.load(Ordering::Relaxed), after);

        let (mut reader, reads) = watched(TEXT, builder().with_limit(Some(0)));
        assert!(reader.next().is_none());
        assert_eq!(reads.load(Ordering::Relaxed), DROPPED);
        for (limit, batch_size, expected) in [(5, 2, &[2, 2, 1][..]), (8, 8, &[8]), (99, 99, &[8])] {
            let builder = builder().with_limit(Some(limit)).with_batch_size(batch_size);
            assert_eq!(rows(&read(TEXT, 7, builder).unwrap()), expected);
        }
    }
}

#[test]
fn an_error_has_its_place_and_ends_it_for_good() {
    let text = b"id,name\n1,a\nx,b\n3,c\n4,d\n";
    let (mut reader, reads) = watched(text, builder().with_path("dir/t.csv"));
    let error = reader.next().unwrap().unwrap_err();
    let place = "dir/t.csv: line 3, record 2, byte 12, column 0 (\"id\"): can't read \"x\" as Int64";
    assert!(error.to_string().starts_with(place), "{error}");
    let after = reads.load(Ordering::Relaxed);
    assert!(after >= DROPPED);
    assert!(reader.next().is_none());
    assert_eq!(reads.load(Ordering::Relaxed), after);
    // Full batches of the rows before the error come first.
    let mut reader = Reader::new(&text[..], builder().with_batch_size(1).build().unwrap());
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 1);
    assert!(reader.next().unwrap().is_err());

    let mut decoder = builder().build().unwrap();
    assert!(decoder.push(text).is_err());
    assert!(decoder.is_done());
    assert!(matches!(decoder.push(text).unwrap(), (0, Decoded::End)));
    assert!(decoder.finish().unwrap().is_none());
}

#[test]
fn an_input_that_ends_inside_quotes_is_an_error() {
    for projection in [vec![], vec![0]] {
        for chunk in [1, 3, 100] {
            let builder = builder().with_projection(Some(projection.clone())).with_path("t.csv");
            let error = read(b"id,name\n1,a\n2,\"b", chunk, builder).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::UnclosedQuote), "{error}");
            assert!(error.to_string().starts_with("t.csv: line 3, record 2, byte 12"), "{error}");
        }
    }
}

/// Fails after some bytes. Before that every second read is interrupted.
struct Failing {
    bytes: &'static [u8],
    is_interrupted: bool,
}

impl Read for Failing {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.is_interrupted = !self.is_interrupted;
        if self.is_interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match self.bytes.read(out)? {
            0 => Err(io::Error::new(io::ErrorKind::ConnectionReset, "the wire broke")),
            read => Ok(read),
        }
    }
}

#[test]
fn an_error_of_the_reader_has_the_path() {
    let failing = Failing { bytes: b"id,name\n1,a\n2,b\n", is_interrupted: false };
    let decoder = builder().with_batch_size(1).with_path("t.csv").build().unwrap();
    let mut reader = Reader::new(BufReader::with_capacity(8, failing), decoder);
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 1);
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 1);
    let error = reader.next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "t.csv: the wire broke");
    let ErrorKind::Io(cause) = error.kind() else { panic!("{error:?}") };
    assert_eq!(cause.kind(), io::ErrorKind::ConnectionReset);
    assert!(reader.next().is_none());
}

#[test]
fn batches_are_bounded_in_rows_and_bytes() {
    let text = [b"1,".as_slice(), &[b'x'; 50_000], b"\n"].concat().repeat(100);
    let dialect = Dialect::builder().with_header(false).build().unwrap();
    let limits = Limits::default();
    // All bytes at once, because the decoder bounds its chunks itself.
    let builder = builder().with_dialect(dialect).with_limits(limits);
    let batches: Vec<_> = Reader::new(&text[..], builder.build().unwrap()).collect::<Result<_, _>>().unwrap();
    assert_eq!(rows(&batches).iter().sum::<usize>(), 100);
    for batch in &batches {
        let bytes = batch.column(1).as_string::<i32>().values().len();
        assert!(bytes <= limits.batch_bytes() + limits.chunk_bytes(), "{bytes}");
    }
}

/// Here one row alone exceeds a batch's bytes, so it becomes a batch of its own.
#[test]
fn a_row_larger_than_a_batch_is_a_batch() {
    let limits = Limits::new(1 << 20, Some(300 << 10)).unwrap();
    let text = [b"id,name\n1,".as_slice(), &[b'x'; 200 << 10], b"\n2,y\n3,z\n"].concat();
    for chunk in [1000, text.len()] {
        let batches = read(&text, chunk, builder().with_limits(limits)).unwrap();
        assert_eq!(rows(&batches), [1, 2], "chunks of {chunk}");
    }
}

/// `id > least`, which counts the rows that it sees.
#[derive(Debug)]
struct Above {
    least: i64,
    seen: AtomicUsize,
}

impl RowFilter for Above {
    fn columns(&self) -> &[usize] {
        &[0]
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray, FilterError> {
        self.seen.fetch_add(batch.num_rows(), Ordering::Relaxed);
        Ok(gt(batch.column(0), &Int64Array::new_scalar(self.least))?)
    }
}

/// `id = named`, or an error of its own.
#[derive(Debug)]
struct Only(i64, Option<&'static str>);

impl RowFilter for Only {
    fn columns(&self) -> &[usize] {
        &[0]
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray, FilterError> {
        match self.1 {
            None => Ok(eq(batch.column(0), &Int64Array::new_scalar(self.0))?),
            Some(message) => Err(message.into()),
        }
    }
}

#[test]
fn filters_keep_rows_one_after_the_other() {
    for chunk in [1, 10, 1000] {
        let above = Arc::new(Above { least: 2, seen: AtomicUsize::new(0) });
        let counters = Arc::new(DecodeCounters::default());
        let builder = || builder().with_counters(Arc::clone(&counters));
        let filtered = builder().with_filters(vec![above.clone()]).with_batch_size(2);
        let batches = read(TEXT, chunk, filtered.clone()).unwrap();
        assert_eq!(ids(&batches), [3, 4, 5, 6, 7, 8]);
        assert_eq!(rows(&batches), [2, 2, 2]);
        assert_eq!(above.seen.load(Ordering::Relaxed), 8);
        assert_eq!((counters.records(), counters.selected()), (8, 6));
        let batches = read(TEXT, chunk, filtered.with_limit(Some(3))).unwrap();
        assert_eq!(rows(&batches), [2, 1]);
        let both: Vec<Arc<dyn RowFilter>> = vec![above, Arc::new(Only(7, None))];
        let projected = builder().with_filters(both.clone()).with_projection(Some(vec![1]));
        assert_eq!(names(&read(TEXT, chunk, projected).unwrap()), [Some("seven".to_owned())]);
        let counted = builder().with_filters(both).with_projection(Some(vec![]));
        assert_eq!(rows(&read(TEXT, chunk, counted).unwrap()), [1]);
    }
}

#[test]
fn an_error_of_a_filter_stays_what_it_is() {
    let builder = builder().with_filters(vec![Arc::new(Only(1, Some("no answer")))]);
    let error = read(TEXT, 100, builder.with_path("t.csv")).unwrap_err();
    assert_eq!(error.to_string(), "no answer");
    let ErrorKind::Filter(cause) = error.kind() else { panic!("{error:?}") };
    assert_eq!(cause.to_string(), "no answer");
}

/// Each range has the records that start in it, wherever it is cut. Each range except the last also
/// tells where the next one's first record starts.
#[test]
fn ranges_share_the_records_between_them() {
    for projection in [vec![], vec![0, 1]] {
        for cut in 0..=TEXT.len() as u64 {
            let builder = || builder().with_projection(Some(projection.clone())).with_batch_size(2);
            let mut first = builder().ending_before(Some(cut)).build().unwrap();
            let mut batches = drain(&mut first, TEXT);
            let expected = start_at(cut);
            assert_eq!(first.next_start(), expected, "{cut}");
            // The header is not a row, wherever it stands.
            if let Some(start) = expected.filter(|start| start.record > 0) {
                let mut second = builder().starting_at(Some(start)).build().unwrap();
                assert_eq!(second.byte(), start.byte);
                batches.extend(drain(&mut second, &TEXT[start.byte as usize..]));
            } else if expected.is_some() {
                batches.extend(drain(&mut builder().build().unwrap(), TEXT));
            }
            assert_eq!(rows(&batches).iter().sum::<usize>(), 8, "{cut}");
            if !projection.is_empty() {
                assert_eq!(ids(&batches), [1, 2, 3, 4, 5, 6, 7, 8], "{cut}");
            }
        }
    }
}

/// Decodes bytes in chunks of seven.
fn drain(decoder: &mut Decoder, bytes: &[u8]) -> Vec<RecordBatch> {
    let mut batches = Vec::new();
    for mut chunk in bytes.chunks(7) {
        while !chunk.is_empty() && !decoder.is_done() {
            let (taken, decoded) = decoder.push(chunk).unwrap();
            chunk = &chunk[taken..];
            if let Decoded::Batch(batch) = decoded {
                batches.push(batch);
            }
        }
    }
    while let Some(batch) = decoder.finish().unwrap() {
        batches.push(batch);
    }
    batches
}

fn start_at(byte: u64) -> Option<RecordStart> {
    let mut counter = RecordCounter::new(&Dialect::default(), 1 << 20);
    counter.push(&TEXT[..byte as usize]).unwrap();
    counter.first_record_start_at_or_after(byte, &TEXT[byte as usize..]).unwrap()
}

#[test]
fn it_is_a_reader_of_arrow_too() {
    fn count(reader: impl RecordBatchReader) -> Result<usize, ArrowError> {
        assert_eq!(reader.schema(), schema());
        reader.map(|batch| batch.map(|batch| batch.num_rows())).sum()
    }

    assert_eq!(count(Reader::new(TEXT, builder().build().unwrap()).into_arrow()).unwrap(), 8);
    let wrong = &b"id,name\nx,y\n"[..];
    let error = count(Reader::new(wrong, builder().build().unwrap()).into_arrow()).unwrap_err();
    let ArrowError::ExternalError(cause) = &error else { panic!("{error:?}") };
    let cause = cause.downcast_ref::<Error>().expect("our own error");
    assert_eq!(cause.place().unwrap().record, 1);
}

#[test]
fn null_arrays_and_empty_files_are_read() {
    assert!(read(b"", 1, builder()).unwrap().is_empty());
    assert!(read(b"id,name\n", 1, builder()).unwrap().is_empty());
    let batches = read(b"id,name\n,\n", 1, builder()).unwrap();
    assert_eq!(batches[0].column(0).null_count() + batches[0].column(1).null_count(), 2);
}

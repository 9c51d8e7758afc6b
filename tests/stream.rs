//! `CsvStream` by itself: no DataFusion, any reader.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion_csv_stream::budget::{FieldLimit, Limits, OversizedFields};
use datafusion_csv_stream::decode::{DecodeCounters, DecodeOptions};
use datafusion_csv_stream::{CsvStream, DecoderBuilder};
use futures::{FutureExt, StreamExt, TryStreamExt};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWriteExt, BufReader, ReadBuf};

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("name", DataType::Utf8, true),
    ]))
}

fn csv_stream(reader: impl AsyncBufRead + Send + 'static, builder: DecoderBuilder) -> CsvStream {
    CsvStream::new(reader, builder.build().unwrap())
}

#[tokio::test]
async fn a_pipe_is_read_as_it_is_written() {
    let (mut writer, reader) = tokio::io::duplex(16);
    let decoder = DecoderBuilder::new(schema()).with_batch_size(2).build().unwrap();
    let mut stream = CsvStream::new(BufReader::new(reader), decoder);
    assert_eq!(stream.schema(), &schema());

    writer.write_all(b"id,name\n1,a\n").await.unwrap();
    assert!(stream.next().now_or_never().is_none(), "one row is no batch yet");
    writer.write_all(b"2,\"b\nc").await.unwrap();
    assert!(stream.next().now_or_never().is_none(), "half a record is none");
    writer.write_all(b"\"\n3,d").await.unwrap();
    let batch = stream.next().await.unwrap().unwrap();
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().values(), &[1, 2]);
    assert_eq!(batch.column(1).as_string::<i32>().value(1), "b\nc");
    drop(writer);
    let batch = stream.next().await.unwrap().unwrap();
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().values(), &[3]);
    assert!(stream.next().await.is_none());
    assert!(stream.next().await.is_none());
}

/// Counts reads, and notices its drop.
struct Watched {
    bytes: &'static [u8],
    reads: Arc<AtomicUsize>,
}

const DROPPED: usize = 1 << 20;

impl AsyncRead for Watched {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        unreachable!("a buffered reader is read by its buffer")
    }
}

impl AsyncBufRead for Watched {
    fn poll_fill_buf(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let bytes = self.bytes;
        Poll::Ready(Ok(&bytes[..bytes.len().min(4)]))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.bytes = &self.bytes[amount..];
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.reads.fetch_add(DROPPED, Ordering::Relaxed);
    }
}

fn watched(bytes: &'static [u8]) -> (Watched, Arc<AtomicUsize>) {
    let reads = Arc::new(AtomicUsize::new(0));
    (Watched { bytes, reads: Arc::clone(&reads) }, reads)
}

#[tokio::test]
async fn an_error_ends_it_for_good_and_lets_the_reader_go() {
    let (reader, reads) = watched(b"id,name\n1,a\nx,b\n3,c\n4,d\n");
    let mut stream = csv_stream(reader, DecoderBuilder::new(schema()).with_path("p"));
    let error = stream.next().await.unwrap().unwrap_err().to_string();
    assert!(error.contains("p: line 3, record 2, byte 12, column 0 (\"id\")"), "{error}");
    let after = reads.load(Ordering::Relaxed);
    assert!(after >= DROPPED);
    assert!(stream.next().await.is_none());
    assert_eq!(reads.load(Ordering::Relaxed), after);
}

#[tokio::test]
async fn a_limit_ends_it_without_another_read() {
    let (reader, reads) = watched(b"id,name\n1,a\n2,b\n3,c\n4,d\n5,e\n6,f\n");
    let stream = csv_stream(reader, DecoderBuilder::new(schema()).with_limit(Some(2)));
    let batches: Vec<_> = stream.try_collect().await.unwrap();
    assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 2);
    let reads = reads.load(Ordering::Relaxed) - DROPPED;
    assert!(reads <= 8, "{reads} reads");

    let (reader, reads) = watched(b"id,name\n1,a\n");
    let stream = csv_stream(reader, DecoderBuilder::new(schema()).with_limit(Some(0)));
    assert_eq!(stream.count().await, 0);
    assert_eq!(reads.load(Ordering::Relaxed), DROPPED);
}

/// The options tell what becomes of long values. The limits tell their maximum length, unless the
/// options do.
#[tokio::test]
async fn long_values_are_cut_without_a_session_too() {
    let text: &'static [u8] = format!("id,name\n1,{}\n2,ab\n", "x".repeat(3 << 20)).leak().as_bytes();
    let field_limit = FieldLimit::new(Some(10), OversizedFields::Null);
    let limits = Limits::for_fields(1 << 20, None, &field_limit).unwrap();
    for (policy, max_field_bytes, expected) in [
        (OversizedFields::Null, None, [None, Some("ab")]),
        (OversizedFields::Truncate, None, [Some("xxxxxxxxxx"), Some("ab")]),
        (OversizedFields::Truncate, Some(1), [Some("x"), Some("a")]),
    ] {
        let decode = DecodeOptions::default().with_max_field_bytes(max_field_bytes, policy);
        let builder = DecoderBuilder::new(schema()).with_limits(limits).with_decode_options(decode);
        let mut stream = csv_stream(text, builder);
        let batch = stream.next().await.unwrap().unwrap();
        assert_eq!(batch.column(1).as_string::<i32>().iter().collect::<Vec<_>>(), expected, "{policy:?}");
        assert!(stream.allocated_bytes() < 1 << 20);
    }
    let error = csv_stream(text, DecoderBuilder::new(schema()).with_limits(limits)).next().await;
    let message = error.unwrap().unwrap_err().to_string();
    assert!(message.contains("max_record_bytes (87381 bytes)"), "an error is the default: {message}");
}

/// An error after the wanted rows is not reported, and full batches before an error are returned.
/// This holds for rows that are decoded and for rows that are only counted.
#[tokio::test]
async fn an_error_behind_some_rows_comes_behind_them() {
    let text = "id,name\n".to_owned() + &"1,a\n".repeat(5) + "2," + &"b".repeat(2000) + "\n";
    let text: &'static [u8] = text.leak().as_bytes();
    let limits = Limits::new(1 << 20, Some(1024)).unwrap();
    for projection in [vec![], vec![0, 1]] {
        for (limit, batch_size, rows, fails) in
            [(Some(3), 2, &[2, 1][..], false), (Some(3), 8192, &[3], false), (None, 2, &[2, 2], true)]
        {
            let builder = DecoderBuilder::new(schema())
                .with_limits(limits)
                .with_projection(Some(projection.clone()))
                .with_limit(limit)
                .with_batch_size(batch_size);
            let batches: Vec<_> = csv_stream(text, builder).collect().await;
            let right: Vec<usize> = batches.iter().flatten().map(|batch| batch.num_rows()).collect();
            assert_eq!(right, rows, "{projection:?} {limit:?} {batch_size}");
            assert_eq!(
                batches.len() - right.len(),
                usize::from(fails),
                "{projection:?} {limit:?} {batch_size}"
            );
        }
    }
}

#[tokio::test]
async fn dropping_it_drops_the_reader() {
    let (reader, reads) = watched(b"id,name\n1,a\n2,b\n");
    let mut stream = csv_stream(reader, DecoderBuilder::new(schema()).with_batch_size(1));
    assert!(stream.next().await.is_some());
    drop(stream);
    assert!(reads.load(Ordering::Relaxed) >= DROPPED);
}

#[tokio::test]
async fn endless_comments_let_others_have_their_turn() {
    use datafusion_csv_stream::Dialect;

    /// Comments without end, always ready.
    struct Comments;

    impl AsyncRead for Comments {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            unreachable!("a buffered reader is read by its buffer")
        }
    }

    impl AsyncBufRead for Comments {
        fn poll_fill_buf(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
            Poll::Ready(Ok(b"# nothing\n"))
        }

        fn consume(self: Pin<&mut Self>, _: usize) {}
    }

    let dialect = Dialect::builder().with_comment(b'#').build().unwrap();
    let mut stream = csv_stream(Comments, DecoderBuilder::new(schema()).with_dialect(dialect));
    assert!(stream.next().now_or_never().is_none());
}

#[tokio::test]
async fn batches_are_bounded_in_bytes_too() {
    let text: &'static [u8] = Vec::leak([b"1,".as_slice(), &[b'x'; 50_000], b"\n"].concat().repeat(100));
    let dialect = datafusion_csv_stream::Dialect::builder().with_header(false).build().unwrap();
    let limits = Limits::default();
    let builder = DecoderBuilder::new(schema()).with_dialect(dialect).with_limits(limits);
    let batches: Vec<_> = csv_stream(text, builder).try_collect().await.unwrap();
    assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 100);
    for batch in &batches {
        let bytes = batch.column(1).as_string::<i32>().values().len();
        assert!(bytes <= limits.batch_bytes() + limits.chunk_bytes() + limits.max_record_bytes(), "{bytes}");
    }
    assert!(batches.len() >= 4, "{}", batches.len());
}

#[tokio::test]
async fn counters_count() {
    let counters = Arc::new(DecodeCounters::default());
    let bytes = &b"id,name\n1,a\n2,b"[..];
    let stream = csv_stream(bytes, DecoderBuilder::new(schema()).with_counters(Arc::clone(&counters)));
    stream.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!((counters.bytes(), counters.records()), (15, 2));
    assert!(counters.parsing_nanos() > 0 && counters.decoding_nanos() > 0);
}

//! A compressed object is read whole, in bounded memory, or is an error.

use std::future::Future;
use std::io::Cursor;
use std::sync::Arc;

use async_compression::Level;
use async_compression::tokio::bufread::{BzEncoder, GzipEncoder, XzEncoder, ZstdEncoder};
use async_compression::zstd::CParameter;
use bytes::Bytes;
use datafusion_csv_stream::budget::Limits;
use datafusion_csv_stream::error::{Error, ErrorKind};
use datafusion_csv_stream::input::{Compression, CompressionOption, InputCounters, decompress, open};
use futures::StreamExt;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};
use tokio::io::{AsyncBufRead, AsyncReadExt};
use tokio_util::io::StreamReader;

use crate::support::{Local, all, all_buffered, data, limits};

const CODECS: [Compression; 4] = [Compression::Gzip, Compression::Bzip2, Compression::Xz, Compression::Zstd];

pub(crate) async fn encode(compression: Compression, level: Level, bytes: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    let read = match compression {
        Compression::None => panic!("nothing to encode"),
        Compression::Gzip => GzipEncoder::with_quality(bytes, level).read_to_end(&mut compressed).await,
        Compression::Bzip2 => BzEncoder::with_quality(bytes, level).read_to_end(&mut compressed).await,
        Compression::Xz => XzEncoder::with_quality(bytes, level).read_to_end(&mut compressed).await,
        Compression::Zstd => {
            // The zstd tool writes checksums too. Without one a flipped bit couldn't be detected.
            let checked = [CParameter::checksum_flag(true)];
            ZstdEncoder::with_quality_and_params(bytes, level, &checked).read_to_end(&mut compressed).await
        }
    };
    read.unwrap();
    compressed
}

async fn zstd_with_window(log: u32, bytes: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    let params = [CParameter::window_log(log)];
    let mut encoder = ZstdEncoder::with_quality_and_params(bytes, Level::Fastest, &params);
    encoder.read_to_end(&mut compressed).await.unwrap();
    compressed
}

/// Frames of `frame` bytes, with empty ones between them. The task is woken before each.
fn in_frames(bytes: &[u8], frame: usize) -> impl AsyncBufRead + Send + use<> {
    let frames: Vec<_> =
        bytes.chunks(frame).flat_map(|frame| [Bytes::new(), Bytes::copy_from_slice(frame)]).collect();
    StreamReader::new(
        futures::stream::iter(frames)
            .then(|frame| async {
                tokio::task::yield_now().await;
                std::io::Result::Ok(frame)
            })
            .boxed(),
    )
}

async fn decode(compression: Compression, compressed: &[u8]) -> Result<Vec<u8>, Error> {
    all(decompress(Cursor::new(compressed.to_vec()), compression, &limits(), Arc::default())).await
}

async fn for_each_codec<F: Future<Output = ()>>(test: impl Fn(Compression) -> F) {
    for compression in CODECS {
        test(compression).await;
    }
}

#[tokio::test]
async fn any_number_of_members_is_read_however_it_arrives() {
    for_each_codec(|compression| async move {
        let parts = [data(700), Vec::new(), b"a,b\n1,2\n".to_vec(), Vec::new(), data(300_000)];
        let mut compressed = Vec::new();
        let mut plain = Vec::new();
        for part in &parts {
            compressed.extend(encode(compression, Level::Fastest, part).await);
            plain.extend_from_slice(part);
            let read = decode(compression, &compressed).await.unwrap();
            assert!(read == plain, "{compression}, {} bytes", plain.len());
        }
        for frame in [1, 2, 3, 7, 1000, compressed.len() - 1] {
            let input = decompress(in_frames(&compressed, frame), compression, &limits(), Arc::default());
            let read = all_buffered(input, limits().chunk_bytes()).await.unwrap();
            assert!(read == plain, "{compression} in frames of {frame}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_empty_member_is_an_empty_input() {
    for_each_codec(|compression| async move {
        let compressed = encode(compression, Level::Fastest, b"").await;
        assert_eq!(decode(compression, &compressed).await.unwrap(), b"", "{compression}");
    })
    .await;
}

#[tokio::test]
async fn what_is_truncated_is_an_error_wherever_it_is_cut() {
    for_each_codec(|compression| async move {
        let (a, b) = (data(400), b"a,b\n".repeat(100));
        let first = encode(compression, Level::Fastest, &a).await;
        let both = [&first[..], &encode(compression, Level::Fastest, &b).await].concat();
        for cut in 0..both.len() {
            for frame in [1, both.len()] {
                let input =
                    decompress(in_frames(&both[..cut], frame), compression, &limits(), Arc::default());
                let read = all(input).await;
                if cut == first.len() {
                    assert!(read.unwrap() == a, "{compression} cut between its members");
                    continue;
                }
                let error = read.expect_err(&format!("{compression} cut at {cut} of {}", both.len()));
                let text = format!("the {compression} data ends in the middle: is the file truncated");
                assert!(error.to_string().contains(&text), "{compression} cut at {cut}: {error}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_large_file_that_is_truncated_is_an_error() {
    for_each_codec(|compression| async move {
        let compressed = encode(compression, Level::Fastest, &data(1 << 20)).await;
        for cut in (1..20).map(|part| compressed.len() * part / 20).chain([compressed.len() - 1]) {
            let error = decode(compression, &compressed[..cut]).await.unwrap_err().to_string();
            assert!(error.contains("ends in the middle"), "{compression} cut at {cut}: {error}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_flipped_bit_is_never_another_value() {
    for_each_codec(|compression| async move {
        let plain = b"id,name\n1,one\n2,two\n3,three\n".repeat(20);
        let compressed = encode(compression, Level::Fastest, &plain).await;
        let mut refused = 0;
        for bit in 0..8 * compressed.len() {
            let mut flipped = compressed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match decode(compression, &flipped).await {
                // Some bits of a gzip header, such as those of its time, don't change the contents.
                Ok(read) => assert!(read == plain, "{compression}, bit {bit}"),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 6 * compressed.len(), "{compression}: {refused}");
    })
    .await;
}

#[tokio::test]
async fn what_follows_the_last_member_is_another_one_or_an_error() {
    for_each_codec(|compression| async move {
        let member = encode(compression, Level::Fastest, b"a,b\n1,2\n").await;
        for (garbage, fits) in [
            (&b"garbage"[..], false),
            (b"a,b\n", false),
            (&[0; 1], false),
            (&[0; 3], false),
            (&[0; 4], compression == Compression::Xz),
            (&[0; 512], compression == Compression::Xz),
        ] {
            let file = [&member[..], garbage].concat();
            for frame in [1, 3, file.len()] {
                let read =
                    all(decompress(in_frames(&file, frame), compression, &limits(), Arc::default())).await;
                assert_eq!(read.is_ok(), fits, "{compression}, {garbage:?}: {read:?}");
            }
        }
    })
    .await;
}

/// async-compression's own loop counts the padding from zero in each chunk, and refuses this input.
#[tokio::test]
async fn padding_between_xz_streams_may_be_cut_anywhere() {
    let stream = encode(Compression::Xz, Level::Fastest, b"a,b\n1,2\n").await;
    let file = [&stream[..], &[0; 8], &stream].concat();
    for frame in 1..file.len() {
        let input = decompress(in_frames(&file, frame), Compression::Xz, &limits(), Arc::default());
        assert_eq!(all(input).await.unwrap(), b"a,b\n1,2\na,b\n1,2\n", "frames of {frame}");
    }
}

#[tokio::test]
async fn a_skippable_zstd_frame_is_skipped() {
    let frame = encode(Compression::Zstd, Level::Fastest, b"a,b\n").await;
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5];
    for file in [[&skippable[..], &frame].concat(), [&frame[..], &skippable].concat()] {
        assert_eq!(decode(Compression::Zstd, &file).await.unwrap(), b"a,b\n");
    }
}

#[tokio::test]
async fn another_format_is_an_error_that_names_the_option() {
    for_each_codec(|compression| async move {
        let error = decode(compression, b"a,b\n1,2\n3,4\n5,6\n7,8\n").await.unwrap_err().to_string();
        assert!(error.contains(&format!("corrupt {compression} data, or none: ")), "{error}");
        assert!(error.contains("the option compression"), "{error}");
    })
    .await;
}

fn assert_memory(read: Result<Vec<u8>, Error>, what: &str) {
    let error = read.expect_err(what);
    assert!(matches!(error.kind(), ErrorKind::Memory { option: "memory_limit", .. }), "{what}: {error}");
    let text = error.to_string();
    assert!(text.contains(what) && text.ends_with("raise memory_limit"), "{text}");
}

#[tokio::test]
async fn a_window_that_does_not_fit_is_refused_with_its_size() {
    let large = zstd_with_window(27, b"a,b\n").await;
    assert_memory(decode(Compression::Zstd, &large).await, "a zstd window of 134217728 bytes");
    let input = decompress(in_frames(&large, 1), Compression::Zstd, &limits(), Arc::default());
    assert_memory(all(input).await, "a zstd window of 134217728 bytes");
    // In later frames the decoder itself finds such a window, but doesn't tell its size.
    let later = [zstd_with_window(20, b"a,b\n").await, large.clone()].concat();
    assert_memory(decode(Compression::Zstd, &later).await, "a zstd window");
    let most = zstd_with_window(22, b"a,b\n").await;
    assert_eq!(decode(Compression::Zstd, &most).await.unwrap(), b"a,b\n");
    let limits = Limits::new(512 << 20, None).unwrap();
    let read = all(decompress(Cursor::new(later), Compression::Zstd, &limits, Arc::default())).await;
    assert_eq!(read.unwrap(), b"a,b\na,b\n");
}

#[tokio::test]
async fn the_levels_that_fit_into_the_default_limit_are_those_of_the_documentation() {
    let plain = data(100_000);
    for (compression, level, fits) in [
        (Compression::Gzip, 9, true),
        (Compression::Bzip2, 9, true),
        (Compression::Zstd, 16, true),
        (Compression::Zstd, 17, false),
        (Compression::Xz, 4, true),
        (Compression::Xz, 5, false),
        (Compression::Xz, 9, false),
    ] {
        let compressed = encode(compression, Level::Precise(level), &plain).await;
        let read = decode(compression, &compressed).await;
        match fits {
            true => assert!(read.unwrap() == plain, "{compression} {level}"),
            false if compression == Compression::Xz => assert_memory(read, "an xz dictionary"),
            false => assert_memory(read, "a zstd window of 8388608 bytes"),
        }
        let limits = Limits::new(192 << 20, None).unwrap();
        let read = all(decompress(Cursor::new(compressed), compression, &limits, Arc::default())).await;
        assert!(read.unwrap() == plain, "{compression} {level}");
    }
    let limits = Limits::new(2 << 20, None).unwrap();
    let compressed = encode(Compression::Bzip2, Level::Precise(9), &plain).await;
    let read = all(decompress(in_frames(&compressed, 1), Compression::Bzip2, &limits, Arc::default())).await;
    assert_memory(read, "a bzip2 decoder of 3665536 bytes");
    let compressed = encode(Compression::Bzip2, Level::Precise(1), &plain).await;
    let read = all(decompress(Cursor::new(compressed), Compression::Bzip2, &limits, Arc::default())).await;
    assert!(read.unwrap() == plain);
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_objects_are_opened_by_their_extension() {
    let plain = data(1_000_000);
    for (name, compression) in
        [("a.csv.gz", CODECS[0]), ("a.csv.bz2", CODECS[1]), ("a.csv.xz", CODECS[2]), ("A.CSV.ZST", CODECS[3])]
    {
        let compressed = encode(compression, Level::Fastest, &plain).await;
        let stores = [Arc::new(InMemory::new()) as Arc<dyn ObjectStore>, Local::new().store];
        for store in stores {
            store
                .put(&Path::from(name), compressed.clone().into())
                .await
                .unwrap_or_else(|error| panic!("{error}"));
            let meta = store.head(&Path::from(name)).await.unwrap();
            let counters = Arc::new(InputCounters::default());
            let resolved = CompressionOption::Auto.resolve(name);
            let input = open(&store, &meta, resolved, &limits(), Arc::clone(&counters)).await.unwrap();
            assert!(all_buffered(input, limits().chunk_bytes()).await.unwrap() == plain, "{name}");
            assert_eq!(counters.bytes(), compressed.len() as u64, "{name}");
            let wrong = open(&store, &meta, Compression::Gzip, &limits(), counters).await.unwrap();
            if compression != Compression::Gzip {
                let error = all(wrong).await.unwrap_err().to_string();
                assert!(error.starts_with(&format!("{name}: corrupt gzip data")), "{error}");
            }
            // The object's error takes precedence over the decoder's.
            let short = ObjectMeta { size: meta.size + 1, e_tag: None, ..meta };
            let error = match open(&store, &short, resolved, &limits(), Arc::default()).await {
                Ok(input) => all(input).await.unwrap_err().to_string(),
                Err(error) => error.to_string(),
            };
            assert!(error.starts_with(&format!("{name}: the object ended at byte ")), "{error}");
        }
    }
}

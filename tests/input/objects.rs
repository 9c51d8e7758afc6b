//! Objects of every store, which are read as they were listed or not at all.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use datafusion_csv_stream::budget::Limits;
use datafusion_csv_stream::error::{Error, ErrorKind};
use datafusion_csv_stream::input::{Compression, InputCounters, decompress, open};
use object_store::chunked::ChunkedStore;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};
use tokio::io::{AsyncBufReadExt, AsyncReadExt};

use crate::faults::{Fault, FaultStore};
use crate::support::{Local, all, all_buffered, data, in_memory, limits, open_plain};

#[tokio::test(flavor = "multi_thread")]
async fn every_store_gives_every_size() {
    let chunk = limits().chunk_bytes();
    for size in [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 7] {
        let bytes = data(size);
        let (local, local_meta) = Local::with(&bytes).await;
        let (memory, memory_meta) = in_memory(&bytes).await;
        let chunked = |store: &Arc<dyn ObjectStore>, chunk| -> Arc<dyn ObjectStore> {
            Arc::new(ChunkedStore::new(Arc::clone(store), chunk))
        };
        for (name, store, meta, most) in [
            ("local", Arc::clone(&local.store), &local_meta, chunk),
            // The store's frames may have any size.
            ("memory", Arc::clone(&memory), &memory_meta, 64 << 10),
            ("chunked local", chunked(&local.store, 1000), &local_meta, 64 << 10),
            ("chunked memory", chunked(&memory, 8192), &memory_meta, 64 << 10),
            ("chunked memory, last frame empty", chunked(&memory, chunk), &memory_meta, 64 << 10),
        ] {
            let counters = Arc::new(InputCounters::default());
            for round in 1..=2 {
                let input =
                    open(&store, meta, Compression::None, &limits(), Arc::clone(&counters)).await.unwrap();
                let read = match round {
                    1 => all(input).await,
                    _ => all_buffered(input, most).await,
                };
                assert!(read.unwrap() == bytes, "{name}, {size} bytes");
                assert_eq!(counters.bytes(), round * size as u64, "{name}, {size} bytes");
                // A local file is opened once. A store's object is requested in blocks of 512 KiB.
                let blocks = if name == "local" { 1 } else { size.div_ceil(512 << 10).max(1) };
                assert_eq!(counters.requests(), round * blocks as u64, "{name}, {size} bytes");
            }
        }
    }
}

async fn read(store: &Arc<dyn ObjectStore>, meta: &ObjectMeta) -> Result<Vec<u8>, Error> {
    all(open_plain(store, meta).await?).await
}

#[tokio::test]
async fn a_single_byte_at_a_time_arrives_whole() {
    let bytes = data(3000);
    let (memory, meta) = in_memory(&bytes).await;
    let store: Arc<dyn ObjectStore> = Arc::new(ChunkedStore::new(memory, 1));
    assert!(all_buffered(open_plain(&store, &meta).await.unwrap(), 3000).await.unwrap() == bytes);
}

#[tokio::test]
async fn a_missing_object_is_not_found() {
    for store in [Arc::new(InMemory::new()) as Arc<dyn ObjectStore>, Local::new().store] {
        let (_, meta) = in_memory(b"x").await;
        let error = open_plain(&store, &meta).await.unwrap_err();
        assert!(error.to_string().starts_with("a.csv: "), "{error}");
        let ErrorKind::Io(io) = error.kind() else { panic!("{error}") };
        assert_eq!(io.kind(), std::io::ErrorKind::NotFound, "{error}");
    }
}

#[tokio::test]
async fn an_object_shorter_or_longer_than_listed_is_an_error() {
    let (local, mut local_meta) = Local::with(b"0123456789").await;
    let (memory, mut meta) = in_memory(b"0123456789").await;
    for listed in [11, 1 << 20, u64::MAX] {
        (meta.size, local_meta.size) = (listed, listed);
        for (store, meta) in [(&memory, &meta), (&local.store, &local_meta)] {
            let error = read(store, meta).await.unwrap_err().to_string();
            assert!(error.contains(&format!("a.csv: the object ended at byte 10 of {listed}: ")), "{error}");
        }
    }
    meta.size = 4;
    let error = read(&memory, &meta).await.unwrap_err().to_string();
    assert!(error.contains("a.csv: the object goes on at byte 10, it was listed with 4 bytes"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_always_ready_lets_others_have_their_turn() {
    let (local, meta) = Local::with(&data(12 << 20)).await;
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&turns);
    let others = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    // Chunks of a fortieth of the limit: there are more of them than tokio lets a task read in one
    // turn.
    let limits = Limits::new(1 << 20, None).unwrap();
    let input = open(&local.store, &meta, Compression::None, &limits, Arc::default()).await.unwrap();
    let before = turns.load(Ordering::Relaxed);
    let reading = tokio::spawn(async move { all(input).await.unwrap().len() });
    assert_eq!(reading.await.unwrap(), 12 << 20);
    let during = turns.load(Ordering::Relaxed) - before;
    others.abort();
    // The other tasks get one turn before the reading task begins and one after it has ended.
    assert!(during > 2, "{during}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_shrinks_while_it_is_read_is_an_error() {
    let chunk = limits().chunk_bytes();
    let (local, meta) = Local::with(&data(8 * chunk)).await;
    let mut input = open_plain(&local.store, &meta).await.unwrap();
    // One chunk has arrived, the second is in flight, and the third has not been requested.
    assert_eq!(input.fill_buf().await.unwrap().len(), chunk);
    let file = std::fs::OpenOptions::new().write(true).open(local.path()).unwrap();
    file.set_len(3 * chunk as u64 + 5).unwrap();
    let error = all(input).await.unwrap_err().to_string();
    let (ended, size) = (3 * chunk + 5, 8 * chunk);
    assert!(error.contains(&format!("a.csv: the object ended at byte {ended} of {size}: ")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_grows_ends_where_it_was_listed() {
    for size in [0, 10, limits().chunk_bytes(), 2 * limits().chunk_bytes() + 1] {
        let bytes = data(size);
        let (local, meta) = Local::with(&bytes).await;
        let opened = open_plain(&local.store, &meta).await.unwrap();
        local.append(b"appended");
        assert!(all(opened).await.unwrap() == bytes, "grown after it was opened, {size} bytes");
        let unmarked = ObjectMeta { e_tag: None, ..meta };
        let opened = open_plain(&local.store, &unmarked).await.unwrap();
        assert!(all(opened).await.unwrap() == bytes, "grown after it was listed, {size} bytes");
    }
}

#[tokio::test]
async fn an_object_replaced_since_it_was_listed_is_not_opened() {
    let (local, local_meta) = Local::with(b"a,b\n1,2\n").await;
    let (memory, memory_meta) = in_memory(b"a,b\n1,2\n").await;
    for (store, meta) in [(&local.store, &local_meta), (&memory, &memory_meta)] {
        assert!(meta.e_tag.is_some());
        assert_eq!(all(open_plain(store, meta).await.unwrap()).await.unwrap(), b"a,b\n1,2\n");
        store.put(&meta.location, "a,b\n3,4\n".into()).await.unwrap();
        let error = open_plain(store, meta).await.unwrap_err().to_string();
        assert!(error.starts_with("a.csv: the object has changed since it was listed"), "{error}");
    }
}

#[tokio::test]
async fn an_error_is_not_followed_by_an_end() {
    let (memory, meta) = in_memory(b"0123456789").await;
    let store: Arc<dyn ObjectStore> =
        Arc::new(FaultStore::new(memory).with_faults(|_| Some(Fault::Excess(1))));
    let mut input = open_plain(&store, &meta).await.unwrap();
    let mut bytes = Vec::new();
    for _ in 0..3 {
        assert!(input.read_to_end(&mut bytes).await.is_err());
    }
    let mut input = decompress(Cursor::new(b"no gzip"), Compression::Gzip, &limits(), Arc::default());
    for _ in 0..3 {
        assert!(input.read_to_end(&mut bytes).await.is_err());
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_fifo_is_read_to_its_end() {
    let local = Local::new();
    assert!(std::process::Command::new("mkfifo").arg(local.path()).status().unwrap().success());
    let bytes = data(1_000_003);
    let meta = ObjectMeta {
        location: Path::from("a.csv"),
        last_modified: std::time::SystemTime::now().into(),
        size: 0,
        e_tag: Some("of another time".into()),
        version: None,
    };
    let (path, sent) = (local.path(), bytes.clone());
    let writer = std::thread::spawn(move || std::fs::write(path, sent).unwrap());
    let counters = Arc::new(InputCounters::default());
    let input = open(&local.store, &meta, Compression::None, &limits(), Arc::clone(&counters)).await.unwrap();
    assert!(all_buffered(input, limits().chunk_bytes()).await.unwrap() == bytes);
    assert_eq!(counters.bytes(), bytes.len() as u64);
    writer.join().unwrap();
}

#[tokio::test]
async fn waiting_for_the_store_is_counted() {
    let memory = InMemory::new();
    memory.put(&Path::from("a.csv"), data(10).into()).await.unwrap();
    let wait = Duration::from_millis(30);
    let config = ThrottleConfig { wait_get_per_call: wait, ..ThrottleConfig::default() };
    let store: Arc<dyn ObjectStore> = Arc::new(ThrottledStore::new(memory, config));
    let counters = Arc::new(InputCounters::default());
    let meta = store.head(&Path::from("a.csv")).await.unwrap();
    let started = std::time::Instant::now();
    let input = open(&store, &meta, Compression::None, &limits(), Arc::clone(&counters)).await.unwrap();
    assert_eq!(all(input).await.unwrap().len(), 10);
    assert!(counters.waited() >= wait, "{counters:?}");
    assert!(counters.waited() <= started.elapsed(), "{counters:?}");
}

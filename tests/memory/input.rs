//! The memory that reading takes: two chunks of a local file, or some blocks of a store's object,
//! whatever its size is.

use std::sync::Arc;

use datafusion_csv_stream::budget::Limits;
use datafusion_csv_stream::input::{Compression, InputCounters, ReadAhead, decompress, open};
use object_store::chunked::ChunkedStore;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt, local::LocalFileSystem, path::Path};
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use crate::{alone, live, peak, reset};

const SIZE: usize = 64 << 20;

#[test]
fn reading_holds_as_much_as_it_says_whatever_the_size() {
    let _alone = alone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(measure());
}

async fn measure() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a"), vec![b'x'; SIZE]).unwrap();
    let local: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(directory.path()).unwrap());
    let memory: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    memory.put(&Path::from("a"), vec![b'x'; SIZE].into()).await.unwrap();

    let limits = Limits::default();
    // A store may return parts of memory that it holds, or allocate each frame.
    let made = |frame| -> Arc<dyn ObjectStore> { Arc::new(ChunkedStore::new(Arc::clone(&memory), frame)) };
    let frames = [("large frames", made(64 << 10)), ("small frames", made(100))];
    for (name, store) in [("local", local), ("memory", Arc::clone(&memory))].into_iter().chain(frames) {
        let meta = store.head(&Path::from("a")).await.unwrap();
        let before = reset();
        let input = open(&store, &meta, Compression::None, &limits, Arc::default()).await.unwrap();
        let most = input.buffered_bytes();
        assert_eq!(count(input).await, SIZE, "{name}");
        let held = peak() - before;
        println!("{name}: {held} bytes");
        // This store holds one block while it makes frames of it, on each thread.
        let ReadAhead::Blocks { block_bytes, .. } = ReadAhead::within(&limits, 0) else {
            panic!("a single reader has blocks")
        };
        let most = if name.ends_with("frames") { most + 2 * block_bytes } else { most };
        assert!(held < most + (256 << 10), "{name}: {held} of {most}");
        assert!(live() < before + (64 << 10), "{name}: something is left behind");
    }

    // Decompressed data is never held whole either.
    let mut encoder = async_compression::tokio::bufread::GzipEncoder::new(tokio::io::AsyncReadExt::take(
        tokio::io::BufReader::new(tokio::io::repeat(b'x')),
        SIZE as u64,
    ));
    let mut compressed = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut encoder, &mut compressed).await.unwrap();
    let before = reset();
    let input = decompress(std::io::Cursor::new(compressed), Compression::Gzip, &limits, Arc::default());
    assert_eq!(count(input).await, SIZE);
    let held = peak() - before;
    println!("gzip: {held} bytes");
    assert!(held < limits.chunk_bytes() + (128 << 10), "gzip: {held}");

    // A reader that is dropped frees its buffers, except that of a read in flight.
    let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(directory.path()).unwrap());
    let meta = store.head(&Path::from("a")).await.unwrap();
    let before = reset();
    let counters = Arc::new(InputCounters::default());
    for _ in 0..50 {
        let mut input = open(&store, &meta, Compression::None, &limits, Arc::clone(&counters)).await.unwrap();
        let read = input.fill_buf().await.unwrap().len();
        assert_eq!(read, limits.chunk_bytes());
    }
    assert_eq!(
        counters.bytes(),
        50 * limits.chunk_bytes() as u64,
        "a read after the drop would have been counted"
    );
    tokio::time::timeout(std::time::Duration::from_secs(30), async {
        while live() > before + (64 << 10) {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("what was in flight has ended");
}

async fn count(mut input: impl AsyncBufRead + Unpin) -> usize {
    let mut total = 0;
    loop {
        let read = input.fill_buf().await.unwrap().len();
        if read == 0 {
            return total;
        }
        input.consume(read);
        total += read;
    }
}

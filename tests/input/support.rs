//! Data, stores with an object, and ways to read one.

use std::io::Write;
use std::sync::Arc;

use datafusion_csv_stream::budget::Limits;
use datafusion_csv_stream::error::Error;
use datafusion_csv_stream::input::{Compression, Input, open};
use object_store::{
    ObjectMeta, ObjectStore, ObjectStoreExt, local::LocalFileSystem, memory::InMemory, path::Path,
};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt};

/// Bytes without a period that could be a chunk's length.
pub(crate) fn data(size: usize) -> Vec<u8> {
    (0..size as u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

pub(crate) fn limits() -> Limits {
    Limits::default()
}

pub(crate) async fn all(mut input: Input) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// Reads the input through its buffer, which may never be larger than `most`.
pub(crate) async fn all_buffered(mut input: Input, most: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    loop {
        let buffer = input.fill_buf().await?;
        assert!(buffer.len() <= most);
        if buffer.is_empty() {
            return Ok(bytes);
        }
        // Only half is taken, because a consumer may stop in the middle.
        let taken = buffer.len().div_ceil(2);
        bytes.extend_from_slice(&buffer[..taken]);
        input.consume(taken);
    }
}

pub(crate) async fn open_plain(store: &Arc<dyn ObjectStore>, meta: &ObjectMeta) -> Result<Input, Error> {
    open(store, meta, Compression::None, &limits(), Arc::default()).await
}

pub(crate) struct Local {
    directory: TempDir,
    pub(crate) store: Arc<dyn ObjectStore>,
}

impl Local {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(LocalFileSystem::new_with_prefix(directory.path()).unwrap());
        Local { directory, store }
    }

    pub(crate) async fn with(bytes: &[u8]) -> (Self, ObjectMeta) {
        let local = Local::new();
        std::fs::write(local.path(), bytes).unwrap();
        let meta = local.store.head(&Path::from("a.csv")).await.unwrap();
        (local, meta)
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("a.csv")
    }

    pub(crate) fn append(&self, bytes: &[u8]) {
        let mut file = std::fs::OpenOptions::new().append(true).open(self.path()).unwrap();
        file.write_all(bytes).unwrap();
    }
}

pub(crate) async fn in_memory(bytes: &[u8]) -> (Arc<dyn ObjectStore>, ObjectMeta) {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    store.put(&Path::from("a.csv"), bytes.to_vec().into()).await.unwrap();
    let meta = store.head(&Path::from("a.csv")).await.unwrap();
    (store, meta)
}

/// Lets all other tasks proceed as far as they can without waiting.
pub(crate) async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

/// The number of tasks other than the test's own.
pub(crate) fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

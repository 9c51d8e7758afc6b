//! The requests that are made to a store, as a log.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::prelude::SessionContext;
use datafusion_csv_stream::CsvSessionExt;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::support::rows;

/// A store that writes down what it is asked for, and counts the bytes that are taken from it.
#[derive(Debug)]
pub(crate) struct Logged {
    store: Arc<dyn ObjectStore>,
    log: Arc<Log>,
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    requests: Mutex<Vec<String>>,
    bytes: AtomicU64,
}

impl Logged {
    pub(crate) fn new(store: Arc<dyn ObjectStore>) -> (Arc<Self>, Arc<Log>) {
        let log = Arc::new(Log::default());
        (Arc::new(Logged { store, log: Arc::clone(&log) }), log)
    }
}

impl Log {
    /// The requests for bytes since the last time.
    pub(crate) fn take_gets(&self) -> Vec<String> {
        let taken = std::mem::take(&mut *self.requests.lock().unwrap());
        taken.into_iter().filter(|line| line.starts_with("GET")).collect()
    }

    /// The bytes that have been taken since the last time.
    pub(crate) fn take_bytes(&self) -> u64 {
        self.bytes.swap(0, Ordering::Relaxed)
    }

    fn write(&self, line: String) {
        self.requests.lock().unwrap().push(line);
    }
}

impl fmt::Display for Logged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logged")
    }
}

#[async_trait]
impl ObjectStore for Logged {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.store.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let verb = if options.head { "HEAD" } else { "GET" };
        let range = options.range.as_ref().map_or_else(String::new, |range| format!(" {range}"));
        let guard = if options.if_match.is_some() { " if-match" } else { "" };
        self.log.write(format!("{verb} {path}{range}{guard}"));
        let mut result = self.store.get_opts(path, options).await?;
        if let GetResultPayload::Stream(stream) = result.payload {
            let log = Arc::clone(&self.log);
            let count = move |frame: &Bytes| {
                log.bytes.fetch_add(frame.len() as u64, Ordering::Relaxed);
            };
            result.payload = GetResultPayload::Stream(stream.inspect_ok(count).boxed());
        }
        Ok(result)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.log.write(format!("LIST {}", prefix.map_or("", |prefix| prefix.as_ref())));
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(paths)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

#[tokio::test]
async fn one_get_reads_a_file_and_it_asks_for_the_file_that_was_listed() {
    let store = InMemory::new();
    for name in ["t/a.csv", "t/b.csv"] {
        store.put(&name.into(), b"n\n1\n".to_vec().into()).await.unwrap();
    }
    let (logged, log) = Logged::new(Arc::new(store));
    let ctx = SessionContext::new();
    ctx.register_object_store(&"mem://s/".parse().unwrap(), logged);

    ctx.register_csv_file("t", "mem://s/t/").await.unwrap();
    // The sample is the two files, which are smaller than it.
    assert_eq!(log.take_gets(), ["GET t/a.csv if-match", "GET t/b.csv if-match"]);

    assert_eq!(rows(&ctx, "SELECT sum(n) FROM t").await, ["2"]);
    let mut gets = log.take_gets();
    gets.sort();
    assert_eq!(gets, ["GET t/a.csv if-match", "GET t/b.csv if-match"]);

    ctx.sql("SELECT sum(n) FROM t").await.unwrap().create_physical_plan().await.unwrap();
    assert_eq!(log.take_gets(), [] as [&str; 0], "planning reads no file");
}

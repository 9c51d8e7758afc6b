//! The requests that are made to a store, as a log.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use datafusion::prelude::SessionContext;
use datafusion_csv_stream::CsvSessionExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::support::rows;

/// A store that writes down what it is asked for.
#[derive(Debug)]
struct Logged {
    store: InMemory,
    log: Arc<Mutex<Vec<String>>>,
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
        self.log.lock().unwrap().push(format!("{verb} {path}{range}{guard}"));
        self.store.get_opts(path, options).await
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.log.lock().unwrap().push(format!("LIST {}", prefix.map_or("", |prefix| prefix.as_ref())));
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
    let log = Arc::new(Mutex::new(Vec::new()));
    let logged = Arc::new(Logged { store, log: Arc::clone(&log) });
    let ctx = SessionContext::new();
    ctx.register_object_store(&"mem://s/".parse().unwrap(), logged);
    let taken = || std::mem::take(&mut *log.lock().unwrap());

    ctx.register_csv_file("t", "mem://s/t/").await.unwrap();
    let gets = |log: Vec<String>| log.into_iter().filter(|line| line.starts_with("GET")).collect::<Vec<_>>();
    // The sample is the two files, which are smaller than it.
    assert_eq!(gets(taken()), ["GET t/a.csv if-match", "GET t/b.csv if-match"]);

    assert_eq!(rows(&ctx, "SELECT sum(n) FROM t").await, ["2"]);
    let mut log = gets(taken());
    log.sort();
    assert_eq!(log, ["GET t/a.csv if-match", "GET t/b.csv if-match"]);

    ctx.sql("SELECT sum(n) FROM t").await.unwrap().create_physical_plan().await.unwrap();
    assert_eq!(gets(taken()), [] as [&str; 0], "planning reads no file");
}

//! The requests to a store, as a log.

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use datafusion_csv_stream::CsvSessionExt;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::faults::FaultStore;
use crate::support::rows;

/// Registers this store at `mem://s/` in a session, with a log of its requests.
pub(crate) fn logged(store: Arc<dyn ObjectStore>, ctx: &SessionContext) -> Arc<FaultStore> {
    let store = Arc::new(FaultStore::new(store));
    ctx.register_object_store(&"mem://s/".parse().unwrap(), store.clone());
    store
}

/// Files of one row, in a store with a log.
async fn logged_files(names: &[&str], ctx: &SessionContext) -> Arc<FaultStore> {
    let store = InMemory::new();
    for &name in names {
        store.put(&name.into(), b"n\n1\n".to_vec().into()).await.unwrap();
    }
    logged(Arc::new(store), ctx)
}

/// The requests for bytes since the last call.
pub(crate) fn take_gets(store: &FaultStore) -> Vec<String> {
    store.take_log().into_iter().filter(|line| line.starts_with("GET")).collect()
}

#[tokio::test]
async fn one_get_reads_a_file_and_it_asks_for_the_file_that_was_listed() {
    let ctx = SessionContext::new();
    let store = logged_files(&["t/a.csv", "t/b.csv"], &ctx).await;

    ctx.register_csv_file("t", "mem://s/t/").await.unwrap();
    // The sample is both files, which are smaller than a sample may be.
    assert_eq!(take_gets(&store), ["GET t/a.csv if-match", "GET t/b.csv if-match"]);

    assert_eq!(rows(&ctx, "SELECT sum(n) FROM t").await, ["2"]);
    let mut gets = take_gets(&store);
    gets.sort();
    assert_eq!(gets, ["GET t/a.csv if-match", "GET t/b.csv if-match"]);

    ctx.sql("SELECT sum(n) FROM t").await.unwrap().create_physical_plan().await.unwrap();
    assert_eq!(take_gets(&store), [] as [&str; 0], "planning reads no file");
}

/// Each request takes time, even one that brings no bytes.
#[tokio::test]
async fn a_file_is_asked_about_no_more_often_than_it_is_read() {
    let ctx = SessionContext::new();
    datafusion_csv_stream::install_url_tables(&ctx);
    let store = logged_files(&["t.csv", "d/year=1/t.csv"], &ctx).await;
    assert_eq!(rows(&ctx, "SELECT n FROM 'mem://s/t.csv'").await, ["1"]);
    let once = ["HEAD t.csv", "GET t.csv if-match"];
    assert_eq!(store.take_log(), [once, once].concat());
    assert_eq!(rows(&ctx, "SELECT n, year FROM 'mem://s/d/'").await, ["1|1"]);
    // DataFusion caches the listing of a folder.
    let get = "GET d/year=1/t.csv if-match";
    assert_eq!(store.take_log(), ["LIST d", get, get]);
}

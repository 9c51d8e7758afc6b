//! The requests that are made to a store, as a log.

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use datafusion_csv_stream::CsvSessionExt;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;

use crate::faults::FaultStore;
use crate::support::rows;

#[tokio::test]
async fn one_get_reads_a_file_and_it_asks_for_the_file_that_was_listed() {
    let store = InMemory::new();
    for name in ["t/a.csv", "t/b.csv"] {
        store.put(&name.into(), b"n\n1\n".to_vec().into()).await.unwrap();
    }
    let logged = Arc::new(FaultStore::new(Arc::new(store)));
    let ctx = SessionContext::new();
    ctx.register_object_store(&"mem://s/".parse().unwrap(), Arc::clone(&logged) as _);
    let taken = || logged.take_log();

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

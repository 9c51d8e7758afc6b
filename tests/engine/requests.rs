//! The requests that are made to a store, as a log.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::SessionContext;
use datafusion_csv_stream::CsvSessionExt;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;

use crate::faults::{Fault, FaultStore, Marks};
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

/// What is recovered from, and how, is tested where bytes are read; here, that a query goes through it.
#[tokio::test]
async fn a_query_is_right_or_an_error_whatever_a_request_meets() {
    let rows: String = (0..1000).map(|n| format!("{n}\n")).collect();
    let csv = format!("n\n{rows}");
    for (fault, passes) in [
        (Fault::Refuse, true),
        (Fault::Break(100), true),
        (Fault::End(100), true),
        (Fault::Stall(csv.len()), true),
        (Fault::Drip(Duration::ZERO), true),
        (Fault::NoRange, true),
        (Fault::Forbid, false),
        (Fault::Excess(1), false),
        (Fault::Replace(csv.replace('1', "2").into()), false),
    ] {
        for marks in [Marks::Strong, Marks::Weak, Marks::Time] {
            let memory = InMemory::new();
            memory.put(&"a.csv".into(), csv.clone().into()).await.unwrap();
            let met = fault.clone();
            // The first request is for the sample. Each body has been let go before the next one is asked for.
            let store =
                FaultStore::new(Arc::new(memory)).with_marks(marks).with_faults(move |number| match number {
                    1 => Some(met.clone()),
                    100 => Some(Fault::NoAnswer),
                    _ => None,
                });
            let store = Arc::new(store);
            let ctx = SessionContext::new();
            ctx.register_object_store(&"mem://s/".parse().unwrap(), Arc::clone(&store) as _);
            ctx.register_csv_file("t", "mem://s/a.csv").await.unwrap();
            let query = ctx.sql("SELECT sum(n) AS n FROM t").await.unwrap();
            let result =
                query.collect().await.map(|batches| pretty_format_batches(&batches).unwrap().to_string());
            match (passes, result) {
                (true, Ok(table)) => assert!(table.contains("| 499500 |"), "{fault:?}: {table}"),
                (false, Err(error)) => assert!(error.to_string().contains("a.csv: "), "{fault:?}: {error}"),
                (_, result) => panic!("{fault:?}, {marks:?}: {result:?}"),
            }
            assert_eq!(store.open_bodies(), 0, "{fault:?}");
        }
    }
}

//! Queries over a store that fails give the correct rows or an error that names the file. A query
//! that is ended leaves nothing behind.

use std::sync::Arc;
use std::time::Duration;

use datafusion::prelude::{SessionConfig, SessionContext};
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;

use crate::faults::{Fault, FaultStore, Marks};
use crate::support::{query, rows_as_text};

const SQL: &str = "SELECT count(*), sum(n), max(text) FROM t";

/// A table of three columns on some partitions, whose scans meet a fault in each request for which
/// `meets` is true.
async fn table(
    rows: usize,
    partitions: usize,
    marks: Marks,
    fault: Fault,
    meets: fn(usize) -> bool,
) -> (SessionContext, Arc<FaultStore>) {
    let text: String = (0..rows).map(|row| format!("{row},{},\"text\nof {row:06}\"\n", row % 100)).collect();
    let memory = InMemory::new();
    memory.put(&"t.csv".into(), format!("n,m,text\n{text}").into_bytes().into()).await.unwrap();
    let fault = move |number| meets(number).then(|| fault.clone());
    let store = Arc::new(FaultStore::new(Arc::new(memory)).with_marks(marks).with_faults(fault));
    let mut config = SessionConfig::new().with_target_partitions(partitions);
    config.options_mut().optimizer.repartition_file_min_size = 1;
    let ctx = SessionContext::new_with_config(config);
    ctx.register_object_store(&"mem://s/".parse().unwrap(), store.clone());
    let columns = "(n BIGINT, m INT, text VARCHAR)";
    datafusion_csv_stream::install(&ctx).unwrap();
    let sql = format!("CREATE EXTERNAL TABLE t {columns} STORED AS CSV LOCATION 'mem://s/t.csv'");
    query(&ctx, &sql).await.unwrap();
    (ctx, store)
}

/// Waits until no body is open any more.
async fn all_let_go(store: &FaultStore) -> bool {
    for _ in 0..1000 {
        if store.open_bodies() == 0 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    false
}

#[tokio::test]
async fn what_passes_is_survived_and_what_does_not_is_an_error() {
    const ROWS: usize = 20_000;
    let even: fn(usize) -> bool = |number| number % 2 == 0;
    let always: fn(usize) -> bool = |_| true;
    let other = Fault::Replace(vec![b'x'; 1000].into());
    for partitions in [1, 4] {
        for (fault, meets, marks, expected) in [
            (Fault::Refuse, even, Marks::Strong, None),
            (Fault::Break(0), even, Marks::Strong, None),
            (Fault::Break(1000), even, Marks::Weak, None),
            (Fault::Break(50_000), always, Marks::Time, None),
            (Fault::End(1000), even, Marks::Strong, None),
            (Fault::NoRange, always, Marks::Strong, None),
            (Fault::Refuse, always, Marks::Strong, Some("with 5 tries")),
            (Fault::Forbid, even, Marks::Strong, Some("403 Forbidden")),
            (Fault::Excess(1), always, Marks::Strong, Some("the answer goes on")),
            (other.clone(), even, Marks::Strong, Some("t.csv")),
            (other.clone(), even, Marks::Weak, Some("t.csv")),
            (other.clone(), even, Marks::Time, Some("t.csv")),
        ] {
            let context = format!("{fault:?}, {marks:?}, {partitions} partitions");
            let (ctx, store) = table(ROWS, partitions, marks, fault, meets).await;
            match (query(&ctx, SQL).await, expected) {
                (Ok(found), None) => {
                    let sum = ROWS * (ROWS - 1) / 2;
                    let found = rows_as_text(&found);
                    assert_eq!(found, [format!("{ROWS}|{sum}|text\nof {:06}", ROWS - 1)], "{context}");
                }
                (Err(error), Some(part)) => {
                    let message = error.to_string();
                    assert!(message.contains("t.csv") && message.contains(part), "{context}: {message}");
                }
                (found, _) => panic!("{context}: {found:?}"),
            }
            assert!(all_let_go(&store).await, "{context}: a body is still held");
        }
    }
}

/// Bodies that arrive byte by byte.
#[tokio::test]
async fn a_slow_store_is_waited_for() {
    let (ctx, _store) = table(50, 2, Marks::Strong, Fault::Drip(Duration::ZERO), |_| true).await;
    let found = rows_as_text(&query(&ctx, SQL).await.unwrap());
    assert_eq!(found, ["50|1225|text\nof 000049"]);
}

#[tokio::test]
async fn a_query_that_is_dropped_lets_go_of_what_does_not_come() {
    for partitions in [1, 4] {
        for fault in [Fault::NoAnswer, Fault::Stall(10), Fault::Stall(100_000)] {
            let context = format!("{fault:?}, {partitions} partitions");
            let (ctx, store) = table(20_000, partitions, Marks::Strong, fault, |_| true).await;
            let waited = tokio::time::timeout(Duration::from_millis(100), query(&ctx, SQL)).await;
            assert!(waited.is_err(), "{context}: {waited:?}");
            assert!(!store.take_log().is_empty(), "{context}");
            assert!(all_let_go(&store).await, "{context}: a body is still held");
        }
    }
}

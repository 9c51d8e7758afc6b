//! The requests that an input makes, as a log.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use datafusion_csv_stream::input::{Compression, Input, InputCounters, open, open_range};
use object_store::{ObjectMeta, ObjectStore};
use tokio::io::{AsyncBufReadExt, AsyncReadExt};

use crate::faults::{Fault, FaultStore, Marks};
use crate::support::{all, data, in_memory, limits, settle, tasks};

const MIB: usize = 1 << 20;

struct Logged {
    store: Arc<FaultStore>,
    shared: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
    counters: Arc<InputCounters>,
}

impl Logged {
    async fn with(bytes: &[u8], store: impl FnOnce(FaultStore) -> FaultStore) -> Self {
        let (memory, meta) = in_memory(bytes).await;
        let store = Arc::new(store(FaultStore::new(memory)));
        Logged { shared: store.clone(), store, meta, counters: Arc::default() }
    }

    async fn open(&self) -> Input {
        let counters = Arc::clone(&self.counters);
        let limits = limits().with_stall(Duration::from_millis(200));
        open(&self.shared, &self.meta, Compression::None, &limits, counters).await.unwrap()
    }

    async fn open_range(&self, range: Range<u64>) -> Input {
        open_range(&self.shared, &self.meta, range, &limits(), Arc::clone(&self.counters)).await.unwrap()
    }

    /// The log, which has as many lines as requests were counted.
    fn log(&self) -> Vec<String> {
        let log = self.store.take_log();
        assert_eq!(self.counters.requests(), log.len() as u64, "{log:?}");
        log
    }
}

#[tokio::test]
async fn a_small_object_is_one_request_without_a_range() {
    for size in [0, 1, 1000, MIB] {
        let logged = Logged::with(&data(size), |store| store).await;
        assert!(all(logged.open().await).await.unwrap() == data(size));
        let guard = if size > 0 { " if-match" } else { "" };
        assert_eq!(logged.log(), [format!("GET a.csv{guard}")]);
    }
}

#[tokio::test]
async fn a_large_object_is_read_in_blocks() {
    let bytes = data(5 * MIB + 1);
    let logged = Logged::with(&bytes, |store| store).await;
    assert!(all(logged.open().await).await.unwrap() == bytes);
    assert_eq!(
        logged.log(),
        [
            "GET a.csv bytes=0-1048575 if-match",
            "GET a.csv bytes=1048576-2097151 if-match",
            "GET a.csv bytes=2097152-3145727 if-match",
            "GET a.csv bytes=3145728-4194303 if-match",
            "GET a.csv bytes=4194304-5242879 if-match",
            "GET a.csv bytes=5242880-5242880 if-match",
        ]
    );
    assert_eq!(logged.store.take_bytes(), bytes.len() as u64);
}

#[tokio::test]
async fn a_range_is_read_in_blocks_and_what_is_behind_it_as_it_is_wanted() {
    let bytes = data(5 * MIB);
    let logged = Logged::with(&bytes, |store| store).await;
    let (start, end) = (MIB + 5, 2 * MIB + 10);
    let mut input = logged.open_range(start as u64..end as u64).await;
    let mut read = vec![0; end - start];
    input.read_exact(&mut read).await.unwrap();
    assert!(read == bytes[start..end]);
    assert_eq!(
        logged.store.take_log(),
        ["GET a.csv bytes=1048581-2097156 if-match", "GET a.csv bytes=2097157-2097161 if-match"]
    );
    input.read_to_end(&mut read).await.unwrap();
    assert!(read == bytes[start..]);
    assert_eq!(
        logged.store.take_log(),
        [
            "GET a.csv bytes=2097162-2162697 if-match",
            "GET a.csv bytes=2162698-2293769 if-match",
            "GET a.csv bytes=2293770-2555913 if-match",
            "GET a.csv bytes=2555914-3080201 if-match",
            "GET a.csv bytes=3080202-4128777 if-match",
            "GET a.csv bytes=4128778-5177353 if-match",
            "GET a.csv bytes=5177354-5242879 if-match",
        ]
    );
}

#[tokio::test]
async fn a_range_without_bytes_is_read_from_behind_its_end() {
    let bytes = data(100);
    let logged = Logged::with(&bytes, |store| store).await;
    assert!(all(logged.open_range(60..60).await).await.unwrap() == bytes[60..]);
    assert_eq!(logged.log(), ["GET a.csv bytes=60-99 if-match"]);
    assert_eq!(all(logged.open_range(100..200).await).await.unwrap(), b"");
    assert_eq!(logged.store.take_log(), [] as [&str; 0]);
}

/// A query with a limit reads like this.
#[tokio::test]
async fn who_wants_the_first_bytes_only_gets_one_block_sent() {
    let logged = Logged::with(&data(5 * MIB), |store| store).await;
    let mut input = logged.open().await;
    assert!(!input.fill_buf().await.unwrap().is_empty());
    input.consume(1000);
    drop(input);
    settle().await;
    assert_eq!(tasks(), 0);
    assert_eq!(logged.log(), ["GET a.csv bytes=0-1048575 if-match"]);
    assert_eq!(logged.store.open_bodies(), 0);
}

#[tokio::test]
async fn a_reader_that_is_dropped_ends_what_is_in_flight() {
    let stalled = |store: FaultStore| store.with_faults(|number| (number > 2).then_some(Fault::Stall(10)));
    let logged = Logged::with(&data(8 * MIB), stalled).await;
    let mut input = logged.open().await;
    let mut read = vec![0; 2 * MIB + 1];
    input.read_exact(&mut read).await.unwrap();
    settle().await;
    // Of the three blocks that are allowed, one is held.
    assert_eq!((tasks(), logged.store.open_bodies()), (2, 2));
    let sent = logged.log().len();
    drop(input);
    settle().await;
    assert_eq!((tasks(), logged.store.open_bodies()), (0, 0));
    assert_eq!((sent, logged.store.take_log().len()), (5, 0));
}

#[tokio::test]
async fn a_consumer_that_waits_is_sent_no_more_than_the_blocks_that_may_be_held() {
    let logged = Logged::with(&data(20 * MIB), |store| store).await;
    let mut input = logged.open().await;
    let mut seen = 0;
    let mut read = vec![0; MIB];
    for block in 1..=20 {
        input.read_exact(&mut read).await.unwrap();
        settle().await;
        seen += logged.store.take_log().len();
        // Each iteration consumes one block, whose memory is released when the next bytes are
        // requested.
        assert!(seen <= block + 4, "{seen} requests, {block} blocks consumed");
    }
    assert!(seen == 20 && logged.counters.retries() == 0);
}

#[tokio::test]
async fn a_block_that_breaks_is_resumed_where_it_broke() {
    let bytes = data(2 * MIB);
    let broken = |store: FaultStore| {
        store.with_faults(|number| match number {
            0 => Some(Fault::Break(7)),
            1 => Some(Fault::Refuse),
            2 => Some(Fault::End(3)),
            4 => Some(Fault::Stall(MIB - 1)),
            _ => None,
        })
    };
    let logged = Logged::with(&bytes, broken).await;
    assert!(all(logged.open().await).await.unwrap() == bytes);
    assert_eq!(logged.counters.retries(), 4);
    assert_eq!(
        logged.log(),
        [
            "GET a.csv bytes=0-1048575 if-match",
            "GET a.csv bytes=7-1048575 if-match",
            "GET a.csv bytes=7-1048575 if-match",
            "GET a.csv bytes=10-1048575 if-match",
            "GET a.csv bytes=1048576-2097151 if-match",
            "GET a.csv bytes=2097151-2097151 if-match",
        ]
    );
}

/// A strong ETag of the first answer binds the other requests. A weak one doesn't.
#[tokio::test]
async fn without_a_listed_e_tag_the_first_answer_s_is_the_one() {
    let bytes = data(MIB + 1);
    let mut logged = Logged::with(&bytes, |store| store).await;
    logged.meta.e_tag = None;
    assert!(all(logged.open().await).await.unwrap() == bytes);
    assert_eq!(logged.log(), ["GET a.csv bytes=0-1048575", "GET a.csv bytes=1048576-1048576 if-match"]);

    let mut logged = Logged::with(&bytes, |store| store.with_marks(Marks::Weak)).await;
    logged.meta.e_tag = Some("W/\"0\"".into());
    assert!(all(logged.open().await).await.unwrap() == bytes);
    assert_eq!(logged.log(), ["GET a.csv bytes=0-1048575", "GET a.csv bytes=1048576-1048576"]);
}

#[tokio::test]
async fn from_a_server_that_ignores_ranges_an_object_is_read_with_one_request() {
    let bytes = data(3 * MIB);
    let logged = Logged::with(&bytes, |store| {
        store.with_faults(|number| Some(if number == 1 { Fault::Break(2 * MIB) } else { Fault::NoRange }))
    })
    .await;
    assert!(all(logged.open().await).await.unwrap() == bytes);
    let whole = "GET a.csv if-match";
    assert_eq!(logged.log(), ["GET a.csv bytes=0-1048575 if-match", whole, whole]);

    let logged = Logged::with(&bytes, |store| store.with_faults(|_| Some(Fault::NoRange))).await;
    let start = MIB + 5;
    let mut input = logged.open_range(start as u64..start as u64 + 10).await;
    let mut read = Vec::new();
    input.read_to_end(&mut read).await.unwrap();
    assert!(read == bytes[start..]);
    assert_eq!(logged.log(), ["GET a.csv bytes=1048581-1048590 if-match", whole]);
}

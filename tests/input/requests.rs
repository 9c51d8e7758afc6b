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

/// The size of a block with the default limits.
const BLOCK: usize = 512 << 10;

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
    for size in [0, 1, 1000, BLOCK] {
        let logged = Logged::with(&data(size), |store| store).await;
        assert!(all(logged.open().await).await.unwrap() == data(size));
        let guard = if size > 0 { " if-match" } else { "" };
        assert_eq!(logged.log(), [format!("GET a.csv{guard}")]);
    }
}

#[tokio::test]
async fn a_large_object_is_read_in_blocks() {
    let bytes = data(3 * BLOCK + 1);
    let logged = Logged::with(&bytes, |store| store).await;
    assert!(all(logged.open().await).await.unwrap() == bytes);
    assert_eq!(
        logged.log(),
        [
            "GET a.csv bytes=0-524287 if-match",
            "GET a.csv bytes=524288-1048575 if-match",
            "GET a.csv bytes=1048576-1572863 if-match",
            "GET a.csv bytes=1572864-1572864 if-match",
        ]
    );
    assert_eq!(logged.store.take_bytes(), bytes.len() as u64);
}

#[tokio::test]
async fn a_range_is_read_in_blocks_and_what_is_behind_it_as_it_is_wanted() {
    let bytes = data(5 * MIB);
    let logged = Logged::with(&bytes, |store| store).await;
    let (start, end) = (MIB + 5, MIB + BLOCK + 10);
    let mut input = logged.open_range(start as u64..end as u64).await;
    let mut read = vec![0; end - start];
    input.read_exact(&mut read).await.unwrap();
    assert!(read == bytes[start..end]);
    assert_eq!(
        logged.store.take_log(),
        ["GET a.csv bytes=1048581-1572868 if-match", "GET a.csv bytes=1572869-1572873 if-match"]
    );
    input.read_to_end(&mut read).await.unwrap();
    assert!(read == bytes[start..]);
    assert_eq!(
        logged.store.take_log(),
        [
            "GET a.csv bytes=1572874-1638409 if-match",
            "GET a.csv bytes=1638410-1769481 if-match",
            "GET a.csv bytes=1769482-2031625 if-match",
            "GET a.csv bytes=2031626-2555913 if-match",
            "GET a.csv bytes=2555914-3080201 if-match",
            "GET a.csv bytes=3080202-3604489 if-match",
            "GET a.csv bytes=3604490-4128777 if-match",
            "GET a.csv bytes=4128778-4653065 if-match",
            "GET a.csv bytes=4653066-5177353 if-match",
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
    assert_eq!(logged.log(), ["GET a.csv bytes=0-524287 if-match"]);
    assert_eq!(logged.store.open_bodies(), 0);
}

#[tokio::test]
async fn a_reader_that_is_dropped_ends_what_is_in_flight() {
    let stalled = |store: FaultStore| store.with_faults(|number| (number > 4).then_some(Fault::Stall(10)));
    let logged = Logged::with(&data(8 * MIB), stalled).await;
    let mut input = logged.open().await;
    let mut read = vec![0; 4 * BLOCK + 1];
    input.read_exact(&mut read).await.unwrap();
    settle().await;
    // Of the five blocks that are allowed, one is held.
    assert_eq!((tasks(), logged.store.open_bodies()), (4, 4));
    let sent = logged.log().len();
    drop(input);
    settle().await;
    assert_eq!((tasks(), logged.store.open_bodies()), (0, 0));
    assert_eq!((sent, logged.store.take_log().len()), (9, 0));
}

#[tokio::test]
async fn a_consumer_that_waits_is_sent_no_more_than_the_blocks_that_may_be_held() {
    let logged = Logged::with(&data(20 * BLOCK), |store| store).await;
    let mut input = logged.open().await;
    let mut seen = 0;
    let mut read = vec![0; BLOCK];
    for block in 1..=20 {
        input.read_exact(&mut read).await.unwrap();
        settle().await;
        seen += logged.store.take_log().len();
        // Each iteration consumes one block, whose memory is released when the next bytes are
        // requested.
        assert!(seen <= block + 6, "{seen} requests, {block} blocks consumed");
    }
    assert!(seen == 20 && logged.counters.retries() == 0);
}

#[tokio::test]
async fn a_block_that_breaks_is_resumed_where_it_broke() {
    let bytes = data(2 * BLOCK);
    let broken = |store: FaultStore| {
        store.with_faults(|number| match number {
            0 => Some(Fault::Break(7)),
            1 => Some(Fault::Refuse),
            2 => Some(Fault::End(3)),
            4 => Some(Fault::Stall(BLOCK - 1)),
            _ => None,
        })
    };
    let logged = Logged::with(&bytes, broken).await;
    assert!(all(logged.open().await).await.unwrap() == bytes);
    assert_eq!(logged.counters.retries(), 4);
    assert_eq!(
        logged.log(),
        [
            "GET a.csv bytes=0-524287 if-match",
            "GET a.csv bytes=7-524287 if-match",
            "GET a.csv bytes=7-524287 if-match",
            "GET a.csv bytes=10-524287 if-match",
            "GET a.csv bytes=524288-1048575 if-match",
            "GET a.csv bytes=1048575-1048575 if-match",
        ]
    );
}

/// A strong ETag of the first answer binds the other requests. A weak one doesn't.
#[tokio::test]
async fn without_a_listed_e_tag_the_first_answer_s_is_the_one() {
    let bytes = data(BLOCK + 1);
    let mut logged = Logged::with(&bytes, |store| store).await;
    logged.meta.e_tag = None;
    assert!(all(logged.open().await).await.unwrap() == bytes);
    assert_eq!(logged.log(), ["GET a.csv bytes=0-524287", "GET a.csv bytes=524288-524288 if-match"]);

    let mut logged = Logged::with(&bytes, |store| store.with_marks(Marks::Weak)).await;
    logged.meta.e_tag = Some("W/\"0\"".into());
    assert!(all(logged.open().await).await.unwrap() == bytes);
    assert_eq!(logged.log(), ["GET a.csv bytes=0-524287", "GET a.csv bytes=524288-524288"]);
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
    assert_eq!(logged.log(), ["GET a.csv bytes=0-524287 if-match", whole, whole]);

    let logged = Logged::with(&bytes, |store| store.with_faults(|_| Some(Fault::NoRange))).await;
    let start = MIB + 5;
    let mut input = logged.open_range(start as u64..start as u64 + 10).await;
    let mut read = Vec::new();
    input.read_to_end(&mut read).await.unwrap();
    assert!(read == bytes[start..]);
    assert_eq!(logged.log(), ["GET a.csv bytes=1048581-1048590 if-match", whole]);
}

/// A reader with little memory would pay the store's latency for each small block.
#[tokio::test]
async fn many_readers_each_read_their_range_with_one_request() {
    let bytes = data(8 * MIB);
    let logged = Logged::with(&bytes, |store| store).await;
    for readers in [2, 16, 64] {
        let limits = limits().shared_by(readers);
        let counters = Arc::clone(&logged.counters);
        let range = MIB as u64..5 * MIB as u64;
        let mut input = open_range(&logged.shared, &logged.meta, range, &limits, counters).await.unwrap();
        let mut read = vec![0; 4 * MIB];
        input.read_exact(&mut read).await.unwrap();
        assert!(read == bytes[MIB..5 * MIB]);
        assert!(input.fill_buf().await.unwrap().len() <= limits.chunk_bytes());
        let expected =
            ["GET a.csv bytes=1048576-5242879 if-match", "GET a.csv bytes=5242880-5308415 if-match"];
        assert_eq!(logged.store.take_log(), expected, "{readers} readers");
    }
}

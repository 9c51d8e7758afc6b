//! Every fault in every place gives exactly the right bytes, or an error that tells what is wrong.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_compression::Level;
use bytes::Bytes;
use datafusion_csv_stream::budget::Limits;
use datafusion_csv_stream::error::Error;
use datafusion_csv_stream::input::ReadAhead;
use datafusion_csv_stream::input::{Compression, InputCounters, open, open_range};
use futures::{Stream, StreamExt, stream};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, path::Path};
use tokio::io::AsyncBufReadExt;

use crate::compression::encode;
use crate::faults::{Fault, FaultStore, Marks};
use crate::rng::{Rng, seeds};
use crate::support::{data, in_memory};

/// Longer than any of these scans may take.
const HANG: Duration = Duration::from_secs(120);

/// Longer than a busy machine normally keeps a thread waiting. Most scans here don't wait at all.
const STALL: Duration = Duration::from_millis(500);

/// The number of scans at once, because some of them wait.
const AT_ONCE: usize = 64;

/// The size of one of the [`blocks`].
const BLOCK: usize = 512 << 10;

/// Five blocks at once.
fn blocks() -> Limits {
    Limits::default().with_stall(STALL)
}

/// One request for all bytes.
fn streamed() -> Limits {
    Limits::new(1 << 20, None).unwrap().with_stall(STALL)
}

/// The size of an object that is streamed.
const STREAMED: usize = 200_000;

#[test]
fn the_limits_read_in_the_two_ways() {
    let five = ReadAhead::Blocks { block_bytes: BLOCK, requests: 5 };
    assert_eq!(ReadAhead::within(&blocks(), 0), five);
    for limits in [streamed(), blocks().shared_by(16)] {
        assert!(matches!(ReadAhead::within(&limits, 0), ReadAhead::Stream { .. }));
    }
}

/// A scan: its input and the way in which it reads.
struct Scan {
    limits: Limits,
    marks: Marks,
    compression: Compression,
    stored: Vec<u8>,
    /// The bytes that the scan must return.
    expected: Vec<u8>,
    /// The range to read; `None` for the whole object.
    range: Option<Range<u64>>,
    /// The number of bytes that are consumed at once, and the pause before each step.
    step: usize,
    pause: Duration,
}

impl Scan {
    fn of(bytes: Vec<u8>, limits: Limits) -> Self {
        Scan {
            limits,
            marks: Marks::Strong,
            compression: Compression::None,
            stored: bytes.clone(),
            expected: bytes,
            range: None,
            step: usize::MAX,
            pause: Duration::ZERO,
        }
    }

    /// Reads with these faults, by the number of the request.
    async fn read(&self, fault: impl Fn(usize) -> Option<Fault> + Send + Sync + 'static) -> Outcome {
        let (memory, _) = in_memory(&self.stored).await;
        let store = Arc::new(FaultStore::new(memory).with_marks(self.marks).with_faults(fault));
        let meta = store.head(&Path::from("a.csv")).await.unwrap();
        let counters = Arc::new(InputCounters::default());
        let shared: Arc<dyn ObjectStore> = store.clone();
        let reading = self.read_all(&shared, &meta, Arc::clone(&counters));
        let outcome = match tokio::time::timeout(HANG, reading).await {
            Err(_) => Outcome::Hang,
            Ok(Ok(read)) if read == self.expected => Outcome::Right,
            Ok(Ok(_)) => Outcome::Wrong,
            Ok(Err(error)) => Outcome::Error(error.to_string()),
        };
        for _ in 0..1000 {
            if store.open_bodies() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(store.open_bodies(), 0, "a body is still held");
        let gets = store.take_log().iter().filter(|line| line.starts_with("GET")).count();
        assert_eq!(counters.requests(), gets as u64);
        outcome
    }

    async fn read_all(
        &self,
        store: &Arc<dyn ObjectStore>,
        meta: &ObjectMeta,
        counters: Arc<InputCounters>,
    ) -> Result<Vec<u8>, Error> {
        let mut input = match &self.range {
            Some(range) => open_range(store, meta, range.clone(), &self.limits, counters).await?,
            None => open(store, meta, self.compression, &self.limits, counters).await?,
        };
        let mut read = Vec::new();
        loop {
            let bytes = input.fill_buf().await?;
            if bytes.is_empty() {
                return Ok(read);
            }
            let taken = bytes.len().min(self.step);
            read.extend_from_slice(&bytes[..taken]);
            input.consume(taken);
            if !self.pause.is_zero() {
                tokio::time::sleep(self.pause).await;
            }
        }
    }
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Right,
    Error(String),
    Wrong,
    Hang,
}

#[derive(Default)]
struct Tally {
    cells: usize,
    right: usize,
    errors: usize,
    wrong: usize,
    hangs: usize,
}

impl Tally {
    async fn of(outcomes: impl Stream<Item = Outcome>) -> Self {
        outcomes.fold(Tally::default(), |tally, outcome| std::future::ready(tally.with(&outcome))).await
    }

    fn with(mut self, outcome: &Outcome) -> Self {
        self.add(outcome);
        self
    }

    fn add(&mut self, outcome: &Outcome) {
        self.cells += 1;
        *match outcome {
            Outcome::Right => &mut self.right,
            Outcome::Error(_) => &mut self.errors,
            Outcome::Wrong => &mut self.wrong,
            Outcome::Hang => &mut self.hangs,
        } += 1;
    }

    /// Prints the tally, and fails if bytes were lost or a scan hung.
    fn report(&self, what: &str) {
        println!("{what}: {self}");
        assert!(self.cells > 0 && self.wrong == 0 && self.hangs == 0, "{self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { cells, right, errors, wrong, hangs } = self;
        write!(
            f,
            "{cells} cells, {right} right, {errors} clear errors, {hangs} hangs, {wrong} losses or duplicates"
        )
    }
}

/// Faults at a byte of the body that further requests repair.
fn passing(at: usize) -> [Fault; 5] {
    [Fault::Refuse, Fault::NoAnswer, Fault::Break(at), Fault::End(at), Fault::Stall(at)]
}

/// Whether an error tells one of these faults.
fn is_clear(error: &str) -> bool {
    let known = [
        "no byte came from byte ",
        "the object has changed since it was listed",
        "the object ended at byte ",
        "the object goes on at byte ",
        "the answer goes on at byte ",
        "403 Forbidden",
    ];
    error.starts_with("a.csv: ") && known.iter().any(|text| error.contains(text))
}

#[tokio::test]
async fn what_passes_is_read_through_at_every_byte() {
    let scans = &[Scan::of(data(67), blocks()), Scan::of(data(67), streamed())];
    let faults =
        (0..=67).flat_map(passing).flat_map(|fault| [1, 4].map(|requests| (fault.clone(), requests)));
    let cells =
        faults.flat_map(|(fault, requests)| scans.iter().map(move |scan| (scan, fault.clone(), requests)));
    let cells = stream::iter(cells).map(|(scan, fault, requests)| async move {
        let met = fault.clone();
        let outcome = scan.read(move |number| (number < requests).then(|| met.clone())).await;
        // Four stalls without a byte exceed the limit of three.
        match (&fault, requests) {
            (Fault::NoAnswer | Fault::Stall(0), 4) => {
                assert!(matches!(&outcome, Outcome::Error(error) if is_clear(error)), "{outcome:?}");
            }
            _ => assert_eq!(outcome, Outcome::Right, "{fault:?}, {requests} requests"),
        }
        outcome
    });
    Tally::of(cells.buffer_unordered(AT_ONCE)).await.report("faults that pass, at every byte");
}

#[tokio::test]
async fn what_passes_is_read_through_at_every_request() {
    let mut scans = Vec::new();
    for (limits, size, place) in [(blocks(), 5 * BLOCK + 7, BLOCK), (streamed(), STREAMED, 20_000)] {
        let bytes = data(size);
        for range in [None, Some(place as u64 - 3..2 * place as u64 + 1)] {
            let start = range.as_ref().map_or(0, |range| range.start as usize);
            let scan = Scan { expected: bytes[start..].to_vec(), range, ..Scan::of(bytes.clone(), limits) };
            scans.push((scan, [0, 1, place / 2, place - 1, place]));
        }
    }
    let faults = scans.iter().flat_map(|(scan, places)| {
        let faults = places.iter().flat_map(|&at| passing(at));
        faults.flat_map(move |fault| (0..8).map(move |request| (scan, fault.clone(), request)))
    });
    let cells = stream::iter(faults).map(|(scan, fault, request)| async move {
        let met = fault.clone();
        let outcome = scan.read(move |number| (number == request).then(|| met.clone())).await;
        assert_eq!(outcome, Outcome::Right, "{fault:?}, request {request}");
        outcome
    });
    Tally::of(cells.buffer_unordered(AT_ONCE)).await.report("faults that pass, at every request");
}

#[tokio::test]
async fn what_does_not_pass_is_an_error_that_says_how_often_it_was_tried() {
    for (fault, tries, cause) in [
        (Fault::Refuse, "with 5 tries in ", "503 Service Unavailable"),
        (Fault::NoAnswer, "with 3 tries in 1.", "nothing came for 500ms"),
        (Fault::Break(0), "with 5 tries in ", "connection reset by peer"),
        (Fault::End(0), "with 5 tries in ", "the answer ended at byte 1048576, it was to end at byte "),
        (Fault::Stall(0), "with 3 tries in 1.", "nothing came for 500ms"),
    ] {
        for (limits, end) in [(blocks(), 3 * BLOCK), (streamed(), 3 * BLOCK - 1)] {
            let scan = Scan::of(data(end), limits);
            let met = fault.clone();
            let outcome = scan.read(move |number| match number {
                0 | 1 => Some(Fault::Break(BLOCK)),
                _ => Some(met.clone()),
            });
            let Outcome::Error(error) = outcome.await else { panic!("{fault:?} is not met") };
            let start = format!("a.csv: no byte came from byte 1048576 on, {tries}");
            assert!(error.starts_with(&start) && error.contains(cause), "{fault:?}: {error}");
            let ends = format!("end at byte {end}");
            assert!(!cause.ends_with("end at byte ") || error.ends_with(&ends), "{error}");
        }
    }
}

#[tokio::test]
async fn what_no_request_can_change_is_not_tried_again() {
    for (limits, size) in [(blocks(), 3 * BLOCK), (streamed(), STREAMED)] {
        for first in 0..3 {
            let scan = Scan::of(data(size), limits);
            let counted = Arc::new(std::sync::atomic::AtomicUsize::new(0));
            let sent = Arc::clone(&counted);
            let outcome = scan
                .read(move |number| {
                    sent.fetch_max(number + 1, std::sync::atomic::Ordering::SeqCst);
                    Some(if number < first { Fault::Break(1000) } else { Fault::Forbid })
                })
                .await;
            assert!(matches!(&outcome, Outcome::Error(e) if e.contains("403 Forbidden")), "{outcome:?}");
            let sent = counted.load(std::sync::atomic::Ordering::SeqCst);
            assert_eq!(sent, first + 1, "a request after the one that was refused");
        }
    }
}

#[tokio::test]
async fn an_object_replaced_at_any_request_is_never_a_mixture() {
    let mut tally = Tally::default();
    let bytes = data(5 * BLOCK - 10_000);
    let mut other = bytes.clone();
    other.iter_mut().for_each(|byte| *byte ^= 1);
    let longer = [&other[..], b"more"].concat();
    for marks in [Marks::Strong, Marks::Weak, Marks::Time] {
        for content in
            [bytes.clone(), other.clone(), longer.clone(), bytes[..bytes.len() - 1].to_vec(), Vec::new()]
        {
            let content = Bytes::from(content);
            for request in 0..6 {
                for broken in [false, true] {
                    let scan = Scan { marks, ..Scan::of(bytes.clone(), blocks()) };
                    let content = content.clone();
                    let outcome = scan
                        .read(move |number| match number {
                            _ if number == request => Some(Fault::Replace(content.clone())),
                            _ if broken => Some(Fault::Break(20_000)),
                            _ => None,
                        })
                        .await;
                    match &outcome {
                        // Five blocks take five requests, so only a replacement at the sixth one
                        // comes too late. Broken blocks take more requests than these.
                        Outcome::Right => assert!(request == 5 && !broken, "{marks:?}, request {request}"),
                        Outcome::Error(error) => assert!(is_clear(error), "{error}"),
                        _ => (),
                    }
                    tally.add(&outcome);
                }
            }
        }
    }
    tally.report("objects replaced");
}

/// A body that breaks is resumed from the same object, or not at all.
#[tokio::test]
async fn an_object_replaced_while_it_is_streamed_is_never_a_mixture() {
    let mut tally = Tally::default();
    let bytes = data(STREAMED);
    let mut other = bytes.clone();
    other.iter_mut().for_each(|byte| *byte ^= 1);
    for marks in [Marks::Strong, Marks::Weak, Marks::Time] {
        for content in [other.clone(), [&other[..], b"more"].concat(), bytes[..STREAMED - 1].to_vec()] {
            let content = Bytes::from(content);
            for request in 0..4 {
                let scan = Scan { marks, ..Scan::of(bytes.clone(), streamed()) };
                let content = content.clone();
                let outcome = scan.read(move |number| match number {
                    _ if number == request => Some(Fault::Replace(content.clone())),
                    _ => Some(Fault::Break(STREAMED / 4)),
                });
                let outcome = outcome.await;
                // The fourth request brings the last bytes.
                assert!(matches!(&outcome, Outcome::Error(error) if is_clear(error)), "{outcome:?}");
                tally.add(&outcome);
            }
        }
    }
    tally.report("streamed objects replaced");
}

#[tokio::test]
async fn more_bytes_than_asked_for_are_an_error() {
    for (limits, size, requests) in
        [(blocks(), 67, 1), (blocks(), 3 * BLOCK, 3), (streamed(), 67, 1), (streamed(), STREAMED, 1)]
    {
        for request in 0..4 {
            let scan = Scan::of(data(size), limits);
            let outcome = scan.read(move |number| (number == request).then_some(Fault::Excess(1))).await;
            match request < requests {
                true => assert!(matches!(&outcome, Outcome::Error(e) if is_clear(e)), "{outcome:?}"),
                false => assert_eq!(outcome, Outcome::Right),
            }
        }
    }
}

#[tokio::test]
async fn slow_stores_and_slow_consumers_lose_nothing() {
    for (size, pause) in [(70_000, Duration::ZERO), (100, Duration::from_millis(5))] {
        for limits in [blocks(), streamed()] {
            let outcome = Scan::of(data(size), limits).read(move |_| Some(Fault::Drip(pause))).await;
            assert_eq!(outcome, Outcome::Right, "{pause:?}");
        }
    }
    // Slower than a stall.
    for (limits, size, step) in [(blocks(), 3 * BLOCK, 300_000), (streamed(), STREAMED, 30_000)] {
        let scan = Scan { step, pause: STALL * 3 / 2, ..Scan::of(data(size), limits) };
        assert_eq!(scan.read(|_| None).await, Outcome::Right);
    }
}

/// A client's buffers grow while nobody reads. A store that sends large frames looks like one.
#[tokio::test]
async fn a_connection_that_holds_too_much_is_closed_and_the_next_one_goes_on() {
    let bytes = data(STREAMED);
    let (memory, meta) = in_memory(&bytes).await;
    let in_frames: Arc<dyn ObjectStore> = Arc::new(object_store::chunked::ChunkedStore::new(memory, 50_000));
    let store = Arc::new(FaultStore::new(in_frames));
    let shared: Arc<dyn ObjectStore> = store.clone();
    for (readers, starts) in [(1, &[0][..]), (16, &[0, 50_000, 100_000, 150_000])] {
        let limits = Limits::new(1 << 20, None).unwrap().shared_by(readers);
        let mut input = open(&shared, &meta, Compression::None, &limits, Arc::default()).await.unwrap();
        let mut read = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut input, &mut read).await.unwrap();
        assert!(read == bytes);
        let expected = starts.iter().map(|&start| match start {
            0 => "GET a.csv if-match".to_owned(),
            start => format!("GET a.csv bytes={start}-199999 if-match"),
        });
        assert_eq!(store.take_log(), expected.collect::<Vec<_>>(), "{readers} readers");
    }
}

/// One step of a random scan.
fn random_fault(rng: &mut Rng, content: &Bytes) -> Fault {
    let at = match rng.below(3) {
        0 => rng.below(40),
        1 => rng.below(40_000),
        _ => rng.pick(&[STREAMED, BLOCK]) - rng.below(3),
    };
    match rng.below(16) {
        0..=2 => Fault::Refuse,
        3 => Fault::NoAnswer,
        4..=6 => Fault::Break(at),
        7..=9 => Fault::End(at),
        10..=12 => Fault::Stall(at),
        13 => Fault::Excess(1 + rng.below(3)),
        14 => Fault::Forbid,
        _ => Fault::Replace(content.clone()),
    }
}

/// One of many scans, whose kind and faults come from a seed.
async fn random_scan(seed: u64) -> Outcome {
    let mut rng = Rng::new(seed);
    let size = rng.pick(&[0, 1, 67, 1000, 20_000, 150_000, STREAMED, BLOCK, BLOCK + 1, 4 * BLOCK]);
    let bytes = data(size + rng.below(5));
    let mut scan = Scan::of(bytes.clone(), rng.pick(&[blocks(), streamed(), streamed().shared_by(6)]));
    scan.limits = scan.limits.with_stall(Duration::from_millis(100));
    scan.marks = rng.pick(&[Marks::Strong, Marks::Strong, Marks::Weak, Marks::Time]);
    if rng.once_in(3) && !bytes.is_empty() {
        let start = rng.below(bytes.len());
        scan.range = Some(start as u64..(start + 1 + rng.below(bytes.len() - start)) as u64);
        scan.expected = bytes[start..].to_vec();
    } else if rng.once_in(4) {
        scan.compression = Compression::Gzip;
        scan.stored = encode(scan.compression, Level::Fastest, &bytes).await;
    }
    if rng.once_in(4) {
        (scan.step, scan.pause) =
            (1 + size / 500 + rng.below(40_000), Duration::from_millis(rng.below(3) as u64));
    }
    let once_in = rng.pick(&[2, 4, 20, usize::MAX]);
    let content = Bytes::from(rng.pick(&[bytes.clone(), data(size + 7), vec![b'x'; scan.stored.len()]]));
    let state = Mutex::new(rng);
    let outcome = scan.read(move |_| {
        let mut rng = state.lock().unwrap();
        rng.once_in(once_in).then(|| random_fault(&mut rng, &content))
    });
    let outcome = outcome.await;
    match &outcome {
        Outcome::Error(error) => assert!(once_in < usize::MAX && is_clear(error), "seed {seed}: {error}"),
        outcome => assert_eq!(*outcome, Outcome::Right, "seed {seed}"),
    }
    outcome
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_scans_with_random_faults() {
    let scans = stream::iter(seeds(10_000)).map(|seed| tokio::spawn(random_scan(seed)));
    let outcomes = scans.buffer_unordered(AT_ONCE).map(|outcome| outcome.unwrap());
    Tally::of(outcomes).await.report("random faults");
}

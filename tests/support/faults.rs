//! A store that fails where a test wants it to, and logs its requests.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, future};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, path::Path,
};

/// The fault of one request. Bytes are counted in its body.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// The request is refused, as by an overloaded server: 503 and the like.
    Refuse,
    /// The request is refused for good.
    Forbid,
    /// The request is never answered.
    NoAnswer,
    /// The body breaks after this many bytes.
    Break(usize),
    /// The body ends after this many bytes, as if it were complete.
    End(usize),
    /// No more bytes come after this many.
    Stall(usize),
    /// The body has this many bytes more than were requested.
    Excess(usize),
    /// The body comes one byte at a time, with a pause before each, and empty frames in between.
    Drip(Duration),
    /// The object is replaced by this one before the request is answered.
    Replace(Bytes),
    /// If the request has a range, it fails with a client's error for a server that ignores ranges.
    NoRange,
}

/// The marks by which the store tells versions of an object apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marks {
    /// ETags, as the inner store gives them.
    Strong,
    /// ETags that a request can't be bound to.
    Weak,
    /// The time of modification alone.
    Time,
}

impl Marks {
    fn of(self, meta: ObjectMeta) -> ObjectMeta {
        let e_tag = match self {
            Marks::Strong => meta.e_tag,
            Marks::Weak => meta.e_tag.map(|e_tag| format!("W/\"{e_tag}\"")),
            Marks::Time => None,
        };
        ObjectMeta { e_tag, ..meta }
    }
}

/// A store around another one, with faults.
///
/// Requests are counted from 0. Those for the metadata alone are not counted.
pub(crate) struct FaultStore {
    inner: Arc<dyn ObjectStore>,
    marks: Marks,
    fault: Box<dyn Fn(usize) -> Option<Fault> + Send + Sync>,
    requests: AtomicUsize,
    /// The number of bodies that have been opened and not dropped.
    bodies: Arc<AtomicUsize>,
    /// The number of bytes that have been taken from bodies.
    bytes: Arc<AtomicU64>,
    log: Mutex<Vec<String>>,
}

impl FaultStore {
    /// A store without faults.
    pub(crate) fn new(inner: Arc<dyn ObjectStore>) -> Self {
        FaultStore {
            inner,
            marks: Marks::Strong,
            fault: Box::new(|_| None),
            requests: AtomicUsize::new(0),
            bodies: Arc::default(),
            bytes: Arc::default(),
            log: Mutex::default(),
        }
    }

    pub(crate) fn with_marks(mut self, marks: Marks) -> Self {
        self.marks = marks;
        self
    }

    /// Sets the function that gives the fault of a request, if any, by its number.
    pub(crate) fn with_faults(
        mut self,
        fault: impl Fn(usize) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        self.fault = Box::new(fault);
        self
    }

    /// The requests since the last call.
    pub(crate) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    /// The number of bytes that have been taken since the last call.
    pub(crate) fn take_bytes(&self) -> u64 {
        self.bytes.swap(0, SeqCst)
    }

    /// The number of bodies that are still held.
    pub(crate) fn open_bodies(&self) -> usize {
        self.bodies.load(SeqCst)
    }
}

fn generic(text: &str) -> Error {
    Error::Generic { store: "faults", source: text.into() }
}

type Frames = BoxStream<'static, Result<Bytes>>;

/// The first bytes of a body.
fn front(frames: Frames, bytes: usize) -> Frames {
    let cut = frames.scan(bytes, |left, frame| {
        future::ready(match *left {
            0 => None,
            _ => Some(frame.map(|frame| {
                let part = frame.slice(..frame.len().min(*left));
                *left -= part.len();
                part
            })),
        })
    });
    cut.boxed()
}

/// Counts a body for as long as it is held, and the bytes that are taken from it.
fn counted(frames: Frames, bodies: Arc<AtomicUsize>, bytes: Arc<AtomicU64>) -> Frames {
    struct Held(Arc<AtomicUsize>);
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }
    bodies.fetch_add(1, SeqCst);
    let held = Held(bodies);
    let count = move |frame: &Result<Bytes>| {
        let _ = &held;
        bytes.fetch_add(frame.as_ref().map_or(0, Bytes::len) as u64, SeqCst);
    };
    frames.inspect(count).boxed()
}

fn impaired(frames: Frames, fault: Option<Fault>) -> Frames {
    match fault {
        Some(Fault::Break(after)) => {
            let broken = stream::once(future::ready(Err(generic("connection reset by peer"))));
            front(frames, after).chain(broken).boxed()
        }
        Some(Fault::End(after)) => front(frames, after),
        Some(Fault::Stall(after)) => front(frames, after).chain(stream::pending()).boxed(),
        Some(Fault::Excess(bytes)) => {
            frames.chain(stream::once(future::ready(Ok(vec![b'?'; bytes].into())))).boxed()
        }
        Some(Fault::Drip(pause)) => frames
            .flat_map(move |frame| {
                let frame = frame.unwrap();
                stream::iter(0..2 * frame.len()).then(move |half| {
                    let at = half / 2;
                    let byte = frame.slice(at..at + half % 2);
                    async move {
                        match pause.is_zero() {
                            true => tokio::task::yield_now().await,
                            false => tokio::time::sleep(pause / 2).await,
                        }
                        Ok(byte)
                    }
                })
            })
            .boxed(),
        _ => frames,
    }
}

#[async_trait]
impl ObjectStore for FaultStore {
    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let verb = if options.head { "HEAD" } else { "GET" };
        let range = options.range.as_ref().map_or_else(String::new, |range| format!(" {range}"));
        let guard = if options.if_match.is_some() { " if-match" } else { "" };
        self.log.lock().unwrap().push(format!("{verb} {path}{range}{guard}"));
        if options.head {
            let found = self.inner.get_opts(path, options).await?;
            return Ok(GetResult { meta: self.marks.of(found.meta.clone()), ..found });
        }
        let fault = (self.fault)(self.requests.fetch_add(1, SeqCst));
        match &fault {
            Some(Fault::Refuse) => return Err(generic("503 Service Unavailable")),
            Some(Fault::Forbid) => {
                return Err(Error::PermissionDenied {
                    path: path.to_string(),
                    source: "403 Forbidden".into(),
                });
            }
            Some(Fault::NoAnswer) => return future::pending().await,
            Some(Fault::NoRange) if options.range.is_some() => {
                return Err(generic("Received non-partial response when range requested"));
            }
            Some(Fault::Replace(content)) => {
                self.inner.put(path, content.clone().into()).await?;
            }
            _ => (),
        }
        let found = self.inner.get_opts(path, options).await?;
        let meta = self.marks.of(found.meta.clone());
        let (range, attributes) = (found.range.clone(), found.attributes.clone());
        let frames = impaired(found.into_stream(), fault);
        let payload =
            GetResultPayload::Stream(counted(frames, Arc::clone(&self.bodies), Arc::clone(&self.bytes)));
        Ok(GetResult { payload, meta, range, attributes })
    }

    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.log.lock().unwrap().push(format!("LIST {}", prefix.map_or("", |prefix| prefix.as_ref())));
        let marks = self.marks;
        self.inner.list(prefix).map(move |meta| meta.map(|meta| marks.of(meta))).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut listed = self.inner.list_with_delimiter(prefix).await?;
        listed.objects = listed.objects.into_iter().map(|meta| self.marks.of(meta)).collect();
        Ok(listed)
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

impl fmt::Debug for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultStore").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl fmt::Display for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultStore({})", self.inner)
    }
}

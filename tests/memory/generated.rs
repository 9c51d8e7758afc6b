//! An object store whose one object is generated while it is read: gigabytes that are stored
//! nowhere.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// The size of one frame, as a remote store would send it.
const FRAME: u64 = 64 << 10;

/// A file of a header and `rows` rows, all of one width.
pub(crate) struct Generated {
    path: Path,
    header: Vec<u8>,
    rows: u64,
    row_width: u64,
    /// Writes a row of exactly `row_width` bytes, its newline included.
    write_row: fn(u64, &mut Vec<u8>),
    /// The number of bytes that have been returned.
    served: AtomicU64,
}

impl Generated {
    pub(crate) fn new(path: &str, header: &str, rows: u64, write_row: fn(u64, &mut Vec<u8>)) -> Arc<Self> {
        let mut row = Vec::new();
        write_row(0, &mut row);
        Arc::new(Generated {
            path: Path::from(path),
            header: header.as_bytes().to_vec(),
            rows,
            row_width: row.len() as u64,
            write_row,
            served: AtomicU64::new(0),
        })
    }

    pub(crate) fn size(&self) -> u64 {
        self.header.len() as u64 + self.rows * self.row_width
    }

    /// The number of bytes that have been read from it.
    pub(crate) fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    fn meta(&self) -> ObjectMeta {
        ObjectMeta {
            location: self.path.clone(),
            last_modified: Default::default(),
            size: self.size(),
            e_tag: Some("generated".to_owned()),
            version: None,
        }
    }

    /// The bytes of a range.
    fn bytes(&self, range: Range<u64>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity((range.end - range.start + self.row_width) as usize);
        let header = self.header.len() as u64;
        if range.start < header {
            bytes.extend_from_slice(&self.header[range.start as usize..header.min(range.end) as usize]);
        }
        if range.end > header {
            let start = range.start.max(header) - header;
            let end = range.end - header;
            let before = bytes.len();
            for row in start / self.row_width..end.div_ceil(self.row_width) {
                (self.write_row)(row, &mut bytes);
            }
            let skipped = (start % self.row_width) as usize;
            bytes.drain(before..before + skipped);
            bytes.truncate(before + (end - start) as usize);
        }
        self.served.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        bytes
    }
}

impl fmt::Debug for Generated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generated")
            .field("path", &self.path)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Generated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Generated({})", self.path)
    }
}

/// The store of one [`Generated`].
#[derive(Debug, Clone)]
pub(crate) struct GeneratedStore(pub(crate) Arc<Generated>);

impl fmt::Display for GeneratedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for GeneratedStore {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let file = Arc::clone(&self.0);
        if *location != file.path {
            return Err(object_store::Error::NotFound {
                path: location.to_string(),
                source: "not generated".into(),
            });
        }
        let meta = file.meta();
        options.check_preconditions(&meta)?;
        let range = match options.range {
            Some(range) => range.as_range(meta.size).map_err(|source| object_store::Error::Generic {
                store: "Generated",
                source: Box::new(source),
            })?,
            None => 0..meta.size,
        };
        let end = if options.head { range.start } else { range.end };
        let frames = stream::unfold(range.start, move |at| {
            let file = Arc::clone(&file);
            async move {
                (at < end).then(|| {
                    let next = (at + FRAME).min(end);
                    (Ok(Bytes::from(file.bytes(at..next))), next)
                })
            }
        });
        Ok(GetResult {
            payload: GetResultPayload::Stream(frames.boxed()),
            meta,
            range,
            attributes: Default::default(),
        })
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let meta = self.0.meta();
        let matches = prefix.is_none_or(|prefix| meta.location.prefix_matches(prefix));
        stream::iter(matches.then_some(Ok(meta))).boxed()
    }

    async fn list_with_delimiter(&self, _prefix: Option<&Path>) -> Result<ListResult> {
        Ok(ListResult { common_prefixes: Vec::new(), objects: vec![self.0.meta()] })
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(read_only())
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(read_only())
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        locations.map(|_| Err(read_only())).boxed()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(read_only())
    }
}

fn read_only() -> object_store::Error {
    object_store::Error::NotSupported { source: "read-only".into() }
}

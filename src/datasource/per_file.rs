//! [`PerFile`]: something that all ranges of a file share in a scan.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use object_store::ObjectMeta;

/// A value for each file of a scan, made when a range of the file first asks for it.
#[derive(Debug, Default)]
pub(super) struct PerFile<T> {
    files: Mutex<HashMap<Version, Arc<T>>>,
}

impl<T: Default> PerFile<T> {
    /// The value of this file as it was listed.
    pub(super) fn of(&self, file: &ObjectMeta) -> Arc<T> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(files.entry(version(file)).or_default())
    }
}

/// A file's path, size, time of modification in microseconds, and ETag.
pub(super) type Version = (String, u64, i64, Option<String>);

/// The version of a file: two files with the same one have the same bytes.
pub(super) fn version(file: &ObjectMeta) -> Version {
    (file.location.to_string(), file.size, file.last_modified.timestamp_micros(), file.e_tag.clone())
}

//! [`Object`]: requests for one object of a store. Every answer has to be of the object as it was
//! listed.

use std::error::Error as StdError;
use std::io;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use object_store::{GetOptions, GetRange, GetResult, GetResultPayload, ObjectMeta, ObjectStore};
use tokio::time::timeout;

use super::counters::InputCounters;
use crate::error::{Error, ErrorKind};

/// An object as it was listed.
#[derive(Debug)]
pub(super) struct Object {
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
    /// The ETag that every answer must have: the listed one, or else that of the first answer.
    e_tag: OnceLock<String>,
    counters: Arc<InputCounters>,
    stall: Duration,
}

/// The reason why a request, or its body, has failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// A retry may help.
    Transient(io::Error),
    /// The store doesn't answer requests for ranges.
    Unranged(io::Error),
    /// A retry would fail the same way.
    Final(io::Error),
}

impl Object {
    pub(super) fn new(
        store: &Arc<dyn ObjectStore>,
        meta: &ObjectMeta,
        stall: Duration,
        counters: Arc<InputCounters>,
    ) -> Self {
        let (store, meta) = (Arc::clone(store), meta.clone());
        let object = Object { store, meta, e_tag: OnceLock::new(), counters, stall };
        object.expect_e_tag(&object.meta);
        object
    }

    pub(super) fn size(&self) -> u64 {
        self.meta.size
    }

    /// The time without a byte after which a request is given up.
    pub(super) fn stall(&self) -> Duration {
        self.stall
    }

    pub(super) fn counters(&self) -> &Arc<InputCounters> {
        &self.counters
    }

    /// Sends a request for a range; without a `Range` header if the range is the whole object.
    pub(super) async fn get(&self, range: Range<u64>) -> Result<GetResult, Failure> {
        self.counters.add_request();
        let part = (range != (0..self.meta.size)).then(|| GetRange::Bounded(range.clone()));
        let options = GetOptions::new().with_if_match(self.e_tag.get().cloned()).with_range(part);
        let answer = match timeout(self.stall, self.store.get_opts(&self.meta.location, options)).await {
            Ok(answer) => answer?,
            Err(_) => return Err(Failure::stalled(self.stall)),
        };
        // An open local file can't be replaced under its handle, and its reader checks its length.
        if let GetResultPayload::Stream(_) = answer.payload {
            self.check(&answer, range.start).map_err(Failure::Final)?;
        }
        Ok(answer)
    }

    /// Checks that an answer is of the object that was listed.
    fn check(&self, answer: &GetResult, start: u64) -> io::Result<()> {
        let (found, listed) = (&answer.meta, &self.meta);
        if found.size < listed.size {
            return Err(shorter(found.size, listed.size));
        }
        if found.size > listed.size {
            return Err(longer(found.size, listed.size));
        }
        if answer.range.start != start {
            let text = format!("the store answered with byte {} for byte {start}", answer.range.start);
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        if listed.size == 0 {
            return Ok(());
        }
        self.expect_e_tag(found);
        let is_other = match (self.e_tag.get().or(listed.e_tag.as_ref()), &found.e_tag) {
            (Some(expected), Some(found)) => opaque(expected) != opaque(found),
            _ => false,
        };
        if is_other || (strong(listed).is_none() && was_modified(listed, found)) {
            return Err(changed("its ETag or the time of its modification is another one"));
        }
        Ok(())
    }

    /// Binds later requests to the ETag of `meta`, unless its size is 0.
    ///
    /// A FIFO is listed with size 0, and each write to it changes its ETag. Of an object that is
    /// really empty no byte is read, so its version makes no difference.
    fn expect_e_tag(&self, meta: &ObjectMeta) {
        if let Some(e_tag) = strong(meta).filter(|_| meta.size > 0) {
            self.e_tag.get_or_init(|| e_tag.clone());
        }
    }
}

/// The ETag, if a request can be bound to it. A weak one matches nothing (RFC 9110, section
/// 13.1.1).
fn strong(meta: &ObjectMeta) -> Option<&String> {
    meta.e_tag.as_ref().filter(|e_tag| !e_tag.starts_with("W/"))
}

/// The opaque tag: the ETag without its weak prefix and quotes. Listings may leave the quotes out.
fn opaque(e_tag: &str) -> &str {
    e_tag.trim_start_matches("W/").trim_matches('"')
}

/// Whether the times of modification differ. They are compared in whole seconds if one of them has
/// no fraction: an answer's time has none, a listing's may have one.
fn was_modified(listed: &ObjectMeta, found: &ObjectMeta) -> bool {
    let (listed, found) = (listed.last_modified, found.last_modified);
    let is_whole = listed.timestamp_subsec_nanos() == 0 || found.timestamp_subsec_nanos() == 0;
    match is_whole {
        true => listed.timestamp() != found.timestamp(),
        false => listed != found,
    }
}

impl Failure {
    pub(super) fn stalled(after: Duration) -> Self {
        let text = format!("nothing came for {after:?}");
        Failure::Transient(io::Error::new(io::ErrorKind::TimedOut, text))
    }
}

impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::Precondition { .. } => Failure::Final(changed(&error.to_string())),
            object_store::Error::Generic { .. } if is_unranged(&error) => Failure::Unranged(error.into()),
            // The HTTP store says so of a server that sends a whole object.
            object_store::Error::NotSupported { .. } => Failure::Unranged(error.into()),
            object_store::Error::Generic { .. } => Failure::Transient(error.into()),
            error => Failure::Final(error.into()),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let (Failure::Transient(cause) | Failure::Unranged(cause) | Failure::Final(cause)) = failure;
        Error::new(ErrorKind::Io(cause))
    }
}

/// Whether a server has sent a whole object although a range was requested. The clients tell it
/// only by the error's text.
fn is_unranged(error: &object_store::Error) -> bool {
    let mut cause: Option<&dyn StdError> = Some(error);
    while let Some(error) = cause {
        if error.to_string() == "Received non-partial response when range requested" {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The error for an object that ends before its listed size.
pub(super) fn shorter(read: u64, size: u64) -> io::Error {
    let text =
        format!("the object ended at byte {read} of {size}: truncated or replaced since it was listed?");
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

/// The error for an object that is larger than its listed size.
fn longer(found: u64, size: u64) -> io::Error {
    let text =
        format!("the object goes on at byte {found}, it was listed with {size} bytes: replaced since then?");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

fn changed(how: &str) -> io::Error {
    io::Error::other(format!("the object has changed since it was listed; list it again ({how})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_tags_are_compared_by_what_is_in_their_quotes() {
        for same in ["\"a1\"", "a1", "W/\"a1\""] {
            assert_eq!(opaque(same), "a1");
        }
        assert_ne!(opaque("\"W/a1\""), "a1");
    }

    #[test]
    fn times_are_compared_as_finely_as_both_are_given() {
        let meta = |nanos: i64| ObjectMeta {
            location: "a".into(),
            last_modified: (std::time::UNIX_EPOCH + Duration::from_nanos(nanos as u64)).into(),
            size: 1,
            e_tag: None,
            version: None,
        };
        for (listed, found, is_other) in [
            (1_500_000_000, 1_500_000_000, false),
            (1_500_000_000, 1_000_000_000, false),
            (1_000_000_000, 1_500_000_000, false),
            (1_500_000_000, 1_500_000_001, true),
            (1_500_000_000, 2_000_000_000, true),
        ] {
            assert_eq!(was_modified(&meta(listed), &meta(found)), is_other, "{listed} {found}");
        }
    }
}

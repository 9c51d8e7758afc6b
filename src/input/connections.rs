//! [`Connections`]: the memory that the connections of several readers hold together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::read_ahead::CONNECTION_BYTES;

/// Buffers that a connection can hold at once: one that is consumed, one that waits to be, and one
/// that is being filled.
const BUFFERS: usize = 3;

/// The memory of the connections of readers that stream, all those of a scan for example.
///
/// Each reader has a part of it. A client's buffers grow while a reader is slower than its store.
/// So a reader may hold more than its part, as long as others hold less of theirs.
#[derive(Debug, Default)]
pub struct Connections {
    /// The parts of the readers that are open.
    granted: AtomicUsize,
    held: AtomicUsize,
}

/// One connection's part.
#[derive(Debug)]
pub(super) struct Connection {
    all: Arc<Connections>,
    granted: usize,
    held: usize,
    /// Bytes of the largest buffer of late.
    buffer_bytes: usize,
}

impl Connections {
    /// A connection that has `granted` bytes for itself.
    pub(super) fn connect(self: &Arc<Self>, granted: usize) -> Connection {
        self.granted.fetch_add(granted, Relaxed);
        let mut connection = Connection { all: Arc::clone(self), granted, held: 0, buffer_bytes: 0 };
        connection.renew();
        connection
    }
}

impl Connection {
    /// Whether there is room for the buffers of a connection that has brought a frame of this many
    /// bytes. If not, the connection has to be closed.
    pub(super) fn fits(&mut self, frame_bytes: usize) -> bool {
        // A buffer may be larger than the frame in it. A client needs some short reads before it
        // makes its buffers smaller.
        let decayed = self.buffer_bytes - self.buffer_bytes / 8;
        self.buffer_bytes = frame_bytes.max(decayed);
        self.hold(CONNECTION_BYTES + BUFFERS * self.buffer_bytes);
        self.held <= self.granted || self.all.held.load(Relaxed) <= self.all.granted.load(Relaxed)
    }

    /// Starts again, with a connection that has brought nothing.
    pub(super) fn renew(&mut self) {
        self.buffer_bytes = 0;
        self.hold(CONNECTION_BYTES);
    }

    fn hold(&mut self, bytes: usize) {
        self.all.held.fetch_add(bytes, Relaxed);
        self.all.held.fetch_sub(self.held, Relaxed);
        self.held = bytes;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.hold(0);
        self.all.granted.fetch_sub(self.granted, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1 << 10;

    #[test]
    fn a_connection_may_hold_what_others_leave() {
        let all = Arc::new(Connections::default());
        let mut slow = all.connect(256 * KIB);
        assert!(slow.fits(64 * KIB));
        assert!(!slow.fits(128 * KIB), "it is alone, with {slow:?}");
        slow.renew();
        let fast = all.connect(256 * KIB);
        assert!(slow.fits(128 * KIB));
        assert!(!slow.fits(256 * KIB));
        slow.renew();
        assert!(slow.fits(128 * KIB));
        drop(fast);
        assert!(!slow.fits(KIB), "the part that it has borrowed is gone, and its buffers are still large");
        drop(slow);
        assert_eq!([all.granted.load(Relaxed), all.held.load(Relaxed)], [0, 0]);
    }

    #[test]
    fn buffers_are_taken_for_small_again_after_some_small_frames() {
        let all = Arc::new(Connections::default());
        let mut connection = all.connect(256 * KIB);
        assert!(!connection.fits(400 * KIB));
        let small_frames = (1..).find(|_| connection.fits(KIB)).unwrap();
        assert_eq!(small_frames, 13);
    }
}

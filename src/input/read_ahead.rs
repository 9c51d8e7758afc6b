//! [`ReadAhead`]: how a store's object is requested, by the memory that there is for it.

use crate::budget::Limits;

/// Bytes of a block, which is one request. At least 512 KiB: a smaller one takes longer to be
/// answered than to arrive. At most 8 MiB, because larger requests bring nothing (Amazon advises 8
/// to 16 MB for S3).
const BLOCK_BYTES: (usize, usize) = (512 << 10, 8 << 20);

/// Blocks at once from which on they are faster than one stream: one is consumed, and the others
/// arrive together.
const LEAST_BLOCKS: usize = 3;

/// Requests that one reader has in flight at the most: 8, with which S3's 50 to 90 MB/s each fill
/// 5 Gbit/s.
const MAX_REQUESTS: usize = 8;

/// Bytes that a connection takes beside its buffers. Measured: 28 KiB for an answer that nobody
/// has begun to read. The kernel holds the rest of it.
pub(super) const CONNECTION_BYTES: usize = 32 << 10;

/// Bytes that a connection's buffer has at the most. hyper, and so object_store's HTTP client,
/// doubles it with each read that fills it, and keeps it for the next request.
const CLIENT_BUFFER_BYTES: usize = 408 << 10;

/// How an object that a store streams is read.
///
/// A reader with much memory has several requests in flight, so it isn't bound to the rate of one
/// connection. A reader with little memory would have to make them small, and would pay the store's
/// latency for each. So it sends one request for all of its bytes. Many such readers together have
/// many connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadAhead {
    /// Blocks, each of which is one request. They are held in memory.
    Blocks {
        /// Bytes of a block.
        block_bytes: usize,
        /// Blocks that are held at once, on their way or arrived.
        requests: usize,
    },
    /// One request, whose answer is read as its bytes are wanted.
    Stream {
        /// Bytes that the connection may hold.
        bytes: usize,
    },
}

impl ReadAhead {
    /// The way to read for one reader, beside a decompressor that holds up to `decoder_bytes`; 0
    /// for none.
    ///
    /// There is room for two chunks, as of a local file, and for
    /// [`Limits::ahead_bytes`](crate::budget::Limits::ahead_bytes), of which a decompressor leaves
    /// less or none. If three blocks and their connections fit into it, there are as many as fit.
    /// A block is a twentieth of the share, at least 512 KiB: by default there are 5 of those for a
    /// single reader, and several readers stream.
    pub fn within(limits: &Limits, decoder_bytes: usize) -> Self {
        let bytes = 2 * limits.chunk_bytes() + limits.ahead_bytes().saturating_sub(decoder_bytes);
        let (least, most) = BLOCK_BYTES;
        let block_bytes = (limits.share() / 20 / 4096 * 4096).clamp(least, most);
        match bytes / (block_bytes + connection_bytes(block_bytes)) {
            0..LEAST_BLOCKS => ReadAhead::Stream { bytes: bytes.max(CONNECTION_BYTES) },
            requests => ReadAhead::Blocks { block_bytes, requests: requests.min(MAX_REQUESTS) },
        }
    }

    /// Bytes that are held at the most where `left` bytes are to be read.
    pub fn bytes(&self, left: u64) -> usize {
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        match *self {
            ReadAhead::Blocks { block_bytes, requests } => {
                let requests = left.div_ceil(block_bytes).min(requests);
                left.min(requests * block_bytes) + requests * connection_bytes(block_bytes.min(left))
            }
            ReadAhead::Stream { bytes } => bytes.min(left.saturating_add(CONNECTION_BYTES)),
        }
    }

    /// Bytes of the first request.
    pub(super) fn first_bytes(&self) -> usize {
        match *self {
            ReadAhead::Blocks { block_bytes, .. } => block_bytes,
            ReadAhead::Stream { .. } => usize::MAX,
        }
    }
}

/// Bytes that a connection takes beside the block that it brings.
fn connection_bytes(block_bytes: usize) -> usize {
    CONNECTION_BYTES + block_bytes.min(CLIENT_BUFFER_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_fit_into_what_a_decompressor_leaves() {
        for memory_limit in [1 << 20, 2 << 20, 4 << 20, 10 << 20, 64 << 20, 1 << 30] {
            for readers in [1, 2, 16, 64] {
                let limits = Limits::new(memory_limit, None).unwrap().shared_by(readers);
                for decoder in [0, 64 << 10, limits.window_bytes()] {
                    let read_ahead = ReadAhead::within(&limits, decoder);
                    let what = format!("{memory_limit}, {readers}, {decoder}: {read_ahead:?}");
                    let room = 2 * limits.chunk_bytes() + limits.ahead_bytes().saturating_sub(decoder);
                    let held = read_ahead.bytes(u64::MAX);
                    assert!(held <= room.max(CONNECTION_BYTES), "{what}: {held} of {room}");
                    assert!(readers * held <= memory_limit || memory_limit / readers < 48 << 10, "{what}");
                    assert!(read_ahead.bytes(1) <= 2 + CONNECTION_BYTES, "{what}");
                    if let ReadAhead::Blocks { block_bytes, requests } = read_ahead {
                        assert!((3..=8).contains(&requests) && block_bytes >= 512 << 10, "{what}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_single_reader_has_blocks_and_many_readers_stream() {
        let limits = Limits::default();
        let blocks = ReadAhead::Blocks { block_bytes: 512 << 10, requests: 5 };
        assert_eq!(ReadAhead::within(&limits, 0), blocks);
        let beside_zstd = ReadAhead::within(&limits, limits.window_bytes());
        assert_eq!(beside_zstd, ReadAhead::Stream { bytes: 512 << 10 });
        for (readers, bytes) in [(2, 2048 << 10), (16, 272 << 10)] {
            let ReadAhead::Stream { bytes: found } = ReadAhead::within(&limits.shared_by(readers), 0) else {
                panic!("{readers} readers have blocks")
            };
            assert_eq!(found >> 12, bytes >> 12, "{readers}");
        }
        let large = Limits::new(1 << 30, None).unwrap();
        assert_eq!(ReadAhead::within(&large, 0), ReadAhead::Blocks { block_bytes: 8 << 20, requests: 8 });
    }
}

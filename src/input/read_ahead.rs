//! [`ReadAhead`]: how many blocks of a store's object are held at once, and how large they are.

use crate::budget::Limits;

/// Bytes of one request to a store. At least 8 KiB, with which 64 readers fit into the default
/// limit. At most 8 MiB, because larger requests bring nothing (Amazon advises 8 to 16 MB for S3).
const BLOCK_BYTES: (usize, usize) = (8 << 10, 8 << 20);

/// Bytes from which on two blocks at once are better than one: a smaller block takes longer to be
/// answered than to arrive.
const LEAST_OF_TWO: usize = 64 << 10;

/// Bytes that a connection takes beside its buffer.
const CONNECTION_BYTES: usize = 32 << 10;

/// Bytes of a connection's buffer at the most.
const CONNECTION_BUFFER_BYTES: usize = 96 << 10;

/// Requests that one reader has in flight at the most: 8, with which S3's 50 to 90 MB/s each fill
/// 5 Gbit/s.
const MAX_REQUESTS: usize = 8;

/// How an object that a store streams is read: in blocks, several of which are asked for at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadAhead {
    /// Bytes of a block, which one request asks for.
    pub block_bytes: usize,
    /// Blocks that are held at once, on their way or arrived.
    pub requests: usize,
}

impl ReadAhead {
    /// The blocks of one reader, beside a decompressor that holds up to `decoder_bytes`; 0 for
    /// none.
    ///
    /// There is room for two chunks, as of a local file, and for
    /// [`Limits::ahead_bytes`](crate::budget::Limits::ahead_bytes), of which a decompressor leaves
    /// less or none. A block is a tenth of the share, 1 MiB by default. It is smaller where two
    /// blocks, one to consume and one on its way, and their connections would not fit. By default
    /// there are 3. Where the room is too small for two blocks of 64 KiB, one block takes all of
    /// it: by default with 12 readers and more, of which others work while one waits.
    pub fn within(limits: &Limits, decoder_bytes: usize) -> Self {
        let room = 2 * limits.chunk_bytes() + limits.ahead_bytes().saturating_sub(decoder_bytes);
        let (least, most) = BLOCK_BYTES;
        let half = block_in(room / 2);
        if half < LEAST_OF_TWO {
            return ReadAhead { block_bytes: block_in(room).clamp(least, most), requests: 1 };
        }
        let block_bytes = half.min(limits.share() / 10 / 4096 * 4096).clamp(least, most);
        let requests = (room / (block_bytes + connection_bytes(block_bytes))).min(MAX_REQUESTS);
        ReadAhead { block_bytes, requests }
    }

    /// Bytes that are held at the most where `left` bytes are to be read: blocks, and the
    /// connections that bring them.
    pub fn bytes(&self, left: u64) -> usize {
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let requests = left.div_ceil(self.block_bytes).min(self.requests);
        left.min(requests * self.block_bytes) + requests * connection_bytes(self.block_bytes)
    }
}

/// Bytes that a connection takes beside the block that it brings. Measured with object_store's HTTP
/// client, whose buffer grows with the bytes that arrive at once.
fn connection_bytes(block_bytes: usize) -> usize {
    CONNECTION_BYTES + block_bytes.min(CONNECTION_BUFFER_BYTES)
}

/// The largest block that fits into some room with its connection.
fn block_in(room: usize) -> usize {
    let room = room.saturating_sub(CONNECTION_BYTES);
    (room / 2).max(room.saturating_sub(CONNECTION_BUFFER_BYTES)) / 4096 * 4096
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_fit_into_what_a_decompressor_leaves() {
        for memory_limit in [1 << 20, 2 << 20, 4 << 20, 10 << 20, 64 << 20, 1 << 30] {
            for readers in [1, 2, 16, 64] {
                let limits = Limits::new(memory_limit, None).unwrap().shared_by(readers);
                for decoder in [0, 64 << 10, limits.window_bytes()] {
                    let read_ahead = ReadAhead::within(&limits, decoder);
                    let ReadAhead { block_bytes, requests } = read_ahead;
                    let what = format!("{memory_limit}, {readers}, {decoder}: {block_bytes} × {requests}");
                    let room = 2 * limits.chunk_bytes() + limits.ahead_bytes().saturating_sub(decoder);
                    let held = read_ahead.bytes(u64::MAX);
                    assert!(held <= room.max(48 << 10), "{what}: {held} of {room}");
                    assert!(
                        readers * held <= memory_limit || memory_limit / readers < 48 << 10,
                        "{what}: {held}"
                    );
                    assert!(requests >= 1 && block_bytes >= 8 << 10, "{what}");
                    assert!(requests >= 2 || decoder > 0 || limits.share() < 1 << 20, "{what}");
                    assert_eq!(read_ahead.bytes(1), 1 + connection_bytes(block_bytes));
                }
            }
        }
        let limits = Limits::default();
        assert_eq!(ReadAhead::within(&limits, 0), ReadAhead { block_bytes: 1 << 20, requests: 3 });
        let beside_zstd = ReadAhead::within(&limits, limits.window_bytes());
        assert_eq!(beside_zstd, ReadAhead { block_bytes: 128 << 10, requests: 2 });
        assert_eq!(
            ReadAhead::within(&limits.shared_by(16), 0),
            ReadAhead { block_bytes: 144 << 10, requests: 1 }
        );
    }
}

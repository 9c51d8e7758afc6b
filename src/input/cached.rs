//! Reads of the page cache only.

use std::fs::File;

/// Reads the bytes from `at` on that are in memory, without waiting for a disk.
///
/// `None` if none are, if the operating system or the file system can't tell, and if the read
/// fails. A plain read then gives the error.
#[cfg(target_os = "linux")]
pub(super) fn read_cached(file: &File, buffer: &mut [u8], at: u64) -> Option<usize> {
    use rustix::io::{ReadWriteFlags, preadv2};

    preadv2(file, &mut [std::io::IoSliceMut::new(buffer)], at, ReadWriteFlags::NOWAIT).ok()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn read_cached(_: &File, _: &mut [u8], _: u64) -> Option<usize> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_cached_is_read_and_what_is_not_is_not_waited_for() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 1 << 20]).unwrap();
        file.sync_all().unwrap();
        let mut buffer = vec![0; 1 << 16];
        // Not every file system supports `NOWAIT`.
        if let Some(read) = read_cached(&file, &mut buffer, 5) {
            assert!(read > 0 && buffer[..read].iter().all(|&byte| byte == 7));
            assert_eq!(read_cached(&file, &mut buffer, 1 << 20), Some(0));
        }
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        // The kernel may have ignored the advice.
        if let Some(read) = read_cached(&file, &mut buffer, 5) {
            assert!(read > 0 && buffer[..read].iter().all(|&byte| byte == 7));
        }
    }
}

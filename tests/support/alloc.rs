//! [`CountingAllocator`]: the system's allocator, with a count of the bytes that are allocated.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts live bytes and their peak.
#[derive(Debug)]
pub(crate) struct CountingAllocator {
    /// The bytes that are allocated now.
    pub(crate) live: AtomicUsize,
    /// The most bytes that were allocated at once. Storing `live` here begins a new peak.
    pub(crate) peak: AtomicUsize,
}

impl CountingAllocator {
    /// An allocator with nothing allocated yet.
    pub(crate) const fn new() -> Self {
        CountingAllocator { live: AtomicUsize::new(0), peak: AtomicUsize::new(0) }
    }

    /// The most bytes that were live at once.
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    fn grow(&self, bytes: usize) {
        let live = self.live.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak.fetch_max(live, Ordering::Relaxed);
    }

    fn shrink(&self, bytes: usize) {
        self.live.fetch_sub(bytes, Ordering::Relaxed);
    }
}

// SAFETY: every call is passed on to `System` unchanged, and `System`'s result is returned
// unchanged. Counting touches no memory but the counters.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps `alloc`'s contract, which is `System`'s.
        let allocated = unsafe { System.alloc(layout) };
        if !allocated.is_null() {
            self.grow(layout.size());
        }
        allocated
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps `alloc_zeroed`'s contract, which is `System`'s.
        let allocated = unsafe { System.alloc_zeroed(layout) };
        if !allocated.is_null() {
            self.grow(layout.size());
        }
        allocated
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps `dealloc`'s contract, and `pointer` came from `System`.
        unsafe { System.dealloc(pointer, layout) };
        self.shrink(layout.size());
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller keeps `realloc`'s contract, and `pointer` came from `System`.
        let moved = unsafe { System.realloc(pointer, layout, new_size) };
        if !moved.is_null() {
            self.grow(new_size);
            self.shrink(layout.size());
        }
        moved
    }
}

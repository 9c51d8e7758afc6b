//! A global allocator that counts: bytes that live, and the most that lived at once.
//!
//! It counts what Rust code allocates, in all threads; what a C library allocates itself it does not see. A test binary
//! that asks how much something holds should therefore run one thing at a time.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Use it as `#[global_allocator] static ALLOC: Counting = Counting::new();`.
pub(crate) struct Counting {
    live: AtomicUsize,
    peak: AtomicUsize,
}

impl Counting {
    pub(crate) const fn new() -> Self {
        Counting { live: AtomicUsize::new(0), peak: AtomicUsize::new(0) }
    }

    /// Bytes that are allocated now.
    pub(crate) fn live(&self) -> usize {
        self.live.load(Relaxed)
    }

    /// The most bytes that were allocated at once since the last [`reset`](Self::reset).
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Relaxed)
    }

    /// Begins a new peak at what lives now, and gives that.
    pub(crate) fn reset(&self) -> usize {
        let live = self.live();
        self.peak.store(live, Relaxed);
        live
    }

    fn grow(&self, bytes: usize) {
        let live = self.live.fetch_add(bytes, Relaxed) + bytes;
        self.peak.fetch_max(live, Relaxed);
    }

    fn shrink(&self, bytes: usize) {
        self.live.fetch_sub(bytes, Relaxed);
    }
}

// SAFETY: every call goes to `System` with the arguments it came with, and gives back what `System` gave; counting
// neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to `GlobalAlloc::alloc`'s contract, which is `System`'s.
        let pointer = unsafe { System.alloc(layout) };
        if !pointer.is_null() {
            self.grow(layout.size());
        }
        pointer
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let pointer = unsafe { System.alloc_zeroed(layout) };
        if !pointer.is_null() {
            self.grow(layout.size());
        }
        pointer
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `System` through this allocator, with this layout.
        unsafe { System.dealloc(pointer, layout) };
        self.shrink(layout.size());
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as in `dealloc`; the new size is the caller's, within the contract.
        let moved = unsafe { System.realloc(pointer, layout, size) };
        if !moved.is_null() {
            // Both may live while the bytes are copied.
            self.grow(size);
            self.shrink(layout.size());
        }
        moved
    }
}

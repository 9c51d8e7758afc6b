//! The heap's size, counted by the process's allocator.

#[path = "../../tests/support/alloc.rs"]
mod alloc;

use std::sync::atomic::Ordering::Relaxed;

use alloc::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

/// Begins a new peak at the bytes that are allocated now, and returns their number.
pub(crate) fn reset() -> usize {
    let live = ALLOCATOR.live.load(Relaxed);
    ALLOCATOR.peak.store(live, Relaxed);
    live
}

/// The most bytes that were allocated at once since the last [`reset`].
pub(crate) fn peak() -> usize {
    ALLOCATOR.peak()
}

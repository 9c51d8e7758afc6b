//! The memory that is held, measured by an allocator that counts the allocations of all threads.

#[path = "../support/alloc.rs"]
mod alloc;
mod cells;
mod extremes;
mod generated;
mod input;
mod rows;
mod scan;
#[path = "../support/server.rs"]
mod server;

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};

use alloc::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

const MIB: usize = 1 << 20;

/// All threads share the heap, so only one measurement may run at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The bytes that are allocated now.
fn live() -> usize {
    ALLOCATOR.live.load(Relaxed)
}

/// Begins a new peak at the bytes that are allocated now, and returns their number.
fn reset() -> usize {
    let live = live();
    ALLOCATOR.peak.store(live, Relaxed);
    live
}

/// The most bytes that were allocated at once since the last [`reset`].
fn peak() -> usize {
    ALLOCATOR.peak()
}

/// The counter counts: a test that can't fail would prove nothing.
#[test]
fn what_is_allocated_is_counted() {
    let _alone = alone();
    let before = reset();
    drop(std::hint::black_box(vec![1_u8; 3 * MIB]));
    // Threads of an earlier test may still be freeing their memory.
    assert!(peak() >= before + 2 * MIB);
    assert!(live() < before + MIB);
}

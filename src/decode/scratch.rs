//! [`Scratch`]: room that all columns of a batch share.

use super::lanes::Lanes;

/// Room that a push may write to. It is kept for the next one.
#[derive(Debug)]
pub(super) struct Scratch {
    /// A value that doesn't stand in the file as it is.
    pub(super) text: Vec<u8>,
    pub(super) lanes: Box<Lanes>,
}

/// The most bytes of text room that a finished batch leaves for the next one.
const MAX_TEXT: usize = (64 << 10) - size_of::<Lanes>();

impl Scratch {
    pub(super) fn new() -> Self {
        Scratch { text: Vec::new(), lanes: Box::new(Lanes::new()) }
    }

    /// Keeps no more than is cheap to keep.
    pub(super) fn shrink(&mut self) {
        self.text.clear();
        self.text.shrink_to(MAX_TEXT);
    }

    /// Bytes held.
    pub(super) fn allocated_bytes(&self) -> usize {
        self.text.capacity() + size_of::<Lanes>()
    }
}

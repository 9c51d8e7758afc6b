//! [`Scratch`]: room that all columns of a batch share.

use super::lanes::Lanes;

/// Room that a push may write to. It is kept for the next one.
#[derive(Debug)]
pub(super) struct Scratch {
    /// A value that has to be unescaped, and so isn't a part of the file as it stands.
    pub(super) text: Vec<u8>,
    pub(super) lanes: Box<Lanes>,
}

/// The most bytes of text room that a finished batch leaves for the next one.
const MAX_TEXT: usize = (64 << 10) - size_of::<Lanes>();

impl Scratch {
    pub(super) fn new() -> Self {
        Scratch { text: Vec::new(), lanes: Box::new(Lanes::new()) }
    }

    /// Frees the text room beyond [`MAX_TEXT`], so that one long value doesn't hold memory for
    /// good.
    pub(super) fn shrink(&mut self) {
        self.text.clear();
        self.text.shrink_to(MAX_TEXT);
    }

    /// Bytes held.
    pub(super) fn allocated_bytes(&self) -> usize {
        self.text.capacity() + size_of::<Lanes>()
    }
}

//! Where a string stops being UTF-8.

use simdutf8::compat;

/// The first byte of `value` that isn't UTF-8, if there is one.
pub(super) fn first_invalid(value: &[u8]) -> Option<usize> {
    compat::from_utf8(value).err().map(|error| error.valid_up_to())
}

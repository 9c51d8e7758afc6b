//! [`shown`]: a field's bytes as they stand in a message.

/// A value in a message is cut to this many characters.
pub const MAX_VALUE_CHARS: usize = 80;

/// A field as it stands in a message: bytes that are not UTF-8 escaped, cut to [`MAX_VALUE_CHARS`].
pub fn shown(value: &[u8]) -> String {
    let mut shown = String::new();
    let mut room = MAX_VALUE_CHARS;
    for chunk in value.utf8_chunks() {
        for c in chunk.valid().chars() {
            if room == 0 {
                return shown + "…";
            }
            room -= 1;
            shown.push(c);
        }
        for byte in chunk.invalid() {
            if room == 0 {
                return shown + "…";
            }
            room -= 1;
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut() {
        let text = shown(&[b'x'; 1000]);
        assert_eq!(text.chars().count(), MAX_VALUE_CHARS + 1);
        assert!(text.ends_with('…'));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_escaped() {
        assert_eq!(shown(b"a\xff\xc3b"), "a\\xff\\xc3b");
    }
}

//! Decimal digits to numbers, eight at a time.

use super::fields::Text;

/// Powers of ten that fit.
pub(super) const POW10: [u64; 20] = {
    let mut powers = [1; 20];
    let mut i = 1;
    while i < 20 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// The most digits that [`digits`] reads: any 18 fit an `i64`.
pub(super) const MAX_DIGITS: usize = 18;

/// Eight zeros: xored with them, digits are 0 to 9.
pub(super) const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The number that `n` bytes from `at` on are, if all are digits; 0 if `n` is. `n` is at most [`MAX_DIGITS`].
#[inline]
pub(super) fn digits(text: Text<'_>, at: usize, n: usize) -> Option<u64> {
    if n <= 8 {
        return eight(text.word(at), n);
    }
    let first = eight(text.word(at), 8)?;
    if n <= 16 {
        return Some(first * POW10[n - 8] + eight(text.word(at + 8), n - 8)?);
    }
    let second = eight(text.word(at + 8), 8)?;
    Some((first * POW10[8] + second) * POW10[n - 16] + eight(text.word(at + 16), n - 16)?)
}

/// The number of the lowest `n` bytes of a word, at most 8, if all are digits.
#[inline(always)]
pub(super) fn eight(word: u64, n: usize) -> Option<u64> {
    // The lowest byte is the first digit. Shifted up, the digits stand at the end of eight that start with zeros.
    let x = (word ^ ZEROS).checked_shl(64 - 8 * n as u32).unwrap_or(0);
    (wrong_digits(x) == 0).then(|| number(x))
}

/// The number of the lowest `n` bytes, 1 to 16, if all are digits.
#[inline(always)]
pub(super) fn sixteen(bytes: u128, n: usize) -> Option<u64> {
    let zeros = u128::from(ZEROS) << 64 | u128::from(ZEROS);
    let x = (bytes ^ zeros) << (128 - 8 * n);
    // As above, on two halves: the first digits are in the low one.
    let (high, low) = (x as u64, (x >> 64) as u64);
    (wrong_digits(high) | wrong_digits(low) == 0).then(|| number(high) * POW10[8] + number(low))
}

/// The number of eight digits from 0 to 9, the first one in the lowest byte.
#[inline(always)]
pub(super) fn number(x: u64) -> u64 {
    // What is not digits may overflow: lanes are computed before it is known which of them are wrong.
    let x = x.wrapping_mul(10).wrapping_add(x >> 8) & 0x00ff_00ff_00ff_00ff;
    let x = (x.wrapping_mul(100) + (x >> 16)) & 0x0000_ffff_0000_ffff;
    // Two halves of up to 9,999: a product of 32 bits each, which vectors have an instruction for.
    u64::from(x as u32) * 10_000 + (x >> 32)
}

/// Not zero if a byte of `x` isn't 0 to 9.
#[inline(always)]
pub(super) fn wrong_digits(x: u64) -> u64 {
    wrong_bytes(x, 0x7676_7676_7676_7676)
}

/// Not zero if a byte of `x`, to which the same byte of `margins` is added, doesn't stay below 128: with a margin of
/// `0x76` the bytes 0 to 9 do, with one of `0x7f` only 0.
#[inline(always)]
pub(super) fn wrong_bytes(x: u64, margins: u64) -> u64 {
    // A byte that carries into the next has failed itself, and only makes more fail.
    (x | x.wrapping_add(margins)) & HIGH_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_and_every_wrong_byte() {
        for (n, &power) in POW10.iter().enumerate().take(MAX_DIGITS + 1).skip(1) {
            for seed in [1u64, 999_999_999_999_999_999, 123_456_789_012_345_678, 900_000_000_000_000_009] {
                let value = seed % power;
                let text = format!("{value:0n$}");
                for behind in ["", ",", "0", "9999999999", "\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}"] {
                    let all = text.clone() + behind;
                    let text = Text::new(all.as_bytes());
                    assert_eq!(digits(text, 0, n), Some(value), "{all:?} {n}");
                    assert!(n > 16 || sixteen(text.double(0), n) == Some(value), "{all:?} {n}");
                }
            }
            for at in 0..n {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'5'; n];
                    text[at] = byte;
                    let text = Text::new(&text);
                    let read = digits(text, 0, n);
                    assert!(n > 16 || sixteen(text.double(0), n) == read, "{byte} at {at} of {n}");
                    assert_eq!(read.is_some(), byte.is_ascii_digit(), "{byte} at {at} of {n}");
                }
            }
        }
    }

    #[test]
    fn no_digits_are_zero() {
        assert_eq!(digits(Text::new(b""), 0, 0), Some(0));
        assert_eq!(digits(Text::new(b"x"), 0, 0), Some(0));
    }
}

//! Conversion of decimal digits to numbers, eight at a time.

use super::fields::Text;

/// The powers of ten that fit a `u64`.
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

/// Eight zeros in ASCII. Digits that are xored with them become 0 to 9.
pub(super) const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The number in the `n` bytes from `at` on, if all are digits. It is 0 if `n` is 0. `n` is at most
/// [`MAX_DIGITS`].
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

/// The number in the lowest `n` bytes of a word, at most 8, if all are digits.
#[inline(always)]
pub(super) fn eight(word: u64, n: usize) -> Option<u64> {
    // The lowest byte is the first digit. The shift puts zeros in front of it, so that there are
    // always eight digits.
    let x = (word ^ ZEROS).checked_shl(64 - 8 * n as u32).unwrap_or(0);
    (wrong_digits(x) == 0).then(|| number(x))
}

/// The number in the lowest `n` bytes, 1 to 16, if all are digits.
#[inline(always)]
pub(super) fn sixteen(bytes: u128, n: usize) -> Option<u64> {
    let zeros = u128::from(ZEROS) << 64 | u128::from(ZEROS);
    let x = (bytes ^ zeros) << (128 - 8 * n);
    // The same as in `eight`, on two halves. The first digits are in the low half.
    let (high, low) = (x as u64, (x >> 64) as u64);
    (wrong_digits(high) | wrong_digits(low) == 0).then(|| number(high) * POW10[8] + number(low))
}

/// The number that eight digits from 0 to 9 make, the first one in the lowest byte.
#[inline(always)]
pub(super) fn number(x: u64) -> u64 {
    // Bytes that are not digits may overflow, because lanes are computed before it is known which
    // of them are wrong.
    let x = x.wrapping_mul(10).wrapping_add(x >> 8) & 0x00ff_00ff_00ff_00ff;
    let x = (x.wrapping_mul(100) + (x >> 16)) & 0x0000_ffff_0000_ffff;
    // The two halves are numbers of up to 9,999. A product of 32-bit numbers has an instruction for
    // vectors.
    u64::from(x as u32) * 10_000 + (x >> 32)
}

/// Not zero if a byte of `x` isn't 0 to 9.
#[inline(always)]
pub(super) fn wrong_digits(x: u64) -> u64 {
    wrong_bytes(x, 0x7676_7676_7676_7676)
}

/// Not zero if the sum of a byte of `x` and the same byte of `margins` is not below 128. With a
/// margin of `0x76` the bytes 0 to 9 stay below 128, with one of `0x7f` only 0 does.
#[inline(always)]
pub(super) fn wrong_bytes(x: u64, margins: u64) -> u64 {
    // A byte that carries into the next one is wrong itself, so the carry can only find more bytes
    // wrong.
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

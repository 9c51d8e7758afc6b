//! Rows of generated files. All rows of a file have the same number of bytes.

/// Writes `number`, zero-padded to `width` digits.
pub(crate) fn digits(mut number: u64, width: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + width, b'0');
    for digit in out[start..].iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
}

/// A little over a hundred bytes: a key, a price, a day, and two texts, one of them quoted.
pub(crate) fn narrow_row(row: u64, out: &mut Vec<u8>) {
    out.push(b'1');
    digits(row, 9, out);
    out.push(b',');
    digits(row % 1000, 3, out);
    out.extend_from_slice(b".25,2024-02-");
    digits(row % 28 + 1, 2, out);
    out.extend_from_slice(b",\"a quoted, or even \"\"doubly quoted\"\" remark\",");
    digits(row.wrapping_mul(2654435761) % 1_000_000_000, 9, out);
    out.extend_from_slice(b" plain text of some length, but no comma"[..23].as_ref());
    out.push(b'\n');
}

pub(crate) const NARROW_HEADER: &str = "id,price,day,remark,note\n";

pub(crate) const WIDE_HEADER: &str = "id,text\n";

/// A key and 10 KB of text.
pub(crate) fn wide_row(row: u64, out: &mut Vec<u8>) {
    digits(row + 1_000_000, 7, out);
    out.extend_from_slice(b",\"");
    for part in 0..640 {
        digits(row * 1000 + part, 13, out);
        out.extend_from_slice(b"\n, ");
    }
    out.extend_from_slice(b"\"\n");
}

/// The number of columns of [`many_columns_row`].
const MANY_COLUMNS: usize = 1000;

pub(crate) fn many_columns_header() -> String {
    let names: Vec<_> = (0..MANY_COLUMNS).map(|column| format!("c{column}")).collect();
    names.join(",") + "\n"
}

/// A key, and numbers, texts and prices in turn.
pub(crate) fn many_columns_row(row: u64, out: &mut Vec<u8>) {
    digits(row + 1_000_000, 7, out);
    for column in 1..MANY_COLUMNS as u64 {
        out.extend_from_slice([b",1".as_slice(), b",text of column ", b",1."][column as usize % 3]);
        digits(row * column % 100_000, 5, out);
    }
    out.push(b'\n');
}

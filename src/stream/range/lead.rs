//! [`LeadRecords`]: whether the bytes before a range hold a part of a record.

use crate::grammar::{BOM, Dialect, Terminator};

/// Looks for a byte of a record before a range. If there is one, the file's first record, which may
/// be a header, has started. So the first record of the range is not the header.
///
/// Without one, only comments and blank lines may stand before the range. A byte is a record's if it
/// is no terminator and can't be a comment's. A comment ends with LF. So the byte after an LF is a
/// comment's only if it is the comment byte.
#[derive(Debug, Clone)]
pub(super) struct LeadRecords {
    terminator: Terminator,
    comment: Option<u8>,
    /// The first byte of the range.
    end: u64,
    /// Whether the byte before `next` was an LF.
    after_lf: bool,
    /// The byte after the last one that was looked at.
    next: u64,
    has_record: bool,
}

impl LeadRecords {
    /// For the bytes before byte `end` of a file. Without a header, nothing has to be found.
    pub(super) fn new(dialect: &Dialect, end: u64) -> Self {
        LeadRecords {
            terminator: dialect.terminator(),
            comment: dialect.comment(),
            end,
            after_lf: false,
            next: 0,
            has_record: !dialect.has_header(),
        }
    }

    /// The first byte of the range.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Whether a byte of a record stands before the range.
    pub(super) fn has_record(&self) -> bool {
        self.has_record
    }

    /// Looks at bytes of the file, the first of which is at `at`.
    pub(super) fn push(&mut self, at: u64, bytes: &[u8]) {
        let before = self.end.saturating_sub(at).min(bytes.len() as u64);
        self.after_lf &= at == self.next;
        self.next = at + before;
        // A BOM is no part of a record.
        let bom = (BOM.len() as u64).saturating_sub(at).min(before);
        for &byte in &bytes[bom as usize..before as usize] {
            if self.has_record {
                return;
            }
            let may_be_comment = self.comment.is_some_and(|comment| !self.after_lf || byte == comment);
            self.has_record = !self.terminator.is(byte) && !may_be_comment;
            self.after_lf = byte == b'\n';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_record(comment: Option<u8>, bytes: &[u8]) -> bool {
        let dialect = Dialect::builder().with_comment(comment).build().unwrap();
        let mut lead = LeadRecords::new(&dialect, 1000);
        let (first, rest) = bytes.split_at(bytes.len() / 2);
        let at = 1000 - bytes.len() as u64;
        lead.push(at, first);
        lead.push(at + first.len() as u64, rest);
        lead.push(1000, b"1,2\n1,2\n");
        lead.has_record()
    }

    #[test]
    fn blank_lines_and_comments_are_no_records() {
        for (bytes, without_comments, with_comments) in [
            (&b""[..], false, false),
            (b"\n\r\n\n", false, false),
            (b"a", true, false),
            (b"a\n", true, false),
            (b"a\n#b\n\n", true, false),
            (b"\na", true, true),
            (b"#a\n#b\nc", true, true),
            (b"#a\n\"", true, true),
        ] {
            assert_eq!(has_record(None, bytes), without_comments, "{bytes:?}");
            assert_eq!(has_record(Some(b'#'), bytes), with_comments, "{bytes:?}");
        }
        let mut front = LeadRecords::new(&Dialect::default(), 1000);
        front.push(0, BOM);
        front.push(BOM.len() as u64, b"\n\n");
        assert!(!front.has_record());
        // A longer lead starts before the bytes that were looked at.
        let dialect = Dialect::builder().with_comment(b'#').build().unwrap();
        let mut lead = LeadRecords::new(&dialect, 1000);
        lead.push(990, b"comment\n#\n");
        lead.push(980, b"a comment\n");
        assert!(!lead.has_record());
        let headerless = Dialect::builder().with_header(false).build().unwrap();
        assert!(LeadRecords::new(&headerless, 0).has_record());
    }
}

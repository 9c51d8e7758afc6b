//! The limits of a sample, and the estimates from it.

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::infer::{Enough, InferredSchema, SampleOptions, SchemaSampler};

use crate::{MAX_RECORD_BYTES, empty_is_null, infer_with, shown};

fn bounded(max_records: usize, max_bytes: usize, files: &[&[u8]]) -> InferredSchema {
    let options = SampleOptions { max_records, max_bytes, ..Default::default() };
    infer_with(Dialect::builder(), &options, files).unwrap()
}

#[test]
fn records_behind_the_bound_are_not_looked_at() {
    let file = b"a\n1\n2\n3.5\nx\n";
    for (max_records, expected) in [(1, "a: Int64"), (2, "a: Int64"), (3, "a: Float64"), (4, "a: Utf8")] {
        let inferred = bounded(max_records, 1 << 20, &[file]);
        assert_eq!((shown(&inferred).as_str(), inferred.records), (expected, max_records));
        assert!(!inferred.is_whole);
    }
    let inferred = bounded(5, 1 << 20, &[file]);
    assert_eq!((inferred.records, inferred.is_whole), (4, true));
}

#[test]
fn bytes_behind_the_bound_are_not_looked_at() {
    let file = b"a\n1\n2\n3.5\nx\n";
    for (max_bytes, records, expected) in [
        (0, 1, "a: Int64"),
        (4, 1, "a: Int64"),
        (5, 1, "a: Int64"),
        (6, 2, "a: Int64"),
        (9, 2, "a: Int64"),
        (10, 3, "a: Float64"),
        (11, 3, "a: Float64"),
        (12, 4, "a: Utf8"),
    ] {
        let inferred = bounded(1000, max_bytes, &[file]);
        assert_eq!((shown(&inferred).as_str(), inferred.records), (expected, records), "{max_bytes}");
        assert!(!inferred.is_whole);
    }
    assert!(bounded(1000, 13, &[file]).is_whole);
}

#[test]
fn the_first_record_is_looked_at_however_long() {
    let file = [&b"a,b\n\""[..], &[b'x'; 500], b"\",1\n2,y\n"].concat();
    let inferred = bounded(1000, 10, &[&file]);
    assert_eq!((shown(&inferred).as_str(), inferred.records), ("a: Utf8, b: Int64", 1));
}

#[test]
fn nothing_is_inferred_from_no_records() {
    let inferred = bounded(0, 1 << 20, &[b"a,b\n1,2\n3\n", b"c\n"]);
    assert_eq!((shown(&inferred).as_str(), inferred.records), ("a: Utf8, b: Utf8", 0));
    assert_eq!(inferred.bytes_per_record(), None);
    let options = SampleOptions { max_records: 0, ..Default::default() };
    let inferred = infer_with(Dialect::builder().with_header(false), &options, &[b"1,2\n3\n"]).unwrap();
    assert_eq!((shown(&inferred).as_str(), inferred.records), ("column_1: Utf8, column_2: Utf8", 0));
}

#[test]
fn the_bounds_are_over_all_files() {
    let files: &[&[u8]] = &[b"a\n1\n2\n", b"a\n3.5\nx\n", b"b,c\n"];
    assert_eq!(shown(&bounded(2, 1 << 20, files)), "a: Int64");
    assert_eq!(shown(&bounded(3, 1 << 20, files)), "a: Float64");
    assert_eq!(shown(&bounded(1000, 6, files)), "a: Int64");
    assert_eq!(shown(&bounded(1000, 12, files)), "a: Float64");
    assert_eq!(shown(&bounded(4, 1 << 20, files)), "a: Utf8");
}

#[test]
fn bytes_are_those_of_the_records() {
    for (file, bytes) in [
        (&b"\xef\xbb\xbfid,name\n1,x\n2,y\n"[..], 8),
        (b"id,name\n1,x\n2,y", 7),
        (b"id,name\n\"1\n\",x\n", 7),
        (b"id,name\n", 0),
    ] {
        assert_eq!(bounded(1000, 1 << 20, &[file, b""]).bytes, bytes);
    }
    let inferred = bounded(1000, 1 << 20, &[b"a\n1\n", b"a\n123\n"]);
    assert_eq!((inferred.bytes, inferred.bytes_per_record()), (6, Some(3.0)));
    assert_eq!(bounded(1, 1 << 20, &[b"a\n1\n22\n333\n"]).bytes, 2);
}

#[test]
fn a_file_that_is_left_is_not_whole_and_its_last_record_is_ignored() {
    let mut sampler =
        SchemaSampler::new(&Dialect::default(), empty_is_null(), &Default::default(), MAX_RECORD_BYTES);
    assert_eq!(sampler.push(b"a\n1\nte").unwrap(), Enough::NotYet);
    sampler.start_file();
    assert_eq!(sampler.push(b"a\n2\n").unwrap(), Enough::NotYet);
    sampler.finish_file().unwrap();
    let inferred = sampler.finish();
    assert_eq!((shown(&inferred).as_str(), inferred.records), ("a: Int64", 2));
    assert!(!inferred.is_whole);
}

//! The kinds of files that a table can have.

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use datafusion_csv_stream::CsvSessionExt;
use object_store::chunked::ChunkedStore;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::support::{folder, path, rows, session};

#[tokio::test]
async fn empty_and_header_only_files_have_no_rows() {
    let files =
        folder(&[("t/a.csv", b"n,s\n1,x\n"), ("t/b.csv", b""), ("t/c.csv", b"n,s\n"), ("t/d.csv", b"n,s")]);
    let ctx = session();
    ctx.register_csv_file("t", &path(&files, "t")).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT n, s FROM t").await, ["1|x"]);
    assert_eq!(rows(&ctx, "SELECT count(*) FROM t").await, ["1"]);
    ctx.register_csv_file("header", &path(&files, "t/c.csv")).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT count(*), count(n) FROM header").await, ["0|0"]);
}

#[tokio::test]
async fn a_store_may_cut_bytes_anywhere() {
    let text = b"\xef\xbb\xbfid,name,note\r\n1,\"one, two\",\"a\r\nb\"\r\n2,\"say \"\"hi\"\"\",\r\n\r\n3,plain,5\" pipe\r\n";
    let expected = ["1|one, two", "2|say \"hi\"", "3|plain"];
    for chunk in [1, 2, 3, 7, 64, 1000] {
        let store = InMemory::new();
        store.put(&"t.csv".into(), text.to_vec().into()).await.unwrap();
        let ctx = SessionContext::new();
        let store = ChunkedStore::new(Arc::new(store) as Arc<dyn ObjectStore>, chunk);
        ctx.register_object_store(&"mem://s/".parse().unwrap(), Arc::new(store));
        ctx.register_csv_file("t", "mem://s/t.csv").await.unwrap();
        assert_eq!(rows(&ctx, "SELECT id, name FROM t").await, expected, "chunks of {chunk}");
        assert_eq!(
            rows(&ctx, "SELECT count(*), max(length(note)) FROM t").await,
            ["3|7"],
            "chunks of {chunk}"
        );
    }
}

#[tokio::test]
async fn input_file_name_and_partition_columns_stand_beside_files_columns() {
    let files = folder(&[("t/k=1/a.csv", b"n\n1\n"), ("t/k=2/b.csv", b"n\n2\n")]);
    let ctx = session();
    ctx.register_csv_file("t", &path(&files, "t")).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT n, k FROM t ORDER BY n").await, ["1|1", "2|2"]);
    let mut names = rows(&ctx, "SELECT n, k, input_file_name() FROM t").await;
    names.sort();
    assert!(names[0].starts_with("1|1|") && names[0].ends_with("/t/k=1/a.csv"), "{names:?}");
    assert!(names[1].starts_with("2|2|") && names[1].ends_with("/t/k=2/b.csv"), "{names:?}");
    assert_eq!(rows(&ctx, "SELECT k FROM t ORDER BY k").await, ["1", "2"]);
}

#[tokio::test]
async fn a_thousand_small_files_are_one_table() {
    let names: Vec<_> = (0..1000).map(|i| (format!("t/{i:04}.csv"), format!("n\n{i}\n"))).collect();
    let files: Vec<_> = names.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let files = folder(&files);
    let ctx = session();
    ctx.register_csv_file("t", &path(&files, "t")).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT count(*), sum(n), max(n) FROM t").await, ["1000|499500|999"]);
}

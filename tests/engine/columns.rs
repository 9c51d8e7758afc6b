//! Columns are matched by the names in each file's header.

use std::sync::Arc;

use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::infer::MatchColumns;
use datafusion_csv_stream::{CsvFormatOptions, CsvSessionExt};
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;

use crate::requests::{logged, take_gets};
use crate::support::{error, folder, path, rows, session};

fn partitions(count: usize) -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(count).with_repartition_file_min_size(1);
    let ctx = SessionContext::new_with_config(config);
    datafusion_csv_stream::install(&ctx).unwrap();
    ctx
}

/// The table has the columns of both files, and each row has its own.
#[tokio::test]
async fn a_column_that_a_file_lacks_is_null_there() {
    let files = folder(&[
        ("t/1.csv", b"id,kind,minutes\n1,IC,5\n2,IC,50\n"),
        ("t/2.csv", b"id,kind,platform,minutes\n3,ICE,4b,7\n"),
        ("t/3.csv", b"minutes,id\n9,4\n"),
    ]);
    for count in [1, 2, 7, 64] {
        let ctx = partitions(count);
        ctx.register_csv_file("t", &path(&files, "t")).await.unwrap();
        let all = rows(&ctx, "SELECT * FROM t ORDER BY id").await;
        assert_eq!(all, ["1|IC||5", "2|IC||50", "3|ICE|4b|7", "4|||9"], "{count} partitions");
        assert_eq!(rows(&ctx, "SELECT minutes FROM t WHERE platform = '4b'").await, ["7"]);
        assert_eq!(
            rows(&ctx, "SELECT id FROM t WHERE platform IS NULL AND minutes > 8 ORDER BY 1").await,
            ["2", "4"]
        );
        assert_eq!(rows(&ctx, "SELECT platform FROM t WHERE id = 1").await, [""]);
        assert_eq!(rows(&ctx, "SELECT count(*), count(platform), sum(minutes) FROM t").await, ["4|1|71"]);
        assert_eq!(rows(&ctx, "SELECT id FROM t ORDER BY minutes DESC LIMIT 1").await, ["2"]);
    }
}

/// Headers in other orders lead to the same rows, in every partition of a file, and compressed.
#[tokio::test]
async fn the_order_of_a_header_makes_no_difference() {
    let record = |n: usize| [format!("{n}"), format!("name {n}"), format!("{}.5", n % 7)];
    let file = |order: [usize; 3], from: usize| {
        let names = ["id", "Name", "price"];
        let mut text = order.map(|column| names[column]).join(",") + "\n";
        for n in from..from + 500 {
            let record = record(n);
            text += &(order.map(|column| record[column].clone()).join(",") + "\n");
        }
        text.into_bytes()
    };
    let files = folder(&[
        ("t/a.csv", &file([0, 1, 2], 0)),
        ("t/b.csv", &file([2, 0, 1], 500)),
        ("t/c.csv", &file([1, 2, 0], 1000)),
    ]);
    let all = path(&files, "t");
    let declared = format!(
        "CREATE EXTERNAL TABLE d (price DOUBLE, id BIGINT, name VARCHAR) STORED AS CSV LOCATION '{all}/'"
    );
    for count in [1, 2, 7, 64] {
        let ctx = partitions(count);
        ctx.register_csv_file("i", &all).await.unwrap();
        rows(&ctx, &declared).await;
        for (table, name) in [("i", "\"Name\""), ("d", "name")] {
            let sum = format!("SELECT count(*), sum(id), sum(price), count(DISTINCT {name}) FROM {table}");
            let prices: usize = (0..1500).map(|n| 2 * (n % 7) + 1).sum();
            let expected = format!("1500|1124250|{:.1}|1500", prices as f64 / 2.0);
            assert_eq!(rows(&ctx, &sum).await, [expected], "{table}, {count} partitions");
            let one = format!("SELECT {name}, price FROM {table} WHERE id = 777");
            assert_eq!(rows(&ctx, &one).await, ["name 777|0.5"], "{table}, {count} partitions");
            let ordered = format!("SELECT id FROM {table} WHERE price < 1 ORDER BY id DESC LIMIT 2");
            assert_eq!(rows(&ctx, &ordered).await, ["1498", "1491"], "{table}, {count} partitions");
        }
    }
    let ctx = session();
    rows(&ctx, &format!("COPY (SELECT price, id FROM (VALUES (1.5, 7)) AS v(price, id)) TO '{all}/z.csv'"))
        .await;
    ctx.register_csv_file("i", &all).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT \"Name\", price FROM i WHERE id = 7 AND price = 1.5").await, ["|1.5"]);
}

/// A header that shares no name with a declared table, or shows that columns were renamed.
#[tokio::test]
async fn a_renamed_column_is_matched_by_position() {
    let files = folder(&[("t.csv", b"a,b,c\n1,2,3\n")]);
    let ctx = session();
    let file = path(&files, "t.csv");
    for (table, columns, expected) in [
        ("others", "x INT, y INT, z INT", "1|2|3"),
        ("renamed", "a INT, total INT, c INT", "1|2|3"),
        ("cased", "\"C\" INT, \"B\" INT, \"A\" INT", "3|2|1"),
    ] {
        rows(&ctx, &format!("CREATE EXTERNAL TABLE {table} ({columns}) STORED AS CSV LOCATION '{file}'"))
            .await;
        assert_eq!(rows(&ctx, &format!("SELECT * FROM {table}")).await, [expected], "{columns}");
    }
}

/// Any other header is an error with both lists, and the option that accepts it.
#[tokio::test]
async fn a_header_that_shows_no_way_is_an_error() {
    let files = folder(&[("t.csv", b"a,b,c\n1,2,3\n")]);
    let ctx = session();
    let file = path(&files, "t.csv");
    for (columns, by_name, by_position) in [
        ("a INT, b INT", "1|2", None),
        ("c INT, x INT, a INT", "3||1", Some("1|2|3")),
        ("b INT, a INT, x INT, y INT", "2|1||", None),
    ] {
        let create = |options: &str| {
            format!(
                "CREATE OR REPLACE EXTERNAL TABLE t ({columns}) STORED AS CSV LOCATION '{file}' {options}"
            )
        };
        rows(&ctx, &create("")).await;
        let message = error(&ctx, "SELECT * FROM t").await.to_string();
        for part in
            ["t.csv", r#"the header has the columns "a", "b", "c"; the table has ""#, "match_columns = name"]
        {
            assert!(message.contains(part), "{columns}: {message}");
        }
        rows(&ctx, &create("OPTIONS ('match_columns' 'name')")).await;
        assert_eq!(rows(&ctx, "SELECT * FROM t").await, [by_name], "{columns}");
        rows(&ctx, &create("OPTIONS ('match_columns' 'position')")).await;
        match by_position {
            Some(expected) => assert_eq!(rows(&ctx, "SELECT * FROM t").await, [expected], "{columns}"),
            None => assert!(error(&ctx, "SELECT * FROM t").await.to_string().contains("fields"), "{columns}"),
        }
    }
    let missing = format!(
        "CREATE EXTERNAL TABLE n (a INT, x INT NOT NULL) STORED AS CSV LOCATION '{file}' \
         OPTIONS ('match_columns' 'name')"
    );
    rows(&ctx, &missing).await;
    let message = error(&ctx, "SELECT * FROM n").await.to_string();
    assert!(message.contains("has no column \"x\", which can't be NULL"), "{message}");
    assert_eq!(rows(&ctx, "SELECT a FROM n").await, ["1"]);
}

/// The value in a folder's name comes before one in the file.
#[tokio::test]
async fn a_partition_column_comes_from_the_folder() {
    let files = folder(&[("t/year=1/a.csv", b"n,year,s\n1,9,x\n"), ("t/year=2/b.csv", b"s,n\ny,2\n")]);
    let ctx = session();
    let folder = path(&files, "t");
    rows(
        &ctx,
        &format!(
            "CREATE EXTERNAL TABLE t (n INT, s VARCHAR, year INT) STORED AS CSV \
             PARTITIONED BY (year) LOCATION '{folder}/'"
        ),
    )
    .await;
    assert_eq!(rows(&ctx, "SELECT n, s, year FROM t ORDER BY n").await, ["1|x|1", "2|y|2"]);
    assert_eq!(rows(&ctx, "SELECT s FROM t WHERE year = 2 AND n = 2").await, ["y"]);
}

/// `split -l 2 huge.csv part_`: only the first part has the header.
#[tokio::test]
async fn a_part_without_a_header_keeps_its_first_record() {
    let files = folder(&[
        ("t/part_aa.csv", b"n,s\n1,a\n"),
        ("t/part_ab.csv", b"2,b\n3,c\n"),
        ("t/part_ac.csv", b"4,d"),
    ]);
    let large: String = (5..3005).map(|n| format!("{n},e\n")).collect();
    std::fs::write(path(&files, "t/part_ad.csv"), large).unwrap();
    for count in [1, 2, 7, 64] {
        let ctx = partitions(count);
        ctx.register_csv_file("t", &path(&files, "t")).await.unwrap();
        assert_eq!(rows(&ctx, "SELECT count(*), sum(n), min(s) FROM t").await, ["3004|4513510|a"], "{count}");
        assert_eq!(rows(&ctx, "SELECT count(*) FROM t").await, ["3004"], "{count}");
        assert_eq!(rows(&ctx, "SELECT s FROM t WHERE n IN (2, 4) ORDER BY n").await, ["b", "d"], "{count}");
    }
    // A record of text alone may be a header.
    let files = folder(&[("t/a.csv", b"s,t\nx,y\n"), ("t/b.csv", b"v,w\n")]);
    let ctx = session();
    let found = ctx.register_csv_file("t", &path(&files, "t")).await.unwrap_err().to_string();
    assert!(found.contains("shares no name") && found.contains("has_header = false"), "{found}");
    // Then it is a header, as in DataFusion's reader.
    let by_position = CsvFormatOptions::new().with_match_columns(MatchColumns::Position);
    ctx.register_csv_file_with_options("t", &path(&files, "t"), by_position).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT s, t FROM t").await, ["x|y"]);
}

/// One small request for the header of each file that inference has not read, and none per range.
#[tokio::test]
async fn a_header_is_requested_once_for_each_file() {
    let store = InMemory::new();
    let headers = ["id,name,price\n1,a,0.5\n", "price,id,name\n0.5,1,a\n", "name,price,id\na,0.5,1\n"];
    for number in 0..200 {
        let text = headers[number % 3].as_bytes().to_vec();
        store.put(&format!("t/{number:03}.csv").as_str().into(), text.into()).await.unwrap();
    }
    let large = String::from("name,id\n") + &"a,1\n".repeat(100_000);
    store.put(&"large.csv".into(), large.into_bytes().into()).await.unwrap();
    let ctx = partitions(4);
    let store = logged(Arc::new(store), &ctx);
    for (name, location) in [("t", "mem://s/t/"), ("large", "mem://s/large.csv")] {
        let columns = "id INT, name VARCHAR";
        let more = if name == "t" { ", price DOUBLE" } else { "" };
        let create =
            format!("CREATE EXTERNAL TABLE {name} ({columns}{more}) STORED AS CSV LOCATION '{location}'");
        rows(&ctx, &create).await;
    }
    take_gets(&store);
    assert_eq!(rows(&ctx, "SELECT sum(id), sum(price), min(name) FROM t").await, ["200|100.0|a"]);
    assert_eq!(take_gets(&store).len(), 400, "a header and the records of each file");
    assert_eq!(rows(&ctx, "SELECT count(*) FROM t").await, ["200"]);
    assert_eq!(take_gets(&store).len(), 200, "counting needs no header");
    assert_eq!(rows(&ctx, "SELECT sum(id), min(name) FROM large").await, ["100000|a"]);
    let fronts = take_gets(&store).iter().filter(|get| get.contains("bytes=0-65535 ")).count();
    assert_eq!(fronts, 1, "all ranges of a file share its header");
}

/// Names that were inferred are those of a file, so another name is another column. It makes no
/// difference whether the file is in the sample.
#[tokio::test]
async fn a_column_of_an_inferred_table_is_never_another_one() {
    for sampled in [1, 1200] {
        let first = String::from("id,price\n") + &"5,2.5\n".repeat(sampled);
        let files = folder(&[("t/a.csv", first.as_bytes()), ("t/b.csv", b"id,quantity\n1,777\n")]);
        let ctx = session();
        ctx.register_csv_file("t", &path(&files, "t")).await.unwrap();
        if sampled == 1 {
            assert_eq!(rows(&ctx, "SELECT * FROM t ORDER BY id").await, ["1|777|", "5||2.5"]);
        } else {
            let message = error(&ctx, "SELECT * FROM t").await.to_string();
            assert!(message.contains("b.csv") && message.contains(r#""id", "quantity""#), "{message}");
        }
    }
}

/// A first record that shares no name with the table is data or an error. It is never dropped.
#[tokio::test]
async fn a_first_record_is_never_dropped_by_a_guess() {
    let many =
        |header: &str, record: &str| format!("{header}\n{}", format!("{record}\n").repeat(1200)).into_bytes();
    for (first, second) in [
        (b"id,name\n1,n\n".to_vec(), &b"007,bob\n3,joe\n"[..]),
        (b"id,name\n1,n\n".to_vec(), b"N/A,bob\n2,joe\n"),
        (many("id,name", "1,n"), b"2.5,bob\n3,joe\n"),
        (many("id,price", "1,2"), b"5001,999999999999999999999\n5002,7\n"),
        (many("a,b,c", "1,2,3"), b"7,8\n9,10\n"),
        (b"2019,2020\n5,6\n".to_vec(), b"2021,2022\n7,8\n"),
        (many("2019,2020", "5,6"), b"2021,2022\n7,8\n"),
    ] {
        let files = folder(&[("t/a.csv", &first), ("t/b.csv", second)]);
        let ctx = session();
        let message = match ctx.register_csv_file("t", &path(&files, "t")).await {
            Err(refused) => refused.to_string(),
            Ok(()) => error(&ctx, "SELECT * FROM t").await.to_string(),
        };
        assert!(message.contains("may be data") && message.contains("has_header = false"), "{message}");
    }
}

/// One format may be of several tables. Each has the columns and the rules of its own schema.
#[tokio::test]
async fn tables_of_one_format_are_kept_apart() {
    use datafusion::datasource::listing::{
        ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
    };
    let files = folder(&[
        ("a.csv", &(String::from("zip\n") + &"12345\n".repeat(1100) + "02139\n").into_bytes()),
        ("b.csv", b"other\n1.5\n"),
    ]);
    let ctx = session();
    let format = Arc::new(datafusion_csv_stream::CsvStreamFormat::default());
    for name in ["a", "b"] {
        let url = ListingTableUrl::parse(path(&files, &format!("{name}.csv"))).unwrap();
        let options = ListingOptions::new(format.clone());
        let config = ListingTableConfig::new(url).with_listing_options(options);
        let config = config.infer_schema(&ctx.state()).await.unwrap();
        ctx.register_table(name, Arc::new(ListingTable::try_new(config).unwrap())).unwrap();
    }
    assert!(error(&ctx, "SELECT max(zip) FROM a").await.to_string().contains("02139"));
    assert_eq!(rows(&ctx, "SELECT other FROM b").await, ["1.5"]);
}

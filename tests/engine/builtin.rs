//! The same answers as DataFusion's built-in reader, on files that it reads correctly.

use datafusion::arrow::compute::concat_batches;
use datafusion::prelude::{CsvReadOptions, SessionContext};
use datafusion_csv_stream::CsvSessionExt;

use crate::support::{Random, folder, path, query, rows};

/// Rows like TPC-H's lineitem.
fn lineitem(rows: u64) -> String {
    const COMMENTS: [&str; 5] =
        ["carefully final deposits", "\"quick, bold\"", "", "\"say \"\"no\"\" twice\"", "ironic théodolites"];
    let mut random = Random(42);
    let mut text = String::from(
        "l_orderkey,l_partkey,l_suppkey,l_linenumber,l_quantity,l_extendedprice,l_discount,l_tax,l_returnflag,\
         l_linestatus,l_shipdate,l_commitdate,l_receiptdate,l_shipinstruct,l_shipmode,l_comment\n",
    );
    for row in 0..rows {
        let date = |random: &mut Random| {
            format!("199{}-{:02}-{:02}", random.below(9), random.below(12) + 1, random.below(28) + 1)
        };
        text.push_str(&format!(
            "{},{},{},{},{},{}.{:02},0.{:02},0.0{},{},{},{},{},{},{},{},{}\n",
            row / 4 + 1,
            random.below(200_000),
            random.below(10_000),
            row % 4 + 1,
            random.below(50) + 1,
            random.below(100_000),
            random.below(100),
            random.below(11),
            random.below(9),
            ["A", "N", "R"][random.below(3) as usize],
            ["O", "F"][random.below(2) as usize],
            date(&mut random),
            date(&mut random),
            date(&mut random),
            ["DELIVER IN PERSON", "NONE", "TAKE BACK RETURN"][random.below(3) as usize],
            ["AIR", "MAIL", "SHIP", "TRUCK"][random.below(4) as usize],
            COMMENTS[random.below(5) as usize],
        ));
    }
    text
}

#[tokio::test]
async fn lineitem_has_the_same_schema_rows_and_sums() {
    let text = lineitem(20_000);
    let files = folder(&[("lineitem.csv", text.as_bytes())]);
    let file = path(&files, "lineitem.csv");
    let theirs = SessionContext::new();
    theirs.register_csv("t", &file, CsvReadOptions::new()).await.unwrap();
    let ours = SessionContext::new();
    ours.register_csv_file("t", &file).await.unwrap();

    let schema = |ctx: &SessionContext| {
        let ctx = ctx.clone();
        async move { ctx.table("t").await.unwrap().schema().inner().clone() }
    };
    assert_eq!(schema(&ours).await, schema(&theirs).await);

    for sql in [
        "SELECT count(*) FROM t",
        "SELECT sum(l_orderkey), sum(l_partkey), sum(l_suppkey), sum(l_linenumber), sum(l_quantity) FROM t",
        "SELECT round(sum(l_extendedprice), 2), round(sum(l_discount), 2), round(sum(l_tax), 2) FROM t",
        "SELECT max(l_orderkey), max(l_partkey), max(l_suppkey), max(l_linenumber), max(l_quantity), \
         max(l_extendedprice), max(l_discount), max(l_tax), max(l_returnflag), max(l_linestatus), max(l_shipdate), \
         max(l_commitdate), max(l_receiptdate), max(l_shipinstruct), max(l_shipmode), max(l_comment) FROM t",
        "SELECT count(l_comment), count(DISTINCT l_comment), min(l_comment) FROM t",
        "SELECT l_returnflag, l_linestatus, count(*), sum(l_quantity) FROM t WHERE l_shipdate <= DATE '1996-09-02' \
         GROUP BY l_returnflag, l_linestatus ORDER BY 1, 2",
        "SELECT round(sum(l_extendedprice * l_discount), 2) FROM t WHERE l_discount BETWEEN 0.05 AND 0.07 \
         AND l_quantity < 24",
    ] {
        assert_eq!(rows(&ours, sql).await, rows(&theirs, sql).await, "{sql}");
    }

    // Every value of every row is the same too, bit for bit.
    let sql = "SELECT * FROM t ORDER BY l_orderkey, l_linenumber";
    let whole = |batches: Vec<_>| {
        concat_batches(&datafusion::arrow::array::RecordBatch::schema(&batches[0]), &batches)
    };
    let ours = whole(query(&ours, sql).await.unwrap()).unwrap();
    let theirs = whole(query(&theirs, sql).await.unwrap()).unwrap();
    assert_eq!(ours, theirs);
}

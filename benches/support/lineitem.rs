//! Data like that of TPC-H's lineitem.

use std::fmt::Write;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::random::Random;

/// The schema of TPC-H's lineitem.
pub(crate) fn lineitem_schema() -> SchemaRef {
    let decimal = DataType::Decimal128(15, 2);
    let columns = [
        ("l_orderkey", DataType::Int64),
        ("l_partkey", DataType::Int64),
        ("l_suppkey", DataType::Int64),
        ("l_linenumber", DataType::Int64),
        ("l_quantity", decimal.clone()),
        ("l_extendedprice", decimal.clone()),
        ("l_discount", decimal.clone()),
        ("l_tax", decimal),
        ("l_returnflag", DataType::Utf8View),
        ("l_linestatus", DataType::Utf8View),
        ("l_shipdate", DataType::Date32),
        ("l_commitdate", DataType::Date32),
        ("l_receiptdate", DataType::Date32),
        ("l_shipinstruct", DataType::Utf8View),
        ("l_shipmode", DataType::Utf8View),
        ("l_comment", DataType::Utf8View),
    ];
    Arc::new(Schema::new(columns.map(|(name, data_type)| Field::new(name, data_type, true)).to_vec()))
}

/// Rows like lineitem's, without a header.
pub(crate) fn lineitem(rows: usize) -> String {
    let mut random = Random::new();
    let mut text = String::new();
    for row in 0..rows {
        let quantity = 1 + random.below(50);
        let price = quantity * (90_000 + random.below(20_000_000));
        let instructions = ["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"];
        let modes = ["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"];
        let words =
            ["carefully", "final", "deposits", "sleep", "slyly", "requests", "about", "the", "even", "ideas"];
        let comment: Vec<&str> = (0..2 + random.below(5)).map(|_| words[random.below(10) as usize]).collect();
        writeln!(
            text,
            "{},{},{},{},{quantity}.00,{}.{:02},0.{:02},0.{:02},{},{},{},{},{},{},{},{}",
            1 + row / 4,
            1 + random.below(200_000),
            1 + random.below(10_000),
            1 + row % 4,
            price / 100,
            price % 100,
            random.below(11),
            random.below(9),
            ["N", "R", "A"][random.below(3) as usize],
            ["O", "F"][random.below(2) as usize],
            random.date(),
            random.date(),
            random.date(),
            instructions[random.below(4) as usize],
            modes[random.below(7) as usize],
            comment.join(" "),
        )
        .expect("a string can be written to");
    }
    text
}

//! The schema of the benches' data.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

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

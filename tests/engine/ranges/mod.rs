//! Byte ranges through DataFusion: however a file is cut, every record once, or an error that says where.

mod cases;
mod errors;
mod limits;
mod metrics;
mod plans;
mod property;
mod table;

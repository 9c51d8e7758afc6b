//! Byte ranges through DataFusion: however a file is cut, every record is read once, or there is an
//! error with its place.

mod bytes;
mod cases;
mod errors;
mod limits;
mod metrics;
mod plans;
mod property;
mod table;

//! The checks of `tests/parse`, for the fuzz targets.

#[path = "../../tests/parse/check.rs"]
pub mod check;
#[path = "../../tests/parse/finder.rs"]
pub mod finder;
#[path = "../../tests/parse/kept.rs"]
pub mod kept;
#[path = "../../tests/parse/oracle.rs"]
pub mod oracle;

//! Parts of the inside, for the tests, the benches and the fuzz targets of this crate.
//!
//! They are no part of the API, and change without notice.

pub use crate::grammar::bom::BOM;
pub use crate::grammar::machine::{Action, Machine, State};
pub use crate::parse::boundary::{Boundary, BoundaryFinder, FIRST_LEAD_BYTES, Proof, WHOLE_RECORDS};
pub use crate::parse::column::Spans;
pub use crate::parse::cut::CutFields;

//! The decoder gives the same values as `arrow-csv`.

#![no_main]

#[path = "../../tests/support/decode.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod decode;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decode::fuzz(bytes));

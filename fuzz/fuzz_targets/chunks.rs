//! However an input is cut, it reads the same.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| datafusion_csv_stream_fuzz::check::check_chunks(bytes));

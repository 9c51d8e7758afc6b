//! An input reads the same however it is cut into chunks.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| datafusion_csv_stream_fuzz::check::check_chunks(bytes));

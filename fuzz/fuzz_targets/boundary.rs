//! A record start that is proven is where it is, however the bytes around it are cut.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| datafusion_csv_stream_fuzz::finder::check_boundary(bytes));

//! On every back end an input reads the same.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| datafusion_csv_stream_fuzz::check::check_backends(bytes));

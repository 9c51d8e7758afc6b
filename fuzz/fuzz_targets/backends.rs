//! Every back end reads an input in the same way.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| datafusion_csv_stream_fuzz::check::check_backends(bytes));

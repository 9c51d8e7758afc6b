//! If a record is too long to be held, the parts of it that are needed are kept, however it is cut
//! into chunks.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| datafusion_csv_stream_fuzz::kept::check_cut_fields(bytes));

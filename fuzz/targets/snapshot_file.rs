#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oktapieces::fuzzing::snapshot_file(bytes));

#![no_main]

#[allow(dead_code)]
#[path = "../programs.rs"]
mod programs;

libfuzzer_sys::fuzz_target!(|data: &[u8]| programs::blocks(data));

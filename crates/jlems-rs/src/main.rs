//! The program `jlems-rs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    jlems_rs::run(std::env::args_os().collect())
}

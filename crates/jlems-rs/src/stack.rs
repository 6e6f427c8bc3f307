//! A stack that is large enough for the most deeply nested model that the limits allow, which needs about 400 kilobytes.

use std::ffi::OsString;
use std::panic::resume_unwind;
use std::process::ExitCode;
use std::thread::{Builder, JoinHandle};

/// Stack of a new thread, in bytes.
const LARGE: usize = 8 << 20;

/// Does what a command line says: in this thread, or in a new one if the stack of this one may be too small.
pub fn with_enough(execute: fn(Vec<OsString>) -> ExitCode, arguments: Vec<OsString>) -> ExitCode {
    if is_enough() {
        return execute(arguments);
    }
    let copy = arguments.clone();
    let thread = Builder::new()
        .stack_size(LARGE)
        .spawn(move || execute(copy));
    match thread.map(JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(panic)) => resume_unwind(panic),
        // There is no memory for it. This stack is large enough for most models.
        Err(_) => execute(arguments),
    }
}

/// Whether the stack of the first thread, whose size `ulimit -s` sets, is at least a megabyte.
#[cfg(unix)]
fn is_enough() -> bool {
    use rustix::process::{Resource, getrlimit};
    let limit = getrlimit(Resource::Stack).current;
    limit.is_none_or(|bytes| bytes >= 1 << 20)
}

#[cfg(not(unix))]
fn is_enough() -> bool {
    true
}

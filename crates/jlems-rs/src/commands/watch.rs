//! What ends the program from outside of a stage: its limits on time and memory, and full files.

#[cfg(unix)]
use std::sync::Arc;
use std::time::Duration;

use jlems::{LimitError, Options};

use super::printing::fail;
use super::run::signals::nothing_is_kept;

/// A file that has reached the size that it may have is an error like a full disk.
pub fn do_not_end_when_a_file_is_full() {
    #[cfg(unix)]
    {
        // Writing fails once the signal has somewhere to go.
        const SIGXFSZ: i32 = 25;
        let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
    }
}

/// Ends the program when its time is over: at once while it reads, builds or compiles; when it makes
/// steps, only if it does not see by itself that it has to end.
pub fn watch_over(options: &Options) {
    const GRACE: Duration = Duration::from_secs(5);
    watch_memory_of(options);
    let Some(limit) = options.limits.time() else {
        return;
    };
    std::thread::spawn(move || {
        // Wait a little longer: the current stage may report it with a better message.
        std::thread::sleep(limit.saturating_add(Duration::from_millis(300)));
        if !nothing_is_kept() {
            std::thread::sleep(GRACE);
        }
        fail(&LimitError::Time { limit }.into());
        std::process::exit(1);
    });
}

/// Ends the program with an error message when it has taken more memory than it may, in any stage. Otherwise
/// the system would end it without a message.
fn watch_memory_of(options: &Options) {
    const PERIOD: Duration = Duration::from_millis(20);
    let (limits, stage, host) = (options.limits, options.stage.clone(), options.host());
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(PERIOD);
            if let Err(error) = limits.allow_memory(&*host, &stage) {
                // A stage that ends now reports it itself.
                std::thread::sleep(PERIOD);
                fail(&error.into());
                std::process::exit(1);
            }
        }
    });
}

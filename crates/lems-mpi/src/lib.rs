//! Ranks that are processes of an MPI launcher, such as `mpirun` and `srun`.
//!
//! The program is not linked with MPI. [`join`] opens the library of MPI at run time, so one program works with Open
//! MPI, with MPICH and its relatives, with any library that has the standard ABI of MPI 5, and without MPI.

#[cfg(unix)]
mod border;
mod error;
mod framing;

use std::path::PathBuf;

use lems_ranks::{Exchange, Gone};

pub use error::{MpiError, Tried};
use framing::{Wire, gather};

/// This process as a rank among the processes of a launcher.
///
/// When it is dropped, it waits for the others to be dropped, and then ends MPI. If it is dropped because of a panic, or
/// after another process has gone, it ends all processes at once.
pub struct Process {
    wire: Box<dyn Wire>,
}

/// Opens the first of these libraries that can be opened, and joins the other processes of the launcher. A process
/// can do this once.
///
/// # Errors
/// No library can be opened, or it is none of MPI, or MPI does not start, or it sees fewer processes than
/// `launched`: then it is the library of another launcher.
pub fn join(libraries: &[PathBuf], launched: usize) -> Result<Process, MpiError> {
    #[cfg(unix)]
    {
        let (wire, library) = border::start(libraries)?;
        let found = wire.size();
        if found < launched {
            return Err(MpiError::OfAnotherLauncher {
                library,
                found,
                launched,
            });
        }
        Ok(Process { wire })
    }
    #[cfg(not(unix))]
    {
        let _ = (libraries, launched);
        Err(MpiError::NotOnThisSystem)
    }
}

impl Exchange for Process {
    fn rank(&self) -> usize {
        self.wire.rank()
    }

    fn size(&self) -> usize {
        self.wire.size()
    }

    fn gather(&mut self, words: &[u64]) -> Result<Vec<Vec<u64>>, Gone> {
        gather(&mut *self.wire, words)
    }
}

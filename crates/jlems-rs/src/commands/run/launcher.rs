//! Launchers that start several processes of one command: `mpirun`, `mpiexec`, `srun`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jlems::{Code, Failure};
use lems_mpi::Process;

/// Variables with the number of processes, by launcher: Open MPI and PRRTE, Hydra of the MPICH family and
/// other users of PMI, Intel MPI, and a step of a Slurm job.
const SIZES: [&str; 4] = [
    OF_OPEN_MPI,
    "PMI_SIZE",
    "MPI_LOCALNRANKS",
    "SLURM_STEP_NUM_TASKS",
];

const OF_OPEN_MPI: &str = "OMPI_COMM_WORLD_SIZE";

/// Variable with the place of a process, of launchers that work with Open MPI.
const OF_PMIX: &str = "PMIX_RANK";

/// Variable with the library that is to be opened.
const LIBRARY: &str = "JLEMS_MPI_LIBRARY";

/// Most processes of a run.
const MOST: u32 = 65_000;

/// Names of the libraries that belong to Open MPI.
#[cfg(not(target_os = "macos"))]
const OPEN_MPI: [&str; 2] = ["libmpi.so.40", "libmpi_abi.so.1"];
#[cfg(target_os = "macos")]
const OPEN_MPI: [&str; 2] = ["libmpi.40.dylib", "libmpi_abi.1.dylib"];

/// Names of the libraries that belong to MPICH and its relatives.
#[cfg(not(target_os = "macos"))]
const MPICH: [&str; 3] = ["libmpi_abi.so.1", "libmpi.so.12", "libmpich.so.12"];
#[cfg(target_os = "macos")]
const MPICH: [&str; 2] = ["libmpi_abi.1.dylib", "libmpi.12.dylib"];

/// The processes that a launcher has started of this command.
#[derive(Debug, PartialEq, Eq)]
pub struct Launched {
    number: u32,
    /// The variable of the environment that says so.
    variable: &'static str,
    /// Where the library of MPI may be, the likeliest first.
    libraries: Vec<PathBuf>,
}

/// What a launcher has started, if these are several processes.
pub fn several() -> Option<Launched> {
    Launched::of(|name| std::env::var_os(name))
}

impl Launched {
    fn of(variable: impl Fn(&str) -> Option<OsString>) -> Option<Launched> {
        let number = |name| variable(name)?.to_str()?.trim().parse::<u32>().ok();
        let (number, name) = (SIZES.into_iter())
            .filter_map(|name| Some((number(name)?, name)))
            .find(|(number, _)| *number > 1)?;
        let libraries = match variable(LIBRARY) {
            Some(library) if !library.is_empty() => vec![library.into()],
            _ => {
                let is_of_open_mpi = name == OF_OPEN_MPI || variable(OF_PMIX).is_some();
                let names: &[&str] = if is_of_open_mpi { &OPEN_MPI } else { &MPICH };
                let programs = variable("PATH").unwrap_or_default();
                let besides = besides_launchers(&programs, names);
                (besides.into_iter())
                    .chain(names.iter().map(PathBuf::from))
                    .collect()
            }
        };
        Some(Launched {
            number,
            variable: name,
            libraries,
        })
    }

    /// Sees to it that the processes can be the ranks of a run.
    ///
    /// # Errors
    /// Each is to be cut into ranks itself, or there are too many.
    pub fn allow(&self, ranks: Option<u16>) -> Result<(), Failure> {
        let number = self.number;
        let refused = |message: String, help: &str| {
            Err(Failure::plain(
                Code::WRONG_COMMAND,
                message,
                Some(help.to_owned()),
            ))
        };
        if number > MOST {
            let message = format!("a launcher has started {number} processes of this run");
            return refused(message, &format!("a run has at most {MOST}"));
        }
        if ranks.is_some_and(|ranks| ranks > 1) {
            let message = format!(
                "a launcher has started {number} processes, which are the ranks of the run already"
            );
            return refused(
                message,
                "leave `--ranks` away, which is for the threads of one process",
            );
        }
        Ok(())
    }

    /// Comes together with the other processes.
    ///
    /// # Errors
    /// MPI does not do it. Without it, all would make the same run and write the same files.
    pub fn join(&self) -> Result<Process, Failure> {
        let number = self.number;
        lems_mpi::join(&self.libraries, number as usize).map_err(|error| {
            let message = format!(
                "a launcher has started {number} processes of this run, which do not find one another: {error}"
            );
            let help = format!(
                "name the launcher's library of MPI in `{LIBRARY}`, or start one process; if each process has \
                 files of its own, `--mpi off` lets it run by itself (`{}` is {number})",
                self.variable
            );
            Failure::plain(Code::WRONG_COMMAND, message, Some(help))
        })
    }
}

/// Libraries of these names that were installed together with a launcher: in `lib` beside the folder of `mpirun`
/// or `mpiexec`.
fn besides_launchers(programs: &OsString, names: &[&str]) -> Vec<PathBuf> {
    let has_launcher = |folder: &PathBuf| {
        let is_there = |name| folder.join(name).is_file();
        folder.is_absolute() && (is_there("mpirun") || is_there("mpiexec"))
    };
    let folders = std::env::split_paths(programs).filter(has_launcher);
    let beside = folders.filter_map(|folder| Some(folder.parent()?.join("lib")));
    let paths = beside.flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    paths.filter(|path| Path::is_file(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(set: &[(&str, &str)]) -> Option<Launched> {
        Launched::of(|name| {
            let found = set.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.into())
        })
    }

    #[test]
    fn a_launcher_tells_how_many_processes_it_has_started() {
        let number = |set: &[_]| of(set).map(|launched| (launched.number, launched.variable));
        assert_eq!(number(&[]), None);
        for name in SIZES {
            assert_eq!(number(&[(name, "1")]), None);
            assert_eq!(number(&[(name, "many")]), None);
            assert_eq!(number(&[(name, "4")]), Some((4, name)));
        }
        // A launcher inside a step of one task.
        let nested = [("SLURM_STEP_NUM_TASKS", "1"), ("PMI_SIZE", "3")];
        assert_eq!(number(&nested), Some((3, "PMI_SIZE")));
    }

    #[test]
    fn each_launcher_has_its_libraries() {
        let libraries = |set: &[_]| of(set).unwrap().libraries;
        let as_paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(libraries(&[(OF_OPEN_MPI, "2")]), as_paths(&OPEN_MPI));
        assert_eq!(libraries(&[("PMI_SIZE", "2")]), as_paths(&MPICH));
        let slurm = ("SLURM_STEP_NUM_TASKS", "2");
        assert_eq!(libraries(&[slurm]), as_paths(&MPICH));
        assert_eq!(libraries(&[slurm, (OF_PMIX, "0")]), as_paths(&OPEN_MPI));
        let named = libraries(&[slurm, (LIBRARY, "/opt/mpi/libmpi.so")]);
        assert_eq!(named, as_paths(&["/opt/mpi/libmpi.so"]));
    }
}

//! Launchers that start several processes of one command: `mpirun`, `mpiexec`, `srun`.

use jlems::{Code, Failure};

/// Variables with the number of processes, by launcher: Open MPI and PRRTE, Hydra of the MPICH family and
/// other users of PMI, Intel MPI, and a step of a Slurm job.
const SIZES: [&str; 4] = [
    "OMPI_COMM_WORLD_SIZE",
    "PMI_SIZE",
    "MPI_LOCALNRANKS",
    "SLURM_STEP_NUM_TASKS",
];

/// The number of processes that a launcher has started of this command, if it is more than one, and the
/// variable of the environment that says so.
pub fn several(variable: impl Fn(&str) -> Option<String>) -> Option<(u32, &'static str)> {
    let number = |name| variable(name)?.trim().parse::<u32>().ok();
    (SIZES.into_iter())
        .filter_map(|name| Some((number(name)?, name)))
        .find(|(number, _)| *number > 1)
}

/// Makes sure that no two processes make the same run and write the same files.
///
/// # Errors
/// A launcher has started several.
pub fn refuse_several() -> Result<(), Failure> {
    let Some((number, name)) = several(|name| std::env::var(name).ok()) else {
        return Ok(());
    };
    let message =
        format!("a launcher has started {number} processes of this run, all with the same outputs");
    let help = format!(
        "start one; if each process has files of its own, `--mpi off` lets it run by itself (`{name}` is {number})"
    );
    Err(Failure::plain(Code::WRONG_COMMAND, message, Some(help)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_launcher_tells_how_many_processes_it_has_started() {
        let of = |set: &[(&str, &str)]| {
            several(|name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(of(&[]), None);
        for name in SIZES {
            assert_eq!(of(&[(name, "1")]), None);
            assert_eq!(of(&[(name, "many")]), None);
            assert_eq!(of(&[(name, "4")]), Some((4, name)));
        }
        // A launcher inside a step of one task.
        let nested = [("SLURM_STEP_NUM_TASKS", "1"), ("PMI_SIZE", "3")];
        assert_eq!(of(&nested), Some((3, "PMI_SIZE")));
    }
}

//! The programs that exports are for: NEURON's compiler, Python, jNeuroML.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use jlems::{Failure, visible};

use super::failed;

const GET_NEURON: &str =
    "`pip install neuron` installs NEURON with `nrnivmodl`; NEURON_HOME or PATH says where it is";

/// Most lines of what a program printed that a message shows.
const MOST_LINES: usize = 12;

/// Compiles the mechanisms in a folder.
pub fn compile(folder: &Path) -> Result<(), Failure> {
    let compiler = nrnivmodl()?;
    let output = Command::new(&compiler).current_dir(folder).output();
    let output = output.map_err(|error| not_started(&compiler, &error))?;
    // The compiler can fail and end with status 0; what it makes tells.
    let made = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let made = made
        .filter(|entry| entry.path().join("special").exists())
        .count();
    if output.status.success() && made > 0 {
        return Ok(());
    }
    Err(failed(
        format!(
            "`nrnivmodl` failed: {}",
            end_of(&[&output.stdout, &output.stderr])
        ),
        "a C++ compiler and `make` must be installed; `nrnivmodl` in the folder of the export shows all",
    ))
}

/// Runs the Python file of an export in its folder; outputs go to `out`.
pub fn run_python(
    folder: &Path,
    script: &str,
    out: &Path,
    options: &[&str],
) -> Result<(), Failure> {
    let python = python_beside(&nrnivmodl()?);
    let out = std::path::absolute(out).unwrap_or_else(|_| out.to_owned());
    let mut command = Command::new(&python);
    command
        .current_dir(folder)
        .arg(script)
        .arg("--out")
        .arg(out);
    command.args(options);
    let output = command
        .output()
        .map_err(|error| not_started(&python, &error))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(failed(
            format!(
                "`{script}` failed: {}",
                end_of(&[&output.stdout, &output.stderr])
            ),
            "run it in the folder of the export to see all that it prints",
        )),
    }
}

/// jNeuroML itself, if it is on this machine: a `jnml` in PATH that is not this program.
pub fn real_jneuroml() -> Option<PathBuf> {
    let own = std::env::current_exe()
        .and_then(|path| path.canonicalize())
        .ok();
    let found = in_path("jnml");
    found
        .into_iter()
        .find(|path| path.canonicalize().ok() != own)
}

/// NEURON's compiler of mechanisms.
fn nrnivmodl() -> Result<PathBuf, Failure> {
    let home = std::env::var_os("NEURON_HOME").map(|home| Path::new(&home).join("bin/nrnivmodl"));
    let home = home.filter(|path| path.is_file());
    home.or_else(|| in_path("nrnivmodl").into_iter().next())
        .ok_or_else(|| failed("there is no `nrnivmodl`".to_owned(), GET_NEURON))
}

/// The Python that came with the compiler, or the first one there is.
fn python_beside(compiler: &Path) -> PathBuf {
    let folder = compiler.parent().unwrap_or(Path::new(""));
    let beside = ["python3", "python"].map(|name| folder.join(name));
    let beside = beside.into_iter().find(|path| path.is_file());
    beside.unwrap_or_else(|| PathBuf::from("python3"))
}

/// All programs of a name in the folders of PATH.
fn in_path(name: impl AsRef<OsStr>) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path);
    let programs = folders.map(|folder| folder.join(name.as_ref()));
    programs.filter(|program| program.is_file()).collect()
}

fn not_started(program: &Path, error: &std::io::Error) -> Failure {
    let message = format!(
        "`{}` cannot be started: {error}",
        visible(&program.to_string_lossy())
    );
    failed(message, GET_NEURON)
}

/// The last lines that a program has printed.
fn end_of(outputs: &[&[u8]]) -> String {
    let text: String = (outputs.iter())
        .map(|output| String::from_utf8_lossy(output) + "\n")
        .collect();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = lines.len().saturating_sub(MOST_LINES);
    let last = lines.get(last..).unwrap_or_default();
    visible(&last.join("\n  ")).into_owned()
}

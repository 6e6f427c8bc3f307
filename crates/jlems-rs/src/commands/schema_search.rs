//! Chooses the schema for NeuroML files: one that is named, one that is installed, or the
//! program's own rules.

use std::path::{Path, PathBuf};

use clap::Args;
use jlems_rs::schema::Schema;
use jlems_rs::{Failure, FileSources, Limits};

/// The schema to check the files against.
#[derive(Debug, Args)]
pub struct SchemaArguments {
    /// Check the files against this XML Schema (XSD), except files of LEMS or NeuroML if the schema
    /// is not for that language. Without this option, NeuroML files are checked against the schema
    /// that `$NEUROML_SCHEMA` names, or else the newest one of an installed libNeuroML, or else the
    /// program's own rules, which are equivalent to NeuroML's schema 2.3.1.
    #[arg(long, value_name = "FILE")]
    pub schema: Option<String>,
    /// Do not look for a schema: use the program's own rules.
    #[arg(long, conflicts_with = "schema")]
    pub no_schema: bool,
}

/// A schema and what is said of where it is from.
pub struct Chosen {
    pub schema: Schema,
    pub name: String,
}

impl SchemaArguments {
    /// The schema that these arguments and the surroundings give.
    pub fn choose(&self, limits: &Limits) -> Result<Chosen, Failure> {
        let read = |path: String| {
            let schema = jlems_rs::read_schema(&path, &FileSources, &limits.document)?;
            Ok(Chosen { schema, name: path })
        };
        if let Some(path) = &self.schema {
            return read(path.clone());
        }
        if !self.no_schema {
            if let Some(path) = variable("NEUROML_SCHEMA") {
                return read(path);
            }
            // One that is not of use to us was not asked for either.
            if let Some(Ok(chosen)) = installed().map(|path| read(path.display().to_string())) {
                return Ok(chosen);
            }
        }
        Ok(Chosen {
            schema: jlems_rs::neuroml_schema()?,
            name: format!("the rules of NeuroML {}", nml2_coretypes::NEUROML_VERSION),
        })
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The newest schema of an installed libNeuroML: of the active environment, or else of the
/// `python3` that would be called, which is not.
fn installed() -> Option<PathBuf> {
    let active = ["VIRTUAL_ENV", "CONDA_PREFIX"]
        .into_iter()
        .filter_map(variable);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let python = std::env::split_paths(&path)
        .map(|folder| folder.join("python3"))
        .find(|python| python.is_file());
    let real = python
        .as_ref()
        .and_then(|python| python.canonicalize().ok());
    let beside = python.into_iter().chain(real);
    let prefixes = beside.filter_map(|python| Some(python.parent()?.parent()?.to_owned()));
    let mut prefixes = active.map(PathBuf::from).chain(prefixes);
    prefixes.find_map(|prefix| newest(&prefix))
}

/// The newest schema below the folder of an installation of Python.
fn newest(prefix: &Path) -> Option<PathBuf> {
    let libraries = entries(&prefix.join("lib"));
    let libraries = libraries.filter(|path| name(path).starts_with("python"));
    let libraries = libraries.chain([prefix.join("Lib")]);
    let packages = libraries.flat_map(|library| {
        ["site-packages", "dist-packages"].map(|packages| library.join(packages))
    });
    let schemas = packages.flat_map(|packages| entries(&packages.join("neuroml").join("nml")));
    schemas
        .filter_map(|path| Some((version(&name(&path))?, path)))
        .max()
        .map(|(_, path)| path)
}

/// The numbers in `NeuroML_v2.3.1.xsd`; a trial version, such as `v2beta5`, has none.
fn version(file: &str) -> Option<Vec<u32>> {
    let version = file.strip_prefix("NeuroML_v")?.strip_suffix(".xsd")?;
    let numbers: Option<Vec<u32>> = version.split('.').map(|part| part.parse().ok()).collect();
    numbers.filter(|numbers| numbers.first() == Some(&2))
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path()))
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

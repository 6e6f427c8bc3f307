//! The arguments that say where a command finds definitions.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use jlems::description::near_names;
use jlems::{Code, Failure, LimitSetting, Limits, Options};
use lems_document::{Document, EmbeddedFile, SourceReader};
use lems_host::{FileSources, Machine, Sandbox};
use lems_model::{Model, TypeId};

/// Options about where files are found.
#[derive(Debug, Args)]
pub struct SearchArguments {
    /// Folder to search for included files, or several separated by `:` (may be repeated).
    #[arg(short = 'I', long = "include", value_name = "FOLDER")]
    include: Vec<String>,
    /// Folder with core type files to use instead of the embedded ones.
    #[arg(long, value_name = "FOLDER")]
    core_types: Option<PathBuf>,
    /// Limit on what a model may use, such as `memory=8GB` or `time=1h` (may be repeated; an
    /// unknown name lists all limits).
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    limits: Vec<LimitSetting>,
    /// Read only files in the folder of the model or in a folder given with `-I`; write only below
    /// the output folder.
    #[arg(long)]
    pub sandbox: bool,
}

impl SearchArguments {
    /// The embedded core types, and these folders.
    pub fn including(include: Vec<String>) -> SearchArguments {
        SearchArguments {
            include,
            core_types: None,
            limits: Vec::new(),
            sandbox: false,
        }
    }

    /// The options of the pipeline that these arguments give.
    pub fn options(&self) -> Result<Options, Failure> {
        let folders = (self.include.iter()).flat_map(|folders| std::env::split_paths(folders));
        let mut limits = Limits {
            memory: lems_host::most().unwrap_or(usize::MAX),
            ..Limits::default()
        };
        for setting in &self.limits {
            limits.set(*setting);
        }
        Ok(Options {
            limits,
            host: Some(Arc::new(Machine::new())),
            include: folders
                .map(|folder| folder.to_string_lossy().into_owned())
                .collect(),
            core_types: self.core_types.as_deref().map(read_folder).transpose()?,
            ..Options::default()
        })
    }

    /// Paths of the core types that are read instead of the embedded ones.
    pub fn core_type_files(&self) -> Vec<String> {
        let folder = self.core_types.iter().flat_map(std::fs::read_dir);
        let entries = folder.flatten().flatten();
        entries
            .map(|entry| entry.path().to_string_lossy().into_owned())
            .filter(|path| path.ends_with(".xml"))
            .collect()
    }

    /// The files that may be read to understand `file`, with these options.
    pub fn reader(&self, file: &str, options: &Options) -> Box<dyn SourceReader> {
        match self.sandbox {
            true => Box::new(Sandbox::around(file, &options.include)),
            false => Box::new(FileSources),
        }
    }
}

/// The XML files of a folder, kept until the program ends.
fn read_folder(folder: &Path) -> Result<&'static [EmbeddedFile], Failure> {
    let failed = |error: std::io::Error| {
        let message = format!(
            "cannot read the core types in `{}`: {error}",
            folder.display()
        );
        Failure::plain(Code::UNREADABLE, message, None)
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "xml") {
            let name = path.file_name().unwrap_or_default();
            let name: &'static str = name.to_string_lossy().into_owned().leak();
            let text = lems_host::text_of(&path).map_err(failed)?.leak();
            files.push(EmbeddedFile::new(name, text));
        }
    }
    if files.is_empty() {
        let message = format!("there are no XML files in `{}`", folder.display());
        return Err(Failure::plain(Code::UNREADABLE, message, None));
    }
    files.sort_unstable_by_key(|file| file.name);
    Ok(files.leak())
}

/// The document of a file, or of all core types.
pub fn document(file: Option<&str>, search: &SearchArguments) -> Result<Document, Failure> {
    let options = search.options()?;
    super::watch::watch_over(&options);
    if let Some(file) = file {
        return jlems::load(file, &*search.reader(file, &options), &options);
    }
    jlems::load_core_types(&options)
}

/// The type of that name.
pub fn type_named(model: &Model<'_>, name: &str) -> Result<TypeId, Failure> {
    (model.type_named(name)).ok_or_else(|| unknown_name(model, name))
}

/// The error for a name that nothing in the model has, with names that may be meant.
pub fn unknown_name(model: &Model<'_>, name: &str) -> Failure {
    let types = model.types.keys().chain(model.dimensions.keys());
    let names = types
        .chain(model.units.keys())
        .chain(model.constants.keys());
    let near = near_names(name, &names.copied().collect::<Vec<_>>());
    let quoted: Vec<String> = near.iter().map(|near| format!("`{near}`")).collect();
    let help = match quoted.split_last() {
        Some((only, [])) => format!("did you mean {only}?"),
        Some((last, first)) => format!("did you mean {} or {last}?", first.join(", ")),
        None => "`jlems-rs types` lists all; `--in FILE` looks in a file of yours".to_owned(),
    };
    Failure::plain(
        Code::NO_SUCH_NAME,
        format!("no ComponentType `{name}`"),
        Some(help),
    )
}

//! Options that change a model without editing its files.

use clap::Args;
use jlems::{Failure, Options, Settings};
use lems_document::Document;

use super::core_types::SearchArguments;

/// Settings that replace values in the files.
#[derive(Debug, Args)]
pub struct ChangeArguments {
    /// Give a parameter of a component another value, with its unit: `--set "hh/C=20 pF"` (may be
    /// repeated). The path leads from the top level down, by ids or names of elements.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Time step of the simulation, such as `0.01ms`, instead of the model's.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    step: Option<String>,
    /// Length of the simulation, such as `2s`, instead of the model's.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    length: Option<String>,
}

impl ChangeArguments {
    /// The settings that these arguments give.
    pub fn settings(&self) -> Settings {
        Settings {
            set: self.set.clone(),
            step: self.step.clone(),
            length: self.length.clone(),
            ..Settings::default()
        }
    }
}

/// A model, and the settings to change in it.
#[derive(Debug, Args)]
pub struct ChangedModel {
    /// LEMS or NeuroML file.
    file: String,
    #[command(flatten)]
    search: SearchArguments,
    #[command(flatten)]
    changes: ChangeArguments,
}

impl ChangedModel {
    fn options(&self) -> Result<Options, Failure> {
        Ok(Options {
            settings: self.changes.settings(),
            ..self.search.options()?
        })
    }

    /// Paths of the core types that are read instead of the embedded ones.
    pub fn core_type_files(&self) -> Vec<String> {
        self.search.core_type_files()
    }

    /// The file with all that it includes.
    pub fn load(&self) -> Result<Document, Failure> {
        let options = self.options()?;
        super::watch::watch_over(&options);
        let reader = self.search.reader(&self.file, &options);
        jlems::load(&self.file, &*reader, &options)
    }

    /// The file with all that it includes, and with the core types if it is NeuroML; and the options.
    pub fn load_with_types(&self) -> Result<(Document, Options), Failure> {
        let options = self.options()?;
        super::watch::watch_over(&options);
        let reader = self.search.reader(&self.file, &options);
        let document = jlems::load_with_types(&self.file, &*reader, &options)?;
        Ok((document, options))
    }

    /// The same of a file that is to be run, and the options to run it with.
    pub fn load_runnable(&self) -> Result<(Document, Options), Failure> {
        let options = self.options()?;
        super::watch::watch_over(&options);
        let reader = self.search.reader(&self.file, &options);
        let document = jlems::load_runnable(&self.file, &*reader, &options)?;
        Ok((document, options))
    }
}

//! Options that change a model without editing its files.

use clap::Args;
use jlems_rs::Settings;

/// What to run otherwise than the files say.
#[derive(Debug, Args)]
pub struct ChangeArguments {
    /// Another value, with its unit, for a parameter of a component: `--set "hh/C=20 pF"`
    /// (may be repeated; the path goes from the top level down, by ids or names of elements).
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Step of the simulation instead of the model's, such as `0.01ms`.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    step: Option<String>,
    /// Length of the simulation instead of the model's, such as `2s`.
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
        }
    }
}

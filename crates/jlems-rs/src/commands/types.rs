//! `jlems-rs types`: lists component types.

use clap::Args;
use jlems::description::{TypeSummary, first_sentence};
use jlems::{Code, Failure, visible};

use super::core_types::{SearchArguments, document, type_named};
use super::printing::json;

/// Which types to list.
#[derive(Debug, Args)]
pub struct Arguments {
    /// File whose types are listed, with those of the files that it includes.
    file: Option<String>,
    /// Only this type and those that extend it, directly or not.
    #[arg(long, value_name = "TYPE")]
    extends: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    search: SearchArguments,
}

/// Name, base type and description of each type, sorted by name.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    if let Some(word) = arguments.file.as_deref()
        && !word.contains(['.', '/'])
        && !std::path::Path::new(word).exists()
    {
        let message = format!("there is no file `{word}`");
        let help = format!("`jlems-rs types | grep -i {word}` searches the core types");
        return Err(Failure::plain(Code::NO_SUCH_FILE, message, Some(help)));
    }
    let document = document(arguments.file.as_deref(), &arguments.search)?;
    let model = jlems::read_model(&document)?;
    let mut types = TypeSummary::all(&model, &document);
    if let Some(base) = &arguments.extends {
        type_named(&model, base)?;
        let is_wanted = |name: &str| {
            model
                .type_named(name)
                .is_some_and(|id| model.is_a(id, base))
        };
        types.retain(|summary| is_wanted(&summary.name));
    }
    if arguments.json {
        return json(&types);
    }
    let base = |summary: &TypeSummary| summary.extends.clone().unwrap_or_default();
    let longest = |length: &dyn Fn(&TypeSummary) -> usize| types.iter().map(length).max();
    let first = longest(&|summary| summary.name.len()).unwrap_or(0);
    let second = longest(&|summary| base(summary).len()).unwrap_or(0);
    let line = |summary: &TypeSummary| {
        let sentence = first_sentence(&summary.description);
        let line = format!(
            "{:first$}  {:second$}  {sentence}",
            summary.name,
            base(summary)
        );
        visible(line.trim_end()).into_owned() + "\n"
    };
    Ok(types.iter().map(line).collect())
}

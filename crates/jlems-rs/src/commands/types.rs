//! `jlems-rs types`.

use clap::Args;
use jlems_rs::Failure;
use jlems_rs::document::Attribute;

use super::core_types::{SearchArguments, document};
use super::describe::one_line;

/// Which types to list.
#[derive(Debug, Args)]
pub struct Arguments {
    /// File whose types are listed, with those that it includes.
    file: Option<String>,
    #[command(flatten)]
    search: SearchArguments,
}

/// Name, base type and description of each type, sorted by name.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    let document = document(arguments.file.as_deref(), &arguments.search)?;
    let model = jlems_rs::read_model(&document)?;
    let mut rows: Vec<[&str; 3]> = (model.types.values())
        .map(|kind| {
            let parent = kind.parent.map_or("", |parent| model.type_of(parent).name);
            let description = kind.element.attribute("description");
            [kind.name, parent, description.map_or("", Attribute::value)]
        })
        .collect();
    rows.sort_unstable();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let line = |[name, parent, description]: &[&str; 3]| {
        let line = format!("{name:first$}  {parent:second$}  {}", one_line(description));
        line.trim_end().to_owned() + "\n"
    };
    Ok(rows.iter().map(line).collect())
}

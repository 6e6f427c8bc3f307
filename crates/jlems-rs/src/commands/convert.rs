//! `jlems-rs convert FILE.swc`: a traced neuron as a NeuroML cell.

use clap::Args;
use jlems::{Code, Failure, visible};

use super::core_types::SearchArguments;
use super::output_file;
use super::printing::{counted, print_error, rendered};

/// What to convert and where to write it.
#[derive(Debug, Args)]
pub struct Arguments {
    /// SWC file: the points of a traced neuron.
    file: String,
    /// NeuroML file to write, such as `x.cell.nml`, instead of the standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
    /// Overwrite an existing file.
    #[arg(long, requires = "output")]
    force: bool,
    /// Id of the cell; without it, the name of the file.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    #[command(flatten)]
    search: SearchArguments,
}

/// The cell, unless it was written; then what was.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    let file = arguments.file.as_str();
    let options = arguments.search.options()?;
    super::watch::watch_over(&options);
    if let Some(id) = &arguments.id
        && !is_id(id)
    {
        let message = format!("`{}` cannot be an id", visible(id));
        let help = "an id has letters, digits and `_`, and begins with no digit".to_owned();
        return Err(Failure::plain(Code::NO_SUCH_NAME, message, Some(help)));
    }
    output_file::check_free(arguments.output.as_deref(), arguments.force)?;
    let reader = arguments.search.reader(file, &options);
    let cell = jlems::cell_of_swc(file, &*reader, arguments.id.as_deref(), &options)?;
    print_error(&rendered(&cell.warnings));
    let Some(output) = &arguments.output else {
        return Ok(cell.text);
    };
    output_file::write(output, &cell.text, &[file])?;
    Ok(format!(
        "wrote {}: cell {} of {} in {}\n",
        visible(output),
        cell.id,
        counted(cell.segments as u64, "segment"),
        counted(cell.sections as u64, "section"),
    ))
}

fn is_id(text: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.chars().all(is_letter)
        && text
            .chars()
            .next()
            .is_some_and(|first| !first.is_ascii_digit())
}

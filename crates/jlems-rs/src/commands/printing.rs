//! What the commands print, to the standard output and to the standard error.

use std::borrow::Cow;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use jlems::{Code, Failure, visible, visible_lines};
use lems_document::Document;

/// Prints the messages of a failure; the exit code that belongs to it.
pub fn fail(failure: &Failure) -> ExitCode {
    print_error(&rendered(failure));
    ExitCode::FAILURE
}

/// Messages as the standard error wants them: in colour, as wide as the terminal.
pub fn rendered(failure: &Failure) -> String {
    let is_colored =
        anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let width = terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| width.0.into());
    failure.render_within(is_colored, width)
}

/// The text of an output. A run that was killed may have left a partial one that ends within a line,
/// which is left out.
pub fn text_of_output(path: &Path) -> std::io::Result<String> {
    let bytes = lems_host::bytes_of(path)?;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let end = text.rfind('\n').map_or(0, |last| last + 1);
    if extension.starts_with("partial") && end < text.len() {
        print_error(&format!(
            "{} ends within a line, which is left out\n",
            visible(&path.to_string_lossy())
        ));
        text.truncate(end);
    }
    Ok(text)
}

/// Prints the warnings about text that was read in another way than it is written.
pub fn warn_of(document: &Document) {
    let warnings = Failure::warnings_of(document);
    print_error(&rendered(&warnings));
}

/// Prints a text; the exit code of success.
pub fn shown(text: impl AsRef<str>) -> Result<ExitCode, Failure> {
    print(text.as_ref())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a text that is a file; the exit code of success.
pub fn shown_as_is(text: impl AsRef<str>) -> Result<ExitCode, Failure> {
    print_as_is(text.as_ref())?;
    Ok(ExitCode::SUCCESS)
}

/// A value as indented JSON with a line break at its end.
pub fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    match serde_json::to_string_pretty(value) {
        Ok(text) => Ok(visible_json(&text) + "\n"),
        Err(error) => {
            let message = format!("this cannot be written as JSON: {error}");
            Err(Failure::plain(Code::NO_SUCH_NAME, message, None))
        }
    }
}

/// The same JSON without what a terminal obeys: only its strings can hold that.
fn visible_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        match visible_lines(letter.encode_utf8(&mut [0; 4])) {
            Cow::Borrowed(_) => text.push(letter),
            Cow::Owned(_) => text.push_str(&format!("\\u{:04x}", letter as u32)),
        }
    }
    text
}

/// Writes lines for people to the standard output.
pub fn print(text: &str) -> Result<(), Failure> {
    print_as_is(&visible_lines(text))
}

/// Writes to the standard output; a reader that has gone away is no error.
pub fn print_as_is(text: &str) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    written(
        output
            .write_all(text.as_bytes())
            .and_then(|()| output.flush()),
    )
}

/// What became of writing to the standard output.
pub fn written(result: std::io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let message = format!("cannot write to the standard output: {error}");
            let help = "is the disk full that it leads to?".to_owned();
            Err(Failure::plain(
                Code::NO_STANDARD_OUTPUT,
                message,
                Some(help),
            ))
        }
        _ => Ok(()),
    }
}

/// Writes to the standard error.
pub fn print_error(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// A number with its noun.
pub fn counted(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

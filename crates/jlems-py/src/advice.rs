//! Advice that names options of the command line, as a user of Python needs it.

use std::borrow::Cow;

use jlems::Diagnostic;
use lems_document::Source;

/// Makes a diagnostic name arguments instead of options.
pub fn advise(diagnostic: &mut Diagnostic) {
    let lines = std::iter::once(&mut diagnostic.message).chain(&mut diagnostic.causes);
    for text in lines.chain(&mut diagnostic.help) {
        *text = with_arguments(text);
    }
}

/// The same sources, but those that are an option of the command line have the name of the argument that takes its place:
/// `set["cell/C"]` for `--set`.
pub fn name_arguments(sources: &[Source]) -> Cow<'_, [Source]> {
    if !sources.iter().any(|source| source.name.starts_with("--")) {
        return Cow::Borrowed(sources);
    }
    let named = sources.iter().map(|source| {
        let name = match source.name.strip_prefix("--") {
            None => return source.clone(),
            Some("set") => {
                let path = source.text.split('=').next().unwrap_or_default();
                format!("set[\"{path}\"]")
            }
            Some(name) => name.to_owned(),
        };
        let source = source.clone();
        Source { name, ..source }
    });
    Cow::Owned(named.collect())
}

/// A text in which options between backticks are arguments of the functions of the package: `limits={"time": …}` for
/// `--limit time=…`.
fn with_arguments(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(number, part)| match number % 2 {
        1 => argument(part).map_or(Cow::Borrowed(part), Cow::Owned),
        _ => Cow::Borrowed(part),
    });
    parts.collect::<Vec<_>>().join("`")
}

/// The argument that does what an option does, or the call that does what a command does, if the package has one.
fn argument(option: &str) -> Option<String> {
    if let Some(name) = option.strip_prefix("jlems-rs describe ") {
        return Some(format!("model.describe(\"{name}\")"));
    }
    let option = option.strip_prefix("--")?;
    let (name, value) = match option.split_once(' ') {
        Some((name, value)) => (name, Some(value.trim_matches('"'))),
        None => (option, None),
    };
    let name = match name {
        "limit" => "limits",
        "set" | "step" | "length" | "target" | "temperature" | "record" | "spikes" | "every"
        | "seed" | "threads" | "fast" | "backend" | "shard" | "checkpoint" => name,
        _ => return None,
    };
    Some(match (name, value) {
        (_, None) => name.to_owned(),
        ("limits" | "set", Some(value)) => {
            let (key, value) = value.split_once('=').unwrap_or((value, "…"));
            let value = match value {
                "…" => value.to_owned(),
                _ => format!("\"{value}\""),
            };
            format!("{name}={{\"{key}\": {value}}}")
        }
        ("backend", Some("interp")) => "backend=\"interpreter\"".to_owned(),
        (_, Some(value)) => format!("{name}=\"{value}\""),
    })
}

//! Advice that names options of the command line, as a user of Python needs it.

use std::borrow::Cow;

use jlems::Diagnostic;

/// Makes the help of a diagnostic name arguments instead of options.
pub fn advise(diagnostic: &mut Diagnostic) {
    if let Some(help) = &mut diagnostic.help {
        *help = with_arguments(help);
    }
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

/// The argument that does what an option does, if the package has one.
fn argument(option: &str) -> Option<String> {
    let option = option.strip_prefix("--")?;
    let (name, value) = match option.split_once(' ') {
        Some((name, value)) => (name, Some(value.trim_matches('"'))),
        None => (option, None),
    };
    let name = match name {
        "limit" => "limits",
        "set" | "step" | "length" | "target" | "temperature" | "record" | "spikes" | "every"
        | "seed" | "threads" | "fast" | "backend" => name,
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
        (_, Some(value)) => format!("{name}=\"{value}\""),
    })
}

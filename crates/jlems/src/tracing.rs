//! Cells from files that trace a neuron.

use std::path::Path;

use lems_document::{Source, SourceId, SourceReader, Span};
use lems_swc::SwcError;

use crate::{Code, Diagnostic, Failure, Options, visible};

/// A cell that was made of a tracing.
#[derive(Debug, Clone)]
pub struct TracedCell {
    /// Its id.
    pub id: String,
    /// The text of a NeuroML file with the cell.
    pub text: String,
    /// Numbers of segments and of sections.
    pub segments: usize,
    /// Number of sections.
    pub sections: usize,
    /// What is legal in the tracing, and probably a mistake.
    pub warnings: Failure,
}

/// Reads an SWC file as a cell, which is called `id`, or else as the file.
///
/// # Errors
/// A file that cannot be read; lines that are no points; points that are no tree.
pub fn cell_of_swc(
    path: &str,
    reader: &dyn SourceReader,
    id: Option<&str>,
    options: &Options,
) -> Result<TracedCell, Failure> {
    let unreadable = |why: String| {
        Failure::plain(
            Code::UNREADABLE,
            format!("cannot read `{path}`: {why}"),
            None,
        )
    };
    let most = options.include_options().limits.source_bytes;
    let text = reader.read(path, most).map_err(unreadable)?;
    let text = text.ok_or_else(|| unreadable("there is no such file".to_owned()))?;
    let source = |text: &str| Source {
        name: path.to_owned(),
        text: text.to_owned().into(),
        embedded: false,
    };
    let tracing = lems_swc::read(&text).map_err(|errors| Failure::of(&[source(&text)], &errors))?;
    let warnings = Failure::of(&[source(&text)], &tracing.doubts).into_warnings();
    let stem = Path::new(path)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    let id = id.map_or_else(|| id_of(&stem), str::to_owned);
    let name = Path::new(path)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    Ok(TracedCell {
        text: nml2_coretypes::cell_of_tracing(&tracing, &id, &visible(&name)),
        id,
        segments: tracing.pieces.len(),
        sections: tracing.branches.len(),
        warnings,
    })
}

/// A name with letters, digits and `_`, as ids have them, that begins with no digit.
fn id_of(name: &str) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '_'
        }
    };
    let id: String = name.chars().map(plain).collect();
    match id.chars().next() {
        Some(first) if first.is_ascii_digit() => format!("cell_{id}"),
        Some(_) => id,
        None => "traced".to_owned(),
    }
}

impl From<&SwcError> for Diagnostic {
    fn from(error: &SwcError) -> Self {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let range = error.place();
        let span = Span {
            source: SourceId(0),
            start: place(range.start),
            end: place(range.end),
        };
        Diagnostic::new(
            Code(error.code()),
            error.to_string(),
            Some(span),
            Some(error.help().to_owned()),
        )
    }
}

//! Files held against an XML Schema.

use lems_document::{DocumentError, Limits, Markup, QualifiedName, Source, SourceId, SourceReader};
use lems_schema::{Outermost, Schema, SchemaError};
use nml2_coretypes::STRUCTURE;

use crate::{Code, Failure};

/// The outermost elements of the two languages; the files of one include those of the other.
const LANGUAGES: [&str; 2] = ["Lems", "neuroml"];

/// Reads an XML Schema of one file.
///
/// # Errors
///
/// There is no such file, it is no schema, or one that is not understood or refers to others.
pub fn read_schema(
    path: &str,
    reader: &dyn SourceReader,
    limits: &Limits,
) -> Result<Schema, Failure> {
    let limit = limits.source_bytes;
    let text = match reader.read(path, limit) {
        Ok(Some(text)) if text.len() > limit => Err(DocumentError::SourceTooLarge {
            file: path.to_owned(),
            limit,
            span: None,
        }),
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err(DocumentError::RootMissing {
            file: path.to_owned(),
            suggestion: None,
        }),
        Err(message) => Err(DocumentError::Unreadable {
            file: path.to_owned(),
            message,
            span: None,
        }),
    };
    let source = Source {
        name: path.to_owned(),
        text: text.map_err(|error| Failure::of(&[], &[error]))?,
        embedded: false,
    };
    Schema::read(&source, limits).map_err(|error| Failure::of(&[source], &[error]))
}

/// The rules of NeuroML for what its files contain, as the program knows them.
///
/// # Errors
///
/// A bug: the table that is part of the program cannot be read.
pub fn neuroml_schema() -> Result<Schema, Failure> {
    // What a user allows is for the user's files.
    Schema::of_table(STRUCTURE, &Limits::default()).map_err(|error| {
        let message = format!("{error}: this is a bug in jlems-rs");
        Failure::plain(Code::UNUSABLE_SCHEMA, message, None)
    })
}

/// What is wrong with a source, if the schema is for it.
pub(crate) fn violations(
    schema: &Schema,
    id: SourceId,
    source: &Source,
    limits: &Limits,
) -> Option<Vec<SchemaError>> {
    let is_meant = Markup::of(id, source, limits, |markup| {
        is_for(schema, markup.root().name)
    });
    // If it is no XML, reading the model reports that.
    if is_meant != Ok(true) {
        return None;
    }
    let found = schema.violations(id, source, limits);
    Some(found.unwrap_or_else(|error| vec![error]))
}

/// All files but those of the language that the schema has nothing to say of.
fn is_for(schema: &Schema, outermost: QualifiedName<'_>) -> bool {
    let mut languages = LANGUAGES.iter();
    schema.outermost(outermost) != Outermost::Unknown
        || !languages.any(|language| outermost.local.eq_ignore_ascii_case(language))
}

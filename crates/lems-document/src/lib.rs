//! Reads LEMS files into a tree in which every element has a source location.
//!
//! [`Document::load`] reads a file and all files that it includes through a
//! [`SourceReader`] and merges their top-level elements into one [`Document`],
//! in which every element and attribute knows its [`Span`]. This crate does not
//! know what the elements mean, except for `Include`.
//!
//! ```
//! use lems_document::{Document, IncludeOptions, MemorySources};
//!
//! let sources = MemorySources::from([
//!     ("main.xml", r#"<Lems><Include file="units.xml"/><Target component="sim"/></Lems>"#),
//!     ("units.xml", r#"<Lems><Dimension name="time" t="1"/></Lems>"#),
//! ]);
//! let document = Document::load("main.xml", &sources, &IncludeOptions::default())?;
//! let names: Vec<&str> = document.roots().map(|element| element.name()).collect();
//! assert_eq!(names, ["Dimension", "Target"]);
//! # Ok::<(), lems_document::LoadFailure>(())
//! ```

mod additions;
mod columns;
mod crowded;
mod error;
mod flat;
mod include;
mod malformed;
mod markup;
mod mistake;
mod options;
mod overrides;
mod prepared;
mod read;
mod repair;
mod rows;
mod search;
mod source;
mod splice;
mod text;
mod tree;

#[cfg(test)]
mod tests;

pub use error::{Detour, DocumentError, LoadFailure};
pub use lems_suggest::nearest;
pub use markup::{Markup, MarkupAttribute, Piece, QualifiedName, StartTag};
pub use options::{ForeignLanguage, IncludeOptions, Limits, Note};
pub use overrides::Override;
pub use prepared::prepare;
pub use search::base_name;
pub use source::{EmbeddedFile, Lines, MemorySources, Source, SourceId, SourceReader, Span};
pub use text::{Condenser, SourceText};
pub use tree::{Attribute, Choice, Document, Element};

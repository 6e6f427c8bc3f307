//! A compiled schema from one file.

use std::collections::HashMap;

use lems_document::{Limits, Markup, Piece, QualifiedName, Source, SourceId, Span};
use xsd_schema::namespace::NameTable;
use xsd_schema::parser::location::{SourceLocation, SourceRef};
use xsd_schema::validation::{SchemaValidator, ValidationFlags};
use xsd_schema::{SchemaSet, parse_schema_only, process_loaded_schemas};

use crate::patterns::Rewritten;
use crate::{SchemaError, XSD, expansion};

/// The rules of an XML Schema.
pub struct Schema {
    pub(crate) set: SchemaSet,
    /// The elements that may be outermost, and their namespaces.
    roots: Vec<(String, String)>,
    /// The original patterns, by the rewritten ones that the library was given.
    pub(crate) patterns: HashMap<String, String>,
}

/// Whether a schema knows an outermost element.
#[derive(Clone, Debug, PartialEq)]
pub enum Outermost {
    /// The element is declared.
    Declared,
    /// An element is declared that differs only in upper and lower case or in its namespace.
    Similar,
    /// No similar element is declared.
    Unknown,
}

impl Schema {
    /// Compiles a schema.
    ///
    /// # Errors
    ///
    /// The schema is not valid, is not supported, or refers to other files. The place is in source 0.
    pub fn read(source: &Source, limits: &Limits) -> Result<Schema, SchemaError> {
        let id = SourceId(0);
        let (root, rewritten) = Markup::of(id, source, limits, |markup| {
            let root = one_file(markup)?;
            expansion::check(markup)?;
            Ok::<_, SchemaError>((root, Rewritten::of(markup, &source.text)?))
        })??;
        let mut set = SchemaSet::new();
        let compiled = parse_schema_only(rewritten.text.as_bytes(), "", &mut set)
            .and_then(|_| process_loaded_schemas(&mut set));
        let unusable = |message: &str, place: Option<&SourceLocation>| SchemaError::Unusable {
            message: plain(message, place),
            span: place.map_or(root, |place| span_of(place, &rewritten, source)),
        };
        compiled.map_err(|error| unusable(&error.to_string(), error.location()))?;
        if let Some((message, place)) = unresolved(&set) {
            return Err(unusable(&message, set.locate(place.as_ref()).as_ref()));
        }
        let roots = roots(&set);
        Ok(Schema {
            set,
            roots,
            patterns: rewritten.originals,
        })
    }

    /// Whether the schema knows the outermost element of that name.
    pub fn outermost(&self, name: QualifiedName<'_>) -> Outermost {
        let is = |(local, namespace): &(String, String)| {
            local == name.local && namespace == name.namespace
        };
        let is_like = |(local, _): &(String, String)| local.eq_ignore_ascii_case(name.local);
        if self.roots.iter().any(is) {
            Outermost::Declared
        } else if self.roots.iter().any(is_like) {
            Outermost::Similar
        } else {
            Outermost::Unknown
        }
    }

    /// The names of the elements that may be outermost.
    pub fn roots(&self) -> impl Iterator<Item = &str> {
        self.roots.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn undeclared_root(&self, name: QualifiedName<'_>, span: Span) -> SchemaError {
        SchemaError::UndeclaredRoot {
            name: name.local.to_owned(),
            namespace: name.namespace.to_owned(),
            declared: self.roots.clone(),
            span,
        }
    }
}

/// The start tag of the schema, or an error if the schema refers to another file.
fn one_file(markup: &Markup<'_>) -> Result<Span, SchemaError> {
    let root = markup.root();
    if root.name.namespace != XSD || root.name.local != "schema" {
        return Err(SchemaError::Unusable {
            message: format!("it begins with `{}`, not with `xs:schema`", root.name.local),
            span: root.span,
        });
    }
    for piece in markup.pieces() {
        if let Piece::Start(tag) = piece
            && tag.name.namespace == XSD
            && matches!(
                tag.name.local,
                "include" | "import" | "redefine" | "override"
            )
        {
            return Err(SchemaError::SeveralFiles {
                directive: tag.name.local.to_owned(),
                span: tag.span,
            });
        }
    }
    Ok(root.span)
}

/// The global elements.
fn roots(set: &SchemaSet) -> Vec<(String, String)> {
    let names = &set.name_table;
    let mut roots = Vec::new();
    #[expect(clippy::iter_over_hash_type, reason = "the roots are sorted")]
    for (namespace, declarations) in &set.namespaces {
        let namespace = namespace.map(|id| named(names, id)).unwrap_or_default();
        for name in declarations.elements.keys() {
            roots.push((named(names, *name), namespace.clone()));
        }
    }
    roots.sort();
    roots
}

pub(crate) fn named(names: &NameTable, id: xsd_schema::NameId) -> String {
    names.try_resolve(id).unwrap_or_default()
}

/// The tag of the schema that contains an error.
fn span_of(place: &SourceLocation, rewritten: &Rewritten, source: &Source) -> Span {
    let lines = rewritten.text.split_inclusive('\n');
    let line_start: usize = lines.take(place.line.saturating_sub(1)).map(str::len).sum();
    let line = rewritten.text.get(line_start..).unwrap_or_default();
    let column = (line.char_indices())
        .nth(place.column.saturating_sub(1))
        .map_or(0, |(offset, _)| offset);
    let text = &*source.text;
    let start = rewritten.original_offset(line_start + column);
    let start = text.floor_char_boundary(start.min(text.len()));
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.find('>').map_or(rest.len(), |end| end + 1);
    Span::new(SourceId(0), start..start + end)
}

/// The message of an error without its place and without the number of the rule.
fn plain(message: &str, place: Option<&SourceLocation>) -> String {
    let message = match place {
        Some(place) => message.replacen(&format!(" at {place}"), "", 1),
        None => message.to_owned(),
    };
    let message = match message.rsplit_once(" (constraint: ") {
        Some((before, _)) => before,
        None => &message,
    };
    let kinds = [
        "Schema structural error: ",
        "XML parse error: ",
        "Namespace error: ",
    ];
    let kind = kinds.iter().find_map(|kind| message.strip_prefix(kind));
    kind.unwrap_or(message).to_owned()
}

/// Errors that the library would report only for a file, or not at all: references to unknown types,
/// and content that it does not support.
fn unresolved(set: &SchemaSet) -> Option<(String, Option<SourceRef>)> {
    let elements = set.arenas.elements.values();
    let types = set.arenas.simple_types.values();
    let mut deferred = (elements.filter_map(|element| element.deferred_type_error.as_ref()))
        .chain(types.filter_map(|one| one.deferred_item_type_error.as_ref()));
    if let Some(error) = deferred.next() {
        return Some((error.message.clone(), error.source.clone()));
    }
    // Such an element may have any content, but the library forgets this in named groups.
    let mut elements = set.arenas.elements.values();
    let untyped = elements.find(|one| one.resolved_type.is_none() && one.resolved_ref.is_none());
    if let Some(untyped) = untyped {
        let name = untyped.name.map(|name| named(&set.name_table, name));
        let message = format!(
            "`{}` has no type; write `type=\"xs:anyType\"` if that is meant",
            name.unwrap_or_default()
        );
        return Some((message, untyped.source.clone()));
    }
    let validator = SchemaValidator::new(set, ValidationFlags::default());
    let (key, reason) = validator.content_model_failures().into_iter().next()?;
    let place = set.arenas.complex_types.get(key)?.source.clone();
    Some((reason.to_owned(), place))
}

//! Estimates the size of the expanded content of types.
//!
//! `maxOccurs` repeats a part, a `group` is expanded wherever it is named, and an extension contains
//! its base, so a short schema can require more parts than fit into memory. The parts are counted
//! before any is created.

use std::collections::HashMap;

use lems_document::{Markup, Piece, Span, StartTag};

use crate::SchemaError;
use crate::XSD;

/// Largest number of parts of one type. The time to compile a type is quadratic in it.
const MOST_PARTS: u64 = 3_000;
/// Largest number of parts of all types together.
const MOST_PARTS_IN_ALL: u64 = 30_000;
/// The library expands a part that may occur up to this often. It counts parts that may occur more often while it reads.
const MOST_WRITTEN_OUT: u64 = 16;
/// Largest depth of groups and types that contain one another.
const DEEPEST: usize = 200;

/// Checks that the content of no type becomes too large.
///
/// # Errors
/// [`SchemaError::Unusable`] at the type or group that is too large.
pub(crate) fn check(markup: &Markup<'_>) -> Result<(), SchemaError> {
    let contents = contents(markup);
    let named = contents
        .iter()
        .map(|content| ((content.kind, &*content.name), content));
    let named: Named<'_> = named.collect();
    let mut sizes = HashMap::new();
    let mut total = 0_u64;
    for content in &contents {
        let size = size(content, &named, &mut sizes, 0);
        total = total.saturating_add(size);
        let (most, whose) = match size > MOST_PARTS {
            true => (MOST_PARTS, "this has"),
            false if total > MOST_PARTS_IN_ALL => (MOST_PARTS_IN_ALL, "its types have"),
            false => continue,
        };
        return Err(SchemaError::Unusable {
            message: format!(
                "{whose} more than {most} parts when each is repeated as often as `maxOccurs` allows"
            ),
            span: content.span,
        });
    }
    Ok(())
}

/// The kinds of named content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Group,
    Type,
}

/// The content of a type or a group.
struct Content {
    kind: Kind,
    /// The name; empty for an anonymous type.
    name: String,
    span: Span,
    parts: Parts,
}

type Named<'c> = HashMap<(Kind, &'c str), &'c Content>;

/// A number of parts, and the groups and types to add, each with the number of times it occurs.
#[derive(Default)]
struct Parts {
    own: u64,
    named: Vec<(Kind, String, u64)>,
}

impl Parts {
    fn add(&mut self, others: Parts, times: u64) {
        let more = others.own.saturating_mul(times);
        self.own = self.own.saturating_add(more);
        let named = others.named.into_iter();
        (self.named).extend(named.map(|(kind, name, n)| (kind, name, n.saturating_mul(times))));
    }
}

/// The contents of all types and groups, in the order in which they end.
fn contents(markup: &Markup<'_>) -> Vec<Content> {
    // An open element: a type or a group, or anything else with the number of times it is repeated.
    enum Open {
        Content(Kind, String, Span),
        Times(u64),
    }
    let mut contents = Vec::new();
    let mut open: Vec<(Open, Parts)> = Vec::new();
    for piece in markup.pieces() {
        match piece {
            // Begin a content, or a part with its number of repetitions.
            Piece::Start(tag) => {
                let mut parts = Parts::default();
                let name = || attribute(&tag, "name").unwrap_or_default().to_owned();
                let of = |named: &str| local(attribute(&tag, named).unwrap_or_default());
                let is_group = attribute(&tag, "name").is_some();
                let what = match (tag.name.namespace == XSD, tag.name.local) {
                    (true, "complexType") => Open::Content(Kind::Type, name(), tag.span),
                    (true, "group") if is_group => Open::Content(Kind::Group, name(), tag.span),
                    (true, "group") => {
                        parts.named.push((Kind::Group, of("ref"), 1));
                        Open::Times(times(&tag))
                    }
                    (true, "extension") => {
                        parts.named.push((Kind::Type, of("base"), 1));
                        Open::Times(1)
                    }
                    (true, "element" | "any") => {
                        parts.own = 1;
                        Open::Times(times(&tag))
                    }
                    (true, "sequence" | "choice" | "all") => Open::Times(times(&tag)),
                    _ => Open::Times(1),
                };
                open.push((what, parts));
            }
            Piece::Text(..) => {}
            // Finish a content, or add the parts to the element around.
            Piece::End => match open.pop() {
                Some((Open::Content(kind, name, span), parts)) => contents.push(Content {
                    kind,
                    name,
                    span,
                    parts,
                }),
                Some((Open::Times(times), parts)) => {
                    if let Some((_, around)) = open.last_mut() {
                        around.add(parts, times);
                    }
                }
                None => {}
            },
        }
    }
    contents
}

/// How often a part is expanded: `maxOccurs` times, or `minOccurs` times if it is unbounded. A part
/// that may occur very often is not repeated, but counted when a file is read.
fn times(tag: &StartTag<'_>) -> u64 {
    let number = |name| attribute(tag, name)?.trim().parse::<u64>().ok();
    let least = number("minOccurs").unwrap_or(1);
    let least = if least > MOST_WRITTEN_OUT { 1 } else { least };
    match attribute(tag, "maxOccurs").map(str::trim) {
        Some("unbounded") => least + 1,
        Some(_) => match number("maxOccurs") {
            Some(most) if most <= MOST_WRITTEN_OUT => most.max(1),
            _ => least + 1,
        },
        None => 1,
    }
}

fn attribute<'t>(tag: &StartTag<'t>, name: &str) -> Option<&'t str> {
    let mut attributes = tag.attributes.iter();
    let found = attributes.find(|one| one.name.local == name && one.name.namespace.is_empty())?;
    Some(found.value)
}

/// A name without its prefix.
fn local(name: &str) -> String {
    name.rsplit(':')
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// Number of parts of a content, including the parts of the groups and types that it names.
fn size<'c>(
    content: &'c Content,
    named: &Named<'c>,
    sizes: &mut HashMap<(Kind, &'c str), u64>,
    depth: usize,
) -> u64 {
    if depth > DEEPEST {
        return u64::MAX;
    }
    let mut all = content.parts.own;
    for (kind, name, times) in &content.parts.named {
        let known = sizes.get(&(*kind, name.as_str())).copied();
        let one = known.unwrap_or_else(|| {
            // A content that contains itself is refused later. Here it counts once.
            sizes.insert((*kind, name), 0);
            let found = named.get(&(*kind, name.as_str())).copied();
            let found = found.map_or(0, |found| size(found, named, sizes, depth + 1));
            sizes.insert((*kind, name), found);
            found
        });
        all = all.saturating_add(one.saturating_mul(*times));
    }
    all
}

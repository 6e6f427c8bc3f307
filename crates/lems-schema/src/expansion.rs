//! How large the content of types becomes when it is written out.
//!
//! `maxOccurs` repeats a part, a `group` is put where it is named, an extension holds its base: a short
//! schema can ask for more parts than there is memory. They are counted before any is made.

use std::collections::HashMap;

use lems_document::{Markup, Piece, Span, StartTag};

use crate::SchemaError;
use crate::schema::XSD;

/// Most parts of one type; the time to compile it grows with their square.
const MOST_PARTS: u64 = 3_000;
/// Most parts of all types together.
const MOST_PARTS_IN_ALL: u64 = 30_000;
/// What may come more often is counted when a file is read, not written out: a threshold of the library.
const MOST_WRITTEN_OUT: u64 = 16;
/// Most groups and types that are in one another.
const DEEPEST: usize = 200;

/// Sees to it that the content of no type becomes too large.
///
/// # Errors
/// [`SchemaError::Unusable`], with the place of the type or group that does.
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

/// What can be named: a group, or a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Group,
    Type,
}

/// The content of a type or a group.
struct Content {
    kind: Kind,
    /// Empty if the type has none.
    name: String,
    span: Span,
    parts: Parts,
}

type Named<'c> = HashMap<(Kind, &'c str), &'c Content>;

/// Parts that are counted, and groups and types whose parts are to be added, so many times each.
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

/// The contents of all types and groups, in the order of their ends.
fn contents(markup: &Markup<'_>) -> Vec<Content> {
    // What is open: a type or a group, or something that is repeated so often.
    enum Open {
        Content(Kind, String, Span),
        Times(u64),
    }
    let mut contents = Vec::new();
    let mut open: Vec<(Open, Parts)> = Vec::new();
    for piece in markup.pieces() {
        match piece {
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

/// How often a part is written out: as often as it may come, or has to if there is no end to it. What
/// may come very often is counted instead.
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

/// Number of parts of a content, those of what it names among them.
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
            // What contains itself is refused later; here it counts once.
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

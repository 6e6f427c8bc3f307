//! Writes a document as one LEMS text.

use lems_xml::Writer;

use crate::{Document, Element, SourceId, source::EMBEDDED};

/// Number of spaces per level of indentation.
const INDENT: usize = 2;

impl Document {
    /// The document as one LEMS file. Includes of embedded files stay, and all other includes are
    /// replaced by the contents of the file. Overridden attributes have their new values. Comments and
    /// namespaces are dropped.
    pub fn flat(&self) -> String {
        let mut text = Writer::new(INDENT);
        text.open(0, "Lems", [], "");
        let mut included: Vec<SourceId> = Vec::new();
        for root in self.roots() {
            let source = root.span().source;
            match self.source(source) {
                file if file.embedded => {
                    if !included.contains(&source) {
                        included.push(source);
                        let name = file.name.trim_end_matches(EMBEDDED);
                        text.empty(1, "Include", [("file", name)]);
                    }
                }
                _ => element(&mut text, root),
            }
        }
        text.close(0, "Lems");
        text.finish()
    }
}

enum Part<'d> {
    Start(Element<'d>),
    End(Element<'d>),
}

/// Appends an element with everything inside it, indented. An explicit stack avoids deep recursion.
fn element(text: &mut Writer, root: Element<'_>) {
    let mut depth = 1;
    let mut todo = vec![Part::Start(root)];
    while let Some(part) = todo.pop() {
        let found = match part {
            Part::Start(found) => found,
            Part::End(found) => {
                depth -= 1;
                text.close(depth, found.name());
                continue;
            }
        };
        let name = found.name();
        let attributes = found.attributes().map(|one| (one.name(), one.value()));
        let children: Vec<Element<'_>> = found.children().collect();
        match (children.is_empty(), found.text()) {
            (true, "") => text.empty(depth, name, attributes),
            (true, words) => text.around(depth, name, attributes, words),
            (false, words) => {
                text.open(depth, name, attributes, words);
                depth += 1;
                todo.push(Part::End(found));
                todo.extend(children.into_iter().rev().map(Part::Start));
            }
        }
    }
}

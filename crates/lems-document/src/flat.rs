//! Writes a document as one LEMS text.

use crate::{Document, Element, SourceId, source::EMBEDDED};

impl Document {
    /// The document as one LEMS file. Includes of embedded files stay, and all other includes are
    /// replaced by the contents of the file. Overridden attributes have their new values. Comments and
    /// namespaces are dropped.
    pub fn flat(&self) -> String {
        let mut text = String::from("<Lems>\n");
        let mut included: Vec<SourceId> = Vec::new();
        for root in self.roots() {
            let source = root.span().source;
            match self.source(source) {
                file if file.embedded => {
                    if !included.contains(&source) {
                        included.push(source);
                        text.push_str("  <Include");
                        let name = file.name.trim_end_matches(EMBEDDED);
                        attribute(&mut text, "file", name);
                        text.push_str("/>\n");
                    }
                }
                _ => element(&mut text, root),
            }
        }
        text + "</Lems>\n"
    }
}

enum Part<'d> {
    Start(Element<'d>),
    End(Element<'d>),
}

/// Appends an element with everything inside it, indented. An explicit stack avoids deep recursion.
fn element(text: &mut String, root: Element<'_>) {
    let mut depth = 1;
    let mut todo = vec![Part::Start(root)];
    while let Some(part) = todo.pop() {
        let found = match part {
            Part::Start(found) => found,
            Part::End(found) => {
                depth -= 1;
                indent(text, depth);
                text.push_str(&format!("</{}>\n", found.name()));
                continue;
            }
        };
        indent(text, depth);
        text.push('<');
        text.push_str(found.name());
        for given in found.attributes() {
            attribute(text, given.name(), given.value());
        }
        let children: Vec<Element<'_>> = found.children().collect();
        match (children.is_empty(), found.text()) {
            (true, "") => text.push_str("/>\n"),
            (true, words) => {
                text.push_str(&format!(">{}</{}>\n", escaped(words), found.name()));
            }
            (false, words) => {
                text.push_str(&format!(">{}\n", escaped(words)));
                depth += 1;
                todo.push(Part::End(found));
                todo.extend(children.into_iter().rev().map(Part::Start));
            }
        }
    }
}

fn indent(text: &mut String, depth: usize) {
    text.extend(std::iter::repeat_n("  ", depth));
}

fn attribute(text: &mut String, name: &str, value: &str) {
    let value = escaped(value).replace('\n', "&#10;").replace('\t', "&#9;");
    text.push_str(&format!(" {name}=\"{value}\""));
}

/// The text, escaped for use between tags or in an attribute with double quotes.
pub fn escaped(text: &str) -> String {
    (text.replace('&', "&amp;").replace('<', "&lt;"))
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

//! Writes indented XML, and keeps which elements are open.

use lems_xml::Writer;

/// XML text that grows element by element.
#[derive(Debug, Clone)]
pub struct Xml {
    writer: Writer,
    open: Vec<String>,
}

impl Default for Xml {
    fn default() -> Xml {
        Xml {
            writer: Writer::new(4),
            open: Vec::new(),
        }
    }
}

impl Xml {
    /// Writes the tag and attributes of an element and leaves it open.
    pub fn open(&mut self, tag: &str, attributes: &[(&str, &str)]) {
        let depth = self.open.len();
        self.writer.open(depth, tag, attributes.iter().copied(), "");
        self.open.push(tag.to_owned());
    }

    /// Writes an element without content.
    pub fn leaf(&mut self, tag: &str, attributes: &[(&str, &str)]) {
        let depth = self.open.len();
        self.writer.empty(depth, tag, attributes.iter().copied());
    }

    /// Closes the element opened last.
    pub fn close(&mut self) {
        if let Some(tag) = self.open.pop() {
            self.writer.close(self.open.len(), &tag);
        }
    }

    /// Writes an element with `content` inside.
    pub fn within(
        &mut self,
        tag: &str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Xml),
    ) {
        self.open(tag, attributes);
        content(self);
        self.close();
    }

    /// Writes elements that are given as text.
    pub fn paste(&mut self, elements: &str) {
        for line in elements.lines() {
            self.writer.raw_line(self.open.len(), line);
        }
    }

    /// The whole text.
    pub fn finish(self) -> String {
        self.writer.finish()
    }
}

//! Writes indented XML.

/// XML text that grows element by element.
#[derive(Debug, Clone, Default)]
pub struct Xml {
    text: String,
    open: Vec<String>,
}

impl Xml {
    /// Writes the tag and attributes of an element and leaves it open.
    pub fn open(&mut self, tag: &str, attributes: &[(&str, &str)]) {
        self.start(tag, attributes);
        self.text.push_str(">\n");
        self.open.push(tag.to_owned());
    }

    /// Writes an element without content.
    pub fn leaf(&mut self, tag: &str, attributes: &[(&str, &str)]) {
        self.start(tag, attributes);
        self.text.push_str("/>\n");
    }

    /// Closes the element opened last.
    pub fn close(&mut self) {
        if let Some(tag) = self.open.pop() {
            self.indent();
            self.text.push_str(&format!("</{tag}>\n"));
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
            self.indent();
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    /// The whole text.
    pub fn finish(self) -> String {
        self.text
    }

    fn start(&mut self, tag: &str, attributes: &[(&str, &str)]) {
        self.indent();
        self.text.push('<');
        self.text.push_str(tag);
        for (name, value) in attributes {
            self.text.push_str(&format!(" {name}=\"{value}\""));
        }
    }

    fn indent(&mut self) {
        for _ in &self.open {
            self.text.push_str("    ");
        }
    }
}

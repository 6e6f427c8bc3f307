//! Writes XML text.
//!
//! [`Writer`] writes elements on lines of their own. [`escape`] is for text that other crates put into XML or HTML
//! themselves.

use std::borrow::Cow;

#[cfg(test)]
mod tests;

/// Names and values of attributes, in order.
pub trait Attributes<'a>: IntoIterator<Item = (&'a str, &'a str)> {}

impl<'a, T: IntoIterator<Item = (&'a str, &'a str)>> Attributes<'a> for T {}

/// XML text that grows element by element. The caller gives the depth of each line.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    text: String,
    indent: usize,
}

impl Writer {
    /// An empty text that has `indent` spaces for each level of depth.
    pub fn new(indent: usize) -> Writer {
        let text = String::new();
        Writer { text, indent }
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }

    /// The text so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Begins anew, with no text.
    pub fn clear(&mut self) {
        self.text.clear();
    }

    /// Number of bytes of the text.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Adds text that is XML already.
    pub fn raw(&mut self, xml: &str) {
        self.text.push_str(xml);
    }

    /// Adds text that is XML already as a line of its own.
    pub fn raw_line(&mut self, depth: usize, xml: &str) {
        self.indented(depth);
        self.text.push_str(xml);
        self.text.push('\n');
    }

    /// Adds a line with an element that contains nothing.
    pub fn empty<'a>(&mut self, depth: usize, name: &str, attributes: impl Attributes<'a>) {
        self.tag(depth, name, attributes);
        self.text.push_str("/>\n");
    }

    /// Adds a line that opens an element. The escaped `text` stands behind the tag.
    pub fn open<'a>(
        &mut self,
        depth: usize,
        name: &str,
        attributes: impl Attributes<'a>,
        text: &str,
    ) {
        self.begin(depth, name, attributes, text);
        self.text.push('\n');
    }

    /// Adds a line that closes an element.
    pub fn close(&mut self, depth: usize, name: &str) {
        self.indented(depth);
        self.end(name);
    }

    /// Adds a line with an element that contains text, which is escaped.
    pub fn around<'a>(
        &mut self,
        depth: usize,
        name: &str,
        attributes: impl Attributes<'a>,
        text: &str,
    ) {
        self.begin(depth, name, attributes, text);
        self.end(name);
    }

    fn begin<'a>(&mut self, depth: usize, name: &str, attributes: impl Attributes<'a>, text: &str) {
        self.tag(depth, name, attributes);
        self.text.push('>');
        self.text.push_str(&escape(text));
    }

    fn tag<'a>(&mut self, depth: usize, name: &str, attributes: impl Attributes<'a>) {
        self.indented(depth);
        self.text.push('<');
        self.text.push_str(name);
        for (name, value) in attributes {
            self.text.push(' ');
            self.text.push_str(name);
            self.text.push_str("=\"");
            self.text.push_str(&escape_attribute(value));
            self.text.push('"');
        }
    }

    fn end(&mut self, name: &str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push_str(">\n");
    }

    fn indented(&mut self, depth: usize) {
        let width = depth.saturating_mul(self.indent);
        self.text.extend(std::iter::repeat_n(' ', width));
    }
}

/// The text, escaped for use between tags of XML or HTML, or in an attribute with double quotes.
pub fn escape(text: &str) -> Cow<'_, str> {
    escaped(text, |letter| matches!(letter, '&' | '<' | '>' | '"'))
}

/// The text, escaped for an attribute with double quotes. Tabs and line ends keep their meaning, which a reader
/// would replace by spaces.
pub fn escape_attribute(text: &str) -> Cow<'_, str> {
    escaped(text, |letter| {
        matches!(letter, '&' | '<' | '>' | '"' | '\t' | '\n' | '\r')
    })
}

/// Whether XML allows a character in text.
pub fn is_allowed(letter: char) -> bool {
    match letter {
        '\t' | '\n' | '\r' => true,
        '\u{0}'..' ' | '\u{fffe}' | '\u{ffff}' => false,
        _ => true,
    }
}

fn escaped(text: &str, is_special: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_special) {
        return Cow::Borrowed(text);
    }
    let mut xml = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            letter if !is_special(letter) => xml.push(letter),
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            letter => xml.push_str(&format!("&#{};", u32::from(letter))),
        }
    }
    Cow::Owned(xml)
}

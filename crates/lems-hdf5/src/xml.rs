//! Writes XML text of bounded length.

use std::borrow::Cow;

use crate::error::Hdf5Error;

/// The first line of every converted text.
pub const HEADING: &str = "<!-- HDF5, as XML -->\n";

/// Number of spaces per level of indentation.
const INDENT: usize = 4;

/// Text that grows up to a limit.
pub struct Text {
    text: String,
    most: usize,
}

impl Text {
    /// An empty text that may have at most `most` bytes.
    pub fn new(most: usize) -> Text {
        let text = String::new();
        Text { text, most }
    }

    /// Another empty text, whose limit is the rest of the limit of this one.
    pub fn beside(&self) -> Text {
        Text::new(self.most - self.text.len())
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }

    /// Adds text that is XML already.
    ///
    /// # Errors
    /// The limit is exceeded.
    pub fn raw(&mut self, xml: &str) -> Result<(), Hdf5Error> {
        if self.text.len().saturating_add(xml.len()) > self.most {
            return Err(Hdf5Error::TooLarge { limit: self.most });
        }
        self.text.push_str(xml);
        Ok(())
    }

    /// Adds a line with an empty element.
    ///
    /// # Errors
    /// The limit is exceeded, or a value contains a character that XML does not allow.
    pub fn empty(
        &mut self,
        depth: usize,
        name: &str,
        attributes: &[(&str, impl AsRef<str>)],
    ) -> Result<(), Hdf5Error> {
        self.tag(depth, name, attributes)?;
        self.raw("/>\n")
    }

    /// Adds a line that opens an element.
    ///
    /// # Errors
    /// As of [`Text::empty`].
    pub fn open(
        &mut self,
        depth: usize,
        name: &str,
        attributes: &[(&str, impl AsRef<str>)],
    ) -> Result<(), Hdf5Error> {
        self.tag(depth, name, attributes)?;
        self.raw(">\n")
    }

    /// Adds a line that closes an element.
    ///
    /// # Errors
    /// The limit is exceeded.
    pub fn close(&mut self, depth: usize, name: &str) -> Result<(), Hdf5Error> {
        self.raw(&format!("{:width$}</{name}>\n", "", width = depth * INDENT))
    }

    /// Adds a line with an element that holds text.
    ///
    /// # Errors
    /// As of [`Text::empty`].
    pub fn around(&mut self, depth: usize, name: &str, text: &str) -> Result<(), Hdf5Error> {
        self.tag(depth, name, &[] as &[(&str, &str)])?;
        let text = escaped(text)?;
        self.raw(&format!(">{text}</{name}>\n"))
    }

    fn tag(
        &mut self,
        depth: usize,
        name: &str,
        attributes: &[(&str, impl AsRef<str>)],
    ) -> Result<(), Hdf5Error> {
        self.raw(&format!("{:width$}<{name}", "", width = depth * INDENT))?;
        for (name, value) in attributes {
            let value = escaped(value.as_ref())?;
            self.raw(&format!(" {name}=\"{value}\""))?;
        }
        Ok(())
    }
}

/// The value escaped for XML, or an error for a character that XML does not allow.
fn escaped(text: &str) -> Result<Cow<'_, str>, Hdf5Error> {
    let is_plain = |character: char| {
        !matches!(
            character,
            '&' | '<' | '>' | '"' | '\u{0}'..' ' | '\u{fffe}' | '\u{ffff}'
        )
    };
    if text.chars().all(is_plain) {
        return Ok(Cow::Borrowed(text));
    }
    let mut xml = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\t' => xml.push_str("&#9;"),
            '\n' => xml.push_str("&#10;"),
            '\r' => xml.push_str("&#13;"),
            '\u{0}'..' ' | '\u{fffe}' | '\u{ffff}' => return Err(Hdf5Error::NoXmlCharacter),
            character => xml.push(character),
        }
    }
    Ok(Cow::Owned(xml))
}

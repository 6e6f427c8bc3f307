//! Writes XML text of bounded length.

use lems_xml::{Writer, escape_attribute, is_allowed};

use crate::error::Hdf5Error;

/// The first line of every converted text.
pub const HEADING: &str = "<!-- HDF5, as XML -->\n";

/// Number of spaces per level of indentation.
const INDENT: usize = 4;

/// Text that grows up to a limit.
pub struct Text {
    writer: Writer,
    most: usize,
}

impl Text {
    /// An empty text that may have at most `most` bytes.
    pub fn new(most: usize) -> Text {
        let writer = Writer::new(INDENT);
        Text { writer, most }
    }

    /// Another empty text, whose limit is the rest of the limit of this one.
    pub fn beside(&self) -> Text {
        Text::new(self.most - self.writer.len())
    }

    /// The text.
    pub fn finish(self) -> String {
        self.writer.finish()
    }

    /// Adds text that is XML already.
    ///
    /// # Errors
    /// The limit is exceeded.
    pub fn raw(&mut self, xml: &str) -> Result<(), Hdf5Error> {
        self.writer.raw(xml);
        self.within_limit()
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
        let attributes = allowed(attributes)?;
        self.writer.empty(depth, name, attributes);
        self.within_limit()
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
        let attributes = allowed(attributes)?;
        self.writer.open(depth, name, attributes, "");
        self.within_limit()
    }

    /// Adds a line that closes an element.
    ///
    /// # Errors
    /// The limit is exceeded.
    pub fn close(&mut self, depth: usize, name: &str) -> Result<(), Hdf5Error> {
        self.writer.close(depth, name);
        self.within_limit()
    }

    /// Adds a line with an element that holds text. Line ends in the text are escaped, so it stays one line.
    ///
    /// # Errors
    /// As of [`Text::empty`].
    pub fn around(&mut self, depth: usize, name: &str, text: &str) -> Result<(), Hdf5Error> {
        check(text)?;
        let element = format!("<{name}>{}</{name}>", escape_attribute(text));
        self.writer.raw_line(depth, &element);
        self.within_limit()
    }

    fn within_limit(&self) -> Result<(), Hdf5Error> {
        match self.writer.len() > self.most {
            true => Err(Hdf5Error::TooLarge { limit: self.most }),
            false => Ok(()),
        }
    }
}

/// The attributes, if XML allows all characters of their values.
fn allowed<'a>(
    attributes: &'a [(&'a str, impl AsRef<str>)],
) -> Result<impl Iterator<Item = (&'a str, &'a str)>, Hdf5Error> {
    for (_, value) in attributes {
        check(value.as_ref())?;
    }
    Ok(attributes
        .iter()
        .map(|(name, value)| (*name, value.as_ref())))
}

fn check(text: &str) -> Result<(), Hdf5Error> {
    match text.chars().all(is_allowed) {
        true => Ok(()),
        false => Err(Hdf5Error::NoXmlCharacter),
    }
}

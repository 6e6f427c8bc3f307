//! Writes XML text of bounded length.

use lems_xml::{Writer, escape_attribute, is_allowed};

use crate::error::Hdf5Error;

/// The first line of every converted text.
pub const HEADING: &str = "<!-- HDF5, as XML -->\n";

/// Number of spaces per level of indentation.
const INDENT: usize = 4;

/// So many bytes of text are given on together.
const PIECE: usize = 1 << 16;

/// Text of bounded length that is given on piece by piece.
pub struct Text<'g> {
    writer: Writer,
    give: &'g mut dyn FnMut(&str),
    /// Bytes that were given on.
    given: usize,
    most: usize,
}

impl<'g> Text<'g> {
    /// An empty text that may have at most `most` bytes. Its pieces are for `give`.
    pub fn new(most: usize, give: &'g mut dyn FnMut(&str)) -> Text<'g> {
        Text {
            writer: Writer::new(INDENT),
            give,
            given: 0,
            most,
        }
    }

    /// Gives on the last piece.
    pub fn finish(mut self) {
        self.give_on();
    }

    fn give_on(&mut self) {
        self.given += self.writer.len();
        (self.give)(self.writer.text());
        self.writer.clear();
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

    fn within_limit(&mut self) -> Result<(), Hdf5Error> {
        if self.writer.len() > self.most - self.given {
            return Err(Hdf5Error::TooLarge { limit: self.most });
        }
        if self.writer.len() >= PIECE {
            self.give_on();
        }
        Ok(())
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

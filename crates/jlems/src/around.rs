//! Makes a LEMS file, which exists only in memory, around a NeuroML file that says neither where its types are
//! nor what to run.

use std::path::Path;

use lems_document::{Document, MemorySources, SourceReader, SourceText, base_name};
use lems_xml::escape;
use nml2_coretypes::CORE_TYPES;

use crate::reading::RECORD;
use crate::{Failure, Options, load};

/// A reader that has one more file than the reader it is made from.
pub struct Around<'r> {
    /// Path of that file.
    pub path: String,
    /// Its text.
    pub text: String,
    reader: &'r dyn SourceReader,
}

impl<'r> Around<'r> {
    /// A file in the folder of another, to be called `(name, remark)` by messages.
    pub fn new(path: &str, remark: &str, text: String, reader: &'r dyn SourceReader) -> Self {
        Around {
            path: path_around(path, remark),
            text,
            reader,
        }
    }
}

impl SourceReader for Around<'_> {
    fn read(&self, path: &str, most: usize) -> Result<Option<SourceText>, String> {
        match path == self.path {
            true => Ok(Some(self.text.clone().into())),
            false => self.reader.read(path, most),
        }
    }

    fn may_exist(&self, path: &str) -> bool {
        path == self.path || self.reader.may_exist(path)
    }

    fn names_beside(&self, path: &str) -> Vec<String> {
        self.reader.names_beside(path)
    }

    fn canonical(&self, path: &str) -> String {
        self.reader.canonical(path)
    }
}

/// How far into a file its root is looked for.
const HEAD_BYTES: usize = 1 << 16;

const WITH_CORE_TYPES: &str = "with the core types";

/// The name of the file that includes the core types and a file without them.
pub(crate) fn with_core_types(path: &str) -> String {
    path_around(path, WITH_CORE_TYPES)
}

fn path_around(path: &str, remark: &str) -> String {
    let name = Path::new(path).file_name().unwrap_or_default();
    let around = format!("({} {remark})", name.to_string_lossy());
    let around = Path::new(path).with_file_name(around);
    around.to_string_lossy().into_owned()
}

/// The name of a model's file for what is made of it: without its folder, and of a NeuroML file with another around
/// it without its endings, such as `x` for `(x.net.nml as a simulation)`.
pub(crate) fn name_for_outputs(path: &str) -> &str {
    let name = base_name(path);
    let inner = name.strip_prefix('(').and_then(|name| {
        let remarks = REMARKS.iter();
        let mut inner = remarks.filter_map(|remark| name.strip_suffix(')')?.strip_suffix(remark));
        inner.next()
    });
    match inner {
        None => name,
        Some(inner) => ENDINGS.iter().fold(inner.trim_end(), |name, ending| {
            name.strip_suffix(ending).unwrap_or(name)
        }),
    }
}

/// Whether a text says what a user of the program asks for, and is in no file of the user, by its name.
pub fn is_of_a_request(name: &str) -> bool {
    let around = name.strip_suffix(')');
    name == RECORD || around.is_some_and(|name| name.ends_with(AS_A_SIMULATION))
}

/// What the paths of files around others say of them.
const REMARKS: [&str; 3] = [AS_A_SIMULATION, ON_ITS_OWN, WITH_CORE_TYPES];
/// The remark on a file that runs a NeuroML file.
pub const AS_A_SIMULATION: &str = "as a simulation";
/// The remark on a file that runs one cell of a NeuroML file.
pub(crate) const ON_ITS_OWN: &str = "on its own";
/// Endings of NeuroML files, in the order in which they are cut off.
const ENDINGS: [&str; 5] = [".h5", ".nml", ".xml", ".net", ".cell"];

/// Whether a file is NeuroML 2, which says neither where its types are nor what to run.
pub fn is_neuroml(path: &str, reader: &dyn SourceReader) -> bool {
    let text = head_of(path, reader);
    // The first version had the same root, in another namespace.
    let tag = text.split("<neuroml").nth(1);
    let is_old = tag.and_then(|tag| tag.split('>').next()?.find("morphml"));
    outermost(&text) == Some("neuroml") && is_old.is_none()
}

fn head_of(path: &str, reader: &dyn SourceReader) -> String {
    if path.ends_with(".h5") {
        // HDF5 holds a network of NeuroML, and cannot be read in part.
        return "<neuroml>".to_owned();
    }
    reader
        .read(path, HEAD_BYTES)
        .ok()
        .flatten()
        .map(|text| text.to_string())
        .unwrap_or_default()
}

/// A file with all that it includes; one of components alone is read with all core types.
///
/// # Errors
/// Those of [`load`].
pub fn load_with_types(
    path: &str,
    reader: &dyn SourceReader,
    options: &Options,
) -> Result<Document, Failure> {
    let name = Path::new(path).file_name().and_then(|name| name.to_str());
    let (Some(name), true) = (name, is_of_components(path, reader)) else {
        return load(path, reader, options);
    };
    let root = including_core_types(Some(name), options);
    let around = Around::new(path, WITH_CORE_TYPES, root, reader);
    load(&around.path, &around, options)
}

/// All core types, without a file of the user.
///
/// # Errors
/// Those of [`load`].
pub fn load_core_types(options: &Options) -> Result<Document, Failure> {
    const NAME: &str = "all core types";
    let root = including_core_types(None, options);
    let sources = MemorySources::from([(NAME, root.as_str())]);
    load(NAME, &sources, options)
}

/// A file that includes the core types, and possibly another.
pub(crate) fn including_core_types(name: Option<&str>, options: &Options) -> String {
    let core_types = options.core_types.unwrap_or(CORE_TYPES).iter();
    let mut root = String::from("<Lems>");
    for file in core_types.map(|file| file.name).chain(name) {
        let file = escape(file);
        root.push_str(&format!("<Include file=\"{file}\"/>"));
    }
    root + "</Lems>"
}

/// Whether a file says neither where its types are nor what to run.
pub(crate) fn is_of_components(path: &str, reader: &dyn SourceReader) -> bool {
    let text = head_of(path, reader);
    outermost(&text).is_some_and(|root| !root.eq_ignore_ascii_case("Lems"))
}

/// The name of the first element of an XML text.
fn outermost(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = rest.get(rest.find('<')? + 1..)?;
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.get(comment.find("-->")?..)?;
        } else if rest.starts_with(|first: char| first.is_alphabetic()) {
            let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>'))?;
            return rest.get(..end)?.rsplit(':').next();
        }
    }
}

//! The files that are checked: one that says nothing of its types gets the core types, and an
//! address that NeuroML includes does not end the check.

use std::path::Path;

use lems_document::{Document, DocumentError, Source, SourceReader, SourceText};

use crate::around::{including_core_types, is_of_components, with_core_types};
use crate::{Diagnostic, Failure, Options};

/// A reader with some files more, which stand nowhere else.
pub(super) struct Reading<'r> {
    path: &'r str,
    reader: &'r dyn SourceReader,
    /// Names and texts; the file that is read first, if it is not the one that was asked for.
    made: Vec<(String, String)>,
    /// Whether the file is one of components alone.
    pub(super) is_neuroml: bool,
}

impl SourceReader for Reading<'_> {
    fn read(&self, path: &str, most: usize) -> Result<Option<SourceText>, String> {
        match self.made.iter().find(|(name, _)| name == path) {
            Some((_, text)) => Ok(Some(text.clone().into())),
            None => self.reader.read(path, most),
        }
    }

    fn may_exist(&self, path: &str) -> bool {
        self.made.iter().any(|(name, _)| name == path) || self.reader.may_exist(path)
    }

    fn names_beside(&self, path: &str) -> Vec<String> {
        self.reader.names_beside(path)
    }

    fn canonical(&self, path: &str) -> String {
        self.reader.canonical(path)
    }
}

impl<'r> Reading<'r> {
    /// A file of components alone does not say where its types are: in the core types.
    pub(super) fn of(path: &'r str, reader: &'r dyn SourceReader, options: &Options) -> Self {
        let is_neuroml = is_of_components(path, reader);
        let mut made = Vec::new();
        let name = Path::new(path).file_name().and_then(|name| name.to_str());
        if let (Some(name), true) = (name, is_neuroml) {
            made.push((
                with_core_types(path),
                including_core_types(Some(name), options),
            ));
        }
        Reading {
            path,
            reader,
            made,
            is_neuroml,
        }
    }

    /// The document, and warnings of what a NeuroML file includes and is not there.
    pub(super) fn document(
        &mut self,
        options: &Options,
    ) -> Result<(Document, Vec<Diagnostic>), Failure> {
        let include = options.include_options();
        let first =
            (self.made.first()).map_or_else(|| self.path.to_owned(), |(name, _)| name.clone());
        let mut missing = Vec::new();
        let mut loaded = Document::load(&first, self, &include);
        if let (Err(failure), true) = (&loaded, self.is_neuroml) {
            let stand_ins: Option<Vec<String>> = (failure.errors.iter())
                .map(|error| looked_for(error, &failure.sources))
                .collect();
            if let Some(stand_ins) = stand_ins {
                missing = failure.errors.iter().map(Diagnostic::from).collect();
                let stand_ins = stand_ins.into_iter();
                self.made
                    .extend(stand_ins.map(|name| (name, "<Lems/>".to_owned())));
                loaded = Document::load(&first, self, &include);
            }
        }
        let mut document = loaded?;
        options.settings.apply(&mut document)?;
        Ok((document, missing))
    }

    /// Whether a source is a file of the user.
    pub(super) fn is_own(&self, source: &Source) -> bool {
        !source.embedded && !self.made.iter().any(|(name, _)| *name == source.name)
    }

    /// Whether a source is the file that was asked for.
    pub(super) fn is_asked_for(&self, source: &Source) -> bool {
        self.reader.canonical(&source.name) == self.reader.canonical(self.path)
    }
}

/// Where a file would lie that was given as an address.
fn looked_for(error: &DocumentError, sources: &[Source]) -> Option<String> {
    match error {
        DocumentError::UrlInclude { url, span } => {
            let including = sources.get(span.source.0 as usize)?;
            let name = url.rsplit('/').next().filter(|name| !name.is_empty())?;
            let beside = Path::new(&including.name).with_file_name(name);
            Some(beside.to_string_lossy().into_owned())
        }
        _ => None,
    }
}

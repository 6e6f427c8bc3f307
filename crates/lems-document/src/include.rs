//! Loads a file and, recursively, the files that it includes.

use std::collections::HashSet;
use std::sync::Arc;

use crate::error::{DocumentError, LoadFailure};
use crate::options::IncludeOptions;
use crate::read::{Builder, Include, Item};
use crate::search::{Found, Identity, Places, Search, base_name, folder_of, name_near};
use crate::source::{Source, SourceId, SourceReader, Span};
use crate::tree::Document;
use lems_suggest::begin_suggestions;

/// Number of warnings after which no names are suggested: each suggestion lists every folder.
const MOST_SUGGESTIONS: usize = 100;

impl Document {
    /// Reads the file `root` and everything that it includes.
    ///
    /// # Errors
    ///
    /// All problems in all files, together with the texts that they refer to.
    pub fn load(
        root: &str,
        reader: &dyn SourceReader,
        options: &IncludeOptions,
    ) -> Result<Document, LoadFailure> {
        load(root, reader, options)
    }
}

/// Loads the file `root` with everything that it includes.
fn load(
    root: &str,
    reader: &dyn SourceReader,
    options: &IncludeOptions,
) -> Result<Document, LoadFailure> {
    // Read the root file.
    begin_suggestions();
    let text = match reader.read(root, options.limits.most_bytes()) {
        Ok(Some(text)) => text,
        Ok(None) => {
            return Err(LoadFailure::before(DocumentError::RootMissing {
                file: root.to_owned(),
                suggestion: name_near(reader, folder_of(root), base_name(root)),
            }));
        }
        Err(message) => {
            let file = root.to_owned();
            return Err(LoadFailure::before(DocumentError::Unreadable {
                file,
                message,
                span: None,
            }));
        }
    };
    // Read everything that it includes.
    let mut loader = Loader {
        options,
        places: Places {
            reader,
            options,
            root_folder: folder_of(root).to_owned(),
            seen: HashSet::new(),
            earlier: Vec::new(),
        },
        builder: Builder::default(),
        sources: Vec::new(),
        roots: Vec::new(),
        outermost: None,
        open: Vec::new(),
        nested: Vec::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
        doubt: None,
    };
    let found = Found {
        identity: Identity::File(reader.canonical(root)),
        name: root.to_owned(),
        folder: Some(folder_of(root).to_owned()),
        text,
        embedded: None,
    };
    loader.places.remember(&found);
    loader.file(found, None);
    loader.finish()
}

impl LoadFailure {
    /// If a text was read only in part, reports the mistake in it alone, because it is the likely cause of all
    /// errors.
    fn or_of(self, doubt: Option<&DocumentError>) -> LoadFailure {
        match doubt {
            Some(doubt) => LoadFailure {
                sources: self.sources,
                errors: vec![doubt.clone()],
                warnings: Vec::new(),
            },
            None => self,
        }
    }

    fn before(error: DocumentError) -> LoadFailure {
        LoadFailure {
            sources: Vec::new(),
            errors: vec![error],
            warnings: Vec::new(),
        }
    }
}

/// A file whose includes are being followed.
struct OpenFile {
    identity: Identity,
    name: String,
    folder: Option<String>,
}

struct Loader<'o> {
    options: &'o IncludeOptions,
    places: Places<'o>,
    builder: Builder,
    sources: Vec<Source>,
    roots: Vec<u32>,
    outermost: Option<(String, Span)>,
    open: Vec<OpenFile>,
    /// Include elements inside other elements, and the elements that replace each of them.
    nested: Vec<(u32, Vec<u32>)>,
    errors: Vec<DocumentError>,
    warnings: Vec<DocumentError>,
    doubt: Option<DocumentError>,
}

impl Loader<'_> {
    /// Reads a file and, recursively, the files that it includes, within the limit on the depth.
    fn file(&mut self, found: Found, included_at: Option<Span>) {
        let limits = &self.options.limits;
        let limit = limits.most_bytes();
        if found.text.len() > limit {
            return self.errors.push(DocumentError::SourceTooLarge {
                file: found.name,
                limit,
                span: included_at,
            });
        }
        // Parse the text, or take the tree that was prepared when the program was built.
        let id = SourceId::after(&self.sources);
        let mut source = Source {
            name: found.name.clone(),
            text: found.text,
            embedded: found.embedded.is_some(),
        };
        let prepared = (found.embedded).and_then(|file| self.builder.take(id, file, limits));
        let read = prepared.map_or_else(|| self.builder.read(id, &mut source, self.options), Ok);
        self.sources.push(source);
        let mut file = match read {
            Ok(file) => file,
            Err(error) => return self.errors.push(error.included_at(included_at)),
        };
        // Keep the mistakes, and refuse foreign languages.
        self.warnings.append(&mut file.mistakes);
        self.doubt = self.doubt.take().or(file.doubt.take());
        if let Some(language) = file.foreign {
            return self.errors.push(DocumentError::OtherLanguage {
                file: found.name,
                language: language.name,
                hint: language.help,
                span: file.span,
            });
        }
        if self.outermost.is_none() {
            self.outermost = Some((file.name, file.span));
        }
        // Follow the includes in the order of the text.
        self.open.push(OpenFile {
            identity: found.identity,
            name: found.name,
            folder: found.folder,
        });
        for item in file.items {
            match item {
                Item::Element(index) => self.roots.push(index),
                Item::Include(include) => self.include(&include),
                Item::Nested(index, include) => {
                    let outside = std::mem::take(&mut self.roots);
                    self.include(&include);
                    let inside = std::mem::replace(&mut self.roots, outside);
                    self.nested.push((index, inside));
                }
            }
        }
        self.open.pop();
    }

    /// Finds and reads the file of an include element, or records why that is not possible.
    fn include(&mut self, include: &Include) {
        let span = include.span;
        if include.is_ignored {
            return self.warnings.push(DocumentError::NamelessInclude { span });
        }
        if include.file.is_empty() {
            return self.errors.push(DocumentError::NamelessInclude { span });
        }
        // Look for the file; only the last part of an address is used.
        let file = if include.is_url {
            base_name(&include.file)
        } else {
            &include.file
        };
        let including = self.open.last().and_then(|open| open.folder.as_deref());
        let (search, detour) = match file {
            "" => (Search::Missing, None),
            _ => self.places.search(including, file),
        };
        if let (Search::Known(_, found) | Search::Found(Found { name: found, .. }), Some(detour)) =
            (&search, detour)
        {
            self.warnings.push(DocumentError::FoundElsewhere {
                file: file.to_owned(),
                found: found.clone(),
                detour,
                span,
            });
        }
        // Read the file, unless it has been read before.
        match search {
            Search::Known(identity, name) => {
                self.replaced(include, &name);
                self.check_cycle(&identity, span);
            }
            Search::Found(found) => {
                self.replaced(include, &found.name);
                self.places.remember(&found);
                self.file_within_limits(found, span);
            }
            Search::Missing if include.is_url => {
                self.errors.push(DocumentError::UrlInclude {
                    url: include.file.clone(),
                    span,
                });
            }
            Search::Missing => {
                let suggest = self.warnings.len() < MOST_SUGGESTIONS;
                let missing = self.places.missing(including, file, span, suggest);
                self.warnings.push(missing);
            }
            Search::Failed { file, message } => {
                self.errors.push(DocumentError::Unreadable {
                    file,
                    message,
                    span: Some(span),
                });
            }
        }
    }

    /// Reads an included file, unless it exceeds a limit on number, depth or size.
    fn file_within_limits(&mut self, found: Found, span: Span) {
        let limits = &self.options.limits;
        let error = if self.sources.len() >= limits.sources {
            let limit = limits.sources;
            DocumentError::TooManySources { limit, span }
        } else if self.open.len() >= limits.include_depth {
            let limit = limits.include_depth;
            DocumentError::IncludesTooDeep { limit, span }
        } else if self.bytes_read() + found.text.len() > limits.most_total_bytes() {
            let limit = limits.most_total_bytes();
            DocumentError::TooMuchText { limit, span }
        } else {
            return self.file(found, Some(span));
        };
        self.errors.push(error);
    }

    fn bytes_read(&self) -> usize {
        self.sources.iter().map(|source| source.text.len()).sum()
    }

    fn replaced(&mut self, include: &Include, file: &str) {
        if include.is_url {
            let (url, file, span) = (include.file.clone(), file.to_owned(), include.span);
            self.warnings
                .push(DocumentError::UrlReplaced { url, file, span });
        }
    }

    fn check_cycle(&mut self, identity: &Identity, span: Span) {
        let Some(start) = self.open.iter().position(|open| open.identity == *identity) else {
            return;
        };
        let cycle = self.open.iter().skip(start);
        let first = self.open.iter().skip(start).take(1);
        let chain = cycle.chain(first).map(|open| open.name.clone()).collect();
        self.warnings
            .push(DocumentError::IncludeCycle { chain, span });
    }

    /// Makes the document, or gives all errors.
    fn finish(self) -> Result<Document, LoadFailure> {
        let Some((root_name, root_span)) = self.outermost.filter(|_| self.errors.is_empty()) else {
            return Err(LoadFailure {
                sources: self.sources,
                errors: self.errors,
                warnings: self.warnings,
            }
            .or_of(self.doubt.as_ref()));
        };
        let (mut tree, mut roots) = (self.builder.finish(), self.roots);
        if !self.nested.is_empty() {
            tree.splice(&mut roots, self.nested);
        }
        Ok(Document {
            sources: self.sources,
            tree: Arc::new(tree),
            roots,
            root_name,
            root_span,
            warnings: self.warnings,
            doubt: self.doubt,
            notes: self.options.notes,
            words: Default::default(),
            given: Vec::new(),
            overrides: Default::default(),
            additions: Default::default(),
            added_texts: Vec::new(),
        })
    }
}

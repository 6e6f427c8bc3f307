//! Files that include files.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Path, is_separator};

use crate::error::{DocumentError, LoadFailure};
use crate::read::{Builder, Include, TopLevel};
use crate::source::{EMBEDDED, EmbeddedFile, Source, SourceId, SourceReader, Span};
use crate::suggest::nearest;
use crate::tree::Document;

/// Where included files are found and how much is read.
#[derive(Clone, Debug, Default)]
pub struct IncludeOptions {
    /// Folders searched after those of the including and of the root file (`-I`).
    pub folders: Vec<String>,
    /// Files that are always at hand. Files found elsewhere win.
    pub embedded: &'static [EmbeddedFile],
    /// How much is read.
    pub limits: Limits,
}

/// Bounds on what a document may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in one file; never more than 4 GiB.
    pub source_bytes: usize,
    /// Bytes in all files together.
    pub total_bytes: usize,
    /// Files that include one another in a row.
    pub include_depth: usize,
    /// Files.
    pub sources: usize,
    /// Elements inside one another.
    pub element_depth: usize,
    /// Elements in all files together.
    pub elements: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            source_bytes: 256 << 20,
            total_bytes: 1 << 30,
            include_depth: 64,
            sources: 4096,
            element_depth: 256,
            elements: 50_000_000,
        }
    }
}

impl Limits {
    /// Bytes that one file may have: places in it are 32 bits wide.
    fn most_bytes(&self) -> usize {
        self.source_bytes.min(u32::MAX as usize)
    }
}

pub(crate) fn load(
    root: &str,
    reader: &dyn SourceReader,
    options: &IncludeOptions,
) -> Result<Document, LoadFailure> {
    let text = match reader.read(root, options.limits.most_bytes()) {
        Ok(Some(text)) => text,
        Ok(None) => {
            return Err(LoadFailure::before(DocumentError::RootMissing {
                file: root.to_owned(),
                suggestion: name_beside(reader, root, &[]),
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
    let mut loader = Loader {
        reader,
        options,
        root_folder: folder_of(root).to_owned(),
        builder: Builder::default(),
        sources: Vec::new(),
        roots: Vec::new(),
        outermost: None,
        seen: HashSet::new(),
        open: Vec::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    let identity = Identity::File(reader.canonical(root));
    loader.seen.insert(identity.clone());
    loader.file(
        Found {
            identity,
            name: root.to_owned(),
            folder: Some(folder_of(root).to_owned()),
            text: text.into(),
            embedded: None,
        },
        None,
    );
    loader.finish()
}

impl LoadFailure {
    fn before(error: DocumentError) -> LoadFailure {
        LoadFailure {
            sources: Vec::new(),
            errors: vec![error],
        }
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Identity {
    /// Canonical path.
    File(String),
    Embedded(&'static str),
}

/// A file that is to be read.
struct Found {
    identity: Identity,
    name: String,
    /// None for an embedded file.
    folder: Option<String>,
    text: Cow<'static, str>,
    /// If it is one.
    embedded: Option<EmbeddedFile>,
}

/// A file whose includes are being followed.
struct OpenFile {
    identity: Identity,
    name: String,
    folder: Option<String>,
}

enum Search {
    Found(Found),
    /// A file that was read already, or is being read.
    Known(Identity, String),
    Missing(Vec<String>),
    Failed {
        file: String,
        message: String,
    },
}

struct Loader<'o> {
    reader: &'o dyn SourceReader,
    options: &'o IncludeOptions,
    root_folder: String,
    builder: Builder,
    sources: Vec<Source>,
    roots: Vec<u32>,
    outermost: Option<(String, Span)>,
    seen: HashSet<Identity>,
    open: Vec<OpenFile>,
    errors: Vec<DocumentError>,
    warnings: Vec<DocumentError>,
}

impl Loader<'_> {
    /// Reads a file and, below it, what it includes: as deep as the limit on includes allows.
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
        let id = SourceId(self.sources.len() as u32);
        let source = Source {
            name: found.name.clone(),
            text: found.text,
            embedded: found.embedded.is_some(),
        };
        let prepared = (found.embedded).and_then(|file| self.builder.take(id, file, limits));
        let read = prepared.map_or_else(|| self.builder.read(id, &source, limits), Ok);
        self.sources.push(source);
        let file = match read {
            Ok(file) => file,
            Err(error) => return self.errors.push(error),
        };
        if self.outermost.is_none() {
            self.outermost = Some((file.name, file.span));
        }
        self.open.push(OpenFile {
            identity: found.identity,
            name: found.name,
            folder: found.folder,
        });
        for item in file.top_level {
            match item {
                TopLevel::Element(index) => self.roots.push(index),
                TopLevel::Include(include) => self.include(&include),
            }
        }
        self.open.pop();
    }

    fn include(&mut self, include: &Include) {
        let span = include.span;
        if include.file.is_empty() {
            return self.errors.push(DocumentError::NamelessInclude { span });
        }
        let file = if include.is_url {
            base_name(&include.file)
        } else {
            &include.file
        };
        let search = match file {
            "" => Search::Missing(Vec::new()),
            _ => self.search(file),
        };
        match search {
            Search::Known(identity, name) => {
                self.replaced(include, &name);
                self.check_cycle(&identity, span);
            }
            Search::Found(found) => {
                self.replaced(include, &found.name);
                self.seen.insert(found.identity.clone());
                let limits = &self.options.limits;
                if self.sources.len() >= limits.sources {
                    let limit = limits.sources;
                    self.errors
                        .push(DocumentError::TooManySources { limit, span });
                } else if self.open.len() >= limits.include_depth {
                    let limit = limits.include_depth;
                    self.errors
                        .push(DocumentError::IncludesTooDeep { limit, span });
                } else if self.bytes_read() + found.text.len() > limits.total_bytes {
                    let limit = limits.total_bytes;
                    self.errors.push(DocumentError::TooMuchText { limit, span });
                } else {
                    self.file(found, Some(span));
                }
            }
            Search::Missing(_) if include.is_url => {
                self.errors.push(DocumentError::UrlInclude {
                    url: include.file.clone(),
                    span,
                });
            }
            Search::Missing(searched) => {
                let including = self.open.last().and_then(|open| open.folder.as_deref());
                let place = joined(including.unwrap_or(&self.root_folder), file);
                let suggestion = name_beside(self.reader, &place, self.options.embedded);
                let file = file.to_owned();
                self.errors.push(DocumentError::MissingInclude {
                    file,
                    searched,
                    suggestion,
                    span,
                });
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

    fn search(&self, file: &str) -> Search {
        let mut searched = Vec::new();
        for path in self.candidates(file) {
            let identity = Identity::File(self.reader.canonical(&path));
            if self.seen.contains(&identity) {
                return Search::Known(identity, path);
            }
            match self.reader.read(&path, self.options.limits.most_bytes()) {
                Ok(None) => searched.push(path),
                Ok(Some(text)) => {
                    let folder = Some(folder_of(&path).to_owned());
                    return Search::Found(Found {
                        identity,
                        name: path,
                        folder,
                        text: text.into(),
                        embedded: None,
                    });
                }
                Err(message) => {
                    return Search::Failed {
                        file: path,
                        message,
                    };
                }
            }
        }
        let wanted = base_name(file);
        let mut embedded = self.options.embedded.iter();
        let Some(file) = embedded.find(|file| file.name == wanted) else {
            return Search::Missing(searched);
        };
        let identity = Identity::Embedded(file.name);
        let shown = format!("{}{EMBEDDED}", file.name);
        if self.seen.contains(&identity) {
            return Search::Known(identity, shown);
        }
        Search::Found(Found {
            identity,
            name: shown,
            folder: None,
            text: file.text.into(),
            embedded: Some(*file),
        })
    }

    fn bytes_read(&self) -> usize {
        self.sources.iter().map(|source| source.text.len()).sum()
    }

    /// The paths at which a file may lie, each once, in the order of the search.
    fn candidates(&self, file: &str) -> Vec<String> {
        if Path::new(file).is_absolute() {
            return vec![file.to_owned()];
        }
        let including = self.open.last().and_then(|open| open.folder.as_ref());
        let folders = including
            .into_iter()
            .chain([&self.root_folder])
            .chain(&self.options.folders);
        let mut paths: Vec<String> = Vec::new();
        for path in folders
            .map(|folder| joined(folder, file))
            .chain([file.to_owned()])
        {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        paths
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
        self.errors
            .push(DocumentError::IncludeCycle { chain, span });
    }

    fn finish(self) -> Result<Document, LoadFailure> {
        let Some((root_name, root_span)) = self.outermost.filter(|_| self.errors.is_empty()) else {
            return Err(LoadFailure {
                sources: self.sources,
                errors: self.errors,
            });
        };
        Ok(Document {
            sources: self.sources,
            tree: self.builder.finish(),
            roots: self.roots,
            root_name,
            root_span,
            warnings: self.warnings,
            words: Default::default(),
            overrides: Default::default(),
            additions: Default::default(),
        })
    }
}

/// The name of a file beside one that is missing, or of an embedded one, that may be meant.
fn name_beside(
    reader: &dyn SourceReader,
    missing: &str,
    embedded: &[EmbeddedFile],
) -> Option<String> {
    let mut beside = reader.names_beside(missing);
    beside.sort_unstable();
    let embedded = embedded.iter().map(|file| file.name);
    nearest(
        base_name(missing),
        beside.iter().map(String::as_str).chain(embedded),
    )
    .map(str::to_owned)
}

/// The part of a path in front of the file name, without the last separator; empty if there is none.
fn folder_of(path: &str) -> &str {
    match path.rfind(is_separator) {
        Some(0) => path.get(..1).unwrap_or_default(),
        Some(end) => path.get(..end).unwrap_or_default(),
        None => "",
    }
}

/// The file name of a path or address.
fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn joined(folder: &str, file: &str) -> String {
    if folder.is_empty() {
        file.to_owned()
    } else if folder.ends_with(is_separator) {
        format!("{folder}{file}")
    } else {
        format!("{folder}/{file}")
    }
}

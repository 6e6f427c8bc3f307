//! The texts of a model: some given, some read from files, all kept, so that a model stays what it
//! was when it was read first and can go to another process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lems_document::{MemorySources, SourceReader, SourceText};
use lems_host::FileSources;

/// What is known of a path, for a pickle: the text of its file, if there is one, and the name of the file that
/// all paths to it share.
pub type Text = (Option<String>, String);

/// The same, for this process.
type Kept = (Option<SourceText>, String);

/// Where a model is read from.
#[derive(Debug, Default)]
pub struct Texts {
    /// Texts that come before all files.
    given: MemorySources,
    /// Whether files are looked for, too.
    on_disk: bool,
    /// What was read from files, by path, also that there was none.
    read: Mutex<BTreeMap<String, Kept>>,
}

impl Texts {
    /// Texts by path, and files if they are looked for.
    pub fn new(given: impl IntoIterator<Item = (String, String)>, on_disk: bool) -> Texts {
        let mut sources = MemorySources::default();
        for (path, text) in given {
            let path = sources.canonical(&path);
            sources.0.insert(path, text);
        }
        Texts {
            given: sources,
            on_disk,
            read: Mutex::default(),
        }
    }

    /// The texts that another process had read.
    pub fn restored(given: BTreeMap<String, String>, read: BTreeMap<String, Text>) -> Texts {
        let kept = read
            .into_iter()
            .map(|(path, (text, canonical))| (path, (text.map(SourceText::from), canonical)));
        Texts {
            read: Mutex::new(kept.collect()),
            ..Texts::new(given, false)
        }
    }

    /// The given texts, and those that were read.
    pub fn all(&self) -> (BTreeMap<String, String>, BTreeMap<String, Text>) {
        let kept = self.kept();
        let whole = |text: &SourceText| text.to_string();
        let read = kept.iter().map(|(path, (text, canonical))| {
            let text = text.as_ref().map(whole);
            (path.clone(), (text, canonical.clone()))
        });
        (self.given.0.clone(), read.collect())
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        // What a panic interrupts is no text yet.
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SourceReader for Texts {
    fn read(&self, path: &str, most: usize) -> Result<Option<SourceText>, String> {
        if let Some(text) = self.given.read(path, most)? {
            return Ok(Some(text));
        }
        if let Some((text, _)) = self.kept().get(path) {
            return Ok(text.clone());
        }
        if !self.on_disk {
            return Ok(None);
        }
        let text = FileSources.read(path, most)?;
        // Of a longer file only the beginning is read.
        if text.as_ref().is_none_or(|text| text.len() <= most) {
            let canonical = FileSources.canonical(path);
            let kept = (text.clone(), canonical);
            self.kept().insert(path.to_owned(), kept);
        }
        Ok(text)
    }

    fn names_beside(&self, path: &str) -> Vec<String> {
        let mut names = self.given.names_beside(path);
        if self.on_disk {
            names.extend(FileSources.names_beside(path));
        }
        names
    }

    fn canonical(&self, path: &str) -> String {
        let given = self.given.canonical(path);
        if self.given.0.contains_key(&given) {
            return given;
        }
        if let Some((_, canonical)) = self.kept().get(path) {
            return canonical.clone();
        }
        match self.on_disk {
            true => FileSources.canonical(path),
            false => given,
        }
    }
}

//! Searches the folders for included files.

use std::collections::HashSet;
use std::path::{Path, is_separator};

use unicode_normalization::UnicodeNormalization;

use crate::error::{Detour, DocumentError};
use crate::options::IncludeOptions;
use crate::source::{EMBEDDED, EmbeddedFile, SourceReader, Span};
use crate::text::SourceText;
use lems_suggest::nearest;

/// The identity of a file: equal for all names of the file.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Identity {
    /// Canonical path.
    File(String),
    Embedded(&'static str),
}

/// A file that is to be read.
pub(crate) struct Found {
    pub(crate) identity: Identity,
    pub(crate) name: String,
    /// The folder of the file; None for an embedded file.
    pub(crate) folder: Option<String>,
    pub(crate) text: SourceText,
    /// The embedded file, if it is one.
    pub(crate) embedded: Option<EmbeddedFile>,
}

pub(crate) enum Search {
    Found(Found),
    /// A file that has been read before, or is being read.
    Known(Identity, String),
    Missing,
    Failed {
        file: String,
        message: String,
    },
}

/// The folders to search, and the files that have been read.
pub(crate) struct Places<'o> {
    pub(crate) reader: &'o dyn SourceReader,
    pub(crate) options: &'o IncludeOptions,
    pub(crate) root_folder: String,
    pub(crate) seen: HashSet<Identity>,
    /// Folders of the files that were found, without duplicates.
    pub(crate) earlier: Vec<String>,
}

impl Places<'_> {
    /// Looks for a file that a file in the folder `including` includes. If it is not found under its
    /// written name, the detour says how it was found.
    pub(crate) fn search(&self, including: Option<&str>, file: &str) -> (Search, Option<Detour>) {
        for spelling in spellings(file) {
            let respelt = (spelling != file).then(|| Detour::between(file, &spelling));
            let (search, detour) = self.search_as_spelt(including, &spelling);
            if !matches!(search, Search::Missing) {
                return (search, respelt.or(detour));
            }
        }
        (Search::Missing, None)
    }

    /// Looks for a file under exactly this name: in the usual folders, then among the embedded files,
    /// then in the folders of files that were found before.
    fn search_as_spelt(&self, including: Option<&str>, file: &str) -> (Search, Option<Detour>) {
        let below = below_folders(file);
        let looked = |path: String| match self.look(path) {
            Search::Missing => None,
            other => Some(other),
        };
        // The path may really be absolute.
        if below != Some(file)
            && let Some(found) = looked(file.to_owned())
        {
            return (found, None);
        }
        let slash = (below != Some(file)).then_some(Detour::Slash);
        let paths = |folders: &[&str]| {
            let paths = below
                .into_iter()
                .flat_map(|below| folders.iter().map(move |folder| joined(folder, below)));
            paths.collect::<Vec<String>>()
        };
        let usual = self.usual_folders(including);
        if let Some(found) = paths(&usual).into_iter().find_map(looked) {
            return (found, slash);
        }
        let wanted = base_name(file);
        let mut embedded = self.options.embedded.iter();
        if let Some(file) = embedded.find(|file| file.name == wanted) {
            return (self.embedded(file), None);
        }
        let earlier: Vec<&str> = self.earlier_folders(&usual).collect();
        match paths(&earlier).into_iter().find_map(looked) {
            Some(found) => (found, Some(Detour::Earlier)),
            None => (Search::Missing, None),
        }
    }

    /// Reads the file of a path, unless it was read before.
    fn look(&self, path: String) -> Search {
        if !self.reader.may_exist(&path) {
            return Search::Missing;
        }
        let identity = Identity::File(self.reader.canonical(&path));
        if self.seen.contains(&identity) {
            return Search::Known(identity, path);
        }
        let most = self.options.limits.most_bytes();
        match self.reader.read(&path, most) {
            Ok(None) => Search::Missing,
            Ok(Some(text)) => Search::Found(Found {
                identity,
                folder: Some(folder_of(&path).to_owned()),
                name: path,
                text,
                embedded: None,
            }),
            Err(message) => Search::Failed {
                file: path,
                message,
            },
        }
    }

    fn embedded(&self, file: &EmbeddedFile) -> Search {
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

    /// The folders of the including file and of the root file, those of `-I`, and the working directory.
    fn usual_folders<'f>(&'f self, including: Option<&'f str>) -> Vec<&'f str> {
        let mut folders = Vec::new();
        let given = self.options.folders.iter().map(String::as_str);
        for folder in (including.into_iter())
            .chain([self.root_folder.as_str()])
            .chain(given)
            .chain([""])
        {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        folders
    }

    /// The folders of files that were found before, the latest first, in the order of jLEMS.
    fn earlier_folders(&self, usual: &[&str]) -> impl Iterator<Item = &str> {
        let earlier = self.earlier.iter().rev().map(String::as_str);
        earlier.filter(|folder| !usual.contains(folder))
    }

    /// Records that a file was found.
    pub(crate) fn remember(&mut self, found: &Found) {
        self.seen.insert(found.identity.clone());
        if let Some(folder) = &found.folder
            && self.earlier.last() != Some(folder)
        {
            self.earlier.retain(|earlier| earlier != folder);
            self.earlier.push(folder.clone());
        }
    }

    /// The warning about a missing file, with a suggestion if `suggest` is set.
    pub(crate) fn missing(
        &self,
        including: Option<&str>,
        file: &str,
        span: Span,
        suggest: bool,
    ) -> DocumentError {
        let usual = self.usual_folders(including);
        let mut folders: Vec<&str> = usual.clone();
        folders.extend(self.earlier_folders(&usual));
        let near = |folder: &&str| name_near(self.reader, folder, below_folders(file)?);
        let core_type = || {
            let names = self.options.embedded.iter().map(|file| file.name);
            nearest(base_name(file), names).map(str::to_owned)
        };
        let candidates: Vec<String> = (folders.iter().filter(|_| suggest))
            .filter_map(near)
            .chain(core_type())
            .collect();
        let suggestion = nearest(file, candidates.iter().map(String::as_str))
            .or(candidates.first().map(String::as_str))
            .map(str::to_owned);
        let mut names: Vec<String> = spellings(file)
            .iter()
            .filter_map(|spelling| below_folders(spelling).map(str::to_owned))
            .collect();
        names.dedup();
        DocumentError::MissingInclude {
            file: file.to_owned(),
            names,
            folders: folders.into_iter().map(str::to_owned).collect(),
            suggestion,
            span,
        }
    }
}

/// The spellings of a name that are tried. The written name comes first, followed by those with `/`
/// for `\`, without blanks, and with accents composed and decomposed.
fn spellings(file: &str) -> Vec<String> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    if file.bytes().all(is_plain) {
        return vec![file.to_owned()];
    }
    let mut spellings = vec![file.to_owned()];
    let mut add = |spelling: String| {
        if !spelling.is_empty() && !spellings.contains(&spelling) {
            spellings.push(spelling);
        }
    };
    let slashes = file.replace('\\', "/");
    for written in [file, &slashes] {
        let without_blanks: String = written.split_whitespace().collect();
        for written in [written, &without_blanks] {
            add(written.to_owned());
            add(written.nfc().collect());
            add(written.nfd().collect());
        }
    }
    spellings
}

/// The path to look for below the folders: the name without leading `/`, as in jLEMS. None if it can
/// only be an absolute path.
fn below_folders(file: &str) -> Option<&str> {
    let below = file.trim_start_matches('/');
    (below != file || !Path::new(file).is_absolute()).then_some(below)
}

/// A file below a folder with a similar name, as an include would write it.
pub(crate) fn name_near(reader: &dyn SourceReader, folder: &str, name: &str) -> Option<String> {
    let (folders, file) = name.rsplit_once('/').unwrap_or(("", name));
    let mut near = String::new();
    for step in folders.split('/').filter(|step| !step.is_empty()) {
        let is_up = matches!(step, "." | "..");
        let step = if is_up {
            step.to_owned()
        } else {
            step_near(reader, &joined(folder, &joined(&near, step)), true)?
        };
        near = joined(&near, &step);
    }
    let file = step_near(reader, &joined(folder, &joined(&near, file)), false)?;
    Some(joined(&near, &file))
}

/// A file, or a folder, with a similar name in the same folder.
fn step_near(reader: &dyn SourceReader, path: &str, of_folder: bool) -> Option<String> {
    let mut beside = reader.names_beside(path);
    beside.retain(|name| name.ends_with('/') == of_folder);
    beside.sort_unstable();
    let names = beside.iter().map(|name| name.trim_end_matches('/'));
    nearest(base_name(path), names).map(str::to_owned)
}

/// The folder of a path, without the last separator; empty if there is none.
pub(crate) fn folder_of(path: &str) -> &str {
    match path.rfind(is_separator) {
        Some(0) => path.get(..1).unwrap_or_default(),
        Some(end) => path.get(..end).unwrap_or_default(),
        None => "",
    }
}

/// The file name of a path or address.
pub fn base_name(path: &str) -> &str {
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

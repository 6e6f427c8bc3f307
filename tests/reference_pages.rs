//! Generates the pages in `docs/reference`, one for each file of core types, from the output of
//! `jlems-rs describe`. The test fails if they are out of date; `UPDATE_REFERENCE=1` updates them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use jlems::Options;
use jlems::description::{Block, Definition, Member, TypeDescription};
use lems_document::{Document, EmbeddedFile, MemorySources};
use lems_model::{Model, TypeId};
use nml2_coretypes::CORE_TYPES;

use crate::support::workspace;

/// The text of each page, by name.
type Pages = BTreeMap<String, String>;

const SOURCE: &str = "Made by `tests/reference_pages.rs` from `nml2-coretypes`: do not edit.";

/// Sections that list inherited members like the type's own.
const COMPLETE: [&str; 5] = [
    "Parameters",
    "Properties",
    "Exposures",
    "Attachments",
    "References",
];

#[test]
fn reference_pages_are_up_to_date() {
    let made = pages();
    let folder = workspace().join("docs/reference");
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in &made {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    let kept: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let hint = "run the test with UPDATE_REFERENCE=1";
    assert!(made.keys().eq(&kept), "{kept:?} are not the pages: {hint}");
    for (name, text) in &made {
        let kept = std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(kept == *text, "docs/reference/{name} is stale: {hint}");
    }
}

#[test]
fn every_link_leads_to_a_heading() {
    let pages = pages();
    let mut headings = BTreeSet::new();
    for (page, text) in &pages {
        assert!(headings.insert(page.clone()));
        for heading in text.lines().filter(|line| line.starts_with('#')) {
            let link = format!("{page}#{}", anchor(heading.trim_start_matches(['#', ' '])));
            assert!(headings.insert(link), "{page} has {heading:?} twice");
        }
    }
    let mut links = 0;
    for (page, text) in &pages {
        for rest in text.split("](").skip(1) {
            let link = rest.split(')').next().unwrap();
            assert!(headings.contains(link), "{page} links to {link}");
            links += 1;
        }
    }
    assert!(links > 1000, "{links} links");
}

#[test]
fn every_core_type_and_its_quantities_are_described() {
    let (document, types) = core_types();
    let model = jlems::read_model(&document).unwrap();
    let mut missing = Vec::new();
    for id in types {
        let described = TypeDescription::of(&model, &document, id);
        if described.description.split(' ').count() < 3 {
            missing.push(described.name.clone());
        }
        let quantities = [
            described.parameters,
            described.derived_parameters,
            described.constants,
            described.properties,
            described.requirements,
            described.exposures,
            described.event_ports,
            described.attachments,
            described.references,
        ];
        for member in quantities.iter().flatten() {
            if member.description.is_empty() && member.from == described.name {
                missing.push(format!("{} {}", described.name, member.name));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// The core files as one document, and its types in the order of the files.
fn core_types() -> (Document, Vec<TypeId>) {
    let includes: String = (CORE_TYPES.iter())
        .map(|file| format!("<Include file=\"{}\"/>", file.name))
        .collect();
    let root = format!("<Lems>{includes}</Lems>");
    let reader = MemorySources::from([("core", root.as_str())]);
    let document = jlems::load("core", &reader, &Options::default()).unwrap();
    let count = jlems::read_model(&document).unwrap().types.len();
    assert_eq!(count, 272);
    (document, (0..272).map(TypeId).collect())
}

fn pages() -> Pages {
    let (document, types) = core_types();
    let model = jlems::read_model(&document).unwrap();
    let descriptions: Vec<TypeDescription> = (types.into_iter())
        .map(|id| TypeDescription::of(&model, &document, id))
        .collect();
    let reference = Reference {
        places: (descriptions.iter())
            .map(|kind| (kind.name.as_str(), page_of(file_of(kind))))
            .collect(),
    };
    let mut pages = Pages::new();
    let mut index = format!(
        "# Reference of the NeuroML component types\n\n{SOURCE}\n`jlems-rs describe TYPE` shows the same \
         for one type, also for types of your own (`--in FILE`).\n\n| file | of what |\n| --- | --- |\n"
    );
    let mut all = descriptions.iter().collect::<Vec<_>>();
    for EmbeddedFile {
        name: file, text, ..
    } in CORE_TYPES
    {
        let of_file = |kind: &&TypeDescription| file_of(kind) == *file;
        let types: Vec<&TypeDescription> = descriptions.iter().filter(of_file).collect();
        let about = prose(&described(text));
        let page = if !types.is_empty() {
            reference.page(file, &about, &types)
        } else if text.contains("<Dimension ") {
            dimensions(file, &about, &model)
        } else {
            continue;
        };
        let name = page_of(file);
        let _ = writeln!(index, "| [{file}]({name}) | {about} |");
        pages.insert(name, page);
    }
    index.push_str("\n## All types\n\n| type | models |\n| --- | --- |\n");
    all.sort_by_key(|kind| kind.name.to_lowercase());
    for kind in all {
        let link = reference.link(&kind.name);
        let _ = writeln!(index, "| {link} | {} |", prose(kind.summary()));
    }
    pages.insert("README.md".to_owned(), index);
    pages
}

/// `Cells.xml` for a source with the name `Cells.xml (core types)`.
fn file_of(kind: &TypeDescription) -> &str {
    kind.file.split(' ').next().unwrap()
}

fn page_of(file: &str) -> String {
    file.replace(".xml", ".md")
}

/// The description of a whole file.
fn described(file: &str) -> String {
    let (_, rest) = file.split_once("description=\"").unwrap_or_default();
    let text = rest.split('"').next().unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The anchor that GitHub creates for a heading.
fn anchor(heading: &str) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | ' ');
    let letters = heading.chars().filter(kept).collect::<String>();
    letters.to_lowercase().replace(' ', "-")
}

/// The text, escaped so that nothing in it is markup.
fn prose(text: &str) -> String {
    (text.replace('*', "\\*").replace('|', "\\|"))
        .replace('<', "&lt;")
        .replace('[', "\\[")
}

/// The text as code in a cell of a table.
fn code(text: &str) -> String {
    match text {
        "" => String::new(),
        _ => format!("`{}`", text.replace('|', "\\|")),
    }
}

fn dimensions(file: &str, about: &str, model: &Model<'_>) -> String {
    let mut text = format!("# {file}\n\n{about}\n\n{SOURCE}\n\n");
    text.push_str("| dimension | SI base units | units |\n| --- | --- | --- |\n");
    for name in model.dimensions.keys() {
        for definition in Definition::named(model, name) {
            if let Definition::Dimension {
                name,
                base_units,
                units,
            } = definition
            {
                let units: Vec<String> = units.iter().map(|unit| code(unit)).collect();
                let _ = writeln!(text, "| `{name}` | {base_units} | {} |", units.join(", "));
            }
        }
    }
    text.push_str("\n| unit | dimension | 1 of it in SI |\n| --- | --- | --- |\n");
    for symbol in model.units.keys() {
        for definition in Definition::named(model, symbol) {
            if let Definition::Unit {
                name,
                dimension,
                one,
                zero,
                si,
            } = definition
            {
                let si = si.unwrap_or_default();
                let offset = match zero == 0.0 {
                    true => String::new(),
                    false => format!("; 0 of it is {zero:?} {si}"),
                };
                let _ = writeln!(text, "| `{name}` | {dimension} | {one:?} {si}{offset} |");
            }
        }
    }
    text
}

struct Reference<'t> {
    /// Page by type.
    places: BTreeMap<&'t str, String>,
}

impl Reference<'_> {
    fn link(&self, name: &str) -> String {
        match self.places.get(name) {
            Some(page) => format!("[{name}]({page}#{})", anchor(name)),
            None => code(name),
        }
    }

    fn links(&self, names: &[String]) -> String {
        let links: Vec<String> = names.iter().map(|name| self.link(name)).collect();
        links.join(", ")
    }

    fn page(&self, file: &str, about: &str, types: &[&TypeDescription]) -> String {
        let mut text =
            format!("# {file}\n\n{about}\n\n{SOURCE}\n\n| type | models |\n| --- | --- |\n");
        for kind in types {
            let summary = prose(kind.summary());
            let _ = writeln!(text, "| {} | {summary} |", self.link(&kind.name));
        }
        for kind in types {
            self.describe(kind, &mut text);
        }
        text
    }

    fn describe(&self, kind: &TypeDescription, text: &mut String) {
        let _ = writeln!(text, "\n## {}\n\n{}", kind.name, prose(&kind.description));
        if !kind.extends.is_empty() {
            let links: Vec<String> = kind.extends.iter().map(|name| self.link(name)).collect();
            let _ = writeln!(text, "\nExtends {}.", links.join(" › "));
        }
        if !kind.subtypes.is_empty() {
            let _ = writeln!(text, "\nExtended by {}.", self.links(&kind.subtypes));
        }
        for (heading, members) in kind.sections() {
            self.section(heading, members, &kind.name, text);
        }
        for (heading, block) in kind.blocks() {
            self.block(heading, block, &kind.name, text);
        }
        self.used_by(kind, text);
    }

    /// Lists the types that name this one, or one of its bases that it can replace.
    fn used_by(&self, kind: &TypeDescription, text: &mut String) {
        let mut uses: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut bases = Vec::new();
        for usage in &kind.used_by {
            if usage.accepts == kind.name {
                uses.entry(&usage.by).or_default().push(code(&usage.name));
            } else if !bases.contains(&usage.accepts) {
                bases.push(usage.accepts.clone());
            }
        }
        let uses = uses.iter();
        let uses = uses.map(|(by, names)| format!("{} ({})", self.link(by), names.join(", ")));
        let uses = uses.collect::<Vec<_>>().join(", ");
        if !uses.is_empty() {
            let _ = writeln!(text, "\n**Used by** {uses}.");
        }
        if !bases.is_empty() {
            let _ = writeln!(text, "\n**Used as** {}.", self.links(&bases));
        }
    }

    fn section(&self, heading: &str, members: &[Member], own: &str, text: &mut String) {
        let is_row = |member: &&Member| member.from == own || COMPLETE.contains(&heading);
        let (rows, inherited): (Vec<&Member>, Vec<&Member>) = members.iter().partition(is_row);
        if !rows.is_empty() {
            let _ = writeln!(text, "\n**{heading}**\n");
            self.table(&rows, own, text);
        }
        let mut by_origin: Vec<(&str, Vec<String>)> = Vec::new();
        for member in inherited {
            match by_origin.last_mut() {
                Some((from, names)) if *from == member.from => names.push(code(&member.name)),
                _ => by_origin.push((&member.from, vec![code(&member.name)])),
            }
        }
        if !by_origin.is_empty() {
            let origins = by_origin.iter();
            let origins = origins
                .map(|(from, names)| format!("{} from {}", names.join(", "), self.link(from)));
            let origins: Vec<String> = origins.collect();
            let _ = writeln!(
                text,
                "\n**Inherited {}:** {}.",
                heading.to_lowercase(),
                origins.join("; ")
            );
        }
    }

    /// Writes a table; columns that are empty in every row are omitted.
    fn table(&self, members: &[&Member], own: &str, text: &mut String) {
        let columns = ["name", "dimension", "SI unit", "is", "value", "meaning"];
        let rows: Vec<[String; 6]> = (members.iter())
            .map(|member| {
                [
                    code(&member.name),
                    member
                        .dimension
                        .clone()
                        .unwrap_or_default()
                        .replace('*', "any"),
                    member.unit.clone().unwrap_or_default(),
                    self.what(member),
                    code(member.value.as_deref().unwrap_or_default()),
                    match member.from == own {
                        true => prose(&member.description),
                        false => format!(
                            "{} ({})",
                            prose(&member.description),
                            self.link(&member.from)
                        ),
                    },
                ]
            })
            .collect();
        let used = |column: &usize| rows.iter().any(|row| !row[*column].is_empty());
        let used: Vec<usize> = (0..columns.len()).filter(used).collect();
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let pick = |row: &[String]| {
            used.iter()
                .map(|&column| row[column].clone())
                .collect::<Vec<_>>()
        };
        text.push_str(&line(&pick(&columns.map(str::to_owned))));
        text.push_str(&line(&vec!["---".to_owned(); used.len()]));
        for row in &rows {
            text.push_str(&line(&pick(row)));
        }
    }

    fn what(&self, member: &Member) -> String {
        let kind = member.kind.as_deref().unwrap_or_default();
        let direction = member.direction.clone().unwrap_or_default();
        match member.element.as_str() {
            "Child" => format!("one {}", self.link(kind)),
            "Children" => format!("any number of {}", self.link(kind)),
            "ComponentReference" | "Link" => format!("id of a {}", self.link(kind)),
            "Text" | "Path" => member.element.to_lowercase(),
            _ if kind.is_empty() => direction,
            _ => self.link(kind),
        }
    }

    fn block(&self, heading: &str, block: &Block, own: &str, text: &mut String) {
        if block.statements.is_empty() {
            return;
        }
        if block.from != own {
            let _ = writeln!(text, "\n**{heading}** as in {}.", self.link(&block.from));
            return;
        }
        let _ = writeln!(
            text,
            "\n**{heading}**\n\n```text\n{}\n```",
            block.lines().join("\n")
        );
    }
}

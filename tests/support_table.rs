//! Generates `docs/support.md`, which lists the tests that use each LEMS element and each NeuroML type.
//! The test fails if it is out of date; `UPDATE_SUPPORT_TABLE=1` updates it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use jlems::Options;
use lems_document::Element;
use lems_host::FileSources;
use lems_model::{Dynamics, Model};
use lems_network::{Experiment, Network};

use crate::support::{cases, read_json, workspace};

/// The cases that use an element or a type, by its name.
type Uses = BTreeMap<String, BTreeSet<String>>;

#[derive(Default)]
struct Table {
    elements: Uses,
    types: Uses,
    core: BTreeMap<String, &'static str>,
    by_hand: BTreeSet<String>,
}

#[test]
fn support_table_is_up_to_date() {
    let mut table = Table::default();
    for case in cases() {
        let path = case.folder.join(&case.run);
        table.add_case(&case.name, &path.to_string_lossy());
        if read_json(&case.folder.join("case.json"))["golden"].is_string() {
            table.by_hand.insert(case.name);
        }
    }
    let made = table.text();
    let path = workspace().join("docs/support.md");
    if std::env::var_os("UPDATE_SUPPORT_TABLE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "docs/support.md is stale: run the test with UPDATE_SUPPORT_TABLE=1"
    );
}

impl Table {
    fn add_case(&mut self, name: &str, path: &str) {
        let document = jlems::load(path, &FileSources, &Options::default())
            .unwrap_or_else(|failure| panic!("{}", failure.render(false)));
        let model = jlems::read_model(&document)
            .unwrap_or_else(|failure| panic!("{}", failure.render(false)));
        for (name, kind) in &*model.types {
            let source = document.source(kind.element.span().source);
            if source.name.contains("core types") {
                self.core.insert((*name).to_owned(), role(&model, name));
            }
        }
        let target = model.target.unwrap().component;
        let experiment = Experiment::of(&model, target).unwrap();
        let mut used = BTreeSet::new();
        for component in model.component_ids() {
            used.insert(model.type_of_component(component).name);
        }
        for run in &experiment.runs {
            let network = Network::build(&model, run.target, experiment.random.clone()).unwrap();
            used.extend(network.instances.iter().map(|i| model.type_of(i.kind).name));
        }
        for kind in used {
            let mut current = model.type_named(kind);
            while let Some(id) = current {
                let kind = model.type_of(id);
                if self.core.contains_key(kind.name) {
                    add(&mut self.types, kind.name, name);
                }
                self.add_elements(kind.element, name);
                current = kind.parent;
            }
        }
    }

    fn add_elements(&mut self, element: Element<'_>, case: &str) {
        for child in element.children() {
            if child.name().starts_with(char::is_uppercase) {
                add(&mut self.elements, child.name(), case);
                self.add_elements(child, case);
            }
        }
    }

    fn text(&self) -> String {
        let mut text = String::from(
            "# What is tested\n\n\
             Made by `tests/support_table.rs` from the cases in `tests/models` and `examples`: do not edit.\n\
             Every case named here is run on both back ends, and its files are compared byte for byte with\n\
             those of jLEMS (cases marked * with values worked out by hand, where jLEMS gives none).\n\n\
             ## LEMS elements\n\n| element | cases | for example |\n| --- | --- | --- |\n",
        );
        for (element, cases) in &self.elements {
            let _ = writeln!(
                text,
                "| `{element}` | {} | {} |",
                cases.len(),
                self.some(cases)
            );
        }
        text.push_str(
            "\n## NeuroML component types\n\n| type | has | cases | for example |\n\
             | --- | --- | --- | --- |\n",
        );
        for (name, role) in &self.core {
            let none = BTreeSet::new();
            let cases = self.types.get(name).unwrap_or(&none);
            let _ = writeln!(
                text,
                "| `{name}` | {role} | {} | {} |",
                cases.len(),
                self.some(cases)
            );
        }
        text
    }

    fn some(&self, cases: &BTreeSet<String>) -> String {
        let shown = cases.iter().take(3).map(|case| {
            let mark = if self.by_hand.contains(case) { "*" } else { "" };
            format!("{case}{mark}")
        });
        shown.collect::<Vec<_>>().join(", ")
    }
}

fn add(uses: &mut Uses, name: &str, case: &str) {
    uses.entry(name.to_owned())
        .or_default()
        .insert(case.to_owned());
}

fn role(model: &Model<'_>, name: &str) -> &'static str {
    let kind = &model.types[name];
    if kind.dynamics.as_deref().is_some_and(does_something) {
        "dynamics"
    } else if !kind.structure.is_empty() {
        "structure"
    } else if !kind.simulation.is_empty() {
        "simulation"
    } else {
        "data"
    }
}

fn does_something(dynamics: &Dynamics<'_>) -> bool {
    let nothing = dynamics.state.is_empty()
        && dynamics.selections.is_empty()
        && dynamics.derived.is_empty()
        && dynamics.conditional.is_empty()
        && dynamics.rates.is_empty()
        && dynamics.on_start.is_empty()
        && dynamics.on_entry.is_empty()
        && dynamics.on_condition.is_empty()
        && dynamics.on_event.is_empty()
        && dynamics.regimes.is_empty()
        && dynamics.schemes.is_empty();
    !nothing
}

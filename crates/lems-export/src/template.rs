//! Cells with dendrites as templates of hoc: sections, and the density mechanisms in them.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;

use lems_ir::Cable;

use crate::cables::branches;
use crate::job::{Cell, Density, File, Insert, Job, Section};
use crate::names::{Names, mechanism_name};

/// Most statements of a procedure: hoc has a limit.
const STATEMENTS: usize = 300;

/// The names of a cell in hoc.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct CellNames {
    pub template: String,
    pub sections: Vec<String>,
    /// Groups of sections, by their place among those of the cell.
    groups: Vec<(String, usize)>,
}

/// Names for all cells of a run. No cell is called as a mechanism.
pub(crate) fn names(job: &Job<'_>) -> Vec<CellNames> {
    let densities = job.densities.iter().map(|density| density.name.as_str());
    let mut taken: HashSet<String> = densities.map(str::to_owned).collect();
    let of = |cell: &Cell| {
        let mut template = mechanism_name(&cell.name);
        while !taken.insert(template.clone()) {
            template.push('_');
        }
        // In a template, what is public and what is created have one space of names.
        let mut names = Names::default();
        let words = ["all", "init", "shape", "membrane", "topology", "position"];
        for word in words
            .into_iter()
            .chain(job.densities.iter().map(|of| of.name.as_str()))
        {
            names.give(word);
        }
        let mut give = |name: &str| names.give(&mechanism_name(name));
        let sections: Vec<String> = cell
            .sections
            .iter()
            .map(|section| give(&section.name))
            .collect();
        let is_own = |name: &str| cell.sections.iter().any(|section| section.name == name);
        let groups = cell.groups.iter().enumerate();
        let groups =
            groups.filter(|(_, (name, own))| !own.is_empty() && !is_own(name) && name != "all");
        let groups = groups
            .map(|(number, (name, _))| (give(name), number))
            .collect();
        CellNames {
            template,
            sections,
            groups,
        }
    };
    job.cells.iter().map(of).collect()
}

/// A file for each cell.
pub(crate) fn files(job: &Job<'_>) -> Vec<File> {
    let names = names(job);
    let cells = job.cells.iter().zip(&names).enumerate();
    cells
        .filter_map(|(number, (cell, names))| {
            let cable = job.cell_of_cable.iter().position(|of| *of == number)?;
            let cable = job.program.cables.get(cable)?;
            let text = text(cell, names, cable, job);
            Some(File {
                name: format!("{}.hoc", names.template),
                text,
            })
        })
        .collect()
}

fn text(cell: &Cell, names: &CellNames, cable: &Cable, job: &Job<'_>) -> String {
    let mut text = String::new();
    let template = &names.template;
    let _ = writeln!(
        text,
        "// A cell with dendrites: h.{template}() in Python, new {template}() in hoc. Made by jlems-rs.\n\
         // Compile the mechanisms beside this file first: nrnivmodl."
    );
    if let Some(celsius) = job.celsius {
        let _ = writeln!(text, "// The model has celsius = {celsius:?}.");
    }
    for (name, value) in &job.concentrations {
        let _ = writeln!(text, "// The model has {name} = {value:?}.");
    }
    let _ = writeln!(text, "\nbegintemplate {template}\n");
    for section in &names.sections {
        let _ = writeln!(text, "create {section}\npublic {section}");
    }
    text.push_str("objref all\npublic all");
    for (group, _) in &names.groups {
        let _ = write!(text, "\nobjref {group}\npublic {group}");
    }
    text.push_str("\n\n");
    // The order matters: sections are joined, then measured, then filled.
    let (parents, _) = branches(cable);
    let mut statements: Vec<String> = Vec::new();
    for (section, branch) in names.sections.iter().zip(&parents) {
        if let Some((parent, along)) = branch.parent {
            let parent = names.sections.get(parent).map_or("", String::as_str);
            statements.push(format!("connect {section}(0), {parent}({along:?})"));
        }
    }
    for ((name, section), branch) in names.sections.iter().zip(&cell.sections).zip(&parents) {
        statements.push(format!("{name} pt3dclear()"));
        for [x, y, z, diameter] in &section.points {
            statements.push(format!("{name} pt3dadd({x:?}, {y:?}, {z:?}, {diameter:?})"));
        }
        statements.push(format!("{name} nseg = {}", branch.divisions));
        statements.push(format!("{name} Ra = {:?}", section.resistivity));
        membrane(name, section, &job.densities, &mut statements);
    }
    statements.push("all = new SectionList()".to_owned());
    statements.extend(
        names
            .sections
            .iter()
            .map(|section| format!("{section} all.append()")),
    );
    for (name, number) in &names.groups {
        statements.push(format!("{name} = new SectionList()"));
        let own = cell
            .groups
            .get(*number)
            .map(|(_, own)| own.as_slice())
            .unwrap_or_default();
        let own = own
            .iter()
            .filter_map(|section| names.sections.get(*section));
        statements.extend(own.map(|section| format!("{section} {name}.append()")));
    }
    let procedures: Vec<&[String]> = statements.chunks(STATEMENTS).collect();
    for (number, statements) in procedures.iter().enumerate() {
        let _ = writeln!(text, "proc make_{number}() {{");
        for statement in *statements {
            let _ = writeln!(text, "    {statement}");
        }
        text.push_str("}\n\n");
    }
    text.push_str("proc init() {\n");
    for number in 0..procedures.len() {
        let _ = writeln!(text, "    make_{number}()");
    }
    let _ = write!(text, "}}\n\nendtemplate {template}\n");
    text
}

/// The statements for the membrane of a section: what all its compartments have is said once.
fn membrane(name: &str, section: &Section, densities: &[Density], statements: &mut Vec<String>) {
    let divisions = section.inserted.len();
    let capacitances: Vec<String> = section
        .capacitances
        .iter()
        .filter(|value| value.is_finite())
        .map(|value| format!("{value:?}"))
        .collect();
    if capacitances.len() == divisions {
        assign(name, "cm", &capacitances, statements);
    }
    let inserts = section.inserted.iter().flatten();
    let present: BTreeSet<usize> = inserts.map(|insert| insert.density).collect();
    for number in present {
        let Some(density) = densities.get(number) else {
            continue;
        };
        let suffix = &density.name;
        let of_compartment =
            |inserted: &'_ Vec<Insert>| inserted.iter().find(|of| of.density == number).cloned();
        let inserts: Vec<Option<Insert>> = section.inserted.iter().map(of_compartment).collect();
        statements.push(format!("{name} insert {suffix}"));
        let Some(any) = inserts.iter().flatten().next() else {
            continue;
        };
        for (place, (variable, value)) in any.values.iter().enumerate() {
            let is_idle = density.idle.as_ref() == Some(variable);
            let values: Vec<String> = (inserts.iter())
                .map(
                    |insert| match insert.as_ref().and_then(|insert| insert.values.get(place)) {
                        Some((_, value)) => value.clone(),
                        None if is_idle => "0".to_owned(),
                        None => value.clone(),
                    },
                )
                .collect();
            assign(name, &format!("{variable}_{suffix}"), &values, statements);
        }
    }
}

/// Gives a variable of a section its values, one for each compartment.
fn assign(name: &str, variable: &str, values: &[String], statements: &mut Vec<String>) {
    match values {
        [first, rest @ ..] if rest.iter().all(|value| value == first) => {
            statements.push(format!("{name} {variable} = {first}"));
        }
        _ => {
            for (number, value) in values.iter().enumerate() {
                let centre = (number as f64 + 0.5) / values.len() as f64;
                statements.push(format!("{name} {variable}({centre:?}) = {value}"));
            }
        }
    }
}

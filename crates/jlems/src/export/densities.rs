//! Channels and pools of cells with dendrites as density mechanisms.

use std::sync::Arc;

use lems_engine::{RecordSettings, Simulation};
use lems_export::{DataFile, ExportError, Quantity, Recorded};
use lems_network::{Column, Network, NetworkError, Variable};
use lems_nmodl::{Membranes, Moves, NotNative};

use super::populations::Populations;
use super::shapes::Shapes;
use super::{Exportable, data_files};
use crate::stages::Checked;
use crate::{Failure, Options, late_events};

/// A run whose cells have their channels and pools as density mechanisms, and everything else in the program; the
/// reason if that cannot be, or none if there is no such cell.
///
/// # Errors
/// What is wrong with the network.
pub(super) fn density_mechanisms<'d>(
    checked: &Checked<'d>,
    mut network: Network<'_, 'd>,
    whole: &Arc<Simulation>,
    options: &Options,
) -> Result<Result<Exportable, Option<NotNative>>, Failure> {
    let failed = |errors: Vec<NetworkError>| Failure::of(checked.document.sources(), &errors);
    let mut experiment = checked.experiment.clone();
    let Some(rules) = experiment.cable_rules.clone() else {
        return Ok(Err(None));
    };
    let Some(run) = experiment.runs.last().copied() else {
        return Ok(Err(None));
    };
    if network.cables.all.is_empty() {
        return Ok(Err(None));
    }
    let mut columns: Vec<Vec<Column<'d>>> = Vec::new();
    for file in &experiment.data_files {
        let own: Result<Vec<_>, _> = file
            .columns
            .iter()
            .map(|recording| network.column(recording))
            .collect();
        columns.push(own.map_err(|error| failed(vec![error]))?);
    }
    let all: Vec<Column<'d>> = columns.iter().flatten().copied().collect();
    let moves = match options.method.is_neurons() {
        true => Moves::ByEuler,
        false => Moves::Exactly,
    };
    let membranes = match Membranes::of(&network, &rules, &all, moves) {
        Ok(membranes) if membranes.densities.is_empty() => return Ok(Err(None)),
        Ok(membranes) => membranes,
        Err(reason) => return Ok(Err(Some(reason))),
    };
    // What is recorded of mechanisms and of potentials is no part of the program.
    let mut own: Vec<Vec<Option<Recorded>>> = Vec::new();
    for columns in &columns {
        let mut of_file = Vec::new();
        for column in columns {
            of_file.push(match in_membrane(&network, &membranes, column) {
                Ok(recorded) => recorded,
                Err(reason) => return Ok(Err(Some(reason))),
            });
        }
        own.push(of_file);
    }
    for (file, own) in experiment.data_files.iter_mut().zip(&own) {
        let mut own = own.iter();
        file.columns
            .retain(|_| own.next().is_some_and(Option::is_none));
    }
    experiment.displays.clear();
    let mut shapes = Shapes::of(&network, &checked.model);
    insert(&membranes, &mut shapes);
    membranes.remove_from(&mut network, &rules);
    let populations = Populations::of(&network);
    let recording = RecordSettings {
        number: whole.number(),
        every: whole.every(),
        times_file: None,
    };
    let simulation = Simulation::of_network(network, &experiment, run, recording, options.method)
        .map_err(failed)?;
    let simulation = late_events::delivered_late(simulation)?;
    Ok(Ok(Exportable {
        data_files: merged(data_files(&simulation), own, whole)?,
        simulation: Arc::new(simulation),
        shapes,
        populations,
        membranes,
    }))
}

/// Where a recorded value is, if it is in a mechanism or a potential.
fn in_membrane<'d>(
    network: &Network<'_, 'd>,
    membranes: &Membranes,
    column: &Column<'d>,
) -> Result<Option<Recorded>, NotNative> {
    let value = column.value;
    let place = network.cables.place_of(value.instance);
    if let (Some((cable, node)), Variable::Exposed(name) | Variable::Live(name)) =
        (place, value.variable)
        && name == network.cables.potential
    {
        return Ok(Some(Recorded::Potential { cable, node }));
    }
    let found = membranes.recorded(network, column)?;
    Ok(found.map(|found| Recorded::Ranges {
        cable: found.cable,
        node: found.node,
        terms: found.terms,
    }))
}

/// The data files with all their columns: `own` are those of mechanisms, in the place of each.
fn merged(
    of_program: Vec<DataFile>,
    own: Vec<Vec<Option<Recorded>>>,
    whole: &Simulation,
) -> Result<Vec<DataFile>, ExportError> {
    let mut all = data_files(whole);
    for ((file, of_program), own) in all.iter_mut().zip(of_program).zip(own) {
        let mut rest = of_program.columns.into_iter();
        for (column, own) in file.columns.iter_mut().zip(own) {
            let value = match own {
                Some(recorded) => Some(recorded),
                None => rest.next().map(|Quantity { value, .. }| value),
            };
            column.value = value.ok_or(ExportError::Bug { what: "column" })?;
        }
    }
    Ok(all)
}

/// Puts mechanisms into the compartments of each shape: those of the first cell that has it.
fn insert(membranes: &Membranes, shapes: &mut Shapes) {
    for (number, cell) in shapes.cells.iter_mut().enumerate() {
        let cable = shapes.of_cable.iter().position(|of| *of == number);
        let Some(nodes) = cable.and_then(|cable| membranes.inserted.get(cable)) else {
            continue;
        };
        // Nodes are the beginning, then for each section its compartments and its end.
        let mut node = 1;
        for section in &mut cell.sections {
            for inserted in &mut section.inserted {
                *inserted = nodes.get(node).cloned().unwrap_or_default();
                node += 1;
            }
            node += 1;
        }
    }
}

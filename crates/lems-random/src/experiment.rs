//! Generates the simulation: its length, step, seed and recordings.

use crate::builder::Builder;
use crate::network::Recordable;

/// The output files of every random model.
pub const OUTPUTS: [&str; 3] = ["values.dat", "more.dat", "events.txt"];

/// Largest number of columns of a model.
const COLUMNS: usize = 60;

/// Step and length of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Length of a step, in microseconds.
    pub step: usize,
    /// Number of steps.
    pub steps: usize,
}

/// Writes the types and the component of a simulation that runs the component `net`.
pub fn write(builder: &mut Builder, mut recordable: Recordable, steps: usize) -> Timing {
    // Choose the step and the columns.
    define(builder);
    let timing = Timing {
        step: *builder.dice.pick(&[10, 25, 50, 30]).unwrap_or(&10),
        steps,
    };
    let Builder { dice, xml, .. } = builder;
    dice.shuffle(&mut recordable.values);
    recordable.values.truncate(COLUMNS);
    let step = format!("{} us", timing.step);
    let length = format!("{} us", timing.step * timing.steps);
    let seed = dice.between(0, 99_999).to_string();
    let mut attributes = vec![
        ("id", "experiment"),
        ("length", &length),
        ("step", &step),
        ("target", "net"),
    ];
    if dice.chance(60) {
        attributes.push(("seed", &seed));
    }
    // Two files of data.
    xml.open("Experiment", &attributes);
    let split = dice.between(0, recordable.values.len());
    let (first, second) = recordable.values.split_at(split);
    for (file, paths) in [(OUTPUTS[0], first), (OUTPUTS[1], second)] {
        xml.open("Table", &[("id", file), ("fileName", file)]);
        for (index, quantity) in paths.iter().enumerate() {
            let id = format!("c{index}");
            match dice.chance(10) {
                true => xml.leaf(
                    "ScaledColumn",
                    &[("id", &id), ("quantity", quantity), ("scale", "0.3")],
                ),
                false => xml.leaf("Column", &[("id", &id), ("quantity", quantity)]),
            }
        }
        xml.close();
    }
    // One file of events.
    let format = dice.word(&["ID_TIME", "TIME_ID"]);
    xml.open(
        "EventTable",
        &[
            ("id", OUTPUTS[2]),
            ("fileName", OUTPUTS[2]),
            ("format", format),
        ],
    );
    dice.shuffle(&mut recordable.events);
    for (index, (path, port)) in recordable.events.iter().take(12).enumerate() {
        let id = format!("{path}#{index}");
        xml.leaf(
            "EventColumn",
            &[("id", &id), ("select", path), ("port", port)],
        );
    }
    xml.close();
    xml.close();
    xml.close();
    timing
}

/// Writes the types of the simulation, of files and of columns.
fn define(builder: &mut Builder) {
    let xml = &mut builder.xml;
    xml.within("ComponentType", &[("name", "Experiment")], |xml| {
        for name in ["length", "step"] {
            xml.leaf("Parameter", &[("name", name), ("dimension", "time")]);
        }
        xml.leaf("Text", &[("name", "seed")]);
        xml.leaf(
            "ComponentReference",
            &[("name", "target"), ("type", "Component")],
        );
        xml.leaf("Children", &[("name", "tables"), ("type", "Table")]);
        xml.leaf("Children", &[("name", "events"), ("type", "EventTable")]);
        xml.within("Dynamics", &[], |xml| {
            xml.leaf("StateVariable", &[("name", "t"), ("dimension", "time")]);
        });
        xml.within("Simulation", &[], |xml| {
            let run = [
                ("component", "target"),
                ("variable", "t"),
                ("increment", "step"),
                ("total", "length"),
            ];
            xml.leaf("Run", &run);
        });
    });
    xml.within("ComponentType", &[("name", "Table")], |xml| {
        xml.leaf("Text", &[("name", "fileName")]);
        xml.leaf("Children", &[("name", "columns"), ("type", "Column")]);
        xml.within("Simulation", &[], |xml| {
            xml.leaf("DataWriter", &[("path", "path"), ("fileName", "fileName")]);
        });
    });
    xml.within("ComponentType", &[("name", "Column")], |xml| {
        xml.leaf("Path", &[("name", "quantity")]);
        xml.within("Simulation", &[], |xml| {
            xml.leaf("Record", &[("quantity", "quantity")])
        });
    });
    xml.within(
        "ComponentType",
        &[("name", "ScaledColumn"), ("extends", "Column")],
        |xml| {
            xml.leaf("Path", &[("name", "quantity")]);
            xml.leaf("Parameter", &[("name", "scale"), ("dimension", "*")]);
            xml.within("Simulation", &[], |xml| {
                xml.leaf("Record", &[("quantity", "quantity"), ("scale", "scale")]);
            });
        },
    );
    xml.within("ComponentType", &[("name", "EventTable")], |xml| {
        for name in ["fileName", "format"] {
            xml.leaf("Text", &[("name", name)]);
        }
        xml.leaf("Children", &[("name", "columns"), ("type", "EventColumn")]);
        xml.within("Simulation", &[], |xml| {
            let writer = [
                ("path", "path"),
                ("fileName", "fileName"),
                ("format", "format"),
            ];
            xml.leaf("EventWriter", &writer);
        });
    });
    xml.within("ComponentType", &[("name", "EventColumn")], |xml| {
        xml.leaf("Path", &[("name", "select")]);
        xml.leaf("Text", &[("name", "port")]);
        xml.within("Simulation", &[], |xml| {
            xml.leaf(
                "EventRecord",
                &[("quantity", "select"), ("eventPort", "port")],
            );
        });
    });
}

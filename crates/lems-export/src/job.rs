//! What is exported, as plain values.

use std::rc::Rc;

use lems_ir::{Program, State};

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, without a folder.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// One run of a model: its program, and what of it is recorded.
#[derive(Debug, Clone)]
pub struct Job<'j> {
    /// Name of the model's file without its folder, such as `LEMS_net.xml`.
    pub name: &'j str,
    /// The compiled form of the network.
    pub program: &'j Program,
    /// First slot of each column in memory, and the variable that it holds.
    pub columns: &'j [(u32, String)],
    /// The state after the passes before the first step.
    pub start: &'j State,
    /// Length of a step, in seconds.
    pub step: f64,
    /// Number of steps.
    pub steps: u64,
    /// Steps from one row of a data file to the next.
    pub every: u64,
    /// The data files.
    pub data_files: Vec<DataFile>,
    /// The event files. Their selections are numbered one file after the other.
    pub event_files: Vec<EventFile>,
    /// Name of the file of times, if one is wanted.
    pub times_file: Option<String>,
    /// The shapes of cells with dendrites.
    pub cells: Vec<Cell>,
    /// The shape of each cable of the program, as an index in `cells`.
    pub cell_of_cable: Vec<usize>,
    /// Mechanisms of the membranes of cells, beside the program.
    pub densities: Vec<Density>,
    /// The temperature that they read, in degrees Celsius.
    pub celsius: Option<f64>,
    /// The populations of the model, for programs that have populations.
    pub populations: Vec<Population>,
    /// Concentrations of ions where no mechanism computes them: NEURON's name for the value, and the value.
    pub concentrations: Vec<(String, f64)>,
}

/// A population of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Population {
    /// Its id.
    pub name: String,
    /// Where its cells are, in its order.
    pub cells: Vec<PopulationCell>,
}

/// Where a cell of a population is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PopulationCell {
    /// It is a cable of the program.
    Cable(usize),
    /// It has a slot in each of some columns of memory.
    Member {
        /// First slots of the columns.
        columns: Rc<[u32]>,
        /// Number of the slots after the first ones.
        member: u32,
    },
}

/// A density mechanism.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Density {
    /// Its name.
    pub name: String,
    /// Its text as NMODL.
    pub text: String,
    /// The parameter that is zero where it does nothing, if there is one.
    pub idle: Option<String>,
}

/// A density mechanism in a compartment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insert {
    /// Which one.
    pub density: usize,
    /// Parameters with their values, as NEURON reads numbers.
    pub values: Vec<(String, String)>,
}

/// The shape of a cell with dendrites. Its compartments, section by section, are the nodes of the cables
/// that have this shape.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Its name in the model.
    pub name: String,
    /// Its sections, in the order of the nodes of a cable.
    pub sections: Vec<Section>,
    /// Names of groups, and the sections in them.
    pub groups: Vec<(String, Vec<usize>)>,
}

/// An unbranched piece of a cell.
#[derive(Debug, Clone)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Points along its axis: three coordinates and the diameter, in micrometres.
    pub points: Vec<[f64; 4]>,
    /// Resistivity of the cytoplasm, in ohm cm.
    pub resistivity: f64,
    /// Capacitance of the membrane of each compartment, in microfarads per square centimetre.
    pub capacitances: Vec<f64>,
    /// The density mechanisms in each compartment.
    pub inserted: Vec<Vec<Insert>>,
}

/// A data file: a row for each moment.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Its path, as the model gives it.
    pub path: String,
    /// What its columns after the time record.
    pub columns: Vec<Quantity>,
}

/// What a column of a data file records.
#[derive(Debug, Clone)]
pub struct Quantity {
    /// Its path in the model.
    pub name: String,
    /// Where it is.
    pub value: Recorded,
    /// What the SI value is divided by.
    pub scale: f64,
}

/// Where a recorded value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    /// A slot of memory.
    Slot(u32),
    /// It never changes.
    Constant(f64),
    /// The potential of a node of a cable.
    Potential {
        /// Which cable.
        cable: usize,
        /// Which of its nodes.
        node: usize,
    },
    /// The sum of range variables at a node of a cable, each times a factor that takes it to SI units.
    Ranges {
        /// Which cable.
        cable: usize,
        /// Which of its nodes.
        node: usize,
        /// Names with their factors.
        terms: Vec<(String, f64)>,
    },
}

/// An event file: a line for each event.
#[derive(Debug, Clone)]
pub struct EventFile {
    /// Its path, as the model gives it.
    pub path: String,
    /// The order of the fields of a line; without one, nothing is written to the file.
    pub order: Option<EventOrder>,
    /// The ids of its selections.
    pub ids: Vec<String>,
}

/// The order of the fields of a line of an event file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOrder {
    /// The id of the selection, then the time.
    IdTime,
    /// The time, then the id of the selection.
    TimeId,
}

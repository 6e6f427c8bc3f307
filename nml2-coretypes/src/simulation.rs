//! Writes a LEMS file that runs a network or a cell of a NeuroML file.

use lems_xml::Writer;

/// The type of networks, which can be run: populations with their connections and inputs.
pub const NETWORK: &str = "network";
/// The base type of everything that can be in a population.
pub const CELL: &str = "baseCell";
/// The base type of populations.
pub const POPULATION: &str = "basePopulation";
/// The reference of a population to its cell.
pub const POPULATION_CELL: &str = "component";
/// The parameter of a population that says how many cells it has, if it does not list them.
pub const SIZE: &str = "size";
/// The parameters of the place of a cell, in micrometres.
pub const COORDINATES: [&str; 3] = ["x", "y", "z"];
/// The port on which cells send spikes.
pub const SPIKE: &str = "spike";
/// The names of the potential of a cell: in volts, and as a pure number.
pub const POTENTIALS: [&str; 2] = ["v", "V"];

/// A note in an element: its name, and its attributes with the subject and with the text.
pub const NOTE: [&str; 3] = ["property", "tag", "value"];
/// The subject of a note in a network or cell that says for how many milliseconds it is to run.
pub const RECOMMENDED_LENGTH: &str = "recommended_duration_ms";
/// The subject of a note that says how many milliseconds a step has.
pub const RECOMMENDED_STEP: &str = "recommended_dt_ms";

/// Number of spaces per level of indentation.
const INDENT: usize = 2;

/// A simulation of a network, to be written as a LEMS file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Simulation {
    /// Its id.
    pub id: String,
    /// The NeuroML file, as the include is to name it.
    pub file: String,
    /// The network that runs.
    pub network: String,
    /// The content of the network, if the file has no network.
    pub one_cell: Option<OneCell>,
    /// Length, such as `500ms`.
    pub length: String,
    /// Length of a step, such as `0.01ms`.
    pub step: String,
    /// The recordings.
    pub outputs: Outputs,
}

/// A network of one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneCell {
    /// The cell.
    pub cell: String,
    /// Name of the population with this cell only.
    pub population: String,
    /// Temperature of the network, such as `32degC`, for channels that depend on it.
    pub temperature: Option<String>,
}

/// Files that a run writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outputs {
    /// Files of values.
    pub data: Vec<DataOutput>,
    /// Files of events.
    pub events: Vec<EventOutput>,
}

/// A file with a column for each quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataOutput {
    /// Its name.
    pub file: String,
    /// Paths from the network, such as `pop[0]/v`.
    pub quantities: Vec<String>,
}

/// A file of events. Each line has the number of a cell and the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventOutput {
    /// Its name.
    pub file: String,
    /// Paths of the cells from the network, such as `pop[0]`, and their ports.
    pub cells: Vec<(String, String)>,
}

impl Simulation {
    /// The text of the LEMS file.
    pub fn to_lems(&self) -> String {
        let mut text = Writer::new(INDENT);
        text.open(0, "Lems", [], "");
        text.empty(1, "Target", [("component", self.id.as_str())]);
        text.raw("\n");
        for file in [
            "Cells.xml",
            "Networks.xml",
            "PyNN.xml",
            "Simulation.xml",
            &self.file,
        ] {
            text.empty(1, "Include", [("file", file)]);
        }
        text.raw("\n");
        if let Some(one) = &self.one_cell {
            one.write(&mut text, &self.network);
        }
        let attributes = [
            ("id", self.id.as_str()),
            ("length", &self.length),
            ("step", &self.step),
            ("target", &self.network),
        ];
        text.open(1, "Simulation", attributes, "");
        self.outputs
            .write(&mut text, 2, ["recorded_data_", "recorded_events_"]);
        text.close(1, "Simulation");
        text.close(0, "Lems");
        text.finish()
    }
}

impl OneCell {
    fn write(&self, text: &mut Writer, network: &str) {
        let kind = match &self.temperature {
            Some(temperature) => {
                let attributes = [("id", network), ("temperature", temperature)];
                text.open(1, "networkWithTemperature", attributes, "");
                "networkWithTemperature"
            }
            None => {
                text.open(1, NETWORK, [("id", network)], "");
                NETWORK
            }
        };
        let attributes = [
            ("id", self.population.as_str()),
            ("component", &self.cell),
            ("size", "1"),
        ];
        text.empty(2, "population", attributes);
        text.close(1, kind);
        text.raw("\n");
    }
}

impl Outputs {
    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty() && self.events.is_empty()
    }

    /// The elements for the outputs, inside an enclosing element.
    ///
    /// They are added to a model that may have such elements itself. Two elements with the same id would
    /// share a file, so the ids here contain a space, which NeuroML does not allow in an id.
    pub fn to_lems(&self) -> String {
        let mut text = Writer::new(INDENT);
        text.open(0, "Lems", [], "");
        self.write(
            &mut text,
            1,
            ["recorded besides: data ", "recorded besides: events "],
        );
        text.close(0, "Lems");
        text.finish()
    }

    fn write(&self, text: &mut Writer, depth: usize, [data, events]: [&str; 2]) {
        for (number, output) in self.data.iter().enumerate() {
            let id = format!("{data}{number}");
            let attributes = [("id", id.as_str()), ("fileName", &output.file)];
            text.open(depth, "OutputFile", attributes, "");
            for quantity in &output.quantities {
                let attributes = [("id", &*name_of(quantity)), ("quantity", quantity)];
                text.empty(depth + 1, "OutputColumn", attributes);
            }
            text.close(depth, "OutputFile");
        }
        for (number, output) in self.events.iter().enumerate() {
            let id = format!("{events}{number}");
            let attributes = [
                ("id", id.as_str()),
                ("fileName", &output.file),
                ("format", "ID_TIME"),
            ];
            text.open(depth, "EventOutputFile", attributes, "");
            for (number, (cell, port)) in output.cells.iter().enumerate() {
                let id = number.to_string();
                let attributes = [("id", id.as_str()), ("select", cell), ("eventPort", port)];
                text.empty(depth + 1, "EventSelection", attributes);
            }
            text.close(depth, "EventOutputFile");
        }
    }
}

/// A name for a path: `pop[0]/v` becomes `pop_0_v`.
pub fn name_of(path: &str) -> String {
    let words = path.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_parts_in_the_order_in_which_they_are_read() {
        let simulation = Simulation {
            id: "sim".to_owned(),
            file: "a&b.nml".to_owned(),
            network: "net".to_owned(),
            one_cell: Some(OneCell {
                cell: "hh".to_owned(),
                population: "hh_pop".to_owned(),
                temperature: None,
            }),
            length: "500ms".to_owned(),
            step: "0.01ms".to_owned(),
            outputs: Outputs {
                data: vec![DataOutput {
                    file: "a.dat".to_owned(),
                    quantities: vec!["hh_pop[0]/v".to_owned()],
                }],
                events: vec![EventOutput {
                    file: "a.spikes".to_owned(),
                    cells: vec![("hh_pop[0]".to_owned(), "spike".to_owned())],
                }],
            },
        };
        let expected = r#"<Lems>
  <Target component="sim"/>

  <Include file="Cells.xml"/>
  <Include file="Networks.xml"/>
  <Include file="PyNN.xml"/>
  <Include file="Simulation.xml"/>
  <Include file="a&amp;b.nml"/>

  <network id="net">
    <population id="hh_pop" component="hh" size="1"/>
  </network>

  <Simulation id="sim" length="500ms" step="0.01ms" target="net">
    <OutputFile id="recorded_data_0" fileName="a.dat">
      <OutputColumn id="hh_pop_0_v" quantity="hh_pop[0]/v"/>
    </OutputFile>
    <EventOutputFile id="recorded_events_0" fileName="a.spikes" format="ID_TIME">
      <EventSelection id="0" select="hh_pop[0]" eventPort="spike"/>
    </EventOutputFile>
  </Simulation>
</Lems>
"#;
        assert_eq!(simulation.to_lems(), expected);
    }
}

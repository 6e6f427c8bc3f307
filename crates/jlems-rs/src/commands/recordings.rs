//! Options about what to run of a NeuroML file, and what to record of any file.

use std::path::Path;

use clap::Args;
use jlems::{AS_A_SIMULATION, Around, Choices, Code, Failure, MadeOutputs, Options, visible};
use lems_document::SourceReader;
use nml2_coretypes::simulation::Simulation;

/// Largest number of recorded paths, and of files of spikes, that are listed one by one.
const TOLD: usize = 5;

/// What to run and to record.
#[derive(Debug, Args)]
pub struct RecordingArguments {
    /// Network or cell to run, if a NeuroML file has several.
    #[arg(long, value_name = "ID")]
    target: Option<String>,
    /// Temperature for a cell that runs without a network, such as `32degC`.
    #[arg(long, value_name = "TEMPERATURE", allow_hyphen_values = true)]
    temperature: Option<String>,
    /// Record a variable, such as `pop[0]/v`, or the variable of every cell of a population:
    /// `pop[*]/v` (may be repeated).
    #[arg(long, value_name = "PATH")]
    record: Vec<String>,
    /// Record the spikes of a population, or `*` for all populations (may be repeated).
    #[arg(long, value_name = "POPULATION")]
    spikes: Vec<String>,
    /// File for the values of `--record`; the file for spikes has the same name with another
    /// extension. If not given, the name is `recorded.dat`, or that of the NeuroML file.
    #[arg(long, value_name = "FILE")]
    record_file: Option<String>,
}

/// A file that says what to run, or one around it that does.
pub struct Runnable<'r> {
    file: &'r str,
    reader: &'r dyn SourceReader,
    around: Option<Around<'r>>,
    /// What runs, if the file does not say so itself.
    pub said: String,
}

impl Runnable<'_> {
    /// The file to run.
    pub fn path(&self) -> &str {
        self.around
            .as_ref()
            .map_or(self.file, |around| &around.path)
    }

    /// Whether the file of the user says itself what to run.
    pub fn says_itself(&self) -> bool {
        self.around.is_none()
    }

    /// Where it is read from.
    pub fn reader(&self) -> &dyn SourceReader {
        match &self.around {
            Some(around) => around,
            None => self.reader,
        }
    }
}

impl RecordingArguments {
    /// Paths and populations to record, and the file that it would go to.
    pub fn of(record: Vec<String>, spikes: Vec<String>, file: &str) -> RecordingArguments {
        RecordingArguments {
            target: None,
            temperature: None,
            record,
            spikes,
            record_file: Some(file.to_owned()),
        }
    }

    /// The simulation of a NeuroML file, or None of a file that says itself what to run.
    pub fn simulation(
        &self,
        file: &str,
        reader: &dyn SourceReader,
        options: &Options,
    ) -> Result<Option<Simulation>, Failure> {
        let place = Path::new(file);
        if place.exists() && !place.is_file() {
            // What comes through a pipe can be read once only.
            return Ok(None);
        }
        let simulation = jlems::simulation_of(file, reader, options, &self.choices())?;
        let with_times = |mut simulation: Simulation| {
            let settings = &options.settings;
            let (length, step) = (settings.last_length(), settings.last_step());
            (length.into_iter()).for_each(|length| simulation.length.clone_from(length));
            (step.into_iter()).for_each(|step| simulation.step.clone_from(step));
            simulation
        };
        Ok(simulation.map(with_times))
    }

    /// What to run for a file; what is to be recorded besides goes to the options.
    pub fn runnable<'r>(
        &self,
        file: &'r str,
        reader: &'r dyn SourceReader,
        options: &mut Options,
    ) -> Result<Runnable<'r>, Failure> {
        let mut runnable = Runnable {
            file,
            reader,
            around: None,
            said: String::new(),
        };
        if let Some(simulation) = self.simulation(file, reader, options)? {
            runnable.said = format!("{}: {}", visible(file), sentence(&simulation));
            let around = around(file, &simulation, reader);
            options.made_outputs = Some(MadeOutputs {
                path: around.path.clone(),
                chosen: self.choices().record_something(),
            });
            runnable.around = Some(around);
            return Ok(runnable);
        }
        let only_neuroml = [
            ("--target", &self.target),
            ("--temperature", &self.temperature),
        ];
        if let Some((option, _)) = only_neuroml.iter().find(|(_, given)| given.is_some()) {
            let message =
                format!("{file} says itself what it runs, so there is no use for `{option}`");
            let help = "this is for a NeuroML file".to_owned();
            return Err(Failure::plain(Code::NOTHING_TO_RUN, message, Some(help)));
        }
        let outputs = jlems::outputs_of(file, reader, options, &self.choices())?;
        options.additions = (!outputs.is_empty()).then(|| outputs.to_lems());
        Ok(runnable)
    }

    fn choices(&self) -> Choices {
        Choices {
            target: self.target.clone(),
            temperature: self.temperature.clone(),
            record: self.record.clone(),
            spikes: self.spikes.clone(),
            record_file: self.record_file.clone(),
        }
    }
}

/// The file that a simulation would be in, beside the NeuroML file.
pub fn around<'r>(file: &str, simulation: &Simulation, reader: &'r dyn SourceReader) -> Around<'r> {
    Around::new(file, AS_A_SIMULATION, simulation.to_lems(), reader)
}

/// What a simulation runs and records.
pub fn sentence(simulation: &Simulation) -> String {
    let Simulation {
        network,
        one_cell,
        length,
        step,
        outputs,
        ..
    } = simulation;
    let what = match one_cell {
        Some(one) => format!("one cell `{}`", one.cell),
        None => format!("the network `{network}`"),
    };
    let paths = (outputs.data.iter()).flat_map(|output| output.quantities.iter().cloned());
    let spikes = outputs.events.iter().map(|output| {
        let cells = super::printing::counted(output.cells.len() as u64, "cell");
        format!("the spikes of {cells} into {}", output.file)
    });
    let recorded = [told(paths.collect()), told(spikes.collect())].concat();
    let recorded = match recorded.is_empty() {
        true => "nothing".to_owned(),
        false => recorded.join(", "),
    };
    let sentence = format!("{what} runs for {length} in steps of {step}; recorded is {recorded}");
    visible(&sentence).into_owned() + "\n"
}

/// The first few of many.
fn told(mut things: Vec<String>) -> Vec<String> {
    let more = things.len().saturating_sub(TOLD);
    things.truncate(TOLD);
    things.extend((more > 0).then(|| format!("{more} more")));
    things
}

use crate::{OutputError, OutputStore, write_java_float};

/// What the report file of a run says (LEMS `Target`, `reportFile`).
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Name of the simulator.
    pub simulator: String,
    /// Version of the simulator.
    pub simulator_version: String,
    /// Absolute path of the LEMS file.
    pub simulation_file: String,
    /// Start of the run as `yyyy-MM-dd HH:mm:ss`.
    pub start_time: String,
    /// Seconds from the start of the program to the start of the time loop.
    pub setup_seconds: f64,
    /// Seconds in the time loop.
    pub simulation_seconds: f64,
    /// Seconds spent on writing outputs.
    pub save_seconds: f64,
}

/// Writes `report` to the file `path` of `store`.
///
/// # Errors
/// If the store cannot create, write or finish the file.
pub fn write_report(
    store: &mut dyn OutputStore,
    path: &str,
    report: &Report,
) -> Result<(), OutputError> {
    let Report {
        simulator,
        simulator_version,
        simulation_file,
        start_time,
        ..
    } = report;
    let mut text = format!(
        "# Report of running simulation with {simulator} v{simulator_version}\n\
         Simulator={simulator}\n\
         SimulatorVersion={simulator_version}\n\
         SimulationFile={simulation_file}\n\
         StartTime={start_time}\n"
    )
    .into_bytes();
    for (name, seconds) in [
        ("SetupTime", report.setup_seconds),
        ("RealSimulationTime", report.simulation_seconds),
        ("SimulationSaveTime", report.save_seconds),
    ] {
        text.extend_from_slice(name.as_bytes());
        text.push(b'=');
        write_java_float(seconds, &mut text);
        text.push(b'\n');
    }
    let mut sink = store.create(path)?;
    sink.write(&text)?;
    sink.finish()
}

/// Replaces `__SIMULATOR__` and `__TIMESTAMP__` (`yyyyMMddHHmmss`) in the name of the report file. Calls `timestamp` only
/// if the name contains `__TIMESTAMP__`.
pub fn expand_report_name(
    name: &str,
    simulator: &str,
    timestamp: impl FnOnce() -> String,
) -> String {
    const TIMESTAMP: &str = "__TIMESTAMP__";
    let name = name.replace("__SIMULATOR__", simulator);
    if name.contains(TIMESTAMP) {
        name.replace(TIMESTAMP, &timestamp())
    } else {
        name
    }
}

//! Temporary folders in which the program is called, and a simple model.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

pub const DECAY: &str = r#"<Lems>
  <Include file="Simulation.xml"/>
  <Include file="decay_types.xml"/>
  <decay id="d" tau="10 ms"/>
  <Simulation id="sim" length="1 ms" step="0.1 ms" target="d">
    <OutputFile id="out" fileName="decay.dat">
      <OutputColumn id="x" quantity="x"/>
    </OutputFile>
  </Simulation>
  <Target component="sim"/>
</Lems>
"#;

pub const DECAY_TYPES: &str = r#"<Lems>
  <Include file="NeuroMLCoreDimensions.xml"/>
  <ComponentType name="decay">
    <Parameter name="tau" dimension="time"/>
    <Exposure name="x" dimension="none"/>
    <Dynamics>
      <StateVariable name="x" dimension="none" exposure="x"/>
      <OnStart><StateAssignment variable="x" value="1"/></OnStart>
      <TimeDerivative variable="x" value="-x / tau"/>
    </Dynamics>
  </ComponentType>
</Lems>
"#;

/// Files by name.
pub type Outputs = BTreeMap<String, Vec<u8>>;

/// A temporary folder for one test, which is removed when the test ends.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("command-line-{}-{number}", std::process::id()));
        // A test that was killed leaves its folder, and the numbers of processes come again.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn with_decay() -> Folder {
        let folder = Folder::new();
        folder.write("LEMS_decay.xml", DECAY);
        folder.write("decay_types.xml", DECAY_TYPES);
        folder
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// A folder with one file.
    pub fn with(name: &str, text: &str) -> Folder {
        let folder = Folder::new();
        folder.write(name, text);
        folder
    }

    /// A folder with `LEMS_two.xml`: cells in two populations. The second ones begin at `start` and become infinite
    /// if `rate` is large.
    pub fn with_two(start: &str, rate: &str, length: &str) -> Folder {
        let text = format!(
            r#"<Lems>
  <Include file="Simulation.xml"/>
  <Include file="Cells.xml"/>
  <Include file="Networks.xml"/>
  <Include file="decay_types.xml"/>
  <ComponentType name="growing">
    <Parameter name="rate" dimension="per_time"/>
    <Exposure name="x" dimension="none"/>
    <Dynamics>
      <StateVariable name="x" dimension="none" exposure="x"/>
      <OnStart><StateAssignment variable="x" value="{start}"/></OnStart>
      <TimeDerivative variable="x" value="x * x * rate"/>
    </Dynamics>
  </ComponentType>
  <decay id="d" tau="10 ms"/>
  <growing id="g" rate="{rate}"/>
  <network id="net">
    <population id="one" component="d" size="3"/>
    <population id="two" component="g" size="3"/>
  </network>
  <Simulation id="sim" length="{length}" step="0.1 ms" target="net">
    <OutputFile id="out" fileName="x.dat">
      <OutputColumn id="a" quantity="one[0]/x"/>
      <OutputColumn id="b" quantity="two[2]/x"/>
    </OutputFile>
  </Simulation>
  <Target component="sim"/>
</Lems>
"#
        );
        let folder = Folder::with("LEMS_two.xml", &text);
        folder.write("decay_types.xml", DECAY_TYPES);
        folder
    }

    /// The program, to be called in this folder.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jlems-rs"));
        command.current_dir(&self.0);
        command
    }

    pub fn call(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    pub fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.call(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// The messages of the program, which must fail with this status.
    pub fn fail(&self, arguments: &[&str], code: i32) -> String {
        let output = self.call(arguments);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
        assert!(!message.contains("panicked"), "{message}");
        message
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// All files of a folder and its subfolders, without those that a build creates.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut unvisited = vec![folder.to_owned()];
    while let Some(folder) = unvisited.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !path.is_dir() {
                found.push(path);
            } else if !name.starts_with('.') && name != "target" {
                unvisited.push(path);
            }
        }
    }
    found.sort();
    found
}

/// All files of a folder and its subfolders, by their names in it; reports tell times and are left out.
pub fn outputs_below(folder: &Path) -> Outputs {
    let mut outputs = Outputs::new();
    for path in files_below(folder) {
        let name = path.strip_prefix(folder).unwrap().display().to_string();
        if !name.contains("report") {
            outputs.insert(name, std::fs::read(path).unwrap());
        }
    }
    outputs
}

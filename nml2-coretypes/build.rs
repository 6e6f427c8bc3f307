//! Parses the core files when the program is built, so that they are not parsed in every run.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

/// Writes the prepared form of each core file to the output folder of the build.
fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::var("CARGO_MANIFEST_DIR")?;
    let trees = env::var("OUT_DIR")?;
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "xml") {
            continue;
        }
        println!("cargo::rerun-if-changed={}", path.display());
        let tree = lems_document::prepare(fs::read_to_string(&path)?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        fs::write(Path::new(&trees).join(format!("{name}.tree")), tree)?;
    }
    Ok(())
}

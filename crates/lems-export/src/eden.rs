//! A run in EDEN, which reads LEMS files itself.

use crate::job::File;

/// A Python file that runs a LEMS file in its folder with EDEN.
pub fn eden(name: &str) -> File {
    let stem = name.strip_suffix(".xml").unwrap_or(name);
    let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
    let text = format!(
        "#!/usr/bin/env python3\n\
         \"\"\"Runs a LEMS file with EDEN (`pip install eden-simulator`). Made by jlems-rs.\"\"\"\n\n\
         import sys\n\n\
         import eden_simulator\n\n\
         results = eden_simulator.runEden(\"{quoted}\")\n\
         sys.exit(0 if results is not None else 1)\n"
    );
    File {
        name: format!("{stem}_eden.py"),
        text,
    }
}

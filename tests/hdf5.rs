//! Tests of networks in HDF5: in all places where a file can be named, with mistakes, and damaged.

use std::path::Path;

use crate::folder::Folder;

const NETWORK: &str = "older.nml.h5";

const LEMS: &str = r#"<Lems>
  <Include file="Cells.xml"/>
  <Include file="Networks.xml"/>
  <Include file="Simulation.xml"/>
  <Include file="older.nml.h5"/>
  <Include file="parts.nml"/>
  <Simulation id="sim" length="1 ms" step="0.1 ms" target="pair">
    <OutputFile id="out" fileName="v.dat">
      <OutputColumn id="v" quantity="first/5/leaky/v"/>
    </OutputFile>
  </Simulation>
  <Target component="sim"/>
</Lems>
"#;

const PARTS: &str = r#"<neuroml>
  <expOneSynapse id="quick" gbase="4nS" erev="0mV" tauDecay="3ms"/>
  <iafCell id="leaky" leakConductance="8nS" leakReversal="-62mV" thresh="-51mV" reset="-66mV" C="170pF"/>
  <pulseGenerator id="push" delay="4ms" duration="37ms" amplitude="170pA"/>
</neuroml>
"#;

/// A file of a test model.
fn of_model(file: &str) -> Vec<u8> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/models");
    std::fs::read(models.join(file)).unwrap()
}

/// A small network, written by h5py.
fn network() -> Vec<u8> {
    of_model("hdf5-older-layout/older.nml.h5")
}

/// A network that libNeuroML wrote without checksums, in which one word is replaced by another of the
/// same length.
fn renamed(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = of_model("hdf5-network/wiring.net.nml.h5");
    let places: Vec<usize> = (0..bytes.len())
        .filter(|&at| bytes[at..].starts_with(from.as_bytes()))
        .collect();
    assert!(!places.is_empty(), "{from}");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

fn model(network: &[u8]) -> Folder {
    let folder = Folder::with("LEMS_net.xml", LEMS);
    folder.write("parts.nml", PARTS);
    std::fs::write(folder.0.join(NETWORK), network).unwrap();
    folder
}

#[test]
fn a_network_in_hdf5_stands_where_a_file_can() {
    let folder = model(&network());
    folder.succeed(&["LEMS_net.xml"]);
    let rows = folder.read("v.dat");
    assert_eq!(rows.lines().count(), 11);
    folder.succeed(&["run", "--sandbox", "LEMS_net.xml"]);
    folder.succeed(&["flatten", "LEMS_net.xml", "-o", "flat.xml"]);
    folder.succeed(&["run", "--out-dir", "flat", "flat.xml"]);
    assert_eq!(folder.read("flat/v.dat"), rows);
    assert!(
        folder
            .succeed(&["show", "network", "LEMS_net.xml"])
            .contains("second")
    );
    // Only the signature matters, not the name.
    std::fs::rename(folder.0.join(NETWORK), folder.0.join("net.nml")).unwrap();
    folder.write("LEMS_net.xml", &LEMS.replace(NETWORK, "net.nml"));
    folder.succeed(&["run", "--out-dir", "other", "LEMS_net.xml"]);
    assert_eq!(folder.read("other/v.dat"), rows);
}

#[test]
fn validate_reads_it_and_alone_it_lacks_its_components() {
    let whole = model(&network());
    whole.succeed(&["validate", "LEMS_net.xml"]);
    let message = whole.fail(&["run", NETWORK], 1);
    assert!(
        message.contains("no component has the id `leaky`"),
        "{message}"
    );
    let message = whole.fail(&["validate", NETWORK], 1);
    assert!(message.contains("`leaky`"), "{message}");
}

#[test]
fn a_place_in_it_is_a_line_of_its_xml() {
    let folder = model(&network());
    folder.write("parts.nml", &PARTS.replace("leaky", "other"));
    let message = folder.fail(&["LEMS_net.xml"], 1);
    assert!(message.contains(" older.nml.h5 (as XML):5:"), "{message}");
    let line = "<population id=\"first\" component=\"leaky\" size=\"2\" type=\"populationList\">";
    assert!(message.contains(line), "{message}");
}

#[test]
fn what_is_wrong_with_a_file_is_said_in_words() {
    let cases: [(Vec<u8>, &str); 5] = [
        (
            renamed("neuroml", "spiking"),
            "no network of NeuroML: there is no group `/neuroml` ",
        ),
        (
            renamed("synapse", "cleft\0\0"),
            "`/neuroml/network/projection_back` has no attribute `synapse`",
        ),
        (
            renamed("pre_cell_id", "pre_cell_no"),
            "has no column `pre_cell_id`",
        ),
        (
            network()[..2000].to_vec(),
            "its HDF5 is broken, or not complete",
        ),
        (b"\x1b[31mred".to_vec(), "it is no HDF5 file"),
    ];
    for (bytes, expected) in cases {
        let folder = model(&bytes);
        for arguments in [
            ["run", "LEMS_net.xml"],
            ["validate", NETWORK],
            ["run", NETWORK],
        ] {
            let message = folder.fail(&arguments, 1);
            assert!(
                message.contains("error[E0107]: cannot read `older.nml.h5`: "),
                "{message}"
            );
            assert!(message.contains(expected), "{message}");
            let is_shown = |c: char| c == '\n' || !c.is_control();
            assert!(message.chars().all(is_shown), "{message:?}");
        }
    }
}

/// What comes out of a pipe cannot be read here and there.
#[cfg(unix)]
#[test]
fn a_pipe_is_read_like_a_file() {
    let folder = model(&network());
    folder.succeed(&["LEMS_net.xml"]);
    let rows = folder.read("v.dat");
    let pipe = folder.0.join("pipe.nml.h5");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    folder.write("LEMS_net.xml", &LEMS.replace(NETWORK, "pipe.nml.h5"));
    let ways: [(&[&str], Option<&str>); 2] = [
        (&["run", "--out-dir", "piped", "LEMS_net.xml"], None),
        (
            &["run", "--limit", "file-bytes=3000", "LEMS_net.xml"],
            Some("it has more than 3000 bytes"),
        ),
    ];
    for (arguments, refused) in ways {
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            // The reader may refuse the bytes before it has read all of them.
            move || std::fs::write(pipe, network())
        });
        match refused {
            Some(words) => {
                let message = folder.fail(arguments, 1);
                assert!(message.contains(words), "{message}");
            }
            None => {
                folder.succeed(arguments);
                assert_eq!(folder.read("piped/v.dat"), rows);
            }
        }
        let _ = writer.join().unwrap();
    }
}

#[test]
fn limits_are_those_of_text() {
    let folder = model(&network());
    let message = folder.fail(&["validate", "--limit", "file-bytes=3000", NETWORK], 1);
    assert!(message.contains("it has more than 3000 bytes"), "{message}");
    let message = folder.fail(&["run", "--limit", "elements=10", NETWORK], 1);
    assert!(message.contains("E0112"), "{message}");
}

//! Checks that names of a model cannot forge lines of output and cannot send commands to a terminal.

use crate::folder::{DECAY, DECAY_TYPES, Folder};

/// A name with everything that a terminal obeys: CSI, a line break, a change of direction.
const NASTY: &str = "x&#x9b;2J&#10;wrote evil&#x202e;";

/// The characters of a text that a terminal would obey, without ends of lines.
fn obeyed(text: &str) -> Vec<char> {
    let acts = |letter: &char| {
        (letter.is_control() && *letter != '\n')
            || matches!(*letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(acts).collect()
}

/// Everything that a call prints.
fn said(folder: &Folder, arguments: &[&str]) -> String {
    let output = folder.call(arguments);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    said
}

fn assert_harmless(arguments: &[&str], said: &str) {
    assert_eq!(obeyed(said), [], "{arguments:?}: {said:?}");
    let forged = said
        .lines()
        .find(|line| line.trim().starts_with("wrote evil"));
    assert_eq!(forged, None, "{arguments:?}: {said}");
}

#[test]
fn names_of_outputs_are_shown_and_not_obeyed() {
    let folder = Folder::with_decay();
    let model = DECAY.replace("decay.dat", NASTY);
    folder.write("LEMS_nasty.xml", &model);
    for arguments in [
        &["LEMS_nasty.xml"][..],
        &["run", "--plan", "LEMS_nasty.xml"],
        &["run", "--plot", "text", "LEMS_nasty.xml"],
        &["run", "--json", "LEMS_nasty.xml"],
        &["show", "network", "LEMS_nasty.xml"],
        &["compare", "LEMS_nasty.xml", "--with-files", "."],
    ] {
        let said = said(&folder, arguments);
        assert_harmless(arguments, &said);
        assert!(
            said.contains("9b"),
            "{arguments:?} does not show it: {said}"
        );
    }
    let missing = DECAY.replace("decay.dat", &format!("{NASTY}/v.dat"));
    folder.write("LEMS_missing.xml", &missing);
    assert_harmless(&["missing"], &said(&folder, &["LEMS_missing.xml"]));
}

#[test]
fn names_in_messages_are_shown_and_not_obeyed() {
    let folder = Folder::with_decay();
    for (number, (part, whole)) in [
        ("id=\"d\"", format!("id=\"{NASTY}\"")),
        ("target=\"d\"", format!("target=\"{NASTY}\"")),
        ("quantity=\"x\"", format!("quantity=\"{NASTY}\"")),
        ("decay_types.xml", NASTY.to_owned()),
        ("10 ms", NASTY.to_owned()),
        ("<decay ", format!("<decay {}=\"1\" ", "strange")),
        (
            "<Target",
            format!("<decay id=\"{NASTY}\" tau=\"1 V\"/><Target"),
        ),
        ("\"1 ms\"", "\"\u{9b}1 ms\"".to_owned()),
        ("<Lems>", "<Lems>\u{85}\u{202e}<".to_owned()),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("LEMS_{number}.xml");
        folder.write(&name, &DECAY.replace(part, &whole));
        for arguments in [
            &["-v", &name][..],
            &["validate", "-v", &name],
            &["validate", "--json", &name],
            &["show", "model", &name],
        ] {
            assert_harmless(arguments, &said(&folder, arguments));
        }
    }
}

#[test]
fn a_name_as_long_as_a_file_is_not_shown_to_its_end() {
    let folder = Folder::with_decay();
    let long = "x".repeat(3_000_000);
    for (number, (part, whole)) in [
        ("<decay ", format!("<{long} ")),
        ("10 ms", long.clone()),
        ("target=\"d\"", format!("target=\"{long}\"")),
        ("quantity=\"x\"", format!("quantity=\"{long}\"")),
        ("decay_types.xml", long.clone()),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("LEMS_{number}.xml");
        folder.write(&name, &DECAY.replace(part, &whole));
        for arguments in [
            &["-v", &name][..],
            &["validate", "-v", &name],
            &["validate", "--json", &name],
        ] {
            let said = said(&folder, arguments);
            assert!(said.contains("error"), "{arguments:?}");
            assert!(
                said.len() < 500_000,
                "{arguments:?} says {} bytes",
                said.len()
            );
        }
    }
}

#[test]
fn names_of_types_are_shown_and_not_obeyed() {
    let folder = Folder::with_decay();
    let types = DECAY_TYPES.replace(
        "name=\"decay\"",
        &format!("name=\"decay\" description=\"{NASTY}\""),
    );
    folder.write(
        "types.xml",
        &types.replace(
            "dimension=\"time\"/>",
            &format!("dimension=\"time\" description=\"{NASTY}\"/>"),
        ),
    );
    for arguments in [
        &["types", "types.xml"][..],
        &["describe", "decay", "--in", "types.xml"],
        &["describe", "decay", "--json", "--in", "types.xml"],
    ] {
        assert_harmless(arguments, &said(&folder, arguments));
    }
}

#[cfg(unix)]
#[test]
fn names_of_files_are_shown_and_not_obeyed() {
    let folder = Folder::new();
    folder.write("LEMS\u{1b}[2J\nwrote evil.xml", "<Lems><nothing/></Lems>");
    for arguments in [&["validate", "."][..], &["validate", "-v", "--json", "."]] {
        assert_harmless(arguments, &said(&folder, arguments));
    }
}

#[test]
fn pictures_show_names_as_they_are_shown() {
    let folder = Folder::with_decay();
    let display = format!(
        "<Display id=\"d\" title=\"{NASTY}\" timeScale=\"1ms\" xmin=\"0\" xmax=\"1\" ymin=\"0\" ymax=\"1\">\
         <Line id=\"{NASTY}\" quantity=\"x\" scale=\"1\" timeScale=\"1ms\" color=\"#ff0000\"/></Display><OutputFile"
    );
    folder.write("LEMS_d.xml", &DECAY.replace("<OutputFile", &display));
    for form in ["text", "svg", "html"] {
        let arguments = ["run", "--plot", form, "LEMS_d.xml"];
        assert_harmless(&arguments, &said(&folder, &arguments));
    }
    let svg = folder.read("LEMS_d.svg");
    assert_eq!(obeyed(&svg), [], "{svg}");
    assert!(svg.contains("\\u{9b}2J"), "{svg}");
}

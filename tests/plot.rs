//! Tests of pictures of runs and of files.

use crate::folder::{DECAY, Folder};

/// The decay model with a display and without an output file.
fn shown() -> Folder {
    let folder = Folder::with_decay();
    let display = r##"<Display id="d1" title="Fall &lt;off&gt;" xmin="0" xmax="2" ymin="0.5" ymax="1.25" timeScale="1ms">
      <Line id="what" quantity="x" color="#12aB34" scale="1" timeScale="1ms"/>
    </Display>
    <OutputFile"##;
    folder.write("LEMS_decay.xml", &DECAY.replace("<OutputFile", display));
    folder
}

/// A model with a value that is not finite and that only a display shows.
const GAP: &str = r##"<Lems>
  <Include file="Simulation.xml"/>
  <ComponentType name="gap">
    <Exposure name="x" dimension="none"/>
    <Constant name="SECOND" dimension="time" value="1 s"/>
    <Dynamics>
      <DerivedVariable name="x" dimension="none" value="1 / H((t - 0.00045 * SECOND) / SECOND)" exposure="x"/>
    </Dynamics>
  </ComponentType>
  <gap id="g"/>
  <Simulation id="sim" length="1 ms" step="0.1 ms" target="g">
    <Display id="d" title="gap" timeScale="1ms" xmin="0" xmax="1" ymin="0" ymax="2">
      <Line id="x" quantity="x" scale="1" timeScale="1ms" color="#000000"/>
    </Display>
  </Simulation>
  <Target component="sim"/>
</Lems>
"##;

#[test]
fn a_run_draws_in_the_frame_that_it_is_given() {
    let folder = Folder::with_decay();
    let frame = [
        "--size",
        "400x300",
        "--title",
        "Half of it",
        "--to",
        "0.5ms",
    ];
    folder.succeed(&[&["LEMS_decay.xml", "--plot", "svg"], &frame[..]].concat());
    let svg = folder.read("LEMS_decay.svg");
    assert!(svg.contains("width=\"400\""), "{svg}");
    assert!(svg.contains("Half of it") && !svg.contains(">1<"), "{svg}");
    let message = folder.fail(&["LEMS_decay.xml", "--size", "400x300"], 2);
    assert!(message.contains("--plot"), "{message}");
}

#[test]
fn a_value_that_is_not_finite_is_a_gap_in_a_picture() {
    let folder = Folder::new();
    folder.write("LEMS_gap.xml", GAP);
    folder.succeed(&["run", "--plot", "svg", "LEMS_gap.xml"]);
    let picture = folder.read("LEMS_gap.svg");
    assert!(
        picture.contains(" d=\"M") && !picture.contains("NaN"),
        "{picture}"
    );
}

#[test]
fn a_display_becomes_a_picture_with_its_title_region_and_colours() {
    let folder = shown();
    let said = folder.succeed(&["LEMS_decay.xml", "--plot", "svg"]);
    assert!(said.contains("drew LEMS_decay.svg\n"), "{said}");
    let svg = folder.read("LEMS_decay.svg");
    for expected in [
        "Fall &lt;off&gt;",
        "stroke=\"#12aB34\"",
        ">time (ms)<",
        ">2.0<",
        "<path stroke=\"#12aB34\" d=\"M70.00 146.67L",
    ] {
        assert!(svg.contains(expected), "{expected}: {svg}");
    }
    let names = folder.names();
    assert_eq!(
        names,
        [
            "LEMS_decay.svg",
            "LEMS_decay.xml",
            "decay.dat",
            "decay_types.xml"
        ]
    );
    let drawn = folder.read("decay.dat");
    folder.succeed(&["LEMS_decay.xml"]);
    assert_eq!(folder.read("decay.dat"), drawn);
}

#[test]
fn a_scale_that_nothing_can_be_divided_by_is_a_warning() {
    let folder = shown();
    folder.succeed(&["run", "LEMS_decay.xml"]);
    let rows = folder.read("decay.dat");
    let model = folder.read("LEMS_decay.xml");
    for scale in ["0", "Infinity", "NaN"] {
        let scaled = model.replace("scale=\"1\"", &format!("scale=\"{scale}\""));
        assert_ne!(scaled, model);
        folder.write("LEMS_scaled.xml", &scaled);
        let output = folder.call(&["run", "-v", "--plot", "svg", "LEMS_scaled.xml"]);
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{message}");
        assert!(message.contains("warning[W0429]"), "{scale}: {message}");
        assert_eq!(folder.read("decay.dat"), rows, "{scale}");
    }
}

#[test]
fn a_page_needs_nothing_else() {
    let folder = shown();
    folder.write("out/empty", "");
    folder.succeed(&["LEMS_decay.xml", "--plot", "html", "--out-dir", "out"]);
    let page = folder.read("out/LEMS_decay.html");
    assert!(
        page.contains("\"title\":\"Fall \\u003coff\\u003e\""),
        "{page}"
    );
    assert!(page.contains("\"name\":\"what\",\"color\":\"#12aB34\""));
    assert!(page.contains("\"points\":[0,1,"), "{page}");
    assert!(!page.contains("http") && !page.contains("src="));
}

#[test]
fn without_displays_the_data_are_drawn_with_a_panel_for_each_unit() {
    let folder = Folder::with_decay();
    folder.succeed(&["LEMS_decay.xml", "--plot", "svg"]);
    let svg = folder.read("LEMS_decay.svg");
    for expected in ["decay.dat", "time (ms)", ">x</text>"] {
        assert!(svg.contains(expected), "{expected}: {svg}");
    }
    with_voltages(&folder);
    folder.succeed(&["LEMS_decay.xml", "--plot", "svg"]);
    let svg = folder.read("LEMS_decay.svg");
    assert_eq!(svg.matches("<clipPath").count(), 2, "{svg}");
    for expected in [">x</text>", ">u</text>", ">u (mV)</text>"] {
        assert!(svg.contains(expected), "{expected}: {svg}");
    }
}

/// Records a voltage below one volt, as an SI value.
fn with_voltages(folder: &Folder) {
    let types = folder.read("decay_types.xml");
    let types = types.replace(
        "<OnStart>",
        r#"<DerivedVariable name="u" dimension="voltage" value="x * UNIT"/><OnStart>"#,
    );
    let constant = r#"<Constant name="UNIT" dimension="voltage" value="70 mV"/><Exposure"#;
    folder.write("decay_types.xml", &types.replacen("<Exposure", constant, 1));
    let model = folder.read("LEMS_decay.xml");
    let column = r#"<OutputColumn id="u" quantity="u"/></OutputFile>"#;
    folder.write("LEMS_decay.xml", &model.replace("</OutputFile>", column));
}

#[test]
fn pictures_of_pixels_are_drawn_too() {
    let folder = shown();
    let said = folder.succeed(&["LEMS_decay.xml", "--plot", "png"]);
    assert!(said.contains("drew LEMS_decay.png\n"), "{said}");
    let bytes = std::fs::read(folder.0.join("LEMS_decay.png")).unwrap();
    assert_eq!(bytes[..8], *b"\x89PNG\r\n\x1a\n");
    folder.succeed(&["plot", "decay.dat", "--form", "png"]);
    assert!(folder.names().contains(&"decay.png".to_owned()));
}

#[test]
fn files_are_drawn() {
    let folder = Folder::new();
    folder.write("a.dat", "0.0\t1.0\t2.0\t\n0.1\t-1.0\t2.5\t\n");
    folder.write("b.spikes", "3\t0.1\n5\t0.2\n3\t0.3\n");
    folder.write("c.txt", "no numbers here\n");
    let said = folder.succeed(&["plot", "a.dat", "b.spikes", "--out-dir", "new"]);
    assert_eq!(said, "drew new/a.svg\n");
    let svg = folder.read("new/a.svg");
    for expected in [
        ">a.dat, b.spikes<",
        ">a.dat<",
        ">column 2<",
        ">b.spikes<",
        ">4<",
    ] {
        assert!(svg.contains(expected), "{expected}: {svg}");
    }
    let strokes = svg.lines().filter(|line| line.contains("v-"));
    assert_eq!(
        strokes.map(|line| line.matches('M').count()).sum::<usize>(),
        3
    );
    folder.succeed(&["plot", "b.spikes", "--form", "html"]);
    assert!(folder.read("b.html").contains("\"marks\":true"));
    assert!(folder.fail(&["plot", "c.txt"], 1).contains("E0606"));
    assert!(folder.fail(&["plot", "d.dat"], 1).contains("E0606"));
}

#[test]
fn a_picture_of_characters_is_printed() {
    let folder = shown();
    let names = folder.names();
    let said = folder.succeed(&["LEMS_decay.xml", "--plot", "text"]);
    assert!(
        said.contains("Fall <off>") && said.contains("time (ms)"),
        "{said}"
    );
    assert!(!said.contains("drew"), "{said}");
    assert_eq!(folder.names().len(), names.len() + 1, "decay.dat only");
    let drawn = folder.succeed(&["plot", "--form", "text", "decay.dat"]);
    assert!(
        drawn.contains("decay.dat") && drawn.contains('\u{2524}'),
        "{drawn}"
    );
}

/// A model with two populations, whose cells send an event every millisecond or none.
const SENDERS: &str = r#"<Lems>
  <Include file="Simulation.xml"/>
  <Include file="Cells.xml"/>
  <Include file="Networks.xml"/>
  <ComponentType name="clock" extends="baseSpikingCell">
    <Parameter name="period" dimension="time"/>
    <Dynamics>
      <StateVariable name="last" dimension="time"/>
      <OnCondition test="t - last .geq. period">
        <StateAssignment variable="last" value="t"/>
        <EventOut port="spike"/>
      </OnCondition>
    </Dynamics>
  </ComponentType>
  <clock id="fast" period="1 ms"/>
  <clock id="never" period="1 s"/>
  <network id="net">
    <population id="sending" component="fast" size="2"/>
    <population id="silent" component="never" size="1"/>
  </network>
  <Simulation id="sim" length="10 ms" step="0.1 ms" target="net">
    <EventOutputFile id="e" fileName="net.spikes" format="ID_TIME">
      <EventSelection id="0" select="sending[0]" eventPort="spike"/>
      <EventSelection id="1" select="sending[1]" eventPort="spike"/>
      <EventSelection id="2" select="silent[0]" eventPort="spike"/>
    </EventOutputFile>
  </Simulation>
  <Target component="sim"/>
</Lems>
"#;

#[test]
fn events_have_the_names_of_their_sources_and_a_rate_of_each_population() {
    let folder = Folder::with("LEMS_senders.xml", SENDERS);
    folder.succeed(&["LEMS_senders.xml", "--plot", "svg"]);
    let of_run = folder.read("LEMS_senders.svg");
    for expected in [
        ">0: sending[0]<",
        ">2: silent[0]<",
        ">sending (2)<",
        ">events (1/s)<",
        ">10<",
    ] {
        assert!(of_run.contains(expected), "{expected}: {of_run}");
    }
    folder.succeed(&["plot", "net.spikes"]);
    assert!(!folder.read("net.svg").contains("sending"));
    let with_model = ["plot", "net.spikes", "--model", "LEMS_senders.xml"];
    folder.succeed(&with_model);
    let svg = folder.read("net.svg");
    assert!(
        svg.contains(">2: silent[0]<") && svg.contains(">silent<"),
        "{svg}"
    );
    folder.succeed(&[&with_model[..], &["--columns", "silent,1"]].concat());
    let svg = folder.read("net.svg");
    assert!(svg.contains(">2: silent[0]<") && svg.contains(">1: sending[1]<"));
    assert!(!svg.contains(">0: sending[0]<"), "{svg}");
    folder.write("net.spikes", "");
    folder.succeed(&with_model);
    let svg = folder.read("net.svg");
    assert!(svg.contains(">2: silent[0]<") && svg.contains("nothing recorded"));
}

#[test]
fn a_model_knows_what_the_columns_of_its_files_are() {
    let folder = Folder::with_decay();
    with_voltages(&folder);
    folder.succeed(&["LEMS_decay.xml", "--out-dir", "results"]);
    folder.succeed(&["plot", "results/decay.dat", "--model", "LEMS_decay.xml"]);
    let svg = folder.read("decay.svg");
    for expected in [">x</text>", ">u (mV)</text>", ">70<"] {
        assert!(svg.contains(expected), "{expected}: {svg}");
    }
    folder.write("other.dat", "0.0\t1.0\t\n");
    let message = folder.fail(&["plot", "other.dat", "--model", "LEMS_decay.xml"], 1);
    assert!(message.contains("it writes `decay.dat`"), "{message}");
    folder.write("decay.dat", "0.0\t1.0\t\n");
    let message = folder.fail(&["plot", "decay.dat", "--model", "LEMS_decay.xml"], 1);
    assert!(message.contains("the model writes 2"), "{message}");
}

#[test]
fn columns_times_size_and_title_can_be_chosen() {
    let folder = Folder::with_decay();
    with_voltages(&folder);
    folder.succeed(&["LEMS_decay.xml"]);
    let draw = |options: &[&str]| {
        let plot = ["plot", "decay.dat", "--model", "LEMS_decay.xml"];
        folder.succeed(&[&plot[..], options].concat());
        folder.read("decay.svg")
    };
    let svg = draw(&["--columns", "u", "--title", "Fall", "--size", "400x300"]);
    assert!(svg.contains(">Fall<") && svg.contains(">u (mV)<"), "{svg}");
    assert!(!svg.contains(">x</text>"), "{svg}");
    assert!(svg.contains("width=\"400\" height=\"300\""), "{svg}");
    assert!(draw(&["--columns", "1-2"]).contains(">x</text>"));
    let svg = draw(&["--from", "0.2ms", "--to", "4e-4"]);
    assert!(svg.contains(">400<") && !svg.contains(">500<"), "{svg}");
    let columns = ["plot", "decay.dat", "--columns", "3"];
    let message = folder.fail(&columns, 1);
    assert!(
        message.contains("there are `column 1`, `column 2`"),
        "{message}"
    );
    for wrong in [["--columns", "2-1"], ["--size", "400"], ["--from", "1mV"]] {
        folder.fail(&[&["plot", "decay.dat"], &wrong[..]].concat(), 2);
    }
}

#[test]
fn many_traces_have_lanes_and_no_legend() {
    let folder = Folder::new();
    let row = |time: &str| format!("{time}\t{}\n", "1.0\t".repeat(30));
    folder.write("many.dat", &(row("0.0") + &row("0.1")));
    folder.succeed(&["plot", "many.dat"]);
    let svg = folder.read("many.svg");
    assert!(
        svg.contains(">column 30<") && svg.contains("apart<"),
        "{svg}"
    );
    assert!(!svg.contains("h18"), "no samples of a legend: {svg}");
}

#[test]
fn an_empty_file_gives_a_picture_that_says_so() {
    let folder = Folder::with("empty.dat", "");
    folder.succeed(&["plot", "empty.dat"]);
    assert!(folder.read("empty.svg").contains("nothing recorded"));
}

//! Runs that differ in values share their machine code, and give the numbers of runs with code of their own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use jlems::{BackendKind, Built, Compiled, Loaded, MemorySources, Options, Settings, Traces};

/// Cells with channels, gates and rates, driven by a pulse; one drives another by a synapse whose peak is
/// computed from its time constants.
const NETWORK: &str = r#"<Lems><Target component="sim"/>
  <Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
  <ionChannelHH id="leak" conductance="10pS"/>
  <ionChannelHH id="na" conductance="10pS">
    <gateHHrates id="m" instances="3">
      <forwardRate type="HHExpLinearRate" rate="1per_ms" midpoint="-40mV" scale="10mV"/>
      <reverseRate type="HHExpRate" rate="4per_ms" midpoint="-65mV" scale="-18mV"/></gateHHrates>
    <gateHHrates id="h" instances="1">
      <forwardRate type="HHExpRate" rate="0.07per_ms" midpoint="-65mV" scale="-20mV"/>
      <reverseRate type="HHSigmoidRate" rate="1per_ms" midpoint="-35mV" scale="10mV"/></gateHHrates>
  </ionChannelHH>
  <pointCellCondBased id="hh" C="10pF" v0="-65mV" thresh="20mV">
    <channelPopulation id="leaks" ionChannel="leak" number="300" erev="-54.3mV"/>
    <channelPopulation id="nas" ionChannel="na" number="120000" erev="50mV" ion="na"/></pointCellCondBased>
  <expTwoSynapse id="syn" gbase="5nS" erev="0mV" tauRise="1ms" tauDecay="4ms"/>
  <pulseGenerator id="pulse" delay="5ms" duration="30ms" amplitude="0.1nA"/>
  <network id="net">
    <population id="cells" component="hh" size="2"/>
    <projection id="p" presynapticPopulation="cells" postsynapticPopulation="cells" synapse="syn">
      <connectionWD id="0" preCellId="../cells[0]" postCellId="../cells[1]" weight="0.5" delay="2ms"/>
    </projection>
    <explicitInput target="cells[0]" input="pulse"/>
  </network>
  <Simulation id="sim" length="50ms" step="0.01ms" target="net">
    <OutputFile id="v" fileName="v.dat"><OutputColumn id="0" quantity="cells[0]/v"/>
      <OutputColumn id="1" quantity="cells[1]/v"/></OutputFile>
  </Simulation></Lems>"#;

fn options(set: &[&str], free: bool, backend: BackendKind) -> Options {
    let path = |text: &&str| text.split('=').next().unwrap().to_owned();
    Options {
        backend,
        free: set.iter().filter(|_| free).map(path).collect(),
        settings: Settings {
            set: set.iter().map(|text| (*text).to_owned()).collect(),
            ..Settings::default()
        },
        ..Options::default()
    }
}

fn built(options: &Options) -> Built {
    let sources = MemorySources::from([("LEMS_net.xml", NETWORK)]);
    let loaded = Loaded::read("LEMS_net.xml", &sources, options).unwrap();
    loaded.check(options).unwrap().build(options).unwrap()
}

fn numbers(compiled: &Compiled, options: &Options) -> Traces {
    let mut run = compiled.start(options).unwrap();
    run.advance(1.0).unwrap();
    run.into_sink()
}

/// Two values of each of these parameters.
const PARAMETERS: [(&str, [&str; 2]); 12] = [
    ("hh/C", ["10pF", "12pF"]),
    ("hh/v0", ["-65mV", "-60mV"]),
    ("hh/thresh", ["20mV", "0mV"]),
    ("hh/nas/number", ["120000", "60000"]),
    ("hh/nas/erev", ["50mV", "60mV"]),
    ("na/conductance", ["10pS", "9pS"]),
    ("na/m/instances", ["3", "2"]),
    ("na/m/forwardRate/midpoint", ["-40mV", "-42mV"]),
    ("na/h/reverseRate/scale", ["10mV", "8mV"]),
    ("syn/gbase", ["5nS", "0nS"]),
    ("syn/tauDecay", ["4ms", "9ms"]),
    ("pulse/amplitude", ["0.1nA", "-0.1nA"]),
];

#[test]
fn other_values_have_the_same_code_and_their_own_numbers() {
    for backend in [BackendKind::Jit, BackendKind::Interpreter] {
        for (parameter, values) in PARAMETERS {
            let [first, second] = values.map(|value| format!("{parameter}={value}"));
            let options_of = |set: &str, free| options(&[set], free, backend);
            let first = options_of(&first, true);
            let known = built(&first).compile(&first).unwrap();
            let free = options_of(&second, true);
            let shared = built(&free).compile_like(&known, &free).unwrap();
            assert!(shared.shares_code_with(&known), "{parameter}");
            let shared = numbers(&shared, &free);
            let own = options_of(&second, false);
            let own = numbers(&built(&own).compile(&own).unwrap(), &own);
            assert_eq!(shared, own, "{parameter}");
            assert_ne!(shared, numbers(&known, &first), "{parameter}");
        }
    }
}

#[test]
fn another_network_has_other_code() {
    let first = options(&["cells/size=2"], true, BackendKind::Jit);
    let known = built(&first).compile(&first).unwrap();
    let more = options(&["cells/size=3"], true, BackendKind::Jit);
    let other = built(&more).compile_like(&known, &more).unwrap();
    assert!(!other.shares_code_with(&known));
    // A value that is not said to be free is a constant in code.
    let closed = options(&["hh/C=12pF"], false, BackendKind::Jit);
    let given = options(&["hh/C=10pF"], false, BackendKind::Jit);
    let known = built(&given).compile(&given).unwrap();
    let other = built(&closed).compile_like(&known, &closed).unwrap();
    assert!(!other.shares_code_with(&known));
}

#[test]
fn a_model_is_read_once_for_many_values() {
    let plain = options(&["hh/C=10pF"], true, BackendKind::Jit);
    let sources = MemorySources::from([("LEMS_net.xml", NETWORK)]);
    let loaded = Loaded::read("LEMS_net.xml", &sources, &plain).unwrap();
    for value in ["9pF", "11pF"] {
        let setting = format!("hh/C={value}");
        let whole = options(&[&setting], true, BackendKind::Jit);
        let changed = loaded.with_settings(&whole.settings, &plain).unwrap();
        let changed = changed.check(&plain).unwrap().build(&plain).unwrap();
        let changed = numbers(&changed.compile(&plain).unwrap(), &plain);
        let anew = numbers(&built(&whole).compile(&whole).unwrap(), &whole);
        assert_eq!(changed, anew);
    }
    let wrong = options(&["hh/CC=1pF"], true, BackendKind::Jit);
    let wrong = loaded.with_settings(&wrong.settings, &wrong).unwrap();
    let failure = wrong.check(&plain).unwrap_err();
    assert!(
        failure.diagnostics[0]
            .message
            .contains("has no parameter `CC`")
    );
    let nowhere = options(&["hhh/C=1pF"], true, BackendKind::Jit);
    assert!(loaded.with_settings(&nowhere.settings, &nowhere).is_err());
}

#[test]
fn a_run_goes_on_with_other_values() {
    let halves = |backend, values: [&str; 2]| {
        let [first, second] = values.map(|value| options(&[value], true, backend));
        let compiled = built(&first).compile(&first).unwrap();
        let mut run = compiled.start(&first).unwrap();
        run.advance(0.025).unwrap();
        let second = built(&second).compile_like(&compiled, &second).unwrap();
        run.change_values(&second).unwrap();
        run.advance(1.0).unwrap();
        assert!(run.is_at_end());
        run.into_sink()
    };
    let column = |traces: &Traces| traces.table("v.dat").unwrap().columns[0].clone();
    for (parameter, [one, other]) in PARAMETERS {
        // Where a run starts, and what is over by then, changes nothing afterwards.
        if [
            "hh/v0",
            "hh/thresh",
            "syn/gbase",
            "syn/tauDecay",
            "pulse/amplitude",
        ]
        .contains(&parameter)
        {
            continue;
        }
        let [one, other] = [one, other].map(|value| format!("{parameter}={value}"));
        let whole = options(&[&one], true, BackendKind::Jit);
        let whole = numbers(&built(&whole).compile(&whole).unwrap(), &whole);
        let same = halves(BackendKind::Jit, [&one, &one]);
        assert_eq!(same, whole, "{parameter}");
        let changed = halves(BackendKind::Jit, [&one, &other]);
        assert_eq!(
            changed,
            halves(BackendKind::Interpreter, [&one, &other]),
            "{parameter}"
        );
        let (whole, changed) = (column(&whole), column(&changed));
        assert_eq!(whole[..2501], changed[..2501], "{parameter}");
        assert_ne!(whole[2501..], changed[2501..], "{parameter}");
    }
}

#[test]
fn a_run_refuses_values_that_are_not_free() {
    let first = options(&["hh/C=10pF"], false, BackendKind::Jit);
    let second = options(&["hh/C=12pF"], false, BackendKind::Jit);
    let compiled = built(&first).compile(&first).unwrap();
    let mut run = compiled.start(&first).unwrap();
    let second = built(&second).compile(&second).unwrap();
    let refused = run.change_values(&second).unwrap_err();
    assert!(
        refused.diagnostics[0]
            .message
            .contains("cannot take these values")
    );
    let nowhere = Options {
        free: vec!["hhh/C".to_owned()],
        ..Options::default()
    };
    let sources = MemorySources::from([("LEMS_net.xml", NETWORK)]);
    let loaded = Loaded::read("LEMS_net.xml", &sources, &nowhere).unwrap();
    let failure = loaded.check(&nowhere).unwrap().build(&nowhere).unwrap_err();
    assert!(
        failure.diagnostics[0]
            .message
            .contains("no component has the id `hhh`")
    );
}

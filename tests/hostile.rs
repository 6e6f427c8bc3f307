//! Texts that are made to eat time, memory or the stack: each is refused or run in a short time.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Far more than a busy machine needs, far less than what grows with a square takes.
const LONGEST: Duration = Duration::from_secs(20);

const MANY: usize = 3_000;

/// A type, what it contains, and what is beside it.
fn model(top_level: &str, members: &str, dynamics: &str) -> String {
    format!(
        r#"<Lems>
  <Target component="sim"/>
  <Include file="NeuroMLCoreDimensions.xml"/>
  <Include file="Simulation.xml"/>
  <ComponentType name="decay">
    <Parameter name="tau" dimension="time"/>
    <Exposure name="x" dimension="none"/>
    {members}
    <Dynamics>
      <StateVariable name="x" dimension="none" exposure="x"/>
      {dynamics}
    </Dynamics>
  </ComponentType>
  {top_level}
  <decay id="d" tau="10 ms"/>
  <Simulation id="sim" length="1 ms" step="0.1 ms" target="d">
    <OutputFile id="out" fileName="out.dat"><OutputColumn id="x" quantity="x"/></OutputFile>
  </Simulation>
</Lems>
"#
    )
}

fn repeated(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut all, index| {
        writeln!(all, "{}", one(index)).unwrap();
        all
    })
}

/// The exit status for a text, which is 0 or 1 and comes in time.
fn status(name: &str, text: &str) -> i32 {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("hostile")
        .join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let file: PathBuf = folder.join("model.xml");
    std::fs::write(&file, text).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_jlems-rs"))
        .args(["run", "model.xml"])
        .current_dir(&folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > LONGEST {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    std::fs::remove_dir_all(&folder).unwrap();
    status.code().unwrap_or(-1)
}

#[test]
fn long_chains_end() {
    let types = repeated(100_000, |i| {
        format!(r#"<ComponentType name="t{i}" extends="t{}"/>"#, i + 1)
    });
    let types = types + r#"<ComponentType name="t100000"/>"#;
    assert_eq!(status("types", &model(&types, "", "")), 1);
    let components = repeated(MANY, |i| {
        format!(r#"<decay id="e{i}" extends="e{}"/>"#, i + 1)
    });
    let components = components + &format!(r#"<decay id="e{MANY}" tau="1 ms"/>"#);
    assert_eq!(status("components", &model(&components, "", "")), 1);
    let parameters = repeated(MANY, |i| {
        let next = i + 1;
        format!(r#"<DerivedParameter name="q{i}" dimension="none" value="q{next} + 1"/>"#)
    });
    let parameters =
        parameters + &format!(r#"<DerivedParameter name="q{MANY}" dimension="none" value="1"/>"#);
    assert_eq!(status("parameters", &model("", &parameters, "")), 0);
    let variables = repeated(MANY, |i| {
        let used = i.checked_sub(1).map_or("x".to_owned(), |i| format!("q{i}"));
        format!(r#"<DerivedVariable name="q{i}" dimension="none" value="{used} + 1"/>"#)
    });
    assert_eq!(status("variables", &model("", "", &variables)), 0);
    let circle = r#"<DerivedVariable name="q0" dimension="none" value="y"/>"#;
    let circle = variables.replacen(variables.lines().next().unwrap(), circle, 1)
        + &format!(
            r#"<DerivedVariable name="y" dimension="none" value="q{}"/>"#,
            MANY - 1
        );
    assert_eq!(status("circle", &model("", "", &circle)), 0);
}

#[test]
fn long_expressions_end() {
    let value = |value: &str| {
        let dynamics = format!(r#"<DerivedVariable name="a" dimension="none" value="{value}"/>"#);
        model("", "", &dynamics)
    };
    assert_eq!(status("sum", &value(&("x + ".repeat(15_000) + "x"))), 0);
    assert_eq!(status("signs", &value(&("-".repeat(60_000) + "x"))), 1);
    assert_eq!(status("parentheses", &value(&"(".repeat(60_000))), 1);
    assert_eq!(status("name", &value(&"y".repeat(60_000))), 1);
    let cases = |count| {
        let cases = repeated(count, |i| {
            format!(r#"<Case condition="x .gt. {i}" value="{i}"/>"#)
        });
        let variable = r#"<ConditionalDerivedVariable name="a" dimension="none">"#;
        model(
            "",
            "",
            &format!("{variable}{cases}</ConditionalDerivedVariable>"),
        )
    };
    assert_eq!(status("cases", &cases(1_000)), 0);
    assert_eq!(status("too_many_cases", &cases(1_001)), 1);
}

#[test]
fn many_errors_end() {
    let variables = repeated(MANY, |i| {
        format!(r#"<DerivedVariable name="q{i}" dimension="none" value="z{i}"/>"#)
    });
    assert_eq!(status("unknown_variables", &model("", "", &variables)), 1);
    let types = repeated(MANY, |i| {
        format!(r#"<ComponentType name="t{i}" extends="u{i}"/>"#)
    });
    assert_eq!(status("unknown_types", &model(&types, "", "")), 1);
    let components = repeated(MANY, |i| format!(r#"<decay id="e{i}" extends="f{i}"/>"#));
    assert_eq!(status("unknown_components", &model(&components, "", "")), 1);
    let units = repeated(4 * MANY, |i| {
        format!(r#"<Unit symbol="u{i}" dimension="time"/>"#)
    });
    let values = repeated(MANY, |i| format!(r#"<decay id="e{i}" tau="1 w{i}"/>"#));
    assert_eq!(
        status("unknown_units", &model(&(units + &values), "", "")),
        1
    );
    let attributes = repeated(4 * MANY, |i| format!(r#"a{i}="1""#));
    let component = format!(r#"<decay id="e" tau="1 ms" {attributes}/>"#);
    assert_eq!(status("unknown_attributes", &model(&component, "", "")), 0);
    let elements = "<a/>".repeat(100_000);
    assert_eq!(status("unknown_elements", &model(&elements, "", "")), 1);
    let includes = repeated(MANY, |i| format!(r#"<Include file="q{i}.xml"/>"#));
    assert_eq!(status("unknown_files", &model(&includes, "", "")), 1);
}

#[test]
fn hostile_xml_ends() {
    assert_eq!(
        status("comments", &format!("<Lems>{}", "<!-- -- ".repeat(50_000))),
        1
    );
    assert_eq!(
        status("elements", &format!("<Lems>{}", "<a>".repeat(100_000))),
        1
    );
    assert_eq!(
        status(
            "tag",
            &model("", "", "").replace("tau=", &">".repeat(1_000_000))
        ),
        1
    );
    let doctype = format!(r#"<!DOCTYPE Lems [<!ENTITY a "{}">]>"#, "a".repeat(100_000));
    assert_eq!(
        status(
            "entities",
            &format!("{doctype}<Lems>{}</Lems>", "&a;".repeat(1_000))
        ),
        1
    );
}

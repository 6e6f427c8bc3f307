//! Texts that are designed to exhaust time, memory or the stack. Each is refused or run, with CPU time
//! and memory that grow no faster than the text.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use wait4::Wait4;

/// Limit on the CPU time of the program in seconds; no text here needs that much.
const MOST_SECONDS: u32 = 300;

const MANY: usize = 3_000;

/// A model with one type: top-level elements beside it, its members and its Dynamics.
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

/// The exit status of the program for a text, and the resources that it used.
struct Taken {
    /// Exit status; -1 if it was killed.
    status: i32,
    /// CPU time, in seconds.
    seconds: f64,
    /// Peak memory, in bytes.
    bytes: f64,
}

/// Runs the program on a text, with some arguments before the name of its file.
fn taken(name: &str, words: &str, text: &str) -> Taken {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("hostile")
        .join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("model.xml"), text).unwrap();
    let program = env!("CARGO_BIN_EXE_jlems-rs");
    let used = Command::new("sh")
        .arg("-c")
        .arg(format!(
            "ulimit -t {MOST_SECONDS}; exec \"{program}\" {words} model.xml"
        ))
        .current_dir(&folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
        .wait4()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    Taken {
        status: used.status.code().unwrap_or(-1),
        seconds: (used.rusage.utime + used.rusage.stime).as_secs_f64(),
        bytes: used.rusage.maxrss as f64,
    }
}

/// The exit status of `run` for a text.
fn status(name: &str, text: &str) -> i32 {
    taken(name, "run", text).status
}

/// Largest ratio of resources for a text that is four times as long. Proportional growth gives 4,
/// quadratic growth 16; this is the power 1.5.
const MOST_TIMES: f64 = 8.0;

/// Runs a text, and one that is four times as long: neither time nor memory may grow much faster.
fn grows_evenly(
    name: &str,
    words: &str,
    size: usize,
    expected: i32,
    text: impl Fn(usize) -> String,
) {
    let [small, large] = [size, 4 * size].map(|size| taken(name, words, &text(size)));
    assert_eq!((small.status, large.status), (expected, expected), "{name}");
    let (time, memory) = (large.seconds / small.seconds, large.bytes / small.bytes);
    println!(
        "{name}: {:.2} s, {time:.1} times; {memory:.1} times the memory",
        large.seconds
    );
    assert!(time < MOST_TIMES, "{name} takes {time} times as long");
    assert!(
        memory < MOST_TIMES,
        "{name} takes {memory} times the memory"
    );
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
    let attributes = repeated(2 * MANY, |i| format!(r#"a{i}="1""#));
    let component = format!(r#"<decay id="e" tau="1 ms" {attributes}/>"#);
    assert_eq!(status("unknown_attributes", &model(&component, "", "")), 0);
    let elements = "<a/>".repeat(100_000);
    assert_eq!(status("unknown_elements", &model(&elements, "", "")), 1);
    let includes = repeated(MANY, |i| format!(r#"<Include file="q{i}.xml"/>"#));
    // A missing include is a warning.
    assert_eq!(status("unknown_files", &model(&includes, "", "")), 0);
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

#[test]
fn long_equations_take_time_and_memory_in_proportion() {
    grows_evenly("conditions", "run", 4_000, 0, |size| {
        let condition = |i| {
            format!(
                r#"<OnCondition test="x .gt. {i}"><StateAssignment variable="x" value="{i}"/></OnCondition>"#
            )
        };
        model("", "", &repeated(size, condition))
    });
    grows_evenly("state_variables", "run", 4_000, 0, |size| {
        let variable = |i| {
            let next = (i + 1) % size;
            format!(
                r#"<StateVariable name="s{i}" dimension="none"/>
                <TimeDerivative variable="s{i}" value="s{next} / tau"/>"#
            )
        };
        model("", "", &repeated(size, variable))
    });
    grows_evenly("exponentials", "run", 200, 0, |size| {
        let variable = |i| {
            let sum = format!("exp(x * {i}) + cos(x - {i}) + ").repeat(20);
            format!(r#"<DerivedVariable name="q{i}" dimension="none" value="{sum} 1"/>"#)
        };
        model("", "", &repeated(size, variable))
    });
}

#[test]
fn many_declarations_take_time_in_proportion() {
    let port = |direction: &'static str| {
        move |i| format!(r#"<EventPort name="p{i}" direction="{direction}"/>"#)
    };
    grows_evenly("ports_in", "run", 4_000, 0, |size| {
        let handler = |i| {
            format!(r#"<OnEvent port="p{i}"><StateAssignment variable="x" value="{i}"/></OnEvent>"#)
        };
        let ports = repeated(size, port("in"));
        model("", &ports, &repeated(size, handler))
    });
    grows_evenly("ports_out", "run", 8_000, 0, |size| {
        let sent = repeated(size, |i| format!(r#"<EventOut port="p{i}"/>"#));
        let condition = format!(r#"<OnCondition test="x .gt. 1">{sent}</OnCondition>"#);
        model("", &repeated(size, port("out")), &condition)
    });
    grows_evenly("regimes", "run", 8_000, 0, |size| {
        let regime = |i| {
            let initial = i == 0;
            format!(
                r#"<StateVariable name="s{i}" dimension="none"/>
                <Regime name="r{i}" initial="{initial}">
                  <OnEntry><StateAssignment variable="s{i}" value="{i}"/></OnEntry>
                </Regime>"#
            )
        };
        model("", "", &repeated(size, regime))
    });
    let part = r#"<ComponentType name="part"/>"#;
    grows_evenly("attachments", "run", 8_000, 0, |size| {
        let lists = repeated(size, |i| {
            format!(r#"<Attachments name="p{i}" type="part"/>"#)
        });
        model(part, &lists, "")
    });
    grows_evenly("slots", "run", 8_000, 0, |size| {
        let slots = repeated(size, |i| format!(r#"<Child name="p{i}" type="part"/>"#));
        let children = repeated(size, |i| format!("<p{i}/>"));
        let filled = format!(r#"tau="10 ms">{children}</decay>"#);
        model(part, &slots, "").replace(r#"tau="10 ms"/>"#, &filled)
    });
    grows_evenly("names_in_a_structure", "run", 8_000, 0, |size| {
        let connection = |i| {
            format!(
                r#"<With instance="this" as="a{i}"/>
                <EventConnection from="a{i}" to="a{i}" sourcePort="out" targetPort="in"/>"#
            )
        };
        let members = format!(
            r#"<EventPort name="in" direction="in"/><EventPort name="out" direction="out"/>
            <Structure>{}</Structure>"#,
            repeated(size, connection)
        );
        let dynamics = r#"<OnEvent port="in"><StateAssignment variable="x" value="0"/></OnEvent>
            <OnCondition test="x .gt. 1"><EventOut port="out"/></OnCondition>"#;
        model("", &members, dynamics)
    });
}

#[test]
fn many_errors_take_time_in_proportion() {
    grows_evenly("suggestions", "run", 4_000, 1, |size| {
        let variable = |i| {
            format!(r#"<DerivedVariable name="quantity{i}" dimension="none" value="quality{i}"/>"#)
        };
        model("", "", &repeated(size, variable))
    });
}

#[test]
fn crowded_elements_take_time_in_proportion() {
    grows_evenly("attributes", "run", 20, 0, |size| {
        let attributes = repeated(2_000, |i| format!(r#"a{i}="{i}""#));
        let elements = repeated(size, |i| {
            format!(r#"<decay id="e{i}" tau="1 ms" {attributes}/>"#)
        });
        model(&elements, "", "")
    });
    let attributes = repeated(10_001, |i| format!(r#"a{i}="{i}""#));
    let notes = format!("<notes {attributes}/>");
    assert_eq!(status("too_many_attributes", &model(&notes, "", "")), 1);
    let nested = |prefixes: usize, elements: usize| {
        let prefixes = repeated(prefixes, |i| format!(r#"xmlns:p{i}="u""#));
        let elements = r#"<a xmlns:q="v"/>"#.repeat(elements);
        model("", "", "").replace(
            "<Target",
            &format!("<notes {prefixes}>{elements}</notes><Target"),
        )
    };
    assert_eq!(status("too_many_prefixes", &nested(3_000, 3_000)), 1);
    let most = |size| nested(98, size);
    assert_eq!(
        status("prefixes", &most(10)),
        status("no_prefixes", &nested(0, 10))
    );
    grows_evenly(
        "prefixes",
        "run",
        4_000,
        status("prefixes", &most(10)),
        most,
    );
}

#[test]
fn what_types_inherit_is_bounded() {
    let chain = |types: usize, parameters: usize| {
        let one = |number: usize| {
            let base = number
                .checked_sub(1)
                .map_or(String::new(), |base| format!("extends=\"t{base}\""));
            let parameters = repeated(parameters, |i| {
                format!(r#"<Parameter name="p{number}_{i}" dimension="none"/>"#)
            });
            format!(r#"<ComponentType name="t{number}" {base}>{parameters}</ComponentType>"#)
        };
        model(&repeated(types, one), "", "")
    };
    assert_eq!(status("inherited", &chain(60, 100)), 0);
    let many = taken("inherited_too_much", "run", &chain(190, 300));
    assert_eq!(many.status, 1);
    assert!(many.bytes < 2e9, "{} bytes", many.bytes);
    let few = taken(
        "inherited_in_bounds",
        "run --limit memory=100MB",
        &chain(190, 100),
    );
    assert_eq!(few.status, 1);
    assert!(few.bytes < 4e8, "{} bytes", few.bytes);
}

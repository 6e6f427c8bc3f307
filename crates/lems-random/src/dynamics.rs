//! Generates random Dynamics.

use crate::component_type::{ComponentType, Names, OutPort};
use crate::dice::Dice;
use crate::dimension::Dimension;
use crate::expression::{Scope, Variable, Writer};
use crate::xml::Xml;

/// A `select` that a type can use.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Path to the variable, from the instance.
    pub path: String,
    /// Its dimension.
    pub dimension: Dimension,
    /// The value of `reduce`; empty for a single variable.
    pub reduce: &'static str,
    /// Whether the value is of order one.
    pub tame: bool,
}

/// Variables that a type must have because its children may require them.
pub type Promised = [(&'static str, Dimension, Role)];

/// How a promised variable is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A state variable.
    State,
    /// A derived variable.
    Derived,
    /// A state variable without an Exposure.
    Hidden,
}

/// How many events a type sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// Any number, from conditions, handlers and regimes.
    Any,
    /// Only those of a single condition.
    Once,
    /// None.
    Never,
}

struct Assignable {
    name: String,
    dimension: Dimension,
}

/// Generates the Dynamics of one type.
pub struct Gardener<'g> {
    /// The source of random choices.
    pub dice: &'g mut Dice,
    /// The source of names.
    pub names: &'g mut Names,
    /// Whether `random()` may be used.
    pub draws: bool,
    /// How many events the type sends.
    pub sender: Sender,
    /// The type so far; readable variables and ports are added to it.
    pub component_type: &'g mut ComponentType,
    /// The variables in scope: at first parameters, constants, properties and requirements.
    pub known: Scope,
    /// The possible selections.
    pub selections: Vec<Selection>,
}

enum Derived {
    Selected(Selection),
    Expression(Dimension),
}

impl Gardener<'_> {
    /// Writes Exposures, ports and Dynamics of the type.
    pub fn grow(mut self, promised: &Promised, receives: bool) -> String {
        let mut exposures = Xml::default();
        let mut dynamics = Xml::default();
        dynamics.open("Dynamics", &[]);
        let states = self.states(promised, &mut dynamics, &mut exposures);
        let conditional = self.plan_conditional();
        self.derived(promised, &conditional, &mut dynamics, &mut exposures);
        self.residue(&mut dynamics);
        self.conditional(conditional, &mut dynamics, &mut exposures);
        self.derivatives(&states, &mut dynamics);
        self.on_start(&states, &mut dynamics);
        let mut ports = Xml::default();
        self.on_conditions(&states, &mut dynamics, &mut ports);
        let ins = match receives {
            true => self.in_ports(&mut ports),
            false => Vec::new(),
        };
        // In a type with regimes, jLEMS ignores the handlers outside of them.
        match self.sender == Sender::Any && self.dice.chance(25) {
            true => self.regimes(&states, &ins, &mut dynamics, &mut ports),
            false => self.on_events(&states, &ins, &mut dynamics, &mut ports),
        }
        self.component_type.ins = ins;
        dynamics.close();
        format!(
            "{}{}{}",
            ports.finish(),
            exposures.finish(),
            dynamics.finish()
        )
    }

    fn writer(&mut self) -> Writer<'_> {
        Writer {
            dice: self.dice,
            scope: &self.known,
            draws: self.draws,
        }
    }

    fn bounded(&mut self, dimension: Dimension) -> String {
        self.writer().bounded(dimension)
    }

    fn dimension(&mut self) -> Dimension {
        if self.dice.chance(60) {
            return Dimension::None;
        }
        let dimension = self.dice.pick(&Dimension::PHYSICAL).copied();
        dimension.unwrap_or(Dimension::None)
    }

    /// Writes the Exposure of a variable if it has one, and returns the attributes that declare the
    /// variable.
    fn declare(
        &mut self,
        variable: &Variable,
        exposed: bool,
        exposures: &mut Xml,
    ) -> Vec<(&'static str, String)> {
        let mut attributes = vec![
            ("name", variable.name.clone()),
            ("dimension", variable.dimension.name().to_owned()),
        ];
        if exposed {
            exposures.leaf("Exposure", &borrowed(&attributes));
            attributes.push(("exposure", variable.name.clone()));
        }
        self.component_type.readable.push(variable.clone());
        attributes
    }

    /// Writes the state variables: the promised ones and some more.
    fn states(
        &mut self,
        promised: &Promised,
        dynamics: &mut Xml,
        exposures: &mut Xml,
    ) -> Vec<Assignable> {
        let mut wanted: Vec<(String, Dimension, bool)> = Vec::new();
        for (name, dimension, role) in promised {
            if *role != Role::Derived {
                wanted.push(((*name).to_owned(), *dimension, *role == Role::State));
            }
        }
        for _ in 0..self.dice.between(1, 3) {
            let dimension = self.dimension();
            let exposed = self.dice.chance(70);
            wanted.push((self.names.fresh(self.dice), dimension, exposed));
        }
        let mut states = Vec::new();
        for (name, dimension, exposed) in wanted {
            let variable = Variable {
                name: name.clone(),
                dimension,
                positive: false,
                tame: true,
            };
            let attributes = self.declare(&variable, exposed, exposures);
            dynamics.leaf("StateVariable", &borrowed(&attributes));
            self.known.push(variable);
            states.push(Assignable { name, dimension });
        }
        states
    }

    /// Writes the derived variables: the promised ones, selections, and expressions.
    fn derived(
        &mut self,
        promised: &Promised,
        conditional: &[Variable],
        dynamics: &mut Xml,
        exposures: &mut Xml,
    ) {
        // Choose the variables and their order.
        let mut wanted: Vec<(String, Derived, bool)> = Vec::new();
        for (name, dimension, role) in promised {
            if *role == Role::Derived {
                wanted.push(((*name).to_owned(), Derived::Expression(*dimension), true));
            }
        }
        let mut selections = std::mem::take(&mut self.selections);
        self.dice.shuffle(&mut selections);
        selections.truncate(self.dice.between(1, 4));
        for selection in selections {
            let exposed = self.dice.chance(50);
            wanted.push((
                self.names.fresh(self.dice),
                Derived::Selected(selection),
                exposed,
            ));
        }
        for _ in 0..self.dice.between(0, 4) {
            let dimension = self.dimension();
            let exposed = self.dice.chance(60);
            wanted.push((
                self.names.fresh(self.dice),
                Derived::Expression(dimension),
                exposed,
            ));
        }
        self.dice.shuffle(&mut wanted);
        // Variables that are defined later, which an expression may use all the same.
        let mut later: Scope = (wanted.iter())
            .map(|(name, derived, _)| Variable {
                name: name.clone(),
                dimension: match derived {
                    Derived::Selected(selection) => selection.dimension,
                    Derived::Expression(dimension) => *dimension,
                },
                positive: false,
                tame: false,
            })
            .chain(conditional.iter().cloned())
            .collect();
        // Write them in order.
        for (name, derived, exposed) in wanted {
            let must_be_tame = promised.iter().any(|(promise, ..)| *promise == name);
            match derived {
                Derived::Selected(selection) => {
                    let variable = Variable {
                        name,
                        dimension: selection.dimension,
                        positive: false,
                        tame: selection.tame,
                    };
                    let mut attributes = self.declare(&variable, exposed, exposures);
                    attributes.push(("select", selection.path));
                    if !selection.reduce.is_empty() {
                        attributes.push(("reduce", selection.reduce.to_owned()));
                    }
                    dynamics.leaf("DerivedVariable", &borrowed(&attributes));
                    later.retain(|other| other.name != variable.name);
                    self.known.push(variable);
                }
                Derived::Expression(dimension) => {
                    // jLEMS does not know the dimension of a variable that uses a later one, and
                    // refuses such a variable in a TimeDerivative.
                    let looks_ahead = !must_be_tame && self.dice.chance(20);
                    let raw = !must_be_tame && !looks_ahead && self.dice.chance(50);
                    let scope: Scope = match (raw, looks_ahead) {
                        (true, _) => self.known.iter().filter(|v| v.tame).cloned().collect(),
                        (_, true) => self.known.iter().chain(&later).cloned().collect(),
                        _ => self.known.clone(),
                    };
                    let mut writer = Writer {
                        dice: self.dice,
                        scope: &scope,
                        draws: self.draws,
                    };
                    let value = match raw {
                        true => writer.any(dimension),
                        false => writer.bounded(dimension),
                    };
                    let variable = Variable {
                        name,
                        dimension,
                        positive: false,
                        tame: !raw,
                    };
                    let mut attributes = self.declare(&variable, exposed, exposures);
                    attributes.push(("value", value));
                    dynamics.leaf("DerivedVariable", &borrowed(&attributes));
                    if !looks_ahead {
                        later.retain(|other| other.name != variable.name);
                        self.known.push(variable);
                    }
                }
            }
        }
    }

    /// Writes a variable with the lower half of another one (Veltkamp 1968), which the 32-bit numbers
    /// of output files would hide.
    fn residue(&mut self, dynamics: &mut Xml) {
        let tame: Vec<Variable> = self
            .known
            .iter()
            .filter(|v| v.tame && !v.positive)
            .cloned()
            .collect();
        let Some(variable) = self.dice.pick(&tame) else {
            return;
        };
        let (whole, upper, lower) = (
            &variable.name,
            self.names.fresh(self.dice),
            self.names.fresh(self.dice),
        );
        let dimension = variable.dimension.name();
        for (name, value) in [
            (&upper, format!("{whole} * 134217729")),
            (&lower, format!("{whole} - ({upper} - ({upper} - {whole}))")),
        ] {
            dynamics.leaf(
                "DerivedVariable",
                &[("name", name), ("dimension", dimension), ("value", &value)],
            );
        }
        self.component_type.recordable.push(lower);
    }

    fn plan_conditional(&mut self) -> Vec<Variable> {
        (0..self.dice.between(0, 4).saturating_sub(2))
            .map(|_| Variable {
                dimension: self.dimension(),
                name: self.names.fresh(self.dice),
                positive: false,
                tame: true,
            })
            .collect()
    }

    /// Writes the planned conditional variables with one to three cases.
    fn conditional(&mut self, planned: Vec<Variable>, dynamics: &mut Xml, exposures: &mut Xml) {
        let known = self.known.clone();
        for variable in &planned {
            let exposed = self.dice.chance(60);
            let attributes = self.declare(variable, exposed, exposures);
            dynamics.open("ConditionalDerivedVariable", &borrowed(&attributes));
            for case in 0..self.dice.between(1, 3) {
                // jLEMS checks only the first case, and does not know conditional variables there.
                if case == 1 {
                    self.known.extend(planned.iter().cloned());
                }
                let condition = self.writer().condition();
                let value = self.bounded(variable.dimension);
                dynamics.leaf("Case", &[("condition", &condition), ("value", &value)]);
            }
            if self.dice.chance(70) {
                let value = self.bounded(variable.dimension);
                dynamics.leaf("Case", &[("value", &value)]);
            }
            dynamics.close();
            self.known.clone_from(&known);
        }
        self.known.extend(planned);
    }

    /// Writes one or two derivatives of most state variables.
    fn derivatives(&mut self, states: &[Assignable], dynamics: &mut Xml) {
        for state in states {
            for _ in 0..self.dice.between(0, 9).div_ceil(5) {
                let bounded = self.bounded(state.dimension);
                let tau = self.writer().positive(Dimension::Time);
                let name = &state.name;
                let value = match self.dice.between(0, 4) {
                    0 => format!("{bounded} / {tau}"),
                    1 => format!("-{name} / {tau}"),
                    2 => format!("({bounded} - 0.5 * {name}) / {tau}"),
                    _ => format!("({bounded} - {name}) / {tau}"),
                };
                dynamics.leaf("TimeDerivative", &[("variable", name), ("value", &value)]);
            }
        }
    }

    /// Writes assignments to some of `states` into the open block.
    fn assignments(&mut self, states: &[Assignable], at_least: usize, dynamics: &mut Xml) {
        for _ in 0..self.dice.between(at_least, 2) {
            let Some(state) = self.dice.pick(states) else {
                return;
            };
            let name = &state.name;
            let value = match (state.dimension, self.dice.between(0, 5)) {
                (Dimension::None, 0 | 1) => format!("{name} + 1"),
                (Dimension::Time, 0 | 1) => "t".to_owned(),
                (_, 2) => format!("0.5 * {name}"),
                (dimension, _) => self.bounded(dimension),
            };
            dynamics.leaf("StateAssignment", &[("variable", name), ("value", &value)]);
        }
    }

    fn on_start(&mut self, states: &[Assignable], dynamics: &mut Xml) {
        for _ in 0..self.dice.between(0, 2) {
            dynamics.open("OnStart", &[]);
            self.assignments(states, 1, dynamics);
            dynamics.close();
        }
    }

    /// A port for sending: an existing one, or a new one.
    fn out_port(&mut self, relay: bool, ports: &mut Xml) -> String {
        if !relay && self.dice.chance(20) {
            let mut own: Vec<&mut OutPort> = (self.component_type.outs.iter_mut())
                .filter(|port| !port.relay)
                .collect();
            if let Some(port) = own.first_mut() {
                port.shared = true;
                return port.name.clone();
            }
        }
        let name = self.names.fresh(self.dice);
        ports.leaf("EventPort", &[("name", &name), ("direction", "out")]);
        self.component_type.outs.push(OutPort {
            name: name.clone(),
            relay,
            shared: false,
        });
        name
    }

    /// Writes conditions that assign or send events.
    fn on_conditions(&mut self, states: &[Assignable], dynamics: &mut Xml, ports: &mut Xml) {
        let conditions = match self.sender {
            Sender::Any => self.dice.between(0, 3),
            Sender::Once => 1,
            Sender::Never => 0,
        };
        for _ in 0..conditions {
            let test = self.writer().condition();
            dynamics.open("OnCondition", &[("test", &test)]);
            let emits = self.sender == Sender::Once || self.dice.chance(50);
            self.assignments(states, usize::from(!emits), dynamics);
            if emits {
                let port = self.out_port(false, ports);
                dynamics.leaf("EventOut", &[("port", &port)]);
            }
            dynamics.close();
        }
    }

    fn in_ports(&mut self, ports: &mut Xml) -> Vec<String> {
        let count = self.dice.between(1, 2);
        let names: Vec<String> = (0..count).map(|_| self.names.fresh(self.dice)).collect();
        for name in &names {
            ports.leaf("EventPort", &[("name", name), ("direction", "in")]);
        }
        names
    }

    /// Writes a handler for each port, which may send events on.
    fn on_events(
        &mut self,
        states: &[Assignable],
        handled: &[String],
        dynamics: &mut Xml,
        ports: &mut Xml,
    ) {
        for port in handled {
            dynamics.open("OnEvent", &[("port", port)]);
            self.assignments(states, 1, dynamics);
            if self.sender == Sender::Any && self.dice.chance(25) {
                let out = self.out_port(true, ports);
                dynamics.leaf("EventOut", &[("port", &out)]);
            }
            dynamics.close();
        }
    }

    /// Writes regimes for one of the states, with all kinds of blocks.
    fn regimes(
        &mut self,
        states: &[Assignable],
        ins: &[String],
        dynamics: &mut Xml,
        ports: &mut Xml,
    ) {
        let Some(state) = self.dice.pick(states) else {
            return;
        };
        // Choose the names, the initial regime, and a regime that handles all ports.
        let names: Vec<String> = (0..self.dice.between(2, 3))
            .map(|_| self.names.fresh(self.dice))
            .collect();
        let initial = self.dice.between(0, names.len());
        let handler = self.dice.between(0, names.len() - 1);
        for (index, name) in names.iter().enumerate() {
            let mut attributes = vec![("name", name.as_str())];
            if index == initial {
                attributes.push(("initial", "true"));
            }
            dynamics.open("Regime", &attributes);
            // In jLEMS, a condition of a regime sees only the state variables that have a derivative
            // in this regime.
            let tau = self.writer().positive(Dimension::Time);
            let bounded = self.bounded(state.dimension);
            let rate = format!("({bounded} - {}) / {tau}", state.name);
            dynamics.leaf(
                "TimeDerivative",
                &[("variable", &state.name), ("value", &rate)],
            );
            // The blocks of the regime.
            let seen: Scope = (self.known.iter())
                .filter(|v| v.positive || v.name == "t" || v.name == state.name)
                .cloned()
                .collect();
            let known = std::mem::replace(&mut self.known, seen);
            let own = [Assignable {
                name: state.name.clone(),
                dimension: state.dimension,
            }];
            if self.dice.chance(60) {
                dynamics.open("OnEntry", &[]);
                self.assignments(&own, 1, dynamics);
                dynamics.close();
            }
            for port in ins {
                if index != handler && self.dice.chance(60) {
                    continue;
                }
                dynamics.open("OnEvent", &[("port", port)]);
                self.assignments(&own, 1, dynamics);
                if self.dice.chance(25) {
                    let out = self.out_port(true, ports);
                    dynamics.leaf("EventOut", &[("port", &out)]);
                }
                if self.dice.chance(30) {
                    let next = self.dice.pick(&names).cloned().unwrap_or_default();
                    dynamics.leaf("Transition", &[("regime", &next)]);
                }
                dynamics.close();
            }
            for _ in 0..self.dice.between(1, 2) {
                let test = self.writer().condition();
                dynamics.open("OnCondition", &[("test", &test)]);
                self.assignments(&own, 0, dynamics);
                if self.dice.chance(40) {
                    let port = self.out_port(false, ports);
                    dynamics.leaf("EventOut", &[("port", &port)]);
                }
                let next = self.dice.pick(&names).cloned().unwrap_or_default();
                dynamics.leaf("Transition", &[("regime", &next)]);
                dynamics.close();
            }
            self.known = known;
            dynamics.close();
        }
    }
}

/// Attributes in the form that the XML writer needs.
pub fn borrowed<'a>(attributes: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    attributes
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

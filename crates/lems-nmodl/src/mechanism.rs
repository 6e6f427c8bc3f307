//! A density mechanism as plain data: variables, equations, what it does to ions.

use lems_expression::{Dimension, Expression};

/// A variable or a parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quantity {
    /// Its name in NMODL.
    pub name: String,
    pub dimension: Option<Dimension>,
    /// Its path from the element, as LEMS has it.
    pub path: String,
}

/// What a name in an equation means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reference {
    /// A variable of the mechanism, by its index.
    Variable(usize),
    /// A parameter of the mechanism, by its index.
    Parameter(usize),
    /// The potential.
    Potential,
    /// The time.
    Time,
    /// The temperature of everything.
    Temperature,
    /// The membrane area of the compartment.
    Area,
    /// The concentration of an ion inside, by its index in the rules.
    Inside(usize),
    /// That outside.
    Outside(usize),
    /// The current of an ion into the cell.
    Current(usize),
}

/// An expression with the meaning of its variables.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Equation {
    /// As LEMS writes it.
    pub text: String,
    pub expression: Expression,
    /// The meaning of each variable of the expression.
    pub names: Vec<Reference>,
    /// Whether both sides have the same dimension in any system of units; otherwise it holds in SI units.
    pub homogeneous: bool,
}

/// How a variable is computed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Formula(Equation),
    /// The first case whose condition holds; 0 if none does.
    Cases(Vec<(Option<Equation>, Equation)>),
    Sum(Vec<Reference>),
    Product(Vec<Reference>),
}

/// A variable with what computes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Computed {
    pub variable: usize,
    pub value: Value,
    /// The selection, as LEMS writes it, if it is one.
    pub selection: Option<String>,
}

/// A state variable with its rates, whose sum it moves by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moving {
    pub variable: usize,
    pub rates: Vec<Equation>,
}

/// What a mechanism computes only when its states move, and keeps until they move again.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Held {
    /// The variables.
    pub variables: Vec<usize>,
    /// The names of the rates of the states, in the order of [`Mechanism::moving`].
    pub rates: Vec<String>,
}

/// A kinetic scheme.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scheme {
    /// The occupancies, whose sum is one.
    pub states: Vec<usize>,
    /// From, to, and the rates forward and back.
    pub transitions: Vec<(usize, usize, Reference, Reference)>,
}

/// A condition that is tested after each step, and what is assigned if it holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Test {
    pub condition: Equation,
    pub assignments: Vec<(usize, Equation)>,
}

/// What a mechanism does with an ion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IonUse {
    /// Its index in the rules.
    pub ion: usize,
    /// Whether the current of the mechanism is one of this ion.
    pub carries: bool,
    /// The variable that is the concentration inside.
    pub inside: Option<usize>,
    /// The variable that is the concentration outside.
    pub outside: Option<usize>,
}

/// The current of a mechanism.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Output {
    pub variable: usize,
    /// Whether it is that of the whole compartment, not per area.
    pub of_compartment: bool,
    pub coefficient: f64,
}

/// A whole density mechanism.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Mechanism {
    /// What it is in the model.
    pub title: String,
    pub variables: Vec<Quantity>,
    /// The variables that are states.
    pub states: Vec<usize>,
    pub parameters: Vec<Quantity>,
    /// The parameters that each segment has its own value of.
    pub own: Vec<usize>,
    /// In an order in which each comes after what it needs.
    pub computed: Vec<Computed>,
    pub moving: Vec<Moving>,
    /// What is held between the moves of the states, if they move by Euler's method.
    pub held: Option<Held>,
    pub schemes: Vec<Scheme>,
    /// Values at the start, in order.
    pub starts: Vec<(usize, Equation)>,
    pub tests: Vec<Test>,
    pub output: Option<Output>,
    pub ions: Vec<IonUse>,
}

impl Value {
    /// Everything that the value is computed from.
    pub fn references(&self) -> Vec<Reference> {
        match self {
            Value::Formula(equation) => equation.names.clone(),
            Value::Cases(cases) => {
                let equations = cases
                    .iter()
                    .flat_map(|(test, value)| test.iter().chain([value]));
                equations
                    .flat_map(|equation| equation.names.clone())
                    .collect()
            }
            Value::Sum(all) | Value::Product(all) => all.clone(),
        }
    }

    /// Its equations.
    pub fn equations(&self) -> Vec<&Equation> {
        match self {
            Value::Formula(equation) => vec![equation],
            Value::Cases(cases) => cases
                .iter()
                .flat_map(|(test, value)| test.iter().chain([value]))
                .collect(),
            Value::Sum(_) | Value::Product(_) => Vec::new(),
        }
    }
}

impl Mechanism {
    /// The dimension of what a name means; None if it is not known.
    pub fn dimension_of(&self, reference: Reference) -> Option<Dimension> {
        const VOLTAGE: Dimension = Dimension {
            m: 1,
            l: 2,
            t: -3,
            i: -1,
            ..Dimension::NONE
        };
        const CONCENTRATION: Dimension = Dimension {
            l: -3,
            n: 1,
            ..Dimension::NONE
        };
        match reference {
            Reference::Variable(index) => self.variables.get(index)?.dimension,
            Reference::Parameter(index) => self.parameters.get(index)?.dimension,
            Reference::Potential => Some(VOLTAGE),
            Reference::Time => Some(Dimension::TIME),
            Reference::Temperature => Some(Dimension {
                k: 1,
                ..Dimension::NONE
            }),
            Reference::Area => Some(Dimension::AREA),
            Reference::Inside(_) | Reference::Outside(_) => Some(CONCENTRATION),
            Reference::Current(_) => Some(Dimension {
                i: 1,
                ..Dimension::NONE
            }),
        }
    }

    /// The computed variables that some values need, in an order in which they can be computed.
    pub fn needed(&self, wanted: impl IntoIterator<Item = Reference>) -> Vec<&Computed> {
        let mut is_needed = vec![false; self.variables.len()];
        let mark = |reference: Reference, is_needed: &mut Vec<bool>| {
            if let Reference::Variable(index) = reference
                && let Some(mark) = is_needed.get_mut(index)
            {
                *mark = true;
            }
        };
        for reference in wanted {
            mark(reference, &mut is_needed);
        }
        let mut needed = Vec::new();
        for computed in self.computed.iter().rev() {
            if is_needed.get(computed.variable) == Some(&true) {
                needed.push(computed);
                for reference in computed.value.references() {
                    mark(reference, &mut is_needed);
                }
            }
        }
        needed.reverse();
        needed
    }

    /// Whether some values depend on a state.
    pub fn depends_on(
        &self,
        wanted: impl IntoIterator<Item = Reference>,
        is_state: &dyn Fn(usize) -> bool,
    ) -> bool {
        let wanted: Vec<Reference> = wanted.into_iter().collect();
        let inner = self.needed(wanted.iter().copied());
        let all = inner
            .iter()
            .flat_map(|computed| computed.value.references())
            .chain(wanted);
        all.into_iter()
            .any(|reference| matches!(reference, Reference::Variable(index) if is_state(index)))
    }

    /// What moves the states is computed from these.
    pub fn read_by_rates(&self) -> Vec<Reference> {
        let moving = self
            .moving
            .iter()
            .flat_map(|of| &of.rates)
            .flat_map(|rate| rate.names.clone());
        let transitions = self.schemes.iter().flat_map(|scheme| &scheme.transitions);
        moving
            .chain(transitions.flat_map(|(_, _, forward, back)| [*forward, *back]))
            .collect()
    }

    /// The computed variables that are held, in their order.
    pub fn held(&self) -> Vec<&Computed> {
        let held = self.held.iter();
        let variables: Vec<usize> = held.flat_map(|held| held.variables.clone()).collect();
        let is_held = |computed: &&Computed| variables.contains(&computed.variable);
        self.computed.iter().filter(is_held).collect()
    }

    /// What is computed before the states move.
    pub fn computed_for_rates(&self) -> Vec<&Computed> {
        match self.held {
            Some(_) => self.held(),
            None => self.needed(self.read_by_rates()),
        }
    }

    /// All equations.
    pub fn equations(&self) -> Vec<&Equation> {
        let computed = self
            .computed
            .iter()
            .flat_map(|computed| computed.value.equations());
        let rates = self.moving.iter().flat_map(|of| &of.rates);
        let starts = self.starts.iter().map(|(_, value)| value);
        let tests = self.tests.iter().flat_map(|test| {
            let values = test.assignments.iter().map(|(_, value)| value);
            [&test.condition].into_iter().chain(values)
        });
        computed.chain(rates).chain(starts).chain(tests).collect()
    }

    /// Everything that any part of it reads.
    pub fn references(&self) -> Vec<Reference> {
        let computed = self
            .computed
            .iter()
            .flat_map(|computed| computed.value.references());
        let equations = self
            .equations()
            .into_iter()
            .flat_map(|equation| equation.names.clone());
        computed
            .chain(equations)
            .chain(self.read_by_rates())
            .collect()
    }
}

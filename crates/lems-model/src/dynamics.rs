//! `Dynamics`: state, equations, conditions, events, regimes and kinetic schemes.

use indexmap::IndexSet;
use lems_document::{Attribute, Element};
use lems_expression::Dimension;

use crate::{Formula, Select, Table};

/// The behaviour of a type.
#[derive(Debug, Clone, Default)]
pub struct Dynamics<'d> {
    /// `Super`: what the base of the type does comes first.
    pub extends_base: bool,
    /// `simultaneous="true"`: all rates from the same values (fourth-order Runge-Kutta).
    pub simultaneous: bool,
    /// `StateVariable`.
    pub state: Table<'d, StateVariable<'d>>,
    /// `DerivedVariable select`, in document order.
    pub selections: Vec<Selection<'d>>,
    /// `DerivedVariable value`, in document order.
    pub derived: Vec<DerivedVariable<'d>>,
    /// `ConditionalDerivedVariable`, in document order.
    pub conditional: Vec<ConditionalVariable<'d>>,
    /// `TimeDerivative`, in document order.
    pub rates: Vec<TimeDerivative<'d>>,
    /// `OnStart`.
    pub on_start: Vec<Actions<'d>>,
    /// `OnEntry`, in regimes.
    pub on_entry: Vec<Actions<'d>>,
    /// `OnCondition`.
    pub on_condition: Vec<Condition<'d>>,
    /// `OnEvent`.
    pub on_event: Vec<EventHandler<'d>>,
    /// `Regime`.
    pub regimes: Table<'d, Regime<'d>>,
    /// `KineticScheme`.
    pub schemes: Vec<KineticScheme<'d>>,
    /// The requirements of the type that declares these dynamics, inherited ones among them. As in jLEMS, instances read
    /// these and no others: what a type that inherits the dynamics requires is for its children.
    pub requirements: IndexSet<&'d str>,
    /// The exposures of that type: only these give variables a value for others.
    pub exposures: IndexSet<&'d str>,
}

impl<'d> Dynamics<'d> {
    /// The main block, then the regimes in document order.
    pub fn with_regimes(&self) -> impl Iterator<Item = &Dynamics<'d>> {
        let regimes = self.regimes.values().map(|regime| &regime.dynamics);
        std::iter::once(self).chain(regimes)
    }

    /// All variables: state variables, selections, derived and conditional variables, each kind in
    /// document order. The variables of regimes are not among them.
    pub fn variables(&self) -> impl Iterator<Item = Variable<'_, 'd>> {
        let state = self.state.iter().map(|(name, v)| Variable {
            name,
            exposure: v.exposure,
            dimension: v.dimension,
            element: v.element,
            definition: Definition::State,
        });
        state.chain(self.computed_variables())
    }

    /// The variables that are computed from others, in the order in which a step computes them:
    /// selections, derived variables, conditional variables, each kind in document order.
    pub fn computed_variables(&self) -> impl Iterator<Item = Variable<'_, 'd>> {
        let selections = self.selections.iter().map(|v| Variable {
            name: v.name,
            exposure: v.exposure,
            dimension: v.dimension,
            element: v.element,
            definition: Definition::Selection(v),
        });
        let derived = self.derived.iter().map(|v| Variable {
            name: v.name,
            exposure: v.exposure,
            dimension: v.dimension,
            element: v.element,
            definition: Definition::Derived(v),
        });
        let conditional = self.conditional.iter().map(|v| Variable {
            name: v.name,
            exposure: v.exposure,
            dimension: v.dimension,
            element: v.element,
            definition: Definition::Conditional(v),
        });
        selections.chain(derived).chain(conditional)
    }

    /// All action blocks: those of the start, of entry, of conditions and of events.
    pub fn actions(&self) -> impl Iterator<Item = &Actions<'d>> {
        self.actions_on([
            Trigger::Start,
            Trigger::Entry,
            Trigger::Condition,
            Trigger::Event,
        ])
    }

    /// The action blocks of the given triggers, trigger by trigger, each in document order.
    pub fn actions_on<const N: usize>(
        &self,
        triggers: [Trigger; N],
    ) -> impl Iterator<Item = &Actions<'d>> {
        triggers.into_iter().flat_map(|trigger| {
            let (blocks, conditions, handlers) = match trigger {
                Trigger::Start => (self.on_start.as_slice(), [].as_slice(), [].as_slice()),
                Trigger::Entry => (self.on_entry.as_slice(), [].as_slice(), [].as_slice()),
                Trigger::Condition => ([].as_slice(), self.on_condition.as_slice(), [].as_slice()),
                Trigger::Event => ([].as_slice(), [].as_slice(), self.on_event.as_slice()),
            };
            let conditions = conditions.iter().map(|condition| &condition.actions);
            let handlers = handlers.iter().map(|handler| &handler.actions);
            blocks.iter().chain(conditions).chain(handlers)
        })
    }
}

/// What sets off an action block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// `OnStart`: the start of the run.
    Start,
    /// `OnEntry`: the regime becomes active.
    Entry,
    /// `OnCondition`: its test holds.
    Condition,
    /// `OnEvent`: an event arrives.
    Event,
}

/// A variable of a `Dynamics`: what all kinds of variables have in common.
#[derive(Debug, Clone, Copy)]
pub struct Variable<'m, 'd> {
    /// Name.
    pub name: &'d str,
    /// Public name, if it gives one.
    pub exposure: Option<&'d str>,
    /// Declared dimension; None where any is accepted.
    pub dimension: Option<Dimension>,
    /// Its element.
    pub element: Element<'d>,
    /// How it gets its value.
    pub definition: Definition<'m, 'd>,
}

/// How a variable gets its value.
#[derive(Debug, Clone, Copy)]
pub enum Definition<'m, 'd> {
    /// It keeps its value until a rate or an assignment changes it.
    State,
    /// From the values that a path leads to.
    Selection(&'m Selection<'d>),
    /// From an expression.
    Derived(&'m DerivedVariable<'d>),
    /// From the first case that holds.
    Conditional(&'m ConditionalVariable<'d>),
}

impl<'m, 'd> Definition<'m, 'd> {
    /// The formulas of the definition, in document order, each condition before its value.
    pub fn formulas(self) -> impl Iterator<Item = &'m Formula<'d>> {
        let (value, cases) = match self {
            Definition::State | Definition::Selection(_) => (None, [].as_slice()),
            Definition::Derived(variable) => (Some(&variable.value), [].as_slice()),
            Definition::Conditional(variable) => (None, variable.cases.as_slice()),
        };
        let of_cases = cases
            .iter()
            .flat_map(|case| case.condition.iter().chain([&case.value]));
        value.into_iter().chain(of_cases)
    }
}

/// A `StateVariable`.
#[derive(Debug, Clone, Copy)]
pub struct StateVariable<'d> {
    /// Dimension; None where any is accepted.
    pub dimension: Option<Dimension>,
    /// Public name.
    pub exposure: Option<&'d str>,
    /// Its element.
    pub element: Element<'d>,
}

/// A `DerivedVariable` with an expression.
#[derive(Debug, Clone)]
pub struct DerivedVariable<'d> {
    /// Name.
    pub name: &'d str,
    /// Declared dimension.
    pub dimension: Option<Dimension>,
    /// Public name.
    pub exposure: Option<&'d str>,
    /// Its value.
    pub value: Formula<'d>,
    /// Its element.
    pub element: Element<'d>,
}

/// A `DerivedVariable` with a path.
#[derive(Debug, Clone)]
pub struct Selection<'d> {
    /// Name.
    pub name: &'d str,
    /// Declared dimension.
    pub dimension: Option<Dimension>,
    /// Public name.
    pub exposure: Option<&'d str>,
    /// The path.
    pub select: Select<'d>,
    /// How several values become one.
    pub reduce: Option<Reduce>,
    /// Its element.
    pub element: Element<'d>,
}

/// How the values of several elements become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduce {
    /// Sum, 0 if there are none.
    Add,
    /// Product, 1 if there are none.
    Multiply,
}

/// A `ConditionalDerivedVariable`.
#[derive(Debug, Clone)]
pub struct ConditionalVariable<'d> {
    /// Name.
    pub name: &'d str,
    /// Declared dimension.
    pub dimension: Option<Dimension>,
    /// Public name.
    pub exposure: Option<&'d str>,
    /// The first case whose condition holds gives the value; 0 if none does.
    pub cases: Vec<Case<'d>>,
    /// Its element.
    pub element: Element<'d>,
}

/// A `Case`.
#[derive(Debug, Clone)]
pub struct Case<'d> {
    /// When it applies; None: always.
    pub condition: Option<Formula<'d>>,
    /// The value then.
    pub value: Formula<'d>,
}

/// A `TimeDerivative`.
#[derive(Debug, Clone)]
pub struct TimeDerivative<'d> {
    /// The state variable.
    pub variable: &'d str,
    /// Its rate, per second.
    pub value: Formula<'d>,
    /// Its element.
    pub element: Element<'d>,
}

/// What an `OnStart`, `OnEntry`, `OnCondition` or `OnEvent` does: assignments, then events, then
/// the transition.
#[derive(Debug, Clone, Default)]
pub struct Actions<'d> {
    /// `StateAssignment`, in order.
    pub assignments: Vec<Assignment<'d>>,
    /// Ports of the `EventOut`s, in order.
    pub events: Vec<Attribute<'d>>,
    /// Regime of the `Transition`.
    pub transition: Option<Attribute<'d>>,
}

/// A `StateAssignment`.
#[derive(Debug, Clone)]
pub struct Assignment<'d> {
    /// The state variable.
    pub variable: &'d str,
    /// Its new value.
    pub value: Formula<'d>,
    /// Its element.
    pub element: Element<'d>,
}

/// An `OnCondition`.
#[derive(Debug, Clone)]
pub struct Condition<'d> {
    /// Tested once a step.
    pub test: Formula<'d>,
    /// Done while it holds.
    pub actions: Actions<'d>,
}

/// An `OnEvent`.
#[derive(Debug, Clone)]
pub struct EventHandler<'d> {
    /// The port.
    pub port: Attribute<'d>,
    /// Done for each event.
    pub actions: Actions<'d>,
}

/// A `Regime`.
#[derive(Debug, Clone)]
pub struct Regime<'d> {
    /// Whether the instance starts in it.
    pub initial: bool,
    /// What holds while it is active.
    pub dynamics: Dynamics<'d>,
    /// Its element.
    pub element: Element<'d>,
}

/// A `KineticScheme`.
#[derive(Debug, Clone)]
pub struct KineticScheme<'d> {
    /// Its element.
    pub element: Element<'d>,
    /// List of the states.
    pub nodes: &'d str,
    /// List of the transitions.
    pub edges: &'d str,
    /// State variable of a state: its occupancy.
    pub state_variable: &'d str,
    /// Attribute of an edge that names the state it leaves.
    pub edge_source: &'d str,
    /// Attribute of an edge that names the state it enters.
    pub edge_target: &'d str,
    /// Variable of an edge: forward rate.
    pub forward_rate: &'d str,
    /// Variable of an edge: reverse rate.
    pub reverse_rate: &'d str,
}

//! The elements of the lists.

use lems_model::{
    Actions, Assignment, Condition, ConditionalVariable, Definition, DerivedVariable,
    KineticScheme, Selection, TimeDerivative, Variable,
};
use lems_network::NodeId;

/// One thing that an instance does, with the equation that it does it by.
#[derive(Debug, Clone)]
pub enum Item<'m, 'd> {
    /// Everything attached to a list makes its step.
    Attached(&'d str),
    /// The occupancies of a kinetic scheme advance.
    Scheme(&'m KineticScheme<'d>),
    /// The instance notes the time, which its event handlers see as `t`.
    Clock(Clock),
    /// A variable or requirement of the instance gets the value that is computed for it.
    Compute(Computation<'m, 'd>),
    /// All rates are computed; then each state variable moves by its rate times the step (Euler).
    Integrate(&'m [TimeDerivative<'d>]),
    /// The states of all nodes of a compartment move, but not its potential.
    Move(Moving<'m, 'd>),
    /// Variables and requirements of several nodes get their values of this moment, in whatever order
    /// they need one another.
    Settle(Vec<(NodeId, &'d str)>),
    /// The same, but all that these nodes need from others is as the others last computed it.
    SettleAlone(Vec<(NodeId, &'d str)>),
    /// The same as if the states of these nodes were 0, but not occupancies of kinetic schemes.
    SettleAtZero(Vec<(NodeId, &'d str)>),
    /// The rate of the potential of a cable is computed and kept.
    Rate(&'m TimeDerivative<'d>),
    /// The state variables of several nodes move together.
    Simultaneous(Simultaneous<'m, 'd>),
    /// A condition is tested; its actions are done if it holds.
    Condition(&'m Condition<'d>),
    /// Actions are done: assignments, then events, then the transition.
    Actions(&'m Actions<'d>),
    /// An assignment of a regime, given by its number, is done when the instance is made.
    Create(usize, &'m Assignment<'d>),
    /// A regime becomes active and does its `OnEntry` blocks.
    Enter(&'d str),
    /// The value that others see of an exposed variable becomes its present value.
    Publish(&'d str),
    /// The regime that was active when this item began does its items.
    Regimes(Vec<RegimeItems<'m, 'd>>),
}

/// How a value is computed.
#[derive(Debug, Clone, Copy)]
pub enum Computation<'m, 'd> {
    /// A requirement is read from around the instance.
    Requirement(&'d str),
    /// The values that a path leads to are reduced to one: to their sum, say.
    Select(&'m Selection<'d>),
    /// An expression is evaluated.
    Derived(&'m DerivedVariable<'d>),
    /// The first case that holds is evaluated; the value is 0 if none does.
    Conditional(&'m ConditionalVariable<'d>),
}

impl<'m, 'd> Computation<'m, 'd> {
    /// The computation of a variable; None for a state variable.
    pub fn of(variable: Variable<'m, 'd>) -> Option<Self> {
        match variable.definition {
            Definition::State => None,
            Definition::Selection(selection) => Some(Computation::Select(selection)),
            Definition::Derived(derived) => Some(Computation::Derived(derived)),
            Definition::Conditional(conditional) => Some(Computation::Conditional(conditional)),
        }
    }

    /// Name of the variable or requirement.
    pub fn name(&self) -> &'d str {
        match self {
            Computation::Requirement(name) => name,
            Computation::Select(variable) => variable.name,
            Computation::Derived(variable) => variable.name,
            Computation::Conditional(variable) => variable.name,
        }
    }
}

/// An item and the node of the shape that it belongs to.
#[derive(Debug, Clone)]
pub struct NodeItem<'m, 'd> {
    /// The node.
    pub node: NodeId,
    /// What it does.
    pub item: Item<'m, 'd>,
}

/// When an instance notes the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// In each step.
    Always,
    /// Only if its time is recorded: nothing else can see it.
    IfRecorded,
}

/// A part of the step of a node of a cable.
///
/// By the methods of jlems-rs, states and potentials are computed alternately, so that each sees the
/// other in the middle of its own step: the first four. NEURON's mechanisms compute their variables
/// once, before their states move, and conduct by them in the next step: the last three, in the order
/// [`Conduct`](Self::Conduct), [`Advance`](Self::Advance), [`End`](Self::End).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// All but the potential moves: a compartment by a step, at the potential in the middle of it; what
    /// is attached to it by the first half of the step, after the events that arrive at its beginning.
    States,
    /// The currents through the membrane with these states, and the rate of the potential.
    Currents,
    /// Attached instances move by the second half of the step, at the new potential.
    Rest,
    /// What depends on the new potential: conditions of the node, and what others see.
    End,
    /// The currents through the membrane and the rate of the potential, from what mechanisms with
    /// states computed in the step before. What is attached and has no moving states makes its step.
    Conduct,
    /// Mechanisms with states compute their variables at the new potential, then their states move.
    Advance,
    /// Before the first step: what mechanisms with states conduct by in it. NEURON computes it before it
    /// gives the states their initial values.
    Hold,
}

impl Phase {
    /// The parts of the method of second order, in order.
    pub const ALL: [Phase; 4] = [Phase::States, Phase::Currents, Phase::Rest, Phase::End];
}

/// The states of a compartment that move together.
#[derive(Debug, Clone, Default)]
pub struct Moving<'m, 'd> {
    /// State variables with their rates.
    pub states: Vec<RateSum<'m, 'd>>,
    /// Kinetic schemes, with the nodes that they belong to.
    pub schemes: Vec<(NodeId, &'m KineticScheme<'d>)>,
}

/// What one regime does while it is active.
#[derive(Debug, Clone)]
pub struct RegimeItems<'m, 'd> {
    /// Name of the regime.
    pub name: &'d str,
    /// What it does, in order.
    pub items: Vec<Item<'m, 'd>>,
}

/// One step of the classical fourth-order Runge-Kutta method over a node and all nodes below it.
///
/// Each of its four stages computes all rates, and for them the variables that they need, from the
/// state variables at that stage.
#[derive(Debug, Clone)]
pub struct Simultaneous<'m, 'd> {
    /// Variables that the first stage stores, in order: node and name. Readers outside and event
    /// handlers see them.
    pub stored: Vec<(NodeId, &'d str)>,
    /// The state variables that move, in the order in which each stage computes their rates.
    pub states: Vec<RateSum<'m, 'd>>,
}

/// A state variable with all its rates, which are summed from left to right.
#[derive(Debug, Clone)]
pub struct RateSum<'m, 'd> {
    /// The node.
    pub node: NodeId,
    /// Name of the state variable.
    pub name: &'d str,
    /// Its rates, at least one.
    pub rates: Vec<&'m TimeDerivative<'d>>,
}

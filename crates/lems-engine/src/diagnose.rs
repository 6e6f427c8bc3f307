//! Where a value that is no finite number came from.

use std::collections::{HashMap, HashSet};
use std::fmt;

use lems_equations::{Computation, Item};
use lems_ir::{Backend, Interpreter, Probe, Program, State, make_step};
use lems_lower::{Lowered, Method, Recorded, lower};
use lems_model::{Assignment, ComponentType, Dynamics, Formula, Model};
use lems_network::{Experiment, InstanceId, Network, Readable, Run, Shapes, Variable};

/// The equation that first gave a value that is not finite, from values that are.
#[derive(Debug, Clone)]
pub struct Cause<'m, 'd> {
    /// The variable that it is for.
    pub variable: String,
    /// The instance, as messages call it.
    pub instance: String,
    /// What it gave.
    pub value: f64,
    /// The equation.
    pub equation: &'m Formula<'d>,
    /// The values that went in, by name, in SI units.
    pub inputs: Vec<(String, f64)>,
    /// Time of the step, in seconds.
    pub time: f64,
}

impl fmt::Display for Cause<'_, '_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "`{}` of {} becomes {} at t = {} s: `{}`",
            self.variable,
            self.instance,
            self.value,
            short(self.time),
            self.equation.source.value()
        )?;
        for (number, (name, value)) in self.inputs.iter().enumerate() {
            let before = if number == 0 { " with" } else { "," };
            write!(formatter, "{before} {name} = {}", short(*value))?;
        }
        Ok(())
    }
}

/// A number with six digits.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    match rounded.abs() {
        size if size != 0.0 && size.is_finite() && !(1e-4..1e6).contains(&size) => {
            format!("{rounded:e}")
        }
        _ => rounded.to_string(),
    }
}

/// A variable of an instance.
type Place<'d> = (InstanceId, &'d str);

/// A run in which every variable can be looked at.
#[derive(Debug)]
pub struct Diagnosis<'m, 'd> {
    /// What is to be run.
    pub program: Program,
    network: Network<'m, 'd>,
    run: Run,
    slots: HashMap<Place<'d>, Probe>,
}

/// The step in which a value became what it is.
struct Moment {
    step: u64,
    time: f64,
    before: Vec<f64>,
    after: Vec<f64>,
}

/// A value that an equation reads.
struct Input<'d> {
    value: f64,
    /// The variable; none if it never changes.
    place: Option<Place<'d>>,
    /// Whether it is as of the step before.
    earlier: bool,
}

/// Most times that a run is made again to find where a value came from.
const ROUNDS: usize = 8;

impl<'m, 'd> Diagnosis<'m, 'd> {
    /// Prepares to make a run again; None if it cannot be built as it was.
    pub fn new(
        model: &'m Model<'d>,
        experiment: &Experiment<'d>,
        run: Run,
        method: Method,
    ) -> Option<Self> {
        let network = experiment.network(model, run).ok()?;
        let shapes = Shapes::of(&network);
        let mut places: Vec<Place<'d>> = Vec::new();
        for index in 0..network.instances.len() {
            let id = InstanceId(lems_index::narrow(index));
            let dynamics = network.type_of(id).dynamics.as_deref();
            let variables = dynamics.into_iter().flat_map(Dynamics::variables);
            places.extend(variables.map(|variable| (id, variable.name)));
        }
        let readable = |&(instance, name): &Place<'d>| Readable {
            instance,
            variable: Variable::Live(name),
        };
        let recorded = Recorded {
            values: places.iter().map(readable).collect(),
            ..Recorded::default()
        };
        let Lowered {
            program, values, ..
        } = lower(&network, &shapes, &recorded, method).ok()?;
        Some(Diagnosis {
            program,
            network,
            run,
            slots: places.into_iter().zip(values).collect(),
        })
    }

    /// Makes the run again with `backend`, which must be one for the program, and follows a
    /// recorded value back to where it stopped being a finite number; None if it does not, or if
    /// `go_on` says so.
    pub fn find(
        &self,
        backend: &dyn Backend,
        experiment: &Experiment<'d>,
        quantity: &str,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Option<Cause<'m, 'd>> {
        let mut recordings = experiment.data_files.iter().flat_map(|file| &file.columns);
        let recording = recordings.find(|recording| recording.quantity.value() == quantity)?;
        let column = self.network.column(recording).ok()?.value;
        let mut place = self.place(column.instance, column.variable)?;
        for _ in 0..ROUNDS {
            let moment = self.run_until(backend, place, go_on)?;
            match self.follow(place, &moment) {
                Ok(cause) => return cause,
                Err(earlier) => place = earlier,
            }
        }
        None
    }

    fn place(&self, instance: InstanceId, variable: Variable<'d>) -> Option<Place<'d>> {
        match variable {
            Variable::Exposed(name) | Variable::Live(name) => Some((instance, name)),
            Variable::Fixed(_) => None,
        }
    }

    fn value(&self, place: Place<'d>, memory: &[f64]) -> Option<f64> {
        match self.slots.get(&place)? {
            Probe::Slot(slot) => memory.get(*slot as usize).copied(),
            Probe::Constant(value) => Some(*value),
        }
    }

    fn run_until(
        &self,
        backend: &dyn Backend,
        place: Place<'d>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Option<Moment> {
        let mut state = State::new(&self.program, 0);
        state.random = self.network.random.clone();
        Interpreter::new(&self.program).run_setup(&mut state);
        let mut before = state.memory.clone();
        let (mut step, mut time) = (0, 0.0);
        while self.value(place, &state.memory)?.is_finite() {
            if step == self.run.steps || state.fault.is_some() || !go_on() {
                return None;
            }
            before.copy_from_slice(&state.memory);
            step += 1;
            time = self
                .program
                .clock
                .end_of_step(step - 1, time, self.run.step);
            make_step(&self.program, backend, &mut state, time, self.run.step);
        }
        Some(Moment {
            step,
            time,
            before,
            after: state.memory,
        })
    }

    /// The cause of a value of this moment, or the variable that was not finite before it.
    fn follow(
        &self,
        start: Place<'d>,
        moment: &Moment,
    ) -> Result<Option<Cause<'m, 'd>>, Place<'d>> {
        let mut place = start;
        let mut seen = HashSet::new();
        while seen.insert(place) {
            let (id, name) = place;
            let kind = self.network.type_of(id);
            let Some(dynamics) = kind.dynamics.as_deref() else {
                break;
            };
            if let Some(selection) = dynamics.selections.iter().find(|s| s.name == name) {
                let selected = self.network.selected(id, selection).unwrap_or_default();
                let mut places =
                    (selected.iter()).filter_map(|r| self.place(r.instance, r.variable));
                let is_cause = |place: &Place<'d>| !self.is_finite(*place, &moment.after);
                match places.find(is_cause) {
                    Some(found) => place = found,
                    None => break,
                }
                continue;
            }
            let lookup = &mut |name: &str| Some(self.input(id, name, moment)?.value);
            let Some(formula) = equation(kind, name, moment.step == 0, lookup) else {
                break;
            };
            let inputs = self.inputs(id, name, formula, moment);
            let culprit = inputs.iter().find(|(_, input)| !input.value.is_finite());
            match culprit.map(|(_, input)| (input.place, input.earlier && moment.step > 0)) {
                Some((Some(found), true)) => return Err(found),
                Some((Some(found), false)) => place = found,
                Some((None, _)) | None => {
                    return Ok(Some(Cause {
                        variable: name.to_owned(),
                        instance: self.network.title(id),
                        value: self.value(place, &moment.after).unwrap_or(f64::NAN),
                        equation: formula,
                        inputs: (inputs.into_iter())
                            .map(|(name, input)| (name.to_owned(), input.value))
                            .collect(),
                        time: moment.time,
                    }));
                }
            }
        }
        Ok(None)
    }

    fn is_finite(&self, place: Place<'d>, memory: &[f64]) -> bool {
        self.value(place, memory).is_none_or(f64::is_finite)
    }

    /// What an equation for a variable reads; a variable that keeps its value also reads that.
    fn inputs<'f>(
        &self,
        id: InstanceId,
        variable: &'f str,
        formula: &'f Formula<'d>,
        moment: &Moment,
    ) -> Vec<(&'f str, Input<'d>)> {
        let names = formula.expression.variables().iter().map(String::as_str);
        let dynamics = self.network.type_of(id).dynamics.as_deref();
        let is_state = dynamics.is_some_and(|dynamics| dynamics.state.contains_key(variable));
        let own = (is_state && moment.step > 0).then_some(variable);
        let mut seen = HashSet::new();
        (names.chain(own))
            .filter(|name| seen.insert(*name))
            .filter_map(|name| Some((name, self.input(id, name, moment)?)))
            .collect()
    }

    /// What a name means in an equation of an instance. Children make their steps before their
    /// parents, and an instance computes its derived variables before it changes its state.
    fn input(&self, id: InstanceId, name: &str, moment: &Moment) -> Option<Input<'d>> {
        let fixed = |value| Input {
            value,
            place: None,
            earlier: false,
        };
        let kind = self.network.type_of(id);
        let meaning = match kind.reads_requirement(name) {
            true => self.network.requirement(id, name),
            false => self.network.local(id, name),
        };
        let Some(readable) = meaning else {
            let constant = self.network.model.constants.get(name);
            return match (constant, name) {
                (Some(constant), _) => Some(fixed(constant.value)),
                (None, "t") => Some(fixed(moment.time)),
                (None, _) => None,
            };
        };
        let (at, own) = match readable.variable {
            Variable::Fixed(value) => return Some(fixed(value)),
            Variable::Live("t") => return Some(fixed(moment.time)),
            Variable::Exposed(own) | Variable::Live(own) => (readable.instance, own),
        };
        let kind = self.network.type_of(at);
        if at != id && kind.reads_requirement(own) {
            return self.input(at, own, moment);
        }
        let is_state = (kind.dynamics.as_deref()).is_some_and(|d| d.state.contains_key(own));
        let earlier = at != id || is_state;
        let memory = match earlier {
            true => &moment.before,
            false => &moment.after,
        };
        Some(Input {
            value: self.value((at, own), memory)?,
            place: Some((at, own)),
            earlier,
        })
    }
}

/// The first equation for a variable, in the order of evaluation, that gives no finite number, or
/// else the first of all.
fn equation<'m, 'd>(
    kind: &'m ComponentType<'d>,
    name: &str,
    at_start: bool,
    lookup: &mut dyn FnMut(&str) -> Option<f64>,
) -> Option<&'m Formula<'d>> {
    let dynamics = kind.dynamics.as_deref()?;
    let items: Vec<Item<'m, 'd>> = if at_start {
        let consolidated = false;
        let pass = lems_equations::pass(kind, true, consolidated);
        lems_equations::creation(kind).chain(pass).collect()
    } else {
        let handlers = lems_equations::handlers(dynamics).into_iter();
        let handlers = handlers.flat_map(|(_, items)| items);
        let step = lems_equations::own_step(kind).into_iter();
        let items = step.chain(handlers);
        items.chain(lems_equations::entries(dynamics)).collect()
    };
    let mut candidates = Vec::new();
    for item in &items {
        add_equations(item, name, lookup, &mut candidates);
    }
    let mut not_finite = |formula: &&&Formula<'d>| {
        let value = formula.expression.evaluate(lookup);
        value.is_ok_and(|value| !value.is_finite())
    };
    (candidates.iter().find(&mut not_finite))
        .or(candidates.first())
        .copied()
}

/// Adds the equations of an item that give a variable its value. Of a conditional variable it is
/// the first case that holds.
fn add_equations<'m, 'd>(
    item: &Item<'m, 'd>,
    name: &str,
    lookup: &mut dyn FnMut(&str) -> Option<f64>,
    candidates: &mut Vec<&'m Formula<'d>>,
) {
    let mut assigned = |assignments: &'m [Assignment<'d>]| {
        let own = assignments
            .iter()
            .filter(|assignment| assignment.variable == name);
        candidates.extend(own.map(|assignment| &assignment.value));
    };
    match item {
        Item::Compute(Computation::Derived(variable)) if variable.name == name => {
            candidates.push(&variable.value);
        }
        Item::Compute(Computation::Conditional(variable)) if variable.name == name => {
            let mut holds = |test: &Formula<'d>| test.expression.evaluate(lookup) == Ok(1.0);
            let mut cases = variable.cases.iter();
            let case = cases.find(|case| case.condition.as_ref().is_none_or(&mut holds));
            candidates.extend(case.map(|case| &case.value));
        }
        Item::Integrate(rates) => {
            let own = rates.iter().filter(|rate| rate.variable == name);
            candidates.extend(own.map(|rate| &rate.value));
        }
        Item::Rate(rate) if rate.variable == name => candidates.push(&rate.value),
        Item::Move(moving) => {
            let own = moving.states.iter().filter(|state| state.name == name);
            let rates = own.flat_map(|state| &state.rates);
            candidates.extend(rates.map(|rate| &rate.value));
        }
        Item::Condition(condition) => assigned(&condition.actions.assignments),
        Item::Actions(actions) => assigned(&actions.assignments),
        Item::Create(_, assignment) => assigned(std::slice::from_ref(*assignment)),
        Item::Regimes(regimes) => {
            for item in regimes.iter().flat_map(|regime| &regime.items) {
                add_equations(item, name, lookup, candidates);
            }
        }
        // Nothing else has an equation; the rates of `Simultaneous` are those of `Integrate`.
        Item::Compute(_)
        | Item::Attached(_)
        | Item::Scheme(_)
        | Item::Clock(_)
        | Item::Rate(_)
        | Item::Settle(_)
        | Item::SettleAlone(_)
        | Item::SettleAtZero(_)
        | Item::Simultaneous(_)
        | Item::Enter(_)
        | Item::Publish(_) => {}
    }
}

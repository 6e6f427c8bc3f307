//! Expressions, selections and actions of one node.

use lems_expression::{Expression, Node as Term};
use lems_index::{Id, narrow};
use lems_model::{
    Actions, Assignment, ConditionalVariable, Dynamics, Formula, ModelError, Reduce, Selection,
    Step,
};
use lems_network::{InstanceId, NetworkError, NodeId, Readable, ShapeId, Variable};

use super::{
    LoopNest, Lowering,
    attachments::{AttachmentOrder, Attachments},
    code::Code,
    columns::ColumnKind,
    reads::Read,
};
use lems_ir::{Block, Comparison, Level, Logic, Operator, Place, Register, Statement};

/// Most regimes that are entered one from another in one step.
const MOST_ENTRIES: usize = 10_000;

/// Where equations are lowered: code of one node in one nest.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeContext<'f> {
    pub nest: &'f LoopNest,
    pub node: NodeId,
    /// Where `t` comes from.
    pub clock: Clock,
    /// Number of the regime that the equations belong to.
    pub regime: Option<usize>,
}

impl<'f> NodeContext<'f> {
    /// The code of a node outside regimes.
    pub fn new(nest: &'f LoopNest, node: NodeId, clock: Clock) -> Self {
        NodeContext {
            nest,
            node,
            clock,
            regime: None,
        }
    }
}

/// What `t` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// The end of the step.
    Step,
    /// What it was when the instance last made a step.
    Local,
    /// The middle of the next step.
    Ahead,
    /// Zero: initial passes.
    Zero,
}

impl<'d> Lowering<'_, '_, 'd> {
    pub(super) fn live(&mut self, at: NodeContext<'_>, name: &'d str) -> Place {
        let kind = self.own_kind(at.nest.shape, at.node, at.regime, name);
        self.place(at, kind)
    }

    /// The column of a variable as the equations of a regime, or those outside regimes, see it. A regime has a variable to
    /// itself if others declare one of that name, too, but the dynamics around them does not.
    pub(super) fn own_kind(
        &self,
        shape: ShapeId,
        node: NodeId,
        regime: Option<usize>,
        name: &'d str,
    ) -> ColumnKind<'d> {
        let shared = ColumnKind::Live(name);
        let (Some(number), Some(dynamics)) = (regime, self.dynamics(shape, node)) else {
            return shared;
        };
        let declares = |dynamics: &Dynamics<'d>| dynamics.variables().any(|own| own.name == name);
        let mut declaring = (dynamics.regimes.values().enumerate())
            .filter(|(_, regime)| declares(&regime.dynamics))
            .map(|(number, _)| number);
        let is_own = declaring.clone().any(|declaring| declaring == number);
        match is_own && declaring.nth(1).is_some() && !declares(dynamics) {
            true => ColumnKind::OfRegime(narrow(number), name),
            false => shared,
        }
    }

    pub(super) fn place(&mut self, at: NodeContext<'_>, kind: ColumnKind<'d>) -> Place {
        let column = self.column(at.nest.shape, at.node, kind);
        column.place(at.nest.level)
    }

    /// The value of a name in an equation of a node, which must have one.
    pub(super) fn variable(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        name: &str,
    ) -> Register {
        self.known_variable(code, at, name).unwrap_or_else(|| {
            self.unknown_name(at, name);
            // Any value will do: no program is made after an error.
            code.constant(0.0)
        })
    }

    /// The value of a name in an equation of a node, if the name has a meaning there.
    fn known_variable(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        name: &str,
    ) -> Option<Register> {
        let kind = (self.network.model).type_of(self.shape(at.nest.shape).nodes[at.node].kind);
        if let Some((name, _)) = kind.parameters.get_key_value(name) {
            return Some(self.parameter(code, at.nest, at.node, name));
        }
        if let Some(constant) = self.network.model.constants.get(name) {
            return Some(code.constant(constant.value));
        }
        if let Some(name) = self.own_variable(at, name) {
            let place = self.live(at, name);
            return Some(code.load(place));
        }
        if let Some((name, _)) = kind.properties.get_key_value(name) {
            return Some(self.property(code, at.nest, at.node, name));
        }
        (name == "t").then(|| match at.clock {
            Clock::Step => code.time(),
            Clock::Ahead => {
                let (time, step) = (code.time(), code.step());
                let half = code.constant(0.5);
                let half_step = code.binary(Operator::Multiply, half, step);
                code.binary(Operator::Add, time, half_step)
            }
            Clock::Zero => code.constant(0.0),
            Clock::Local => {
                let place = self.live(at, "t");
                code.load(place)
            }
        })
    }

    /// Reports a name that has no meaning in the equations of a type, once. The check of the model
    /// only warns of it in types that no component of the target has.
    fn unknown_name(&mut self, at: NodeContext<'_>, name: &str) {
        let instance = self.shape(at.nest.shape).first_instance(at.node);
        let kind = self.network.instance(instance).kind;
        if self.unknown.insert((kind, name.to_owned())) {
            self.errors.push(NetworkError::UnknownVariable {
                variable: name.to_owned(),
                instance: self.network.title(instance),
                suggestion: self.network.suggest(instance, name),
                span: self.network.span_of(instance),
            });
        }
    }

    /// The name as the type spells it, if it is a variable or requirement of the node.
    fn own_variable(&mut self, at: NodeContext<'_>, name: &str) -> Option<&'d str> {
        let id = self.shape(at.nest.shape).nodes[at.node].kind;
        let kind = self.network.model.type_of(id);
        let names = (self.names_of.entry(id)).or_insert_with(|| {
            let blocks = kind.dynamics.iter().flat_map(|d| d.with_regimes());
            let variables = blocks.flat_map(|block| block.variables());
            variables.map(|variable| variable.name).collect()
        });
        let own = names.get(name).copied();
        own.or_else(|| kind.dynamics.as_ref()?.requirements.get(name).copied())
    }

    /// The value of an expression: a double, or a truth value for a condition. A name in it that has no
    /// meaning ends the run when it gets there.
    pub(super) fn expression(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        formula: &Formula<'d>,
    ) -> Register {
        let expression = &formula.expression;
        let mut variables = Vec::with_capacity(expression.variables().len());
        for (index, name) in expression.variables().iter().enumerate() {
            let known = self.known_variable(code, at, name);
            variables.push(known.unwrap_or_else(|| {
                self.stop(
                    code,
                    at,
                    ModelError::UnknownVariable {
                        name: name.clone(),
                        component_type: self.type_name(at.nest.shape, at.node).to_owned(),
                        suggestion: self.network.suggest(self.first_instance(at), name),
                        span: formula.span(expression.variable_range(index)),
                    },
                );
                // Any value will do: the run ends with this step.
                code.constant(0.0)
            }));
        }
        evaluate(code, expression, &variables)
    }

    /// Ends the run when it gets here, because of a mistake in the model.
    fn stop(&mut self, code: &mut Code, at: NodeContext<'_>, mistake: ModelError) {
        let (shape, node, span) = (at.nest.shape, at.node, mistake.span());
        let key = (shape, node, span.source.0, span.start);
        let first = match self.stops.get(&key) {
            Some((first, _)) => *first,
            None => {
                let first = self.new_sources(self.shape(shape).members);
                self.stops.insert(key, (first, mistake));
                first
            }
        };
        code.emit(first.get(), Level(at.nest.level));
    }

    /// The value of a `ConditionalDerivedVariable`: of its first case that holds, else 0.
    pub(super) fn conditional(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        variable: &ConditionalVariable<'d>,
    ) -> Register {
        cases(code, variable, &mut |code, formula| {
            self.expression(code, at, formula)
        })
    }

    /// The value of a `DerivedVariable select`.
    pub(super) fn selection(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        selection: &Selection<'d>,
    ) -> Result<Register, NetworkError> {
        // A fold over attached instances is a loop.
        let operator = operator_of(selection);
        let kind = (self.network.model).type_of(self.shape(at.nest.shape).nodes[at.node].kind);
        if let [Step::All(list)] = selection.select.steps[..]
            && kind.attachments.contains_key(list)
        {
            let attachments = self.attachments(at.nest.shape, at.node, list);
            return self.reduce_attached(code, at, &attachments, operator, selection);
        }
        // What each member selects.
        let shape = self.shape(at.nest.shape);
        let mut selected = Vec::with_capacity(at.nest.members.len());
        let mut count = None;
        let mut alike = true;
        for member in at.nest.members.iter() {
            let instance = shape.instance(member, at.node);
            let values = self.selected(at, instance, selection)?;
            alike &= *count.get_or_insert(values.len()) == values.len();
            selected.extend(values);
        }
        let count = count.unwrap_or(0);
        if !alike || count > 64 {
            return self.reduce_table(code, at, operator, selection);
        }
        // As many values for each member, and few: one load after the other.
        let mut element = |code: &mut Code, index: usize| {
            let of_members = selected.iter().skip(index).step_by(count.max(1));
            let source = self.read_of_values(at.nest, of_members);
            self.load_read(code, at.nest, &source)
        };
        let several = !(selection.select.steps.iter()).all(|step| matches!(step, Step::Name(_)));
        if !several && count == 1 {
            return Ok(element(code, 0));
        }
        let mut value = code.constant(neutral(operator));
        for index in 0..count {
            let element = element(code, index);
            value = code.binary(operator, value, element);
        }
        Ok(value)
    }

    /// The values that a selection of an instance leads to. In cells with dendrites, what a requirement of
    /// another instance hands on is read where it comes from: that instance may not have read it yet.
    fn selected(
        &self,
        at: NodeContext<'_>,
        instance: InstanceId,
        selection: &Selection<'d>,
    ) -> Result<Vec<Readable<'d>>, NetworkError> {
        let mut values = self.network.selected(instance, selection)?;
        if at.nest.phase.is_some() {
            for value in &mut values {
                *value = self.network.origin(*value);
            }
        }
        Ok(values)
    }

    /// Folds a variable of all instances attached to a list.
    fn reduce_attached(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        attachments: &Attachments,
        operator: Operator,
        selection: &Selection<'d>,
    ) -> Result<Register, NetworkError> {
        let start = code.constant(neutral(operator));
        let total = code.accumulator(start);
        let mut bodies = Vec::new();
        for variant in &attachments.variants {
            let nest = self.variant_nest(at.nest, at.node, variant);
            code.begin_loop();
            let source = self.attached_read(&nest, selection);
            let folded = source.map(|source| {
                let element = self.load_read(code, &nest, &source);
                let folded = code.binary(operator, total, element);
                code.set(total, folded);
            });
            bodies.push(code.end());
            folded?;
        }
        push_loop(code, at.nest.level, attachments, bodies);
        Ok(code.settled(total))
    }

    /// Where attached instances have a selected variable.
    pub(super) fn attached_read(
        &mut self,
        nest: &LoopNest,
        selection: &Selection<'d>,
    ) -> Result<Read, NetworkError> {
        let name = selection.select.variable;
        if let Some(read) = self.common_read(Some((nest, NodeId::ROOT)), name) {
            return Ok(read);
        }
        self.find_read(nest, NodeId::ROOT, &mut |lowering, instance| {
            (lowering.network.read(instance, name)).ok_or_else(|| NetworkError::UnknownVariable {
                variable: name.to_owned(),
                instance: lowering.network.title(instance),
                suggestion: lowering.network.suggest(instance, name),
                span: selection.select.source.span(),
            })
        })
    }

    /// Adds or multiplies values whose number or place differs between the members.
    fn reduce_table(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        operator: Operator,
        selection: &Selection<'d>,
    ) -> Result<Register, NetworkError> {
        let shape = self.shape(at.nest.shape);
        // The tables of a share of the network would not be those of the whole.
        self.division.is_sound &= self.network.distribution.is_none();
        let mut offsets = vec![0];
        let mut addresses = Vec::new();
        for member in shape.member_ids() {
            if at.nest.members.contains(member) {
                let instance = shape.instance(member, at.node);
                for readable in self.selected(at, instance, selection)? {
                    addresses.push(Some(match readable.variable {
                        Variable::Fixed(value) => self.number(at.nest, value),
                        _ => self.address(readable),
                    }));
                }
            }
            offsets.push(self.offset(addresses.len()));
        }
        let offsets = self.link_table(&offsets, &vec![true; offsets.len()]);
        let are_own = vec![true; addresses.len()];
        let table = self.address_table(addresses, &are_own);
        let start = code.constant(neutral(operator));
        let total = code.accumulator(start);
        let level = Level(at.nest.level + 1);
        code.begin_loop();
        let element = code.load(Place::Linked { table, level });
        let folded = code.binary(operator, total, element);
        code.set(total, folded);
        let body = code.end();
        code.push(Statement::ForAttached {
            offsets,
            level,
            body,
        });
        Ok(code.settled(total))
    }

    /// Does assignments, then events, then the transition.
    pub(super) fn actions(&mut self, code: &mut Code, at: NodeContext<'_>, actions: &Actions<'d>) {
        self.effects(code, at, actions);
        if let Some(regime) = self.next_regime(code, at, actions) {
            self.enter(code, at, regime);
        }
    }

    /// The regime that actions lead to. One that does not exist ends the run when a regime leads to it.
    fn next_regime(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        actions: &Actions<'d>,
    ) -> Option<&'d str> {
        let regime = actions.transition?;
        let dynamics = self.dynamics(at.nest.shape, at.node)?;
        if dynamics.regimes.contains_key(regime.value()) {
            return Some(regime.value());
        }
        if at.regime.is_some() {
            let mistake = ModelError::UnknownRegime {
                name: regime.value().to_owned(),
                component_type: self.type_name(at.nest.shape, at.node).to_owned(),
                suggestion: None,
                span: regime.span(),
            };
            self.stop(code, at, mistake);
        }
        None
    }

    /// The same without the transition.
    fn effects(&mut self, code: &mut Code, at: NodeContext<'_>, actions: &Actions<'d>) {
        for assignment in &actions.assignments {
            self.assign(code, at, assignment);
        }
        for port in &actions.events {
            let source = self.source(at.nest.shape, at.node, port.value());
            code.emit(source.get(), Level(at.nest.level));
        }
    }

    /// Does a `StateAssignment`.
    pub(super) fn assign(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        assignment: &Assignment<'d>,
    ) {
        let value = self.expression(code, at, &assignment.value);
        let place = self.live(at, assignment.variable);
        code.store(place, value);
    }

    /// Makes a regime active and runs its `OnEntry` blocks, which may make others active.
    pub(super) fn enter(&mut self, code: &mut Code, at: NodeContext<'_>, regime: &'d str) {
        let Some(dynamics) = self.dynamics(at.nest.shape, at.node) else {
            return;
        };
        // What is left to do of the blocks of each regime that was entered from within the one before.
        let mut entered: Vec<(usize, std::slice::Iter<'_, Actions<'d>>)> = Vec::new();
        let mut entries = 0;
        let mut next = Some(regime);
        loop {
            if let Some(name) = next.take()
                && let Some((number, _, regime)) = dynamics.regimes.get_full(name)
            {
                entries += 1;
                let is_circle = entered.len() >= dynamics.regimes.len();
                if is_circle || entries > MOST_ENTRIES {
                    let instance = self.shape(at.nest.shape).first_instance(at.node);
                    let instance = self.network.title(instance);
                    let (regime, span) = (name.to_owned(), regime.element.span());
                    self.errors.push(match is_circle {
                        true => NetworkError::EndlessTransitions {
                            regime,
                            instance,
                            span,
                        },
                        false => NetworkError::TooManyTransitions {
                            most: MOST_ENTRIES,
                            regime,
                            instance,
                            span,
                        },
                    });
                    return;
                }
                let active = code.constant(number as f64);
                let place = self.place(at, ColumnKind::Regime);
                code.store(place, active);
                entered.push((number, regime.dynamics.on_entry.iter()));
            }
            let Some((number, blocks)) = entered.last_mut() else {
                return;
            };
            match blocks.next() {
                Some(actions) => {
                    let regime = Some(*number);
                    let at = NodeContext { regime, ..at };
                    self.effects(code, at, actions);
                    next = self.next_regime(code, at, actions);
                }
                None => {
                    entered.pop();
                }
            }
        }
    }

    /// Runs `block` where the regime of that number was active.
    pub(super) fn while_active(
        &mut self,
        code: &mut Code,
        active: Register,
        number: usize,
        block: &mut dyn FnMut(&mut Self, &mut Code),
    ) {
        let number = code.constant(number as f64);
        let condition = code.compare(Comparison::Equal, active, number);
        code.begin();
        block(self, code);
        let then = code.end();
        if !then.is_empty() {
            code.push(Statement::If {
                condition,
                then,
                otherwise: Block::new(),
            });
        }
    }
}

/// The value of an expression whose variables are in registers.
pub(super) fn evaluate(
    code: &mut Code,
    expression: &Expression,
    variables: &[Register],
) -> Register {
    let guarded = guarded(expression);
    let mut values: Vec<Register> = Vec::with_capacity(expression.nodes().len());
    let mut open: Vec<Register> = Vec::new();
    for (index, term) in expression.nodes().iter().enumerate() {
        let of = |index: u32| values[index as usize];
        let value = match *term {
            Term::Number(value) => code.constant(value),
            Term::Variable(index) => variables[index as usize],
            Term::Binary(operator, a, b) => code.binary(operator, of(a), of(b)),
            Term::Compare(how, a, b) => code.compare(how, of(a), of(b)),
            Term::Logic(how, a, b) if guarded[a as usize] => {
                let outcome = open.pop().unwrap_or(of(a));
                finish_guarded(code, how, [of(a), of(b)], outcome)
            }
            Term::Logic(how, a, b) => code.logic(how, of(a), of(b)),
            Term::Not(a) => code.not(of(a)),
            Term::Random(a) => code.random(of(a)),
            Term::Call(function, a) => code.call(function, of(a)),
        };
        values.push(value);
        if guarded[index] {
            let zero = code.constant(0.0);
            open.push(code.accumulator(zero));
            code.begin();
        }
    }
    match values.last() {
        Some(value) => *value,
        None => lems_index::bug("an expression has no terms"),
    }
}

/// For each node, whether it decides if a random number is drawn. It does if it is the left side of a logic
/// operation with `random` on the right: jLEMS does not evaluate the right side if the left side decides the
/// result.
fn guarded(expression: &Expression) -> Vec<bool> {
    let nodes = expression.nodes();
    let mut guarded = vec![false; nodes.len()];
    for term in nodes {
        if let Term::Logic(_, a, b) = *term {
            let right = &nodes[a as usize + 1..=b as usize];
            guarded[a as usize] = (right.iter()).any(|term| matches!(term, Term::Random(_)));
        }
    }
    guarded
}

/// Ends the block that computes the right side of a logic operation, which runs only where the
/// left one leaves the outcome open.
fn finish_guarded(
    code: &mut Code,
    how: Logic,
    [left, right]: [Register; 2],
    outcome: Register,
) -> Register {
    let one = code.constant(1.0);
    code.begin();
    code.set(outcome, one);
    let holds = code.end();
    code.push(Statement::If {
        condition: right,
        then: holds,
        otherwise: Block::new(),
    });
    let right_side = code.end();
    code.begin();
    let one = code.constant(1.0);
    code.set(outcome, one);
    let decided = code.end();
    let (then, otherwise) = match how {
        Logic::And => (right_side, Block::new()),
        Logic::Or => (decided, right_side),
    };
    code.push(Statement::If {
        condition: left,
        then,
        otherwise,
    });
    let outcome = code.settled(outcome);
    let zero = code.constant(0.0);
    code.compare(Comparison::NotEqual, outcome, zero)
}

/// The value of the first case that holds, else 0; `value` lowers a condition or value.
pub(super) fn cases<'d>(
    code: &mut Code,
    variable: &ConditionalVariable<'d>,
    value: &mut dyn FnMut(&mut Code, &Formula<'d>) -> Register,
) -> Register {
    let zero = code.constant(0.0);
    let result = code.accumulator(zero);
    let mut open: Vec<(Register, Block)> = Vec::new();
    for case in &variable.cases {
        let Some(condition) = &case.condition else {
            let chosen = value(code, &case.value);
            code.set(result, chosen);
            break;
        };
        let condition = value(code, condition);
        code.begin();
        let chosen = value(code, &case.value);
        code.set(result, chosen);
        let then = code.end();
        code.begin();
        open.push((condition, then));
    }
    while let Some((condition, then)) = open.pop() {
        let otherwise = code.end();
        code.push(Statement::If {
            condition,
            then,
            otherwise,
        });
    }
    code.settled(result)
}

/// Pushes the loops over the attached instances, one body for each variant.
pub(super) fn push_loop(code: &mut Code, host: u8, attachments: &Attachments, bodies: Vec<Block>) {
    if bodies.iter().all(Vec::is_empty) {
        return;
    }
    let level = Level(host + 1);
    match &attachments.order {
        AttachmentOrder::Segments(tables) => {
            for (offsets, body) in tables.iter().zip(bodies) {
                if !body.is_empty() {
                    code.push(Statement::ForAttached {
                        offsets: *offsets,
                        level,
                        body,
                    });
                }
            }
        }
        AttachmentOrder::Runs(offsets, runs) => code.push(Statement::ForRuns {
            offsets: *offsets,
            runs: *runs,
            level,
            arms: bodies,
        }),
    }
}

/// How a selection folds its values.
pub(super) fn operator_of(selection: &Selection<'_>) -> Operator {
    match selection.reduce {
        Some(Reduce::Multiply) => Operator::Multiply,
        _ => Operator::Add,
    }
}

/// The value of a fold over nothing.
pub(super) fn neutral(operator: Operator) -> f64 {
    if operator == Operator::Multiply {
        1.0
    } else {
        0.0
    }
}

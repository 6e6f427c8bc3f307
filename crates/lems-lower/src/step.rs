//! One step of a shape: children, attached instances, then the node itself.

use lems_index::narrow;
use lems_model::{ComponentId, Dynamics, KineticScheme, Selection, Step};
use lems_network::{NetworkError, Part, Readable, exposed_name};

use super::{
    Frame, Lowering,
    code::Code,
    columns::{Content, Flavour},
    equations::{Clock, Spot, neutral, operator_of, push_loop},
    reads::Source,
};
use lems_ir::{Block, Edge, Operator, Register, Scheme, Statement};

/// Values of selections by name.
pub(super) type Totals<'d> = Vec<(&'d str, Register)>;

impl<'m, 'd> Lowering<'_, 'm, 'd> {
    /// Makes the step kernels of all shapes that are not attached to others.
    pub(super) fn kernels(&mut self) {
        for shape in 0..narrow(self.shapes.shapes.len()) {
            if self.shape(shape).attached {
                continue;
            }
            let frame = self.top_frame(shape);
            let mut code = Code::new(self.columns.volatile.clone());
            self.step(&mut code, &frame, 0);
            let kernel = code.into_kernel(self.type_name(shape, 0).to_owned());
            if !kernel.body.is_empty() {
                self.kernel_of[shape as usize] = Some(narrow(self.program.kernels.len()));
                self.program.kernels.push(kernel);
            }
        }
    }

    pub(super) fn type_name(&self, shape: u32, node: usize) -> &'d str {
        let kind = self.shape(shape).nodes[node].kind;
        self.network.model.type_of(kind).name
    }

    fn step(&mut self, code: &mut Code, frame: &Frame, node: usize) {
        if self.is_simultaneous(frame.shape, node) {
            return self.simultaneous_step(code, frame, node);
        }
        let mut totals = Totals::new();
        for part in self.parts(frame.shape, node) {
            match *part {
                Part::Child(child) => self.step(code, frame, child),
                Part::Attached(list) => {
                    totals.extend(self.step_attached(code, frame, node, list));
                }
            }
        }
        let at = Spot {
            frame,
            node,
            clock: Clock::Step,
        };
        match self.dynamics(frame.shape, node) {
            Some(dynamics) => self.own_step(code, at, dynamics, &totals),
            None => self.tell_recorded_time(code, at),
        }
    }

    /// Steps what is attached to a list, and folds on the way what the host selects from it.
    pub(super) fn step_attached(
        &mut self,
        code: &mut Code,
        frame: &Frame,
        node: usize,
        list: &'d str,
    ) -> Totals<'d> {
        let site = self.site(frame.shape, node, list);
        let inner: Vec<Frame> = (site.arms.iter())
            .map(|arm| self.arm_frame(frame, node, arm))
            .collect();
        let mut folds = Vec::new();
        for selection in self.foldable(frame.shape, node, list) {
            if let Some(sources) = self.settled_sources(&inner, selection) {
                let operator = operator_of(selection);
                let start = code.constant(neutral(operator));
                folds.push((selection.name, operator, code.accumulator(start), sources));
            }
        }
        let mut bodies = Vec::new();
        for (arm, inner) in inner.iter().enumerate() {
            code.begin_loop();
            self.step(code, inner, 0);
            for (_, operator, total, sources) in &folds {
                let element = self.load_source(code, inner, &sources[arm]);
                let folded = code.binary(*operator, *total, element);
                code.set(*total, folded);
            }
            bodies.push(code.end());
        }
        push_loop(code, frame.level, &site, bodies);
        (folds.into_iter())
            .map(|(name, _, total, _)| (name, code.settled(total)))
            .collect()
    }

    /// Selections of a node that reduce a variable of all that is attached to a list.
    fn foldable(&self, shape: u32, node: usize, list: &str) -> Vec<&'m Selection<'d>> {
        let selections = (self.dynamics(shape, node).into_iter()).flat_map(|d| &d.selections);
        selections
            .filter(|selection| selection.select.steps == [Step::All(list)])
            .collect()
    }

    /// Where each arm has the selected variable, if it stays as it is from the end of an
    /// instance's step until the host reads it.
    fn settled_sources(
        &mut self,
        arms: &[Frame],
        selection: &Selection<'d>,
    ) -> Option<Vec<Source>> {
        let mut sources = Vec::new();
        for frame in arms {
            let source = self.attached_source(frame, selection).ok()?;
            let settled = match &source {
                Source::Here { column, level } => {
                    *level == frame.level && !self.columns.volatile.contains(column)
                }
                Source::Constant(_) | Source::Numbers(_) => true,
                Source::There(_) | Source::Each(_) => false,
            };
            if !settled {
                return None;
            }
            sources.push(source);
        }
        Some(sources)
    }

    fn own_step(
        &mut self,
        code: &mut Code,
        at: Spot<'_>,
        dynamics: &Dynamics<'d>,
        totals: &Totals<'d>,
    ) {
        self.begin_step(code, at, dynamics);
        self.requirements(code, at);
        self.variables(code, at, dynamics, totals);
        let rates: Vec<_> = (dynamics.rates.iter())
            .map(|rate| self.expression(code, at, &rate.value.expression))
            .collect();
        for (rate, value) in dynamics.rates.iter().zip(rates) {
            self.integrate(code, at, rate.variable, value);
        }
        self.end_step(code, at, dynamics);
    }

    /// Kinetic schemes, and the time that handlers see.
    pub(super) fn begin_step(&mut self, code: &mut Code, at: Spot<'_>, dynamics: &Dynamics<'d>) {
        for scheme in &dynamics.schemes {
            if let Err(error) = self.propagate(code, at, scheme) {
                self.errors.push(error);
            }
        }
        self.tell_time(code, at);
    }

    /// The time of a node without dynamics, which only a recording can see.
    pub(super) fn tell_recorded_time(&mut self, code: &mut Code, at: Spot<'_>) {
        if self.clocks.contains(&(at.frame.shape, at.node)) {
            self.tell_time(code, at);
        }
    }

    fn tell_time(&mut self, code: &mut Code, at: Spot<'_>) {
        let time = code.time();
        let place = self.live(at, "t");
        code.store(place, time);
    }

    /// Conditions, what others see, the active regime.
    pub(super) fn end_step(&mut self, code: &mut Code, at: Spot<'_>, dynamics: &Dynamics<'d>) {
        for condition in &dynamics.on_condition {
            let test = self.expression(code, at, &condition.test.expression);
            code.begin();
            self.actions(code, at, &condition.actions, 0);
            let then = code.end();
            push_if(code, test, then);
        }
        self.synchronise(code, at, dynamics);
        self.regime_step(code, at, dynamics);
    }

    fn integrate(&mut self, code: &mut Code, at: Spot<'_>, variable: &'d str, rate: Register) {
        let place = self.live(at, variable);
        let step = code.step();
        let change = code.binary(Operator::Multiply, step, rate);
        let before = code.load(place);
        let after = code.binary(Operator::Add, before, change);
        code.store(place, after);
    }

    /// Reads all requirements into the instance's own variables.
    pub(super) fn requirements(&mut self, code: &mut Code, at: Spot<'_>) {
        let kind = self.shape(at.frame.shape).nodes[at.node].kind;
        let kind = self.network.model.type_of(kind);
        for name in kind.requirements.keys().copied() {
            if kind.parameters.contains_key(name) {
                continue;
            }
            let source = match self.common_source(self.around(at.frame, at.node), name) {
                Some(source) => Ok(source),
                None => self.source_of(at.frame, at.node, &mut |lowering, instance| {
                    let found = lowering.network.requirement(instance, name);
                    found.ok_or_else(|| NetworkError::UnmetRequirement {
                        variable: name.to_owned(),
                        instance: lowering.network.title(instance),
                        span: lowering.network.span_of(instance),
                    })
                }),
            };
            match source {
                Ok(source) => {
                    let value = self.load_source(code, at.frame, &source);
                    let place = self.live(at, name);
                    code.store(place, value);
                }
                Err(error) => self.errors.push(error),
            }
        }
    }

    /// Computes selections, then expressions, then conditionals, each in document order; `totals`
    /// are selections that are known already.
    pub(super) fn variables(
        &mut self,
        code: &mut Code,
        at: Spot<'_>,
        dynamics: &Dynamics<'d>,
        totals: &Totals<'d>,
    ) {
        for selection in &dynamics.selections {
            let known = totals.iter().find(|(name, _)| *name == selection.name);
            let value = match known {
                Some((_, total)) => Ok(*total),
                None => self.selection(code, at, selection),
            };
            match value {
                Ok(value) => {
                    let place = self.live(at, selection.name);
                    code.store(place, value);
                }
                Err(error) => self.errors.push(error),
            }
        }
        for variable in &dynamics.derived {
            let value = self.expression(code, at, &variable.value.expression);
            let place = self.live(at, variable.name);
            code.store(place, value);
        }
        for variable in &dynamics.conditional {
            let value = self.conditional(code, at, variable);
            let place = self.live(at, variable.name);
            code.store(place, value);
        }
    }

    /// Copies what others see and what may still change.
    pub(super) fn synchronise(&mut self, code: &mut Code, at: Spot<'_>, dynamics: &Dynamics<'d>) {
        let kind = self.shape(at.frame.shape).nodes[at.node].kind;
        let kind = self.network.model.type_of(kind);
        for variable in dynamics.variables() {
            let name = variable.name;
            if exposed_name(kind, name, variable.exposure).is_some()
                && self.changes_after_step(at.frame.shape, at.node, name)
            {
                let live = self.live(at, name);
                let value = code.load(live);
                let snapshot = self.place(at, Flavour::Snapshot(name));
                code.store(snapshot, value);
            }
        }
    }

    fn regime_step(&mut self, code: &mut Code, at: Spot<'_>, dynamics: &Dynamics<'d>) {
        if dynamics.regimes.is_empty() {
            return;
        }
        let place = self.place(at, Flavour::Regime);
        let active = code.load(place);
        for (number, regime) in dynamics.regimes.values().enumerate() {
            self.while_active(code, active, number, &mut |lowering, code| {
                for variable in &regime.dynamics.derived {
                    let value = lowering.expression(code, at, &variable.value.expression);
                    let place = lowering.live(at, variable.name);
                    code.store(place, value);
                }
                for rate in &regime.dynamics.rates {
                    let value = lowering.expression(code, at, &rate.value.expression);
                    lowering.integrate(code, at, rate.variable, value);
                }
                for condition in &regime.dynamics.on_condition {
                    let test = lowering.expression(code, at, &condition.test.expression);
                    code.begin();
                    lowering.actions(code, at, &condition.actions, 0);
                    let then = code.end();
                    push_if(code, test, then);
                }
            });
        }
    }

    /// Advances the occupancies of a kinetic scheme.
    fn propagate(
        &mut self,
        code: &mut Code,
        at: Spot<'_>,
        scheme: &KineticScheme<'d>,
    ) -> Result<(), NetworkError> {
        let states = self.elements(at, scheme.nodes);
        let edges = self.elements(at, scheme.edges);
        let mut joined = Vec::new();
        let mut rates = Vec::new();
        for &edge in &edges {
            joined.push(Edge {
                source: self.end_of(at, edge, scheme.edge_source, &states)?,
                target: self.end_of(at, edge, scheme.edge_target, &states)?,
            });
            let forward = self.read_of(code, at, edge, scheme.forward_rate, scheme)?;
            let reverse = self.read_of(code, at, edge, scheme.reverse_rate, scheme)?;
            rates.push((forward, reverse));
        }
        let graph = Scheme::new(joined);
        let states: Vec<usize> = states.into_iter().take(graph.size).collect();
        let mut occupancies = Vec::new();
        for &state in &states {
            occupancies.push(self.read_of(code, at, state, scheme.state_variable, scheme)?);
        }
        let number = narrow(self.program.schemes.len());
        self.program.schemes.push(graph);
        let results = code.propagate(number, occupancies, rates);
        for (state, result) in states.into_iter().zip(results) {
            let place = self.live(Spot { node: state, ..at }, scheme.state_variable);
            code.store(place, result);
        }
        Ok(())
    }

    /// The nodes of the elements of a list, in order.
    pub(super) fn elements(&self, at: Spot<'_>, list: &str) -> Vec<usize> {
        let shape = self.shape(at.frame.shape);
        let instance = shape.instance(0, at.node);
        (self.network.instance(instance).lists.iter())
            .filter(|(name, _)| *name == list)
            .flat_map(|(_, elements)| elements)
            .map(|element| self.shapes.home(*element))
            .filter(|home| home.shape == at.frame.shape)
            .map(|home| home.node as usize)
            .collect()
    }

    fn component(&self, at: Spot<'_>, node: usize) -> Option<ComponentId> {
        let instance = self.shape(at.frame.shape).instance(0, node);
        self.network.instance(instance).component
    }

    fn end_of(
        &self,
        at: Spot<'_>,
        edge: usize,
        attribute: &str,
        states: &[usize],
    ) -> Result<usize, NetworkError> {
        let instance = self.shape(at.frame.shape).instance(0, edge);
        let model = self.network.model;
        let component = self.component(at, edge);
        let wanted = component.and_then(|component| {
            (model.reference(component, attribute))
                .and_then(|reference| model.component(reference).id)
                .or_else(|| model.text(component, attribute).map(|text| text.value()))
        });
        let id = |node: &usize| {
            self.component(at, *node)
                .and_then(|component| model.component(component).id)
        };
        // Of several states with that id jLEMS takes the last.
        (states
            .iter()
            .rposition(|state| wanted.is_some() && id(state) == wanted))
        .ok_or_else(|| NetworkError::BadEdge {
            edge: self.network.title(instance),
            span: (component.and_then(|component| model.text(component, attribute)))
                .map_or_else(|| self.network.span_of(instance), |text| text.span()),
        })
    }

    fn read_of(
        &mut self,
        code: &mut Code,
        at: Spot<'_>,
        node: usize,
        name: &str,
        scheme: &KineticScheme<'d>,
    ) -> Result<Register, NetworkError> {
        if let Some(source) = self.common_source(Some((at.frame, node)), name) {
            return Ok(self.load_source(code, at.frame, &source));
        }
        let source = self.source_of(at.frame, node, &mut |lowering, instance| {
            let found: Option<Readable<'d>> = lowering.network.read(instance, name);
            found.ok_or_else(|| NetworkError::UnknownVariable {
                variable: name.to_owned(),
                instance: lowering.network.title(instance),
                suggestion: lowering.network.suggest(instance, name),
                span: scheme.element.span(),
            })
        })?;
        Ok(self.load_source(code, at.frame, &source))
    }

    /// All occupancy starts in the first state of a scheme.
    pub(super) fn initial_occupancy(&mut self, at: Spot<'_>, scheme: &KineticScheme<'d>) {
        if let Some(first) = self.elements(at, scheme.nodes).first() {
            let flavour = Flavour::Live(scheme.state_variable);
            let column = self.column(at.frame.shape, *first, flavour);
            self.columns.set(column, Content::Uniform(1.0));
        }
    }
}

pub(super) fn push_if(code: &mut Code, condition: Register, then: Block) {
    if !then.is_empty() {
        code.push(Statement::If {
            condition,
            then,
            otherwise: Block::new(),
        });
    }
}

//! The step kernels, the loops over attached instances in them, and kinetic schemes.

use lems_equations::NodeItem;
use lems_index::{Id, narrow};
use lems_model::{ComponentId, KineticScheme, Selection, Step};
use lems_network::{NetworkError, NodeId, Readable, ShapeId};

use super::occupancies::steady_state;
use super::{
    KernelId, LoopNest, Lowering,
    code::Code,
    columns::{ColumnKind, Content},
    equations::{Clock, NodeContext, neutral, operator_of, push_loop},
    reads::Read,
};
use lems_ir::{Edge, Operator, Register, Scheme, SchemeMethod};

/// A kinetic scheme with the nodes of its states and transitions.
pub(super) struct SchemeGraph {
    /// Its number in the program.
    pub number: u32,
    /// The states that transitions reach.
    pub states: Vec<NodeId>,
    /// The transitions.
    pub edges: Vec<NodeId>,
}

/// Selections that the loops over attached instances have folded already: node, name, value.
pub(super) type Totals<'d> = Vec<(NodeId, &'d str, Register)>;

impl<'m, 'd> Lowering<'_, 'm, 'd> {
    /// Makes the step kernels of all shapes that are not attached to others.
    pub(super) fn kernels(&mut self) {
        for shape in self.shapes.shapes.ids() {
            if self.shape(shape).attached {
                continue;
            }
            if self.shape(shape).cable {
                self.cable_shape(shape);
                continue;
            }
            let nest = self.top_nest(shape);
            let mut code = Code::new(self.columns.volatile.clone());
            self.step(&mut code, &nest);
            let kernel = code.into_kernel(self.type_name(shape, NodeId::ROOT).to_owned());
            if !kernel.body.is_empty() {
                self.kernel_of[shape] = Some(KernelId::at(self.program.kernels.len()));
                self.program.kernels.push(kernel);
            }
        }
    }

    pub(super) fn type_name(&self, shape: ShapeId, node: NodeId) -> &'d str {
        let kind = self.shape(shape).nodes[node].kind;
        self.network.model.type_of(kind).name
    }

    /// Makes the code of a shape's step.
    pub(super) fn step(&mut self, code: &mut Code, nest: &LoopNest) {
        let mut totals = Totals::new();
        let items = match nest.phase {
            None => self.equations.step(nest.shape),
            Some(phase) => self.equations.phase(nest.shape, phase),
        };
        for NodeItem { node, item } in items {
            let at = NodeContext::new(nest, node, Clock::Step);
            self.item(code, at, &item, &mut totals);
        }
    }

    /// Steps what is attached to a list, and folds on the way what the host selects from it.
    pub(super) fn step_attached(
        &mut self,
        code: &mut Code,
        nest: &LoopNest,
        node: NodeId,
        list: &'d str,
    ) -> Totals<'d> {
        let attachments = self.attachments(nest.shape, node, list);
        let inner: Vec<LoopNest> = (attachments.variants.iter())
            .map(|variant| self.variant_nest(nest, node, variant))
            .collect();
        let mut folds = Vec::new();
        for selection in self.foldable(nest.shape, node, list) {
            if let Some(reads) = self.settled_reads(&inner, selection) {
                let operator = operator_of(selection);
                let start = code.constant(neutral(operator));
                folds.push((selection.name, operator, code.accumulator(start), reads));
            }
        }
        let mut bodies = Vec::new();
        for (variant, inner) in inner.iter().enumerate() {
            code.begin_loop();
            self.step(code, inner);
            for (_, operator, total, reads) in &folds {
                let element = self.load_read(code, inner, &reads[variant]);
                let folded = code.binary(*operator, *total, element);
                code.set(*total, folded);
            }
            bodies.push(code.end());
        }
        push_loop(code, nest.level, &attachments, bodies);
        (folds.into_iter())
            .map(|(name, _, total, _)| (node, name, code.settled(total)))
            .collect()
    }

    /// Selections of a node that reduce a variable of all that is attached to a list.
    fn foldable(&self, shape: ShapeId, node: NodeId, list: &str) -> Vec<&'m Selection<'d>> {
        let selections = (self.dynamics(shape, node).into_iter()).flat_map(|d| &d.selections);
        selections
            .filter(|selection| selection.select.steps == [Step::All(list)])
            .collect()
    }

    /// Where each variant has the selected variable, if it stays as it is from the end of an
    /// instance's step until the host reads it.
    fn settled_reads(
        &mut self,
        variants: &[LoopNest],
        selection: &Selection<'d>,
    ) -> Option<Vec<Read>> {
        let mut reads = Vec::new();
        for nest in variants {
            let read = self.attached_read(nest, selection).ok()?;
            let settled = match &read {
                Read::Here { column, level } => {
                    *level == nest.level && !self.columns.volatile.contains(column)
                }
                Read::Constant(_) | Read::Numbers(_) => true,
                Read::There(_) | Read::Each(_) => false,
            };
            if !settled {
                return None;
            }
            reads.push(read);
        }
        Some(reads)
    }

    /// Advances the occupancies of a kinetic scheme.
    pub(super) fn propagate(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        scheme: &KineticScheme<'d>,
    ) -> Result<(), NetworkError> {
        let graph = self.scheme_graph(at, scheme)?;
        let rates = self.scheme_rates(code, at, scheme, &graph)?;
        let mut occupancies = Vec::new();
        for &state in &graph.states {
            occupancies.push(self.scheme_read(code, at, state, scheme.state_variable, scheme)?);
        }
        let results = code.propagate(graph.number, occupancies, rates);
        self.occupy(code, at, scheme, &graph, &results);
        Ok(())
    }

    /// Gives the states of a kinetic scheme the occupancies that its rates keep as they are.
    pub(super) fn start_at_rest(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        scheme: &KineticScheme<'d>,
    ) -> Result<(), NetworkError> {
        let graph = self.scheme_graph(at, scheme)?;
        let rates = self.scheme_rates(code, at, scheme, &graph)?;
        let edges = self.program.schemes[graph.number as usize].edges.clone();
        let results = steady_state(code, graph.states.len(), &edges, &rates);
        self.occupy(code, at, scheme, &graph, &results);
        Ok(())
    }

    /// Stores the occupancies of the states of a kinetic scheme.
    fn occupy(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        scheme: &KineticScheme<'d>,
        graph: &SchemeGraph,
        occupancies: &[Register],
    ) {
        for (&node, occupancy) in graph.states.iter().zip(occupancies) {
            let place = self.live(NodeContext { node, ..at }, scheme.state_variable);
            code.store(place, *occupancy);
        }
    }

    /// The states and transitions of a kinetic scheme, which becomes one of the program.
    pub(super) fn scheme_graph(
        &mut self,
        at: NodeContext<'_>,
        scheme: &KineticScheme<'d>,
    ) -> Result<SchemeGraph, NetworkError> {
        let elements = |list| self.equations.elements(at.nest.shape, at.node, list);
        let states = elements(scheme.nodes);
        let edges = elements(scheme.edges);
        let mut joined = Vec::new();
        for &edge in &edges {
            joined.push(Edge {
                source: self.end_of(at, edge, scheme.edge_source, &states)?,
                target: self.end_of(at, edge, scheme.edge_target, &states)?,
            });
        }
        let mut graph = Scheme::new(joined);
        // What jLEMS and NEURON compute is computed as they do.
        if at.nest.phase.is_some() && !self.method.is_neurons() {
            graph.method = SchemeMethod::Uniformisation;
        }
        let states: Vec<NodeId> = states.into_iter().take(graph.size).collect();
        let number = narrow(self.program.schemes.len());
        self.program.schemes.push(graph);
        Ok(SchemeGraph {
            number,
            states,
            edges,
        })
    }

    /// The forward and reverse rates of the transitions, for as much of a step as the nest makes.
    fn scheme_rates(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        scheme: &KineticScheme<'d>,
        graph: &SchemeGraph,
    ) -> Result<Vec<(Register, Register)>, NetworkError> {
        let mut rates = Vec::new();
        for &edge in &graph.edges {
            let mut rate = |name| {
                let rate = self.scheme_read(code, at, edge, name, scheme)?;
                Ok(if at.nest.halved {
                    let half = code.constant(0.5);
                    code.binary(Operator::Multiply, half, rate)
                } else {
                    rate
                })
            };
            rates.push((rate(scheme.forward_rate)?, rate(scheme.reverse_rate)?));
        }
        Ok(rates)
    }

    fn component(&self, at: NodeContext<'_>, node: NodeId) -> Option<ComponentId> {
        let instance = self.shape(at.nest.shape).first_instance(node);
        self.network.instance(instance).component
    }

    /// The position among `states` of the state that an attribute of an edge names.
    fn end_of(
        &self,
        at: NodeContext<'_>,
        edge: NodeId,
        attribute: &str,
        states: &[NodeId],
    ) -> Result<usize, NetworkError> {
        let instance = self.shape(at.nest.shape).first_instance(edge);
        let model = self.network.model;
        let component = self.component(at, edge);
        let wanted = component.and_then(|component| {
            (model.reference(component, attribute))
                .and_then(|reference| model.name(reference))
                .or_else(|| model.text(component, attribute).map(|text| text.value()))
        });
        let id = |node: &NodeId| {
            self.component(at, *node)
                .and_then(|component| model.name(component))
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

    /// The value of a variable of a state or an edge of a scheme.
    fn scheme_read(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        node: NodeId,
        name: &str,
        scheme: &KineticScheme<'d>,
    ) -> Result<Register, NetworkError> {
        if let Some(read) = self.common_read(Some((at.nest, node)), name) {
            return Ok(self.load_read(code, at.nest, &read));
        }
        let read = self.find_read(at.nest, node, &mut |lowering, instance| {
            let found: Option<Readable<'d>> = lowering.network.read(instance, name);
            found.ok_or_else(|| NetworkError::UnknownVariable {
                variable: name.to_owned(),
                instance: lowering.network.title(instance),
                suggestion: lowering.network.suggest(instance, name),
                span: scheme.element.span(),
            })
        })?;
        Ok(self.load_read(code, at.nest, &read))
    }

    /// All occupancy starts in the first state of a scheme.
    pub(super) fn initial_occupancy(&mut self, at: NodeContext<'_>, scheme: &KineticScheme<'d>) {
        if let Some(first) = self
            .equations
            .elements(at.nest.shape, at.node, scheme.nodes)
            .first()
        {
            let kind = ColumnKind::Live(scheme.state_variable);
            let column = self.column(at.nest.shape, *first, kind);
            self.columns.set(column, Content::Uniform(1.0));
        }
    }
}

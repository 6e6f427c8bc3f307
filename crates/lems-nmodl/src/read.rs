//! Reads a part of a compartment, with all inside it, as a mechanism.

use lems_equations::{Computation, definition};
use lems_export::Names;
use lems_expression::{Dimension, Inferred, Known, dimension_of};
use lems_model::{ComponentType, Dynamics, Formula, KineticScheme, Reduce, Selection, Trigger};
use lems_network::{InstanceId, IonRule, Network, Readable, Variable};
use rustc_hash::FxHashMap;

use crate::mechanism::{
    Computed, Equation, Held, IonUse, Mechanism, Moving, Output, Quantity, Reference, Scheme, Test,
    Value,
};
use crate::{Moves, NotNative};

/// Longest chain of variables that is followed.
const DEEPEST: usize = 200;

/// A mechanism, and where the values of its parameters come from.
#[derive(Debug, Clone)]
pub(crate) struct Read<'d> {
    pub mechanism: Mechanism,
    /// For each parameter: the node of its element, and its name there.
    pub sources: Vec<(usize, &'d str)>,
    /// The index of each variable that was met: node of the element, name.
    pub variables: FxHashMap<(usize, &'d str), usize>,
    /// The temperature that it reads, in kelvin.
    pub temperature: Option<f64>,
}

/// What is known of an element from the compartment around it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Role<'d> {
    /// Its current: the variable, whether it is the current of the whole compartment (otherwise per area), and
    /// a factor.
    pub current: Option<(&'d str, bool, f64)>,
    /// The ion that it carries.
    pub carries: Option<usize>,
    /// The ion and the variables that are its concentrations inside and outside.
    pub pool: Option<(usize, Option<&'d str>, Option<&'d str>)>,
    /// Variables of its nodes that are recorded.
    pub recorded: Vec<(usize, &'d str)>,
}

/// The instances of an element, from itself down, with their paths; none if something is attached inside.
pub(crate) fn nodes_of(
    network: &Network<'_, '_>,
    element: InstanceId,
) -> Option<Vec<(InstanceId, String)>> {
    let mut nodes = vec![(element, String::new())];
    let mut next = 0;
    while let Some((id, path)) = nodes.get(next).cloned() {
        next += 1;
        let instance = network.instance(id);
        for (slot, child) in instance.singles {
            nodes.push((*child, format!("{path}{slot}/")));
        }
        for (list, elements) in instance.lists {
            for (number, child) in elements.iter().enumerate() {
                if network.instance(*child).attached {
                    return None;
                }
                let step = network
                    .component_id(*child)
                    .map_or_else(|| format!("{list}_{number}"), str::to_owned);
                nodes.push((*child, format!("{path}{step}/")));
            }
        }
    }
    Some(nodes)
}

/// The nodes of an element that are computed only when their states move, by their places: what is inside channels, and
/// pools with all in them. They are those that `lems-equations` holds in a compartment.
fn held_nodes(
    network: &Network<'_, '_>,
    home: InstanceId,
    nodes: &[(InstanceId, String)],
) -> Vec<usize> {
    let parents: Vec<Option<usize>> = nodes
        .iter()
        .map(|(id, _)| {
            let parent = network.instance(*id).parent;
            nodes.iter().position(|(node, _)| Some(*node) == parent)
        })
        .collect();
    let conducts = |id: InstanceId| network.cables.conducts(network.type_of(id));
    let dynamics = |node: usize| network.type_of(nodes[node].0).dynamics.as_deref();
    let has_rates = |node: usize| dynamics(node).is_some_and(|of| !of.rates.is_empty());
    let has_schemes = |node: usize| dynamics(node).is_some_and(|of| !of.schemes.is_empty());
    // The nodes from one up to the element.
    let way = |node: usize| {
        std::iter::successors(Some(node), |node| parents.get(*node).copied().flatten())
    };
    let moves = |node: usize| {
        (0..nodes.len()).any(|inner| {
            (has_rates(inner) || has_schemes(inner)) && way(inner).any(|of| of == node)
        })
    };
    let is_held = |node: &usize| {
        // The outermost of these decides.
        let mut inner = None;
        let mut held = false;
        for of in way(*node) {
            let around = parents[of].map_or(home, |parent| nodes[parent].0);
            match conducts(around) {
                true if moves(of) => held = inner.is_some(),
                false if has_rates(of) => held = true,
                _ => {}
            }
            inner = Some(of);
        }
        held
    };
    (0..nodes.len()).filter(is_held).collect()
}

pub(crate) struct Reader<'n, 'm, 'd> {
    network: &'n Network<'m, 'd>,
    ions: &'n [IonRule],
    /// What parameters are called in NEURON.
    called: &'n [[String; 2]],
    /// The compartment.
    home: InstanceId,
    nodes: Vec<(InstanceId, String)>,
    number_of: FxHashMap<InstanceId, usize>,
    names: Names,
    mechanism: Mechanism,
    sources: Vec<(usize, &'d str)>,
    variables: FxHashMap<(usize, &'d str), usize>,
    /// The node that each variable is of.
    owners: Vec<usize>,
    /// Variables that are being computed.
    open: Vec<(usize, &'d str)>,
    temperature: Option<f64>,
}

impl<'n, 'm, 'd> Reader<'n, 'm, 'd> {
    pub fn new(
        network: &'n Network<'m, 'd>,
        ions: &'n [IonRule],
        called: &'n [[String; 2]],
        home: InstanceId,
        nodes: Vec<(InstanceId, String)>,
    ) -> Self {
        let number_of = nodes
            .iter()
            .enumerate()
            .map(|(number, (id, _))| (*id, number))
            .collect();
        let mut names = Names::default();
        for word in [
            "i",
            "v",
            "t",
            "area",
            "celsius",
            "rates",
            "current",
            "states",
            "update",
            "heaviside",
        ] {
            names.give(word);
        }
        for IonRule { name, .. } in ions {
            for word in [
                format!("i{name}"),
                format!("{name}i"),
                format!("{name}o"),
                format!("e{name}"),
            ] {
                names.give(&word);
            }
        }
        Reader {
            network,
            ions,
            called,
            home,
            nodes,
            number_of,
            names,
            mechanism: Mechanism::default(),
            sources: Vec::new(),
            variables: FxHashMap::default(),
            owners: Vec::new(),
            open: Vec::new(),
            temperature: None,
        }
    }

    /// The mechanism of the element.
    pub fn read(
        mut self,
        title: String,
        role: &Role<'d>,
        moves: Moves,
    ) -> Result<Read<'d>, NotNative> {
        self.mechanism.title = title;
        self.own_parameters()?;
        // Nodes after those inside them: so their values at the start are set.
        for node in (0..self.nodes.len()).rev() {
            self.moving(node)?;
        }
        for node in (0..self.nodes.len()).rev() {
            self.starts_and_tests(node)?;
        }
        if let Some((name, of_compartment, coefficient)) = role.current {
            let variable = self.variable(0, name)?;
            self.mechanism.output = Some(Output {
                variable,
                of_compartment,
                coefficient,
            });
        }
        for (node, name) in &role.recorded {
            if let Reference::Variable(_) = self.reference(*node, name)? {}
        }
        if let Some(ion) = role.carries {
            self.ion(ion).carries = true;
        }
        if let Some((ion, inside, outside)) = role.pool {
            let inside = inside.map(|name| self.variable(0, name)).transpose()?;
            let outside = outside.map(|name| self.variable(0, name)).transpose()?;
            let of = self.ion(ion);
            (of.inside, of.outside) = (inside, outside);
        }
        for reference in self.mechanism.references() {
            if let Reference::Inside(ion) | Reference::Outside(ion) | Reference::Current(ion) =
                reference
            {
                self.ion(ion);
            }
        }
        self.mechanism.ions.sort_by_key(|of| of.ion);
        if moves == Moves::ByEuler {
            self.hold();
        }
        Ok(Read {
            mechanism: self.mechanism,
            sources: self.sources,
            variables: self.variables,
            temperature: self.temperature,
        })
    }

    /// Notes what is held between the moves of the states.
    fn hold(&mut self) {
        if self.mechanism.moving.is_empty() && self.mechanism.schemes.is_empty() {
            return;
        }
        let nodes = held_nodes(self.network, self.home, &self.nodes);
        let is_held = |variable: &usize| {
            let owner = self.owners.get(*variable);
            owner.is_some_and(|node| nodes.contains(node))
        };
        let computed = self.mechanism.computed.iter();
        let variables = computed.map(|computed| computed.variable).filter(is_held);
        let variables = variables.collect();
        let mut rates = Vec::new();
        for moving in &self.mechanism.moving {
            let state = self.mechanism.variables.get(moving.variable);
            let state = state.map_or("state", |state| &state.name);
            rates.push(self.names.give(&format!("rate_of_{state}")));
        }
        self.mechanism.held = Some(Held { variables, rates });
    }

    fn ion(&mut self, ion: usize) -> &mut IonUse {
        let ions = &mut self.mechanism.ions;
        let place = ions.iter().position(|of| of.ion == ion).unwrap_or_else(|| {
            ions.push(IonUse {
                ion,
                carries: false,
                inside: None,
                outside: None,
            });
            ions.len() - 1
        });
        &mut ions[place]
    }

    fn kind(&self, node: usize) -> &'m ComponentType<'d> {
        self.network.type_of(self.nodes[node].0)
    }

    fn dynamics(&self, node: usize) -> Option<&'m Dynamics<'d>> {
        self.kind(node).dynamics.as_deref()
    }

    fn cannot(&self, node: usize, what: &'static str) -> NotNative {
        NotNative::Part {
            part: self.kind(node).name.to_owned(),
            what,
        }
    }

    /// The parameters of the element itself come first: each segment has its own values.
    fn own_parameters(&mut self) -> Result<(), NotNative> {
        let kind = self.kind(0);
        let given = |parameter: &lems_model::Parameter<'d>| {
            matches!(parameter.kind, lems_model::ParameterKind::Given) && parameter.fixed.is_none()
        };
        for (name, _) in kind
            .parameters
            .iter()
            .filter(|(_, parameter)| given(parameter))
        {
            let index = self.parameter(0, name);
            self.mechanism.own.push(index);
        }
        Ok(())
    }

    fn moving(&mut self, node: usize) -> Result<(), NotNative> {
        let Some(dynamics) = self.dynamics(node) else {
            return Ok(());
        };
        for what in [
            (!dynamics.regimes.is_empty(), "regimes"),
            (!dynamics.on_event.is_empty(), "events"),
            (
                dynamics
                    .actions_on([Trigger::Condition])
                    .any(|actions| !actions.events.is_empty()),
                "events",
            ),
        ] {
            if what.0 {
                return Err(self.cannot(node, what.1));
            }
        }
        for scheme in &dynamics.schemes {
            self.scheme(node, scheme)?;
        }
        for rate in &dynamics.rates {
            let variable = self.variable(node, rate.variable)?;
            let dimension = self.kind(node).dimension_of(rate.variable);
            let per_time = dimension.map(|dimension| dimension.per(Dimension::TIME));
            let equation = self.equation(node, &rate.value, per_time)?;
            let moving = &mut self.mechanism.moving;
            match moving.iter_mut().find(|of| of.variable == variable) {
                Some(of) => of.rates.push(equation),
                None => moving.push(Moving {
                    variable,
                    rates: vec![equation],
                }),
            }
        }
        Ok(())
    }

    fn starts_and_tests(&mut self, node: usize) -> Result<(), NotNative> {
        let Some(dynamics) = self.dynamics(node) else {
            return Ok(());
        };
        let starts = dynamics.actions_on([Trigger::Start]);
        for assignment in starts.flat_map(|actions| &actions.assignments) {
            let value = self.assigned(node, assignment)?;
            self.mechanism.starts.push(value);
        }
        for condition in &dynamics.on_condition {
            let assignments = condition
                .actions
                .assignments
                .iter()
                .map(|assignment| self.assigned(node, assignment));
            let assignments = assignments.collect::<Result<Vec<_>, _>>()?;
            let condition = self.equation(node, &condition.test, None)?;
            self.mechanism.tests.push(Test {
                condition,
                assignments,
            });
        }
        Ok(())
    }

    fn assigned(
        &mut self,
        node: usize,
        assignment: &'m lems_model::Assignment<'d>,
    ) -> Result<(usize, Equation), NotNative> {
        let variable = self.variable(node, assignment.variable)?;
        let dimension = self.kind(node).dimension_of(assignment.variable);
        Ok((variable, self.equation(node, &assignment.value, dimension)?))
    }

    /// The states and transitions of a kinetic scheme.
    fn scheme(&mut self, node: usize, scheme: &'m KineticScheme<'d>) -> Result<(), NotNative> {
        let network = self.network;
        let list = |name: &str| {
            network
                .list(self.nodes[node].0, name)
                .unwrap_or_default()
                .to_vec()
        };
        let (nodes, edges) = (list(scheme.nodes), list(scheme.edges));
        let mut states = Vec::new();
        let mut of_id: FxHashMap<&str, usize> = FxHashMap::default();
        for state in nodes {
            let number = self.number_of[&state];
            let variable = self.variable(number, scheme.state_variable)?;
            if let Some(id) = network.component_id(state) {
                of_id.insert(id, variable);
            }
            states.push(variable);
        }
        let mut transitions = Vec::new();
        for edge in edges {
            let number = self.number_of[&edge];
            let end = |attribute: &str| {
                let component = network.instance(edge).component?;
                let text = network.model.text(component, attribute)?;
                of_id.get(text.value()).copied()
            };
            let (Some(from), Some(to)) = (end(scheme.edge_source), end(scheme.edge_target)) else {
                return Err(self.cannot(node, "transitions to states that are elsewhere"));
            };
            let forward = self.reference(number, scheme.forward_rate)?;
            let back = self.reference(number, scheme.reverse_rate)?;
            transitions.push((from, to, forward, back));
        }
        self.mechanism.schemes.push(Scheme {
            states,
            transitions,
        });
        Ok(())
    }

    /// The index of a variable of a node; what it is computed from comes before it.
    fn variable(&mut self, node: usize, name: &str) -> Result<usize, NotNative> {
        match self.reference(node, name)? {
            Reference::Variable(index) => Ok(index),
            _ => Err(self.cannot(node, "a variable that is none of its own")),
        }
    }

    /// What a name means in the equations of a node, or which variable others see by it.
    fn reference(&mut self, node: usize, name: &str) -> Result<Reference, NotNative> {
        let (kind, id) = (self.kind(node), self.nodes[node].0);
        let dynamics = kind.dynamics.as_deref();
        if let Some((name, _)) = dynamics.and_then(|dynamics| dynamics.state.get_key_value(name)) {
            return Ok(Reference::Variable(self.new_variable(node, name, true)));
        }
        match definition(kind, name) {
            Some(Computation::Requirement(name)) if !kind.parameters.contains_key(name) => {
                let outer = self
                    .network
                    .requirement(id, name)
                    .ok_or(NotNative::Bug("requirement"))?;
                self.outer(node, name, outer)
            }
            Some(Computation::Requirement(_)) | None => {
                if let Some((name, _)) = kind.parameters.get_key_value(name) {
                    return Ok(Reference::Parameter(self.parameter(node, name)));
                }
                if let Some((name, _)) = kind.properties.get_key_value(name) {
                    return Ok(Reference::Parameter(self.parameter(node, name)));
                }
                // Others may know a variable by another name.
                match self.network.local(id, name).map(|found| found.variable) {
                    Some(Variable::Exposed(own) | Variable::Live(own)) if own != name => {
                        self.reference(node, own)
                    }
                    _ if name == "t" => Ok(Reference::Time),
                    _ => Err(self.cannot(node, "a name without a meaning")),
                }
            }
            Some(computation) => self.computed(node, computation).map(Reference::Variable),
        }
    }

    /// The variable or value outside of the mechanism that a requirement of a node means.
    fn outer(
        &mut self,
        node: usize,
        name: &'d str,
        found: Readable<'d>,
    ) -> Result<Reference, NotNative> {
        let own = match found.variable {
            Variable::Fixed(value) => {
                let dimension = self.kind(node).dimension_of(name);
                let is_temperature = dimension
                    == Some(Dimension {
                        k: 1,
                        ..Dimension::NONE
                    });
                let inside = self
                    .number_of
                    .get(&found.instance)
                    .copied()
                    .filter(|_| !self.is_around(node, name));
                return match inside {
                    // A parameter of a node of the element.
                    Some(inside) => self.reference(inside, name),
                    None if is_temperature
                        && self.temperature.is_none_or(|known| known == value) =>
                    {
                        self.temperature = Some(value);
                        Ok(Reference::Temperature)
                    }
                    None => Ok(Reference::Parameter(self.parameter(node, name))),
                };
            }
            Variable::Exposed(own) | Variable::Live(own) => own,
        };
        if let Some(inside) = self.number_of.get(&found.instance).copied() {
            return self.reference(inside, own);
        }
        let network = self.network;
        if found.instance == self.home {
            if own == network.cables.potential {
                return Ok(Reference::Potential);
            }
            if own == network.cables.area {
                return Ok(Reference::Area);
            }
            for (ion, rule) in self.ions.iter().enumerate() {
                if own == rule.inside {
                    return Ok(Reference::Inside(ion));
                }
                if own == rule.outside {
                    return Ok(Reference::Outside(ion));
                }
                if own == rule.current {
                    return Ok(Reference::Current(ion));
                }
            }
        }
        let owner = network.type_of(found.instance);
        if owner.reads_requirement(own)
            && let Some(further) = network.requirement(found.instance, own)
        {
            return self.outer(node, name, further);
        }
        Err(NotNative::Reads {
            part: self.kind(node).name.to_owned(),
            variable: own.to_owned(),
            owner: owner.name.to_owned(),
        })
    }

    /// Whether a requirement is found nowhere, but has a value around cells.
    fn is_around(&self, node: usize, name: &str) -> bool {
        let (id, network) = (self.nodes[node].0, self.network);
        let parent = network.instance(id).parent;
        parent.is_none_or(|parent| network.read(parent, name).is_none())
    }

    fn parameter(&mut self, node: usize, name: &'d str) -> usize {
        if let Some(known) = self
            .sources
            .iter()
            .position(|source| *source == (node, name))
        {
            return known;
        }
        let path = format!("{}{name}", self.nodes[node].1);
        let called = self
            .called
            .iter()
            .find(|[lems, _]| node == 0 && lems == name);
        let wanted = called.map_or_else(|| self.name_for(node, name), |[_, neuron]| neuron.clone());
        let name_in_nmodl = self.names.give(&wanted);
        let dimension = self.kind(node).dimension_of(name);
        self.mechanism.parameters.push(Quantity {
            name: name_in_nmodl,
            dimension,
            path,
        });
        self.sources.push((node, name));
        self.sources.len() - 1
    }

    /// The path without what the element refers to: a channel's gates are called as in the channel.
    fn name_for(&self, node: usize, name: &str) -> String {
        let (id, path) = &self.nodes[node];
        let mut top = *id;
        while let Some(parent) = self.network.instance(top).parent
            && parent != self.nodes[0].0
            && self.number_of.contains_key(&parent)
        {
            top = parent;
        }
        let component = self.network.instance(top).component;
        let is_referred = component
            .is_some_and(|component| self.network.model.component(component).parent.is_none());
        let path = match path.split_once('/') {
            Some((_, rest)) if is_referred => rest,
            _ => path,
        };
        format!("{}{name}", path.replace('/', "_"))
    }

    fn new_variable(&mut self, node: usize, name: &'d str, is_state: bool) -> usize {
        if let Some(known) = self.variables.get(&(node, name)) {
            return *known;
        }
        let path = format!("{}{name}", self.nodes[node].1);
        let wanted = self.name_for(node, name);
        let name_in_nmodl = self.names.give(&wanted);
        let dimension = self.kind(node).dimension_of(name);
        let index = self.mechanism.variables.len();
        self.mechanism.variables.push(Quantity {
            name: name_in_nmodl,
            dimension,
            path,
        });
        if is_state {
            self.mechanism.states.push(index);
        }
        self.owners.push(node);
        self.variables.insert((node, name), index);
        index
    }

    fn computed(
        &mut self,
        node: usize,
        computation: Computation<'m, 'd>,
    ) -> Result<usize, NotNative> {
        let name = computation.name();
        if let Some(known) = self.variables.get(&(node, name)) {
            return Ok(*known);
        }
        if self.open.contains(&(node, name)) || self.open.len() > DEEPEST {
            return Err(self.cannot(node, "variables that need one another"));
        }
        self.open.push((node, name));
        let dimension = self.kind(node).dimension_of(name);
        let mut text = None;
        let value = match computation {
            Computation::Derived(variable) => {
                Value::Formula(self.equation(node, &variable.value, dimension)?)
            }
            Computation::Conditional(variable) => {
                let mut cases = Vec::new();
                for case in &variable.cases {
                    let test = case
                        .condition
                        .as_ref()
                        .map(|test| self.equation(node, test, None))
                        .transpose()?;
                    cases.push((test, self.equation(node, &case.value, dimension)?));
                }
                Value::Cases(cases)
            }
            Computation::Select(selection) => {
                text = Some(selection.select.source.value().to_owned());
                self.selected(node, selection)?
            }
            Computation::Requirement(_) => return Err(NotNative::Bug("computation")),
        };
        self.open.pop();
        // A selection of one variable is another name for it.
        if let Value::Sum(all) = &value
            && let [Reference::Variable(same)] = all[..]
            && self.mechanism.variables[same].dimension == dimension
        {
            self.variables.insert((node, name), same);
            return Ok(same);
        }
        let variable = self.new_variable(node, name, false);
        self.mechanism.computed.push(Computed {
            variable,
            value,
            selection: text,
        });
        Ok(variable)
    }

    fn selected(&mut self, node: usize, selection: &'m Selection<'d>) -> Result<Value, NotNative> {
        let found = self.network.selected(self.nodes[node].0, selection);
        let mut references = Vec::new();
        for value in found.map_err(|_| NotNative::Bug("selection"))? {
            let Some(inside) = self.number_of.get(&value.instance).copied() else {
                return Err(self.cannot(node, "a selection from elsewhere"));
            };
            let name = match value.variable {
                Variable::Exposed(name) | Variable::Live(name) => name,
                Variable::Fixed(_) => selection.select.variable,
            };
            references.push(self.reference(inside, name)?);
        }
        Ok(match selection.reduce {
            Some(Reduce::Multiply) => Value::Product(references),
            Some(Reduce::Add) | None => Value::Sum(references),
        })
    }

    fn equation(
        &mut self,
        node: usize,
        formula: &'m Formula<'d>,
        dimension: Option<Dimension>,
    ) -> Result<Equation, NotNative> {
        let expression = &formula.expression;
        let mut names = Vec::new();
        for name in expression.variables() {
            names.push(self.reference(node, name)?);
        }
        let known = |name: &str| {
            let place = expression
                .variables()
                .iter()
                .position(|known| known == name);
            let reference = place.and_then(|place| names.get(place));
            let dimension = reference.and_then(|reference| self.mechanism.dimension_of(*reference));
            dimension.map_or(Known::Any, Known::Dimension)
        };
        let homogeneous = match dimension_of(expression, &known) {
            Ok(Inferred::Dimension(found)) => dimension == Some(found),
            Ok(Inferred::Zero | Inferred::Truth) => true,
            Ok(Inferred::Any) | Err(_) => false,
        };
        Ok(Equation {
            text: formula.source.value().to_owned(),
            expression: expression.clone(),
            names,
            homogeneous,
        })
    }
}

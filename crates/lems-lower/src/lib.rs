//! From a network to a program: one step kernel per shape, handlers, set-up, tables.
//!
//! Every variable of every node of a shape first gets a column of its own and every assignment a
//! store, in jLEMS's order of evaluation. What no one reads is removed at the end, and only then
//! do columns get their places in memory.

mod attachments;
mod cables;
mod code;
mod columns;
mod division;
mod equations;
mod finish;
mod handlers;
mod items;
mod knowledge;
mod members;
mod method;
mod nodes;
mod occupancies;
mod reads;
mod runge_kutta;
mod setup;
mod stage;
mod step;
mod tangent;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

use lems_index::{Id, IdVec, narrow};

use indexmap::{IndexMap, IndexSet};
use lems_equations::{Equations, Phase};
use lems_model::{Actions, Dynamics, ModelError, Trigger, TypeId};
use lems_network::{
    InstanceId, Location, MemberId, Network, NetworkError, NodeId, Readable, Shape, ShapeId,
    Shapes, Variable, Visit,
};

use attachments::Attachments;
use columns::{Address, ColumnId, ColumnKind, Columns};
pub use division::Division;
use lems_ir::{Action, Call, Probe, Program, Routes, Scheduled, Setup, Target};
use members::Members;
pub use method::Method;
use nodes::{CableKernels, PendingNode};
use rustc_hash::{FxHashMap, FxHashSet};

/// A program and where its variables are.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// The program.
    pub program: Program,
    /// Slot or value of each recorded quantity, in the order of [`Recorded::values`].
    pub values: Vec<Probe>,
    /// Names of the columns in memory: first slot, and the variable that it holds.
    pub columns: Vec<(u32, String)>,
    /// First slots of columns, and the shape to whose members the slots belong.
    pub shapes: Vec<(u32, ShapeId)>,
    /// Slots of values that nothing changes while the program runs, such as parameters.
    pub fixed: Vec<Range<u32>>,
    /// First of the sources that send to the inlets, one after another, in the order of [`Recorded::inlets`].
    pub inlets: u32,
    /// Mistakes that end the run when it gets there. The i-th of them is recorded as an event selection, behind
    /// those of [`Recorded::events`].
    pub stops: Vec<ModelError>,
    /// Which part of the whole program it is.
    pub division: Division,
}

/// What is recorded while a program runs, and where events come in.
#[derive(Debug, Clone, Default)]
pub struct Recorded<'d> {
    /// Variables.
    pub values: Vec<Readable<'d>>,
    /// Ports; an event of the i-th is recorded as selection i.
    pub events: Vec<(InstanceId, &'d str)>,
    /// Ports that take events from outside. Each has a source of its own, which no instance sends on.
    pub inlets: Vec<(InstanceId, &'d str)>,
}

/// Lowers a network.
///
/// # Errors
/// Requirements that nothing meets, selections that lead nowhere, kinetic schemes that do not
/// fit, transitions without end.
pub fn lower<'d>(
    network: &Network<'_, 'd>,
    shapes: &Shapes<'d>,
    recorded: &Recorded<'d>,
    method: Method,
) -> Result<Lowered, Vec<NetworkError>> {
    lower_within(network, shapes, recorded, method, MOST)
}

/// Most entries of each table of a program: an index of 32 bits names one, or none.
const MOST: usize = u32::MAX as usize;

/// The same, with tables of at most `most` entries.
fn lower_within<'d>(
    network: &Network<'_, 'd>,
    shapes: &Shapes<'d>,
    recorded: &Recorded<'d>,
    method: Method,
    most: usize,
) -> Result<Lowered, Vec<NetworkError>> {
    let mut lowering = Lowering::new(network, shapes, most);
    lowering.method = method;
    lowering.note_rows(recorded);
    lowering.clocks = (recorded.values.iter())
        .filter(|readable| matches!(readable.variable, Variable::Live("t")))
        .map(|readable| {
            let location = shapes.location(readable.instance);
            (location.shape, location.node)
        })
        .collect();
    lowering.handlers();
    lowering.kernels();
    lowering.setups();
    for attached in [false, true] {
        for visit in &shapes.visits {
            visit.members(&mut |shape, member| lowering.create(shape, member, attached));
        }
    }
    for visit in &shapes.visits {
        visit.members(&mut |shape, member| lowering.schedule(shape, member));
        let setup = lowering.setup_of(visit);
        append_setup(&mut lowering.program.setup, setup);
    }
    lowering.schedule_cables();
    let inlets = lowering.source_count;
    lowering.routes(recorded);
    let probes: Vec<_> = (recorded.values.iter())
        .map(|readable| match readable.variable {
            Variable::Fixed(value) => Err(value),
            _ => Ok(lowering.recorded_address(*readable)),
        })
        .collect();
    if let Some(table) = lowering.overflow {
        let error = lowering.too_large(table);
        lowering.errors.push(error);
    }
    if lowering.errors.is_empty() {
        (lowering.finish(&probes, inlets)).map_err(|error| vec![error])
    } else {
        Err(lowering.errors)
    }
}

lems_index::ids! {
    /// Index of a step kernel.
    struct KernelId;
    /// Index of a set-up kernel.
    struct SetupId;
    /// Index of an event handler.
    struct HandlerId;
    /// Index of a source of events: a port of one instance.
    struct SourceId;
}

impl SourceId {
    /// The source of a member, where this is that of the first member.
    fn of(self, member: MemberId) -> u32 {
        self.0 + member.get()
    }
}

/// A port of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct PortKey<'d> {
    shape: ShapeId,
    node: NodeId,
    port: &'d str,
}

impl<'d> PortKey<'d> {
    fn at(location: Location, port: &'d str) -> Self {
        PortKey {
            shape: location.shape,
            node: location.node,
            port,
        }
    }
}

/// The port that was looked up last, and what was found: the ends of neighbouring connections are mostly alike.
struct LastPort<'d, T>(Cell<Option<(PortKey<'d>, Option<T>)>>);

impl<T> Default for LastPort<'_, T> {
    fn default() -> Self {
        LastPort(Cell::new(None))
    }
}

impl<'d, T: Copy> LastPort<'d, T> {
    fn find(&self, known: &FxHashMap<PortKey<'d>, T>, key: PortKey<'d>) -> Option<T> {
        match self.0.get() {
            Some((last, found)) if last == key => found,
            _ => {
                let found = known.get(&key).copied();
                self.0.set(Some((key, found)));
                found
            }
        }
    }
}

/// A list of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct ListKey<'d> {
    shape: ShapeId,
    node: NodeId,
    list: &'d str,
}

/// A variable of a node that is not fixed.
#[derive(Debug, Clone, Copy, PartialEq)]
struct VariableKey<'d> {
    shape: ShapeId,
    node: NodeId,
    variable: Variable<'d>,
}

/// A table of addresses in the links, whose slots are known at the end.
#[derive(Debug)]
struct AddressTable {
    /// Its first link.
    first: u32,
    addresses: Vec<Option<Address>>,
}

/// A program in the making.
pub(crate) struct Lowering<'n, 'm, 'd> {
    network: &'n Network<'m, 'd>,
    shapes: &'n Shapes<'d>,
    equations: Equations<'n, 'm, 'd>,
    columns: Columns<'d>,
    program: Program,
    address_tables: Vec<AddressTable>,
    /// Addresses that code names by number.
    slots: IndexSet<Address>,
    /// What an address was last asked for, and its column: neighbours mostly read the same.
    last_column: Option<(VariableKey<'d>, ColumnId)>,
    /// Kernel of each shape.
    kernel_of: IdVec<ShapeId, Option<KernelId>>,
    /// The kernels of each shape of nodes of cables.
    cable_kernels: Vec<CableKernels>,
    /// The cables, by the columns of their nodes.
    cables: Vec<Vec<PendingNode>>,
    /// How the states and potentials of cables move.
    method: Method,
    /// What is recorded of compartments and has to be computed for the time of the row.
    rows: IndexMap<ShapeId, IndexSet<(NodeId, &'d str)>>,
    /// Set-up kernels of each shape: of members, or of containers before and after their
    /// children.
    setups_of: IdVec<ShapeId, Vec<SetupId>>,
    /// Kernels of what the members of each shape, and what is attached to them, do when they are made.
    creations_of: IdVec<ShapeId, [Option<SetupId>; 2]>,
    /// Handler of each port.
    handler_of: FxHashMap<PortKey<'d>, HandlerId>,
    /// First source of each port: that of the first member.
    sources: FxHashMap<PortKey<'d>, SourceId>,
    source_count: u32,
    /// Mistakes that end the run when it gets there, by node and place in the text, with their first sources.
    stops: IndexMap<(ShapeId, NodeId, u32, u32), (SourceId, ModelError)>,
    /// What is attached where.
    attachments: FxHashMap<ListKey<'d>, Rc<Attachments>>,
    /// Variables of each type that an equation has been about.
    names_of: FxHashMap<TypeId, FxHashSet<&'d str>>,
    /// Names without a meaning that have been reported.
    unknown: FxHashSet<(TypeId, String)>,
    /// Nodes whose time is recorded.
    clocks: FxHashSet<(ShapeId, NodeId)>,
    /// Which part of the whole program this is.
    division: Division,
    /// Most entries of a table.
    most: usize,
    /// A table that would have more; it stays empty.
    overflow: Option<&'static str>,
    errors: Vec<NetworkError>,
}

/// Where code is being made: a shape, the loop over its members, and the hosts around it.
#[derive(Debug, Clone)]
struct LoopNest {
    shape: ShapeId,
    level: u8,
    /// Members that the code runs for.
    members: Rc<Members>,
    /// The part of the step of a cable that is made; none for others.
    phase: Option<Phase>,
    /// Whether states move by half a step only.
    halved: bool,
    /// Loops and node of the host.
    host: Option<Rc<(LoopNest, NodeId)>>,
}

impl<'n, 'm, 'd> Lowering<'n, 'm, 'd> {
    /// A program without anything in it.
    fn new(network: &'n Network<'m, 'd>, shapes: &'n Shapes<'d>, most: usize) -> Self {
        Lowering {
            network,
            shapes,
            equations: Equations::of(network, shapes),
            columns: Columns::default(),
            program: Program::default(),
            address_tables: Vec::new(),
            slots: IndexSet::new(),
            last_column: None,
            kernel_of: shapes.shapes.iter().map(|_| None).collect(),
            cable_kernels: Vec::new(),
            cables: Vec::new(),
            method: Method::default(),
            rows: IndexMap::new(),
            setups_of: shapes.shapes.iter().map(|_| Vec::new()).collect(),
            creations_of: shapes.shapes.iter().map(|_| [None; 2]).collect(),
            handler_of: FxHashMap::default(),
            sources: FxHashMap::default(),
            source_count: 0,
            stops: IndexMap::new(),
            attachments: FxHashMap::default(),
            names_of: FxHashMap::default(),
            unknown: FxHashSet::default(),
            clocks: FxHashSet::default(),
            division: Division::new(),
            most,
            overflow: None,
            errors: Vec::new(),
        }
    }

    /// Whether a table may have this number of entries. If not, the lowering fails in the end.
    fn fits(&mut self, table: &'static str, entries: usize) -> bool {
        let fits = entries <= self.most;
        if !fits {
            self.overflow.get_or_insert(table);
        }
        fits
    }

    fn too_large(&self, table: &'static str) -> NetworkError {
        NetworkError::TooLarge {
            table,
            most: self.most,
            span: self.network.span_of(InstanceId(0)),
        }
    }

    fn shape(&self, shape: ShapeId) -> &'n Shape<'d> {
        &self.shapes.shapes[shape]
    }

    fn dynamics(&self, shape: ShapeId, node: NodeId) -> Option<&'m Dynamics<'d>> {
        self.equations.dynamics(shape, node)
    }

    fn top_nest(&self, shape: ShapeId) -> LoopNest {
        LoopNest {
            shape,
            level: 0,
            members: Rc::new(self.shape(shape).member_ids().collect()),
            phase: None,
            halved: false,
            host: None,
        }
    }

    /// Column and member of a variable that is not fixed.
    fn address(&mut self, readable: Readable<'d>) -> Address {
        let location = self.shapes.location(readable.instance);
        let key = VariableKey {
            shape: location.shape,
            node: location.node,
            variable: readable.variable,
        };
        let column = match self.last_column {
            Some((last, column)) if last == key => column,
            _ => self.column_of(location.shape, location.node, readable.variable),
        };
        self.last_column = Some((key, column));
        Address {
            column,
            member: location.member,
        }
    }

    /// Column of a variable that is not fixed.
    fn column_of(&mut self, shape: ShapeId, node: NodeId, variable: Variable<'d>) -> ColumnId {
        let kind = match variable {
            Variable::Exposed(name) => self.exposed_kind(shape, node, name),
            Variable::Live(name) => ColumnKind::Live(name),
            Variable::Fixed(_) => lems_index::bug("a value that never changes has no column"),
        };
        self.column(shape, node, kind)
    }

    fn column(&mut self, shape: ShapeId, node: NodeId, kind: ColumnKind<'d>) -> ColumnId {
        let members = self.shape(shape).members;
        self.columns.get(shape, node, kind, members)
    }

    /// Where others read an exposed variable: a copy, if it can change after the step.
    fn exposed_kind(&self, shape: ShapeId, node: NodeId, name: &'d str) -> ColumnKind<'d> {
        if self.changes_after_step(shape, node, name) {
            ColumnKind::Snapshot(name)
        } else {
            ColumnKind::Live(name)
        }
    }

    /// Whether a variable can change between the end of a step and the next one.
    fn changes_after_step(&self, shape: ShapeId, node: NodeId, name: &str) -> bool {
        let Some(dynamics) = self.dynamics(shape, node) else {
            return false;
        };
        let assigns = |actions: &Actions<'_>| {
            let mut assignments = actions.assignments.iter();
            assignments.any(|assignment| assignment.variable == name)
        };
        let by_regime = |regime: &Dynamics<'_>| {
            let triggers = [Trigger::Entry, Trigger::Condition, Trigger::Event];
            regime.rates.iter().any(|rate| rate.variable == name)
                || regime.derived.iter().any(|derived| derived.name == name)
                || regime.actions_on(triggers).any(assigns)
        };
        let mut regimes = dynamics.regimes.values();
        dynamics.actions_on([Trigger::Event]).any(assigns)
            || regimes.any(|regime| by_regime(&regime.dynamics))
            || self.is_occupancy(shape, node, name)
    }

    fn is_occupancy(&self, shape: ShapeId, node: NodeId, name: &str) -> bool {
        let Some(parent) = self.shape(shape).nodes[node].parent else {
            return false;
        };
        let schemes = self
            .dynamics(shape, parent)
            .map(|dynamics| &dynamics.schemes);
        schemes
            .into_iter()
            .flatten()
            .any(|scheme| scheme.state_variable == name)
    }

    /// The first source of a port: one source for each member.
    fn source(&mut self, shape: ShapeId, node: NodeId, port: &'d str) -> SourceId {
        let key = PortKey { shape, node, port };
        if let Some(first) = self.sources.get(&key) {
            return *first;
        }
        let first = self.new_sources(self.shape(shape).members);
        self.sources.insert(key, first);
        first
    }

    /// The first of a number of new sources.
    fn new_sources(&mut self, count: usize) -> SourceId {
        let first = SourceId(self.source_count);
        if self.fits("sources of events", first.index() + count) {
            self.source_count += narrow(count);
        }
        first
    }

    /// Appends the call of a member to the schedule; neighbouring members are one call.
    fn schedule(&mut self, shape: ShapeId, member: MemberId) {
        if let Some(kernel) = self.kernel_of[shape] {
            match self.program.schedule.last_mut() {
                Some(Scheduled::Call(last))
                    if last.kernel == kernel.get() && last.last == member.get() =>
                {
                    last.last += 1;
                }
                _ => self.program.schedule.push(Scheduled::Call(Call {
                    kernel: kernel.get(),
                    first: member.get(),
                    last: member.get() + 1,
                })),
            }
            self.assign_position(shape, member);
        }
    }

    /// Appends the call of what a member does once when it is made, or of the same of what is attached to it.
    fn create(&mut self, shape: ShapeId, member: MemberId, attached: bool) {
        let [own, of_attached] = self.creations_of[shape];
        if let Some(kernel) = if attached { of_attached } else { own } {
            append_setup(&mut self.program.setup, vec![call(kernel, member)]);
        }
    }

    /// The set-up calls of a visit; those of a container's children happen twice.
    fn setup_of(&self, visit: &Visit) -> Vec<Setup> {
        match visit {
            Visit::Member { shape, member } => {
                let setups = &self.setups_of[*shape];
                setups.iter().map(|setup| call(*setup, *member)).collect()
            }
            Visit::Container {
                shape,
                member,
                children,
            } => {
                let setups = &self.setups_of[*shape];
                let mut inner = Vec::new();
                for child in children {
                    append_setup(&mut inner, self.setup_of(child));
                }
                let mut all = Vec::new();
                if let [before, after] = setups[..] {
                    all.push(call(before, *member));
                    append_setup(&mut inner, vec![call(after, *member)]);
                }
                all.push(Setup::Twice(inner));
                all
            }
        }
    }

    /// Makes the table of what the events of each source set off.
    fn routes(&mut self, recorded: &Recorded<'d>) {
        let connections = &self.network.routes;
        let first = self.new_sources(recorded.inlets.len()).get();
        self.cross();
        self.divide_handlers();
        // The part that all ranks record for does not know the instances of others.
        self.division.is_sound &= self.network.distribution.is_none() || self.stops.is_empty();
        if self.overflow.is_some() {
            return;
        }
        // Connections come first, in the order in which the network has them, then recorders.
        let (sender, receiver) = (LastPort::default(), LastPort::default());
        let made = connections.iter().filter_map(|route| {
            let source = self.source_at(route.source, route.source_port, &sender)?;
            let action = self.action_at(route.target, route.target_port, &receiver)?;
            let delay = route.delay;
            Some((source, Target { action, delay }))
        });
        let recorders = recorded.events.iter().enumerate();
        let recorders = recorders.filter_map(|(selection, (instance, port))| {
            let source = self.source_at(*instance, port, &sender)?;
            let selection = narrow(selection);
            let action = Action::Record { selection };
            Some((source, Target { action, delay: 0.0 }))
        });
        let inlets = (first..).zip(&recorded.inlets);
        let inlets = inlets.filter_map(|(source, (instance, port))| {
            let action = self.action_at(*instance, port, &receiver)?;
            Some((source, Target { action, delay: 0.0 }))
        });
        let stops = (recorded.events.len()..).zip(&self.stops);
        let stops = stops.flat_map(|(selection, ((shape, ..), (first, _)))| {
            let action = Action::Record {
                selection: narrow(selection),
            };
            let target = Target { action, delay: 0.0 };
            let members = self.shape(*shape).member_ids();
            members.map(move |member| (first.of(member), target))
        });
        let stopping: usize = (self.stops.keys())
            .map(|(shape, ..)| self.shape(*shape).members)
            .sum();
        let all = made.chain(recorders).chain(inlets).chain(stops);
        let most = connections.len() + recorded.events.len() + recorded.inlets.len() + stopping;
        let count = match most > self.most {
            true => all.clone().count(),
            false => most,
        };
        if count <= self.most {
            self.program.routes = Routes::of(self.source_count, all);
        } else {
            self.fits("connections", count);
        }
    }

    /// The source of the events that an instance sends on a port, if there is one.
    fn source_at(
        &self,
        instance: InstanceId,
        port: &'d str,
        last: &LastPort<'d, SourceId>,
    ) -> Option<u32> {
        let (first, member) = self.at_port(&self.sources, last, instance, port)?;
        Some(first.of(member))
    }

    /// What an event on a port of an instance does, if it does something.
    fn action_at(
        &self,
        instance: InstanceId,
        port: &'d str,
        last: &LastPort<'d, HandlerId>,
    ) -> Option<Action> {
        let (handler, member) = self.at_port(&self.handler_of, last, instance, port)?;
        Some(Action::Handle {
            handler: handler.get(),
            instance: member.get(),
        })
    }

    /// What is known of a port of an instance, and which member of its shape the instance is.
    fn at_port<T: Copy>(
        &self,
        known: &FxHashMap<PortKey<'d>, T>,
        last: &LastPort<'d, T>,
        instance: InstanceId,
        port: &'d str,
    ) -> Option<(T, MemberId)> {
        let location = self.shapes.location(instance);
        let found = last.find(known, PortKey::at(location, port))?;
        Some((found, location.member))
    }

    /// Makes a table of links. `are_own` says of its first entries which ones no other part of the program has.
    fn link_table(&mut self, entries: &[u32], are_own: &[bool]) -> u32 {
        let Some(first) = self.first_link(entries.len()) else {
            return 0;
        };
        self.program.links.extend_from_slice(entries);
        self.division.add_links(first, are_own);
        first
    }

    /// The first of a number of new links, if there is room for them.
    fn first_link(&mut self, count: usize) -> Option<u32> {
        let first = self.program.links.len();
        let fits = self.fits("links between instances", first + count);
        fits.then(|| narrow(first))
    }

    /// An entry of an offset table, which says how many entries of another table come before. It is 0 if
    /// there are too many, and the lowering then fails.
    fn offset(&mut self, entries: usize) -> u32 {
        match self.fits("links between instances", entries) {
            true => narrow(entries),
            false => 0,
        }
    }
}

/// The call of a set-up kernel for one member.
fn call(setup: SetupId, member: MemberId) -> Setup {
    Setup::Call(Call {
        kernel: setup.get(),
        first: member.get(),
        last: member.get() + 1,
    })
}

/// Appends parts, joining calls of neighbouring members.
fn append_setup(all: &mut Vec<Setup>, parts: Vec<Setup>) {
    for part in parts {
        match (all.last_mut(), &part) {
            (Some(Setup::Call(last)), Setup::Call(call))
                if last.kernel == call.kernel && last.last == call.first =>
            {
                last.last = call.last;
            }
            (_, Setup::Twice(inner)) if inner.is_empty() => {}
            _ => all.push(part),
        }
    }
}

//! Which instances must be on one rank: those that touch a variable that one of them stores in the same step, and
//! those whose results depend on the order in which they run.
//!
//! There is a node for each position of a step (an instance of a call, or a cable), in the order of the step. After
//! them there is one for each instance of each handler.

use std::ops::Range;

use lems_index::narrow;
use lems_ir::{Action, Program, Receivers, Scheduled};

use crate::footprint::{Footprint, Touch};

/// No node.
pub(crate) const NOBODY: u32 = u32::MAX;

/// The nodes of a program, and which of them are in one cluster.
pub(crate) struct Clusters {
    /// First position of each entry of the schedule, and the number of positions at the end.
    pub(crate) entries: Vec<u32>,
    /// First node of each handler, and the number of nodes at the end.
    pub(crate) handlers: Vec<u32>,
    /// The instance of the first node of each handler.
    pub(crate) receivers: Vec<u32>,
    /// For each slot: one more than a node that stores it; zero if there is none, which takes no memory.
    owners: Vec<u32>,
    /// For each source: a node that sends its events.
    pub(crate) senders: Vec<u32>,
    /// For each position: whether it may draw random numbers in its step.
    pub(crate) draws: Vec<bool>,
    /// For each position: the cost of its step, as the number of variables and events that it touches.
    pub(crate) costs: Vec<u32>,
    /// For each handler: whether it sends events.
    pub(crate) relays: Vec<bool>,
    /// For each handler: whether it may draw random numbers.
    pub(crate) drawing: Vec<bool>,
    /// Two positions that send events of the same source, if there are such. A source has one turn, so such a
    /// program cannot be cut.
    pub(crate) same_source: Option<(u32, u32)>,
    sets: Sets,
    /// For each root: why the nodes of the cluster stay together.
    reasons: Vec<Option<Reason>>,
}

/// Why instances are on one rank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Both touch what one of them stores.
    Shared(u32, u32),
    /// An event runs a handler at once that draws random numbers or sends events.
    InOrder(u32),
}

impl Clusters {
    /// The clusters of a program.
    pub(crate) fn of(program: &Program) -> Clusters {
        let mut clusters = Clusters::unconnected(program);
        let footprints = Footprints::of(program);
        clusters.find_what_is_stored(program, &footprints);
        clusters.join_by_memory(program, &footprints);
        clusters.join_by_events(program, &footprints);
        clusters
    }

    fn unconnected(program: &Program) -> Clusters {
        let mut entries = vec![0];
        let mut positions = 0;
        for scheduled in &program.schedule {
            positions += narrow(instances(scheduled).len());
            entries.push(positions);
        }
        let mut populations: Vec<Option<Range<u32>>> = vec![None; program.handlers.len()];
        for (_, target) in program.routes.all() {
            if let Action::Handle { handler, instance } = target.action
                && let Some(population) = populations.get_mut(handler as usize)
            {
                let population = population.get_or_insert(instance..instance);
                population.start = population.start.min(instance);
                population.end = population.end.max(instance.saturating_add(1));
            }
        }
        let mut handlers = vec![positions];
        let mut nodes = positions;
        let populations: Vec<Range<u32>> = (populations.into_iter())
            .map(Option::unwrap_or_default)
            .collect();
        for population in &populations {
            nodes += narrow(population.len());
            handlers.push(nodes);
        }
        Clusters {
            entries,
            handlers,
            receivers: populations.iter().map(|all| all.start).collect(),
            owners: vec![0; program.memory.len()],
            senders: vec![NOBODY; program.routes.sources() as usize],
            draws: vec![false; positions as usize],
            costs: vec![1; positions as usize],
            relays: vec![false; program.handlers.len()],
            drawing: vec![false; program.handlers.len()],
            same_source: None,
            sets: Sets::new(positions, nodes),
            reasons: vec![None; nodes as usize],
        }
    }

    /// Number of positions of a step.
    pub(crate) fn positions(&self) -> u32 {
        self.entries.last().copied().unwrap_or(0)
    }

    /// The node of an instance of a handler.
    pub(crate) fn handler(&self, handler: u32, instance: u32) -> u32 {
        node_of(&self.handlers, &self.receivers, handler, instance).unwrap_or(NOBODY)
    }

    /// A node that stores a slot.
    pub(crate) fn owner(&self, slot: u32) -> Option<u32> {
        self.owners.get(slot as usize)?.checked_sub(1)
    }

    /// Number of slots.
    pub(crate) fn slots(&self) -> u32 {
        narrow(self.owners.len())
    }

    /// The first node of the cluster of a node.
    pub(crate) fn root(&mut self, node: u32) -> u32 {
        self.sets.root(node)
    }

    /// Why the nodes of the cluster of a node stay together.
    pub(crate) fn reason(&mut self, node: u32) -> Option<&Reason> {
        let root = self.root(node);
        self.reasons.get(root as usize)?.as_ref()
    }

    /// The name of the kernel or handler that a node runs.
    pub(crate) fn name<'p>(&self, program: &'p Program, node: u32) -> &'p str {
        let of = |firsts: &[u32]| {
            firsts
                .partition_point(|first| *first <= node)
                .checked_sub(1)
        };
        let kernel = match node < self.positions() {
            true => of(&self.entries)
                .and_then(|scheduled| program.schedule.get(scheduled)?.call())
                .and_then(|call| program.kernels.get(call.kernel as usize)),
            false => of(&self.handlers).and_then(|handler| program.handlers.get(handler)),
        };
        kernel.map_or("a cable", |kernel| &kernel.name)
    }

    /// Marks the slots that steps and events store, and notes what else steps do.
    fn find_what_is_stored(&mut self, program: &Program, footprints: &Footprints) {
        let mut shared_sources = Vec::new();
        footprints.visit(program, self.nodes(), |node, touch| match touch {
            Touch::Stores(slot) => {
                if let Some(owner) = self.owners.get_mut(slot as usize) {
                    *owner = node + 1;
                }
            }
            Touch::Sends(source) => {
                let source = source as usize;
                if self.senders.len() <= source {
                    self.senders.resize(source + 1, NOBODY);
                }
                match self.senders.get_mut(source) {
                    Some(sender) if *sender == NOBODY => *sender = node,
                    Some(sender) if *sender != node => shared_sources.push((*sender, node)),
                    _ => {}
                }
            }
            Touch::Draws => {
                if let Some(draws) = self.draws.get_mut(node as usize) {
                    *draws = true;
                }
            }
            Touch::Reads(_) => {}
        });
        for (one, other) in shared_sources {
            self.join(one, other, Reason::InOrder(other));
            if other < self.positions() {
                self.same_source = Some((one, other));
            }
        }
        self.relays = footprints.handlers.iter().map(Footprint::sends).collect();
        self.drawing = footprints.handlers.iter().map(Footprint::draws).collect();
    }

    /// Joins all nodes that touch the same stored slot.
    fn join_by_memory(&mut self, program: &Program, footprints: &Footprints) {
        footprints.visit(program, self.nodes(), |node, touch| {
            if let Some(cost) = self.costs.get_mut(node as usize) {
                *cost = cost.saturating_add(1);
            }
            if let Touch::Reads(slot) | Touch::Stores(slot) = touch
                && let Some(owner) = self.owner(slot)
            {
                self.join(owner, node, Reason::Shared(owner, node));
            }
        });
    }

    /// Joins each handler that draws random numbers or sends events with the nodes that send events to it at once: it
    /// runs in their turns, which only their rank knows.
    fn join_by_events(&mut self, program: &Program, footprints: &Footprints) {
        // Events that steps send, and handlers whose events come out of the queue.
        let mut first_of_queue = None;
        for source in 0..program.routes.sources() {
            let sender = self.sender(source);
            for receivers in program.routes.receivers(source) {
                let Some(handler) = receivers
                    .handler
                    .filter(|handler| self.is_in_order(*handler))
                else {
                    continue;
                };
                for instance in receivers.numbers {
                    let node = self.handler(handler, *instance);
                    let other = match receivers.at_once() {
                        true => sender,
                        false => *first_of_queue.get_or_insert(node),
                    };
                    if other != NOBODY {
                        self.join(other, node, Reason::InOrder(node));
                    }
                }
            }
        }
        // Events that handlers send.
        let mut sent = Vec::new();
        let handlers = self.positions()..self.handlers.last().copied().unwrap_or(0);
        footprints.visit(program, (self.ranges(), handlers), |node, touch| {
            if let Touch::Sends(source) = touch {
                sent.push((node, source));
            }
        });
        for (node, source) in sent {
            for receivers in program.routes.receivers(source).filter(Receivers::at_once) {
                let Some(handler) = receivers.handler else {
                    continue;
                };
                for instance in receivers.numbers {
                    let other = self.handler(handler, *instance);
                    self.join(node, other, Reason::InOrder(node));
                }
            }
        }
    }

    /// Whether a handler draws random numbers or sends events.
    pub(crate) fn is_in_order(&self, handler: u32) -> bool {
        let is = |of: &[bool]| of.get(handler as usize) == Some(&true);
        is(&self.drawing) || is(&self.relays)
    }

    /// The node that sends the events of a source.
    pub(crate) fn sender(&self, source: u32) -> u32 {
        self.senders.get(source as usize).copied().unwrap_or(NOBODY)
    }

    fn join(&mut self, one: u32, other: u32, reason: Reason) {
        let (first, second) = (self.root(one), self.root(other));
        if first == second {
            return;
        }
        // Keep the reason that has joined the most positions. A handler with its own instance needs none.
        let fewer = self.sets.size(first).min(self.sets.size(second));
        let mut before = |root: u32| self.reasons.get_mut(root as usize).and_then(Option::take);
        let before = before(first).or(before(second));
        let root = self.sets.join(first, second);
        let reason = match (fewer, before) {
            (0, before) => before,
            (1, Some(before)) => Some(before),
            _ => Some(reason),
        };
        if let Some(entry) = self.reasons.get_mut(root as usize) {
            *entry = reason;
        }
    }

    fn ranges(&self) -> Nodes {
        Nodes {
            entries: self.entries.clone(),
            handlers: self.handlers.clone(),
            receivers: self.receivers.clone(),
        }
    }

    fn nodes(&self) -> (Nodes, Range<u32>) {
        (self.ranges(), 0..self.handlers.last().copied().unwrap_or(0))
    }
}

/// The instances of an entry of the schedule: those of a call, or cables.
pub(crate) fn instances(scheduled: &Scheduled) -> Range<u32> {
    match scheduled {
        Scheduled::Call(call) | Scheduled::Midway(call) => call.first..call.last,
        Scheduled::Solve(_, cables) => cables.clone(),
    }
}

/// First nodes of the entries of the schedule and of handlers.
struct Nodes {
    entries: Vec<u32>,
    handlers: Vec<u32>,
    /// The instance of the first node of each handler.
    receivers: Vec<u32>,
}

/// The node of an instance of a handler, if there is one.
pub(crate) fn node_of(
    handlers: &[u32],
    receivers: &[u32],
    handler: u32,
    instance: u32,
) -> Option<u32> {
    let handler = handler as usize;
    let (first, end) = (handlers.get(handler)?, handlers.get(handler + 1)?);
    let node = first.checked_add(instance.checked_sub(*receivers.get(handler)?)?)?;
    (node < *end).then_some(node)
}

/// What the kernels and handlers of a program touch.
struct Footprints {
    kernels: Vec<Footprint>,
    handlers: Vec<Footprint>,
}

impl Footprints {
    fn of(program: &Program) -> Footprints {
        let of = |kernels: &[lems_ir::Kernel]| {
            kernels
                .iter()
                .map(|kernel| Footprint::of(&kernel.body))
                .collect()
        };
        Footprints {
            kernels: of(&program.kernels),
            handlers: of(&program.handlers),
        }
    }

    /// Calls `each` with everything that the nodes in a range may do.
    fn visit(
        &self,
        program: &Program,
        (nodes, range): (Nodes, Range<u32>),
        mut each: impl FnMut(u32, Touch),
    ) {
        let links = &program.links;
        for (scheduled, first) in program.schedule.iter().zip(&nodes.entries) {
            for (node, instance) in (*first..).zip(instances(scheduled)) {
                if !range.contains(&node) {
                    continue;
                }
                match scheduled {
                    Scheduled::Call(call) | Scheduled::Midway(call) => {
                        if let Some(kernel) = self.kernels.get(call.kernel as usize) {
                            kernel.visit(links, instance, &mut |touch| each(node, touch));
                        }
                    }
                    Scheduled::Solve(..) => {
                        let cable = program.cables.get(instance as usize);
                        for slot in cable.into_iter().flat_map(lems_ir::Cable::slots) {
                            each(node, Touch::Reads(slot));
                        }
                        let nodes = cable.into_iter().flat_map(|cable| cable.nodes());
                        nodes.for_each(|own| each(node, Touch::Stores(own.potential)));
                    }
                }
            }
        }
        let firsts = nodes.handlers.windows(2).zip(&nodes.receivers);
        for (handler, (nodes, receiver)) in self.handlers.iter().zip(firsts) {
            let &[first, last] = nodes else { continue };
            for (instance, node) in (*receiver..).zip(first..last) {
                if range.contains(&node) {
                    handler.visit(links, instance, &mut |touch| each(node, touch));
                }
            }
        }
    }
}

/// Disjoint sets of nodes.
struct Sets {
    parents: Vec<u32>,
    /// For each root: the number of positions in its set.
    sizes: Vec<u32>,
}

impl Sets {
    fn new(positions: u32, nodes: u32) -> Sets {
        let size = |node| u32::from(node < positions);
        Sets {
            parents: (0..nodes).collect(),
            sizes: (0..nodes).map(size).collect(),
        }
    }

    fn root(&mut self, mut node: u32) -> u32 {
        // Halve the path on the way, so that later searches are short.
        while let Some(parent) = self.parents.get(node as usize).copied()
            && parent != node
        {
            let above = self.parents.get(parent as usize).copied().unwrap_or(parent);
            if let Some(entry) = self.parents.get_mut(node as usize) {
                *entry = above;
            }
            node = above;
        }
        node
    }

    fn size(&self, root: u32) -> u32 {
        self.sizes.get(root as usize).copied().unwrap_or(0)
    }

    /// Joins the sets of two roots, and returns the root of the result.
    fn join(&mut self, one: u32, other: u32) -> u32 {
        let (large, small) = match self.size(one) >= self.size(other) {
            true => (one, other),
            false => (other, one),
        };
        let size = self.size(one) + self.size(other);
        if let Some(parent) = self.parents.get_mut(small as usize) {
            *parent = large;
        }
        if let Some(entry) = self.sizes.get_mut(large as usize) {
            *entry = size;
        }
        large
    }
}

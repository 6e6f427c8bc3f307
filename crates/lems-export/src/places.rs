//! Mechanisms: instances with all that is attached to them, and where in them a variable is.

use std::collections::{BTreeSet, HashMap};

use lems_index::narrow;
use lems_ir::{Action, Block, Place, Program, statements};

use crate::error::ExportError;
use crate::groups::{Groups, Loop, Part, parts};

/// What becomes one mechanism of NEURON: a group that is attached to nothing, and all that is attached
/// to its instances.
#[derive(Debug, Clone)]
pub(crate) struct Mechanism {
    /// Its groups; the first is attached to nothing.
    pub groups: Vec<usize>,
    /// How many instances of it there are.
    pub instances: u32,
}

/// The members of a group that belong to one instance of a mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub first: u32,
    pub count: u32,
}

/// Where a member of a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Location {
    pub mechanism: usize,
    /// Instance of the mechanism.
    pub instance: u32,
    /// Which of the members that are attached to the instance; zero if the group is not attached.
    pub index: u32,
}

/// A column of memory.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub first: u32,
    pub members: u32,
    /// The types from the root to the variable's, and the variable.
    pub label: String,
    /// Whether anything changes it after the start.
    pub written: bool,
}

/// All mechanisms of a program.
#[derive(Debug)]
pub(crate) struct Places<'p> {
    pub program: &'p Program,
    pub groups: Groups,
    pub mechanisms: Vec<Mechanism>,
    columns: Vec<Column>,
    /// For each mechanism and group: the members by instance of the mechanism.
    spans: HashMap<(usize, usize), Vec<Span>>,
    /// For each group: the mechanism, and the instance of it, that each member belongs to.
    owners: Vec<Vec<Option<(usize, u32)>>>,
}

impl<'p> Places<'p> {
    pub fn of(program: &'p Program, columns: &[(u32, String)]) -> Result<Self, ExportError> {
        let groups = Groups::of(program);
        let mut places = Places {
            columns: all_columns(program, columns),
            spans: HashMap::new(),
            owners: vec![Vec::new(); groups.all.len()],
            mechanisms: Vec::new(),
            program,
            groups,
        };
        places.find_mechanisms()?;
        Ok(places)
    }

    /// The column that a slot is in.
    pub fn column(&self, slot: u32) -> Option<&Column> {
        let after = self.columns.partition_point(|column| column.first <= slot);
        let column = self.columns.get(after.checked_sub(1)?)?;
        (slot < column.first + column.members).then_some(column)
    }

    /// Group and member that a slot belongs to, if a kernel knows it.
    pub fn member(&self, slot: u32) -> Option<(usize, u32)> {
        let column = self.column(slot)?;
        Some((self.groups.of_column(column.first)?, slot - column.first))
    }

    pub fn locate(&self, group: usize, member: u32) -> Option<Location> {
        let (mechanism, instance) = (*self.owners.get(group)?.get(member as usize)?)?;
        let span = self.spans(mechanism, group).get(instance as usize)?;
        Some(Location {
            mechanism,
            instance,
            index: member.checked_sub(span.first)?,
        })
    }

    /// The members of a group in a mechanism, by instance of it.
    pub fn spans(&self, mechanism: usize, group: usize) -> &[Span] {
        self.spans
            .get(&(mechanism, group))
            .map_or(&[], Vec::as_slice)
    }

    /// Most members of a group that one instance of a mechanism has; at least one.
    pub fn most(&self, mechanism: usize, group: usize) -> u32 {
        let counts = self.spans(mechanism, group).iter().map(|span| span.count);
        counts.max().unwrap_or(0).max(1)
    }

    pub fn is_attached(&self, group: usize) -> bool {
        self.groups
            .all
            .get(group)
            .is_some_and(|group| !group.hosts.is_empty())
    }

    /// The members that a loop goes through for one instance of the host.
    pub fn range(&self, key: Loop, host: u32) -> Vec<Span> {
        let link = |index: usize| self.program.links.get(index).copied().unwrap_or(0);
        match key {
            Loop::Attached { offsets } => {
                let at = offsets as usize + host as usize;
                vec![span(link(at), link(at + 1))]
            }
            Loop::Run { arm, .. } => (self.runs(key, host).into_iter())
                .filter(|(of, _)| *of as usize == arm)
                .map(|(_, span)| span)
                .collect(),
        }
    }

    /// The runs of a loop over several kinds for one instance of the host: arm and members.
    pub fn runs(&self, key: Loop, host: u32) -> Vec<(u32, Span)> {
        let link = |index: usize| self.program.links.get(index).copied().unwrap_or(0);
        let Loop::Run { offsets, runs, .. } = key else {
            return Vec::new();
        };
        let at = offsets as usize + host as usize;
        let triples = (link(at)..link(at + 1)).map(|number| runs as usize + 3 * number as usize);
        triples
            .map(|at| (link(at), span(link(at + 1), link(at + 2))))
            .collect()
    }

    fn find_mechanisms(&mut self) -> Result<(), ExportError> {
        for root in 0..self.groups.all.len() {
            if self.is_attached(root) || self.is_idle(root) {
                continue;
            }
            let instances = self.members(root);
            let mechanism = self.mechanisms.len();
            let own = (0..instances)
                .map(|first| Span { first, count: 1 })
                .collect();
            self.place(root, mechanism, own);
            // What is attached comes after what it is attached to.
            let mut groups = vec![root];
            let mut next = 0;
            while let Some(host) = groups.get(next).copied() {
                next += 1;
                for group in 0..self.groups.all.len() {
                    let loops = self.loops_of(group, host);
                    if !loops.is_empty() && !groups.contains(&group) {
                        let spans = self.attached(&loops, mechanism, host)?;
                        self.place(group, mechanism, spans);
                        groups.push(group);
                    }
                }
            }
            self.mechanisms.push(Mechanism { groups, instances });
        }
        Ok(())
    }

    /// Whether a group has no variables, no ports and nothing to do.
    fn is_idle(&self, group: usize) -> bool {
        self.groups.all.get(group).is_none_or(|group| {
            let mut bodies = parts(self.program).filter(|(part, _)| group.parts.contains(part));
            group.columns.is_empty()
                && group.ports.is_empty()
                && bodies.all(|(_, kernel)| kernel.body.is_empty())
        })
    }

    /// The loops that go through members of a group that are attached to a host.
    fn loops_of(&self, group: usize, host: usize) -> Vec<Loop> {
        let hosts = self.groups.all.get(group).map(|group| &group.hosts);
        let own = hosts.into_iter().flatten().filter(|(of, _)| *of == host);
        own.map(|(_, key)| *key).collect()
    }

    fn place(&mut self, group: usize, mechanism: usize, spans: Vec<Span>) {
        if let Some(owners) = self.owners.get_mut(group) {
            for (instance, span) in spans.iter().enumerate() {
                let own = span.first as usize..(span.first + span.count) as usize;
                owners.resize(owners.len().max(own.end), None);
                if let Some(own) = owners.get_mut(own) {
                    own.fill(Some((mechanism, narrow(instance))));
                }
            }
        }
        self.spans.insert((mechanism, group), spans);
    }

    /// The number of instances of a group that is not attached.
    fn members(&self, group: usize) -> u32 {
        let Some(group) = self.groups.all.get(group) else {
            return 0;
        };
        let columns = group.columns.iter().filter_map(|first| self.column(*first));
        let of_columns = columns.map(|column| column.members);
        let kernels = group.parts.iter().map(|part| match part {
            Part::Kernel(kernel) => self.program.population(*kernel),
            Part::Handler(_) => 0,
        });
        let routes = &self.program.routes;
        let targets = (0..routes.sources()).flat_map(|source| routes.receivers(source));
        let handled = targets.flat_map(|receivers| receivers.actions().collect::<Vec<_>>());
        let handled = handled.filter_map(|action| match action {
            Action::Handle { handler, instance } => group
                .parts
                .contains(&Part::Handler(handler))
                .then_some(instance + 1),
            Action::Record { .. } => None,
        });
        of_columns.chain(kernels).chain(handled).max().unwrap_or(0)
    }

    /// The members that loops go through for each instance of the mechanism of their host.
    fn attached(
        &self,
        loops: &[Loop],
        mechanism: usize,
        host: usize,
    ) -> Result<Vec<Span>, ExportError> {
        let scattered = || ExportError::ScatteredAttachments {
            host: self.name_of(host),
        };
        let mut spans = Vec::new();
        for hosts in self.spans(mechanism, host) {
            let members = || hosts.first..hosts.first + hosts.count;
            let ranges = loops
                .iter()
                .flat_map(|key| members().flat_map(|host| self.range(*key, host)));
            let mut ranges: Vec<Span> = ranges.filter(|span| span.count > 0).collect();
            // Several loops may go through the same members.
            ranges.sort_by_key(|span| (span.first, span.count));
            let mut all = ranges.first().copied().unwrap_or_default();
            for range in ranges {
                if range.first > all.first + all.count {
                    return Err(scattered());
                }
                let end = (all.first + all.count).max(range.first + range.count);
                all.count = end - all.first;
            }
            spans.push(all);
        }
        Ok(spans)
    }

    /// What a group is called: the name of the first part that runs for it.
    pub fn name_of(&self, group: usize) -> String {
        let Some(group) = self.groups.all.get(group) else {
            return String::new();
        };
        let column = group.columns.iter().find_map(|first| self.column(*first));
        let part = parts(self.program).find(|(part, _)| group.parts.contains(part));
        let label = part.map(|(_, kernel)| kernel.name.as_str());
        let label = label.or(column.map(|column| column.label.as_str()));
        let label = label.map(|label| {
            let phases = ["states of ", "currents of ", "end of "];
            phases
                .iter()
                .find_map(|phase| label.strip_prefix(phase))
                .unwrap_or(label)
        });
        let end = |c: char| c == ' ' || c == '/';
        label
            .unwrap_or("events")
            .split(end)
            .next()
            .unwrap_or("events")
            .to_owned()
    }
}

fn span(first: u32, last: u32) -> Span {
    Span {
        first,
        count: last.saturating_sub(first),
    }
}

/// The columns of memory, in its order.
fn all_columns(program: &Program, columns: &[(u32, String)]) -> Vec<Column> {
    let mut written = BTreeSet::new();
    let bodies = |kernels: &'_ [lems_ir::Kernel]| -> Vec<Block> {
        kernels.iter().map(|kernel| kernel.body.clone()).collect()
    };
    let (kernels, handlers) = (bodies(&program.kernels), bodies(&program.handlers));
    for statement in statements(kernels.iter().chain(&handlers)) {
        if let Some(Place::Column { base: slot, .. } | Place::Slot(slot)) =
            statement.effects().stores
        {
            written.insert(slot);
        }
    }
    // The solution of a cable changes its potentials, and reads what kernels compute for it.
    written.extend(program.cables.iter().flat_map(lems_ir::Cable::slots));
    let mut sorted: Vec<&(u32, String)> = columns.iter().collect();
    sorted.sort_by_key(|(first, _)| *first);
    let ends = sorted.iter().skip(1).map(|(first, _)| *first);
    // The potentials of points without an instance lie behind all columns.
    let nodes = program.cables.iter().flat_map(|cable| cable.nodes());
    let points = nodes.filter(|node| node.membrane.is_none());
    let end = points.map(|node| node.potential).min();
    let ends = ends.chain([end.unwrap_or(narrow(program.memory.len()))]);
    (sorted.iter().zip(ends))
        .map(|((first, label), end)| Column {
            first: *first,
            members: end - first,
            label: label.clone(),
            written: written.range(*first..end).next().is_some(),
        })
        .collect()
}

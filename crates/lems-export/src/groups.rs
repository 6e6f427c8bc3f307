//! Which variables belong to instances of one kind, and which of these are attached to others.
//!
//! A program names columns and levels of loops, not kinds of instances. Two loops that touch the same
//! column are about instances of the same group, and so are a kernel and the handlers of its events.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lems_ir::{Block, Kernel, Level, Operation, Place, Program, Statement};

/// A kernel of a step, or a handler of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Part {
    Kernel(u32),
    Handler(u32),
}

/// A loop over what is attached to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Loop {
    Attached { offsets: u32 },
    Run { offsets: u32, runs: u32, arm: usize },
}

/// Instances with the same variables.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    /// The groups that the instances are attached to, each with a loop that goes through them.
    pub hosts: BTreeSet<(usize, Loop)>,
    /// Kernels and handlers that run for an instance of the group.
    pub parts: BTreeSet<Part>,
    /// First slots of its columns.
    pub columns: BTreeSet<u32>,
    /// First sources of its ports.
    pub ports: BTreeSet<u32>,
}

/// All groups of a program, and which group each level of each loop is about.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    pub all: Vec<Group>,
    of_context: HashMap<(Part, Vec<Loop>), usize>,
}

impl Groups {
    pub fn of(program: &Program) -> Groups {
        let mut contexts = Contexts::default();
        for (part, kernel) in parts(program) {
            let root = contexts.get(part, Vec::new(), None);
            contexts.read(&kernel.body, part, &mut vec![root]);
        }
        contexts.joined()
    }

    /// The group of the instances that a loop of a part goes through; without a loop, of its own.
    pub fn at(&self, part: Part, loops: &[Loop]) -> Option<usize> {
        self.of_context.get(&(part, loops.to_vec())).copied()
    }

    /// The group that a column belongs to.
    pub fn of_column(&self, first: u32) -> Option<usize> {
        self.all
            .iter()
            .position(|group| group.columns.contains(&first))
    }

    /// The group that a handler runs for.
    pub fn of_handler(&self, handler: u32) -> Option<usize> {
        self.at(Part::Handler(handler), &[])
    }
}

/// Kernels of steps, then handlers.
pub(crate) fn parts(program: &Program) -> impl Iterator<Item = (Part, &Kernel)> {
    let kernels = (0..).map(Part::Kernel).zip(&program.kernels);
    kernels.chain((0..).map(Part::Handler).zip(&program.handlers))
}

/// The instances that one loop of one part goes through.
#[derive(Debug)]
struct Context {
    part: Part,
    loops: Vec<Loop>,
    parent: Option<usize>,
    columns: BTreeSet<u32>,
    ports: BTreeSet<u32>,
}

#[derive(Debug, Default)]
struct Contexts {
    all: Vec<Context>,
    index: HashMap<(Part, Vec<Loop>), usize>,
}

impl Contexts {
    fn get(&mut self, part: Part, loops: Vec<Loop>, parent: Option<usize>) -> usize {
        let next = self.all.len();
        let context = *self.index.entry((part, loops.clone())).or_insert(next);
        if context == next {
            self.all.push(Context {
                part,
                loops,
                parent,
                columns: BTreeSet::new(),
                ports: BTreeSet::new(),
            });
        }
        context
    }

    /// Notes what a block touches; `stack` has the context of each level.
    fn read(&mut self, block: &Block, part: Part, stack: &mut Vec<usize>) {
        for statement in block {
            match statement {
                Statement::Let(_, Operation::Load(place)) | Statement::Store(place, _) => {
                    if let Place::Column { base, level } = place {
                        self.at(stack, *level, |context| context.columns.insert(*base));
                    }
                }
                Statement::Emit { port, level } => {
                    self.at(stack, *level, |context| context.ports.insert(*port));
                }
                Statement::If {
                    then, otherwise, ..
                } => {
                    self.read(then, part, stack);
                    self.read(otherwise, part, stack);
                }
                Statement::ForAttached { offsets, body, .. } => {
                    let key = Loop::Attached { offsets: *offsets };
                    self.inside(key, body, part, stack);
                }
                Statement::ForRuns {
                    offsets,
                    runs,
                    arms,
                    ..
                } => {
                    for (arm, body) in arms.iter().enumerate() {
                        let (offsets, runs) = (*offsets, *runs);
                        self.inside(Loop::Run { offsets, runs, arm }, body, part, stack);
                    }
                }
                Statement::Twice(body) => self.read(body, part, stack),
                Statement::Let(..) | Statement::Propagate { .. } => {}
            }
        }
    }

    fn inside(&mut self, key: Loop, body: &Block, part: Part, stack: &mut Vec<usize>) {
        let parent = stack.last().copied();
        let outer = parent.and_then(|parent| self.all.get(parent));
        let mut loops = outer
            .map(|context| context.loops.clone())
            .unwrap_or_default();
        loops.push(key);
        let context = self.get(part, loops, parent);
        stack.push(context);
        self.read(body, part, stack);
        stack.pop();
    }

    fn at(&mut self, stack: &[usize], level: Level, note: impl FnOnce(&mut Context) -> bool) {
        let context = stack.get(usize::from(level.0));
        if let Some(context) = context.and_then(|context| self.all.get_mut(*context)) {
            note(context);
        }
    }

    /// The groups: contexts that share a column or a port, or that are the same loop of one group.
    fn joined(self) -> Groups {
        let mut sets = Sets((0..self.all.len()).collect());
        let mut by_column: HashMap<u32, usize> = HashMap::new();
        let mut by_port: HashMap<u32, usize> = HashMap::new();
        for (number, context) in self.all.iter().enumerate() {
            for column in &context.columns {
                sets.join(*by_column.entry(*column).or_insert(number), number);
            }
            for port in &context.ports {
                sets.join(*by_port.entry(*port).or_insert(number), number);
            }
        }
        loop {
            let mut changed = false;
            let mut by_loop: HashMap<(usize, Loop), usize> = HashMap::new();
            let mut by_host: HashMap<Loop, usize> = HashMap::new();
            for (number, context) in self.all.iter().enumerate() {
                if let (Some(parent), Some(key)) = (context.parent, context.loops.last()) {
                    let key = (sets.find(parent), *key);
                    changed |= sets.join(*by_loop.entry(key).or_insert(number), number);
                    // A table of what is attached belongs to one kind of host.
                    let host = *by_host.entry(key.1).or_insert(parent);
                    changed |= sets.join(host, parent);
                }
            }
            if !changed {
                break;
            }
        }
        let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
        let mut groups = Groups::default();
        for number in 0..self.all.len() {
            let next = numbers.len();
            let group = *numbers.entry(sets.find(number)).or_insert(next);
            if group == next {
                groups.all.push(Group::default());
            }
        }
        for (number, context) in self.all.into_iter().enumerate() {
            let of = |sets: &mut Sets, context| numbers.get(&sets.find(context)).copied();
            let Some(index) = of(&mut sets, number) else {
                continue;
            };
            let host = context.parent.and_then(|parent| of(&mut sets, parent));
            if let Some(group) = groups.all.get_mut(index) {
                group.columns.extend(context.columns);
                group.ports.extend(context.ports);
                match context.loops.last() {
                    Some(key) => group.hosts.extend(host.map(|host| (host, *key))),
                    None => {
                        group.parts.insert(context.part);
                    }
                }
            }
            groups
                .of_context
                .insert((context.part, context.loops), index);
        }
        groups
    }
}

/// Disjoint sets of numbers; each number names one of its set, and the first names itself.
struct Sets(Vec<usize>);

impl Sets {
    fn find(&mut self, number: usize) -> usize {
        let mut first = number;
        while let Some(next) = self.0.get(first).copied()
            && next != first
        {
            first = next;
        }
        if let Some(entry) = self.0.get_mut(number) {
            *entry = first;
        }
        first
    }

    /// Makes one set of two; says whether they were two.
    fn join(&mut self, one: usize, other: usize) -> bool {
        let (one, other) = (self.find(one), self.find(other));
        let (first, second) = (one.min(other), one.max(other));
        if let Some(entry) = self.0.get_mut(second) {
            *entry = first;
        }
        one != other
    }
}

//! Random programs of the kind that lowering makes: every group of instances has columns of its
//! own, what is attached to a host has consecutive numbers, and few things keep instances from
//! being computed together.

use lems_ir::Scheduled;
use lems_ir::{
    Action, Block, Call, Comparison, Edge, Function, Kernel, Level, Logic, Operation, Operator,
    Place, Program, Register, Routes, Scalar, Scheme, Statement, Target,
};

use super::random::Dice;

const DELAYS: [f64; 5] = [0.25, 0.3, 0.5, 5.0, 1e-9];
const VALUES: [f64; 10] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -2.5,
    1e-300,
    1e300,
    f64::INFINITY,
    f64::NAN,
];

/// Instances that are numbered together.
struct Group {
    population: u32,
    columns: Vec<u32>,
    /// Those of them that handlers do not store.
    quiet: Vec<u32>,
    /// First sources of the events that kernels send.
    ports: Vec<u32>,
    /// First source of those that its handlers send.
    relay: u32,
    /// Events that its handlers send at once only reach groups of higher rank, so that none goes
    /// round.
    rank: u32,
}

/// What is attached to the instances of a group.
enum Site {
    Attached {
        offsets: u32,
        group: usize,
    },
    Runs {
        offsets: u32,
        runs: u32,
        groups: Vec<usize>,
    },
}

/// What happens in few programs only.
struct Oddities {
    draws: bool,
    /// Reads what other instances of the kernel store.
    gap_junctions: bool,
    /// Reads that of it which no handler stores.
    neighbours: bool,
    /// Touches what handlers may have changed after events.
    late: bool,
    /// Handlers read what kernels store after events.
    peeks: bool,
    /// Lets values out of loops and branches.
    loose: bool,
    attached_events: bool,
    writes_elsewhere: bool,
}

/// Sizes, columns and tables of a program.
struct Plan {
    groups: Vec<Group>,
    /// Of the first groups, which have kernels.
    sites: Vec<Vec<Site>>,
    odd: Oddities,
    links: Vec<u32>,
    /// Group of each handler.
    handlers: Vec<usize>,
    /// Number of sources of events so far.
    sources: u32,
    memory: u32,
}

impl Plan {
    fn new(dice: &mut Dice<'_>) -> Plan {
        let mut rarely = |sides| dice.roll(sides) == 1;
        let odd = Oddities {
            draws: rarely(8),
            gap_junctions: rarely(10),
            neighbours: rarely(3),
            late: rarely(10),
            peeks: rarely(5),
            loose: rarely(10),
            attached_events: rarely(8),
            writes_elsewhere: rarely(20),
        };
        let mut plan = Plan {
            groups: Vec::new(),
            sites: Vec::new(),
            odd,
            links: Vec::new(),
            handlers: Vec::new(),
            sources: 0,
            // A column of parameters that nobody stores.
            memory: 8,
        };
        let kernels = 1 + dice.roll(3);
        for _ in 0..kernels {
            let population = match dice.roll(8) {
                0 => 1 + dice.roll(3),
                1 => 4 + dice.roll(120),
                _ => 4 + dice.roll(37),
            };
            plan.group(dice, population);
        }
        for host in 0..kernels as usize {
            let sites = (0..dice.roll(3)).map(|_| plan.site(dice, host)).collect();
            plan.sites.push(sites);
        }
        plan
    }

    fn group(&mut self, dice: &mut Dice<'_>, population: u32) -> usize {
        let mut columns = |count: u32| -> Vec<u32> {
            let size = population.max(1);
            let firsts = (0..count).map(|number| self.memory + number * size);
            let columns = firsts.collect();
            self.memory += count * size;
            columns
        };
        let mut all = columns(2 + dice.roll(4));
        let quiet = columns(1 + dice.roll(3));
        all.extend(&quiet);
        let mut ports = Vec::new();
        for _ in 0..1 + dice.roll(3) {
            ports.push(self.sources);
            self.sources += population;
        }
        let relay = self.sources;
        self.sources += population;
        for _ in 0..1 + dice.roll(2) {
            self.handlers.push(self.groups.len());
        }
        self.groups.push(Group {
            population,
            columns: all,
            quiet,
            ports,
            relay,
            rank: dice.roll(20),
        });
        self.groups.len() - 1
    }

    fn site(&mut self, dice: &mut Dice<'_>, host: usize) -> Site {
        let hosts = self.groups[host].population;
        if dice.roll(2) == 0 {
            let mut table = vec![0];
            let mut total = 0;
            let most = 1 + dice.roll(5);
            for _ in 0..hosts {
                total += dice.roll(most + 1);
                table.push(total);
            }
            let group = self.group(dice, total);
            return Site::Attached {
                offsets: self.table(table),
                group,
            };
        }
        let mut table = vec![0];
        let mut runs = Vec::new();
        let mut totals = [0, 0, 0];
        let arms = 1 + dice.roll(3);
        for _ in 0..hosts {
            for _ in 0..dice.roll(4) {
                let arm = dice.roll(arms);
                let first = totals[arm as usize];
                let last = first + 1 + dice.roll(4);
                totals[arm as usize] = last;
                runs.extend([arm, first, last]);
            }
            table.push(runs.len() as u32 / 3);
        }
        let groups = (0..arms)
            .map(|arm| self.group(dice, totals[arm as usize]))
            .collect();
        Site::Runs {
            offsets: self.table(table),
            runs: self.table(runs),
            groups,
        }
    }

    fn table(&mut self, entries: Vec<u32>) -> u32 {
        let first = self.links.len() as u32;
        self.links.extend(entries);
        first
    }
}

/// Grows one kernel or handler.
struct Grower<'d, 'n, 'p> {
    dice: &'d mut Dice<'n>,
    plan: &'p mut Plan,
    is_handler: bool,
    registers: Vec<Scalar>,
    /// Registers that are assigned on every path to here.
    assigned: Vec<Register>,
    /// Those before were assigned outside the innermost loop.
    outside: usize,
    /// Group of each level around.
    levels: Vec<usize>,
    /// Whether an event may have been sent.
    sent: bool,
    depth: u32,
}

impl Grower<'_, '_, '_> {
    fn kernel(mut self, name: String) -> Kernel {
        let mut body = Block::new();
        for _ in 0..2 + self.dice.roll(3) {
            self.load(&mut body);
        }
        let statements = 3 + self.dice.roll(if self.is_handler { 6 } else { 20 });
        body.extend(self.block(statements, true));
        let events = match self.is_handler {
            true => self.dice.roll(2),
            false => self.dice.roll(4),
        };
        for _ in 0..events {
            self.event(&mut body);
        }
        if self.dice.roll(2) == 0 {
            for _ in 0..1 + self.dice.roll(3) {
                self.store(&mut body);
            }
        }
        Kernel {
            name,
            registers: self.registers,
            body,
        }
    }

    fn block(&mut self, statements: u32, keep: bool) -> Block {
        let assigned = self.assigned.len();
        let mut block = Block::new();
        for _ in 0..statements {
            if self.dice.is_empty() {
                break;
            }
            self.statement(&mut block);
        }
        if !keep {
            self.assigned.truncate(assigned);
        }
        block
    }

    fn statement(&mut self, block: &mut Block) {
        match self.dice.roll(24) {
            0..=4 => self.load(block),
            5..=7 => self.store(block),
            8..=9 => self.function(block),
            10..=12 => self.arithmetic(block),
            13..=14 => self.logic(block),
            15 => self.easy(block),
            16..=18 if self.depth < 3 => self.branch(block),
            19..=21 if self.depth == 0 && !self.is_handler => self.visit(block),
            22 if self.depth == 0 || self.plan.odd.loose => self.scheme(block),
            23 if self.plan.odd.loose => self.event(block),
            _ => self.arithmetic(block),
        }
    }

    fn branch(&mut self, block: &mut Block) {
        let condition = self.truth(block);
        self.depth += 1;
        let statements = 1 + self.dice.roll(5);
        let then = self.block(statements, false);
        let statements = self.dice.roll(5);
        let otherwise = self.block(statements, false);
        self.depth -= 1;
        block.push(Statement::If {
            condition,
            then,
            otherwise,
        });
    }

    fn event(&mut self, block: &mut Block) {
        let group = &self.plan.groups[self.levels[0]];
        let ports = match self.is_handler {
            true => vec![group.relay],
            false => group.ports.clone(),
        };
        let mut level = Level(0);
        let mut port = self.dice.pick(&ports);
        if self.plan.odd.attached_events && self.levels.len() > 1 {
            level = Level(1);
            port = self.plan.groups[self.levels[1]].ports[0];
        }
        let emit = Statement::Emit { port, level };
        match self.dice.roll(6) {
            0 => block.push(emit),
            1 => {
                let condition = self.truth(block);
                let other = self.dice.pick(&ports);
                let otherwise = Statement::Emit {
                    port: other,
                    level: Level(0),
                };
                block.push(Statement::If {
                    condition,
                    then: vec![emit],
                    otherwise: vec![otherwise],
                });
            }
            2 => {
                let [outer, inner] = [self.truth(block), self.truth(block)];
                let inner = Statement::If {
                    condition: inner,
                    then: vec![emit],
                    otherwise: Block::new(),
                };
                let mut then = Block::new();
                self.store(&mut then);
                then.push(inner);
                block.push(Statement::If {
                    condition: outer,
                    then,
                    otherwise: Block::new(),
                });
            }
            _ => {
                let condition = self.truth(block);
                block.push(Statement::If {
                    condition,
                    then: vec![emit],
                    otherwise: Block::new(),
                });
            }
        }
        self.sent = true;
    }

    /// A loop over what is attached, with a sum or two.
    fn visit(&mut self, block: &mut Block) {
        let host = self.levels[0];
        let sites = self.plan.sites[host].len() as u32;
        if sites == 0 {
            return self.arithmetic(block);
        }
        let sums: Vec<Register> = (0..self.dice.roll(3))
            .map(|_| {
                let start = self.dice.pick(&[0.0, 1.0]);
                self.bind(Scalar::Real, Operation::Constant(start), block)
            })
            .collect();
        let number = self.dice.roll(sites) as usize;
        let statement = match self.plan.sites[host][number] {
            Site::Attached { offsets, group } => Statement::ForAttached {
                offsets,
                level: Level(1),
                body: self.attached(group, &sums),
            },
            Site::Runs {
                offsets,
                runs,
                ref groups,
            } => {
                let groups = groups.clone();
                Statement::ForRuns {
                    offsets,
                    runs,
                    level: Level(1),
                    arms: groups
                        .into_iter()
                        .map(|group| self.attached(group, &sums))
                        .collect(),
                }
            }
        };
        block.push(statement);
    }

    fn attached(&mut self, group: usize, sums: &[Register]) -> Block {
        let outside = std::mem::replace(&mut self.outside, self.assigned.len());
        let assigned = self.assigned.len();
        self.levels.push(group);
        self.depth += 1;
        let mut body = Block::new();
        self.load(&mut body);
        let statements = 1 + self.dice.roll(8);
        body.extend(self.block(statements, true));
        for sum in sums {
            let term = self.real(&mut body);
            let operator = self
                .dice
                .pick(&[Operator::Add, Operator::Add, Operator::Multiply]);
            let operation = Operation::Binary(operator, *sum, term);
            let add = Statement::Let(*sum, operation);
            match self.dice.roll(4) {
                0 => {
                    let condition = self.truth(&mut body);
                    body.push(Statement::If {
                        condition,
                        then: vec![add],
                        otherwise: Block::new(),
                    });
                }
                _ => body.push(add),
            }
        }
        if self.dice.roll(3) == 0 {
            self.store(&mut body);
        }
        self.depth -= 1;
        self.levels.pop();
        self.assigned.truncate(assigned);
        self.outside = outside;
        body
    }

    fn load(&mut self, block: &mut Block) {
        let level = self.level();
        let group = &self.plan.groups[self.levels[usize::from(level.0)]];
        let place = match self.dice.roll(10) {
            0 => Place::Slot(self.dice.roll(8)),
            1 => {
                let population = group.population;
                let table = (0..population).map(|instance| self.elsewhere(level, instance));
                let table = table.collect();
                let table = self.plan.table(table);
                Place::Linked { table, level }
            }
            _ => {
                let loud = group.columns.len() - group.quiet.len();
                let columns = match (self.is_handler, self.sent) {
                    (true, _) if !self.plan.odd.peeks => &group.columns[..loud],
                    (false, true) if !self.plan.odd.late => &group.columns[loud..],
                    _ => &group.columns[..],
                };
                let base = self.dice.pick(columns);
                Place::Column { base, level }
            }
        };
        self.bind(Scalar::Real, Operation::Load(place), block);
    }

    /// A slot of another group, rarely of its own.
    fn elsewhere(&mut self, level: Level, instance: u32) -> u32 {
        let groups = &self.plan.groups;
        match self.dice.roll(8) {
            0 => {
                // Of the own instance: harmless.
                let group = &groups[self.levels[usize::from(level.0)]];
                match self.plan.odd.gap_junctions || self.is_handler && self.plan.odd.peeks {
                    true => self.dice.pick(&group.columns) + instance,
                    false => self.dice.roll(8),
                }
            }
            1 if self.plan.odd.gap_junctions => self.dice.roll(self.plan.memory),
            2..=4 => {
                // Of a group with a kernel of its own, that the sites of this one are not part of.
                let host = self.dice.roll(self.plan.sites.len() as u32) as usize;
                let group = &groups[host];
                match group.population {
                    0 => self.dice.roll(8),
                    population if self.plan.odd.gap_junctions => {
                        self.dice.pick(&group.columns) + self.dice.roll(population)
                    }
                    _ if self.is_handler => self.dice.roll(8),
                    _ if self.levels[0] == host && !self.plan.odd.neighbours => self.dice.roll(8),
                    population => self.dice.pick(&group.quiet) + self.dice.roll(population),
                }
            }
            _ => self.dice.roll(8),
        }
    }

    fn store(&mut self, block: &mut Block) {
        let register = self.real(block);
        let level = match self.levels.len() {
            2 if self.dice.roll(8) > 0 => Level(1),
            _ => Level(0),
        };
        if self.plan.odd.writes_elsewhere && self.dice.roll(4) == 0 {
            let slot = self.dice.roll(self.plan.memory);
            block.push(Statement::Store(Place::Slot(slot), register));
            return;
        }
        let group = &self.plan.groups[self.levels[usize::from(level.0)]];
        let is_quiet = |base: &u32| group.quiet.contains(base);
        let columns: Vec<u32> = (group.columns.iter().copied())
            .filter(|base| match (self.is_handler, self.sent) {
                _ if self.plan.odd.late => true,
                (true, _) => !is_quiet(base),
                (false, true) => is_quiet(base),
                (false, false) => true,
            })
            .collect();
        let base = self.dice.pick(&columns);
        block.push(Statement::Store(Place::Column { base, level }, register));
    }

    fn function(&mut self, block: &mut Block) {
        let argument = self.real(block);
        let operation = match self.dice.roll(15) {
            0 | 1 => Operation::Binary(Operator::Power, argument, self.real(block)),
            number => Operation::Call(Function::ALL[number as usize - 2], argument),
        };
        self.assign(Scalar::Real, operation, block);
    }

    fn arithmetic(&mut self, block: &mut Block) {
        let operators = [
            Operator::Add,
            Operator::Subtract,
            Operator::Multiply,
            Operator::Divide,
        ];
        let operator = self.dice.pick(&operators);
        let (left, right) = (self.real(block), self.real(block));
        let operation = Operation::Binary(operator, left, right);
        self.assign(Scalar::Real, operation, block);
    }

    fn logic(&mut self, block: &mut Block) {
        let (scalar, operation) = match self.dice.roll(6) {
            0..=1 => (Scalar::Truth, self.comparison(block)),
            2 => {
                let logic = self.dice.pick(&[Logic::And, Logic::Or]);
                let (left, right) = (self.truth(block), self.truth(block));
                (Scalar::Truth, Operation::Logic(logic, left, right))
            }
            3 => (Scalar::Truth, Operation::Not(self.truth(block))),
            _ => {
                let condition = self.truth(block);
                let (yes, no) = (self.real(block), self.real(block));
                (Scalar::Real, Operation::Select(condition, yes, no))
            }
        };
        self.assign(scalar, operation, block);
    }

    fn easy(&mut self, block: &mut Block) {
        let (scalar, operation) = match self.dice.roll(7) {
            0 => (Scalar::Real, Operation::Time),
            1 => (Scalar::Real, Operation::Step),
            2 => (Scalar::Real, Operation::Constant(self.dice.pick(&VALUES))),
            3 if self.plan.odd.draws => (Scalar::Real, Operation::Random(self.real(block))),
            4 => (Scalar::Truth, Operation::Copy(self.truth(block))),
            _ => (Scalar::Real, Operation::Copy(self.real(block))),
        };
        self.assign(scalar, operation, block);
    }

    fn scheme(&mut self, block: &mut Block) {
        let mut reals =
            |count: u32| -> Vec<Register> { (0..count).map(|_| self.real(block)).collect() };
        let occupancies = reals(3);
        let rates: Vec<Register> = reals(4);
        let results = (0..1 + self.dice.roll(3))
            .map(|_| self.target(Scalar::Real))
            .collect();
        block.push(Statement::Propagate {
            scheme: 0,
            occupancies,
            rates: rates
                .chunks_exact(2)
                .map(|pair| (pair[0], pair[1]))
                .collect(),
            results,
        });
    }

    fn comparison(&mut self, block: &mut Block) -> Operation {
        let comparison = self.dice.pick(&[
            Comparison::Less,
            Comparison::Greater,
            Comparison::LessOrEqual,
            Comparison::GreaterOrEqual,
            Comparison::Equal,
            Comparison::NotEqual,
        ]);
        let left = self.real(block);
        let right = match self.dice.roll(2) {
            0 => self.real(block),
            _ => {
                let value = f64::from(self.dice.roll(400)) / 100.0 - 2.0;
                self.bind(Scalar::Real, Operation::Constant(value), block)
            }
        };
        Operation::Compare(comparison, left, right)
    }

    fn bind(&mut self, scalar: Scalar, operation: Operation, block: &mut Block) -> Register {
        let register = self.fresh(scalar);
        block.push(Statement::Let(register, operation));
        register
    }

    fn fresh(&mut self, scalar: Scalar) -> Register {
        let register = Register(self.registers.len() as u32);
        self.registers.push(scalar);
        self.assigned.push(register);
        register
    }

    fn assign(&mut self, scalar: Scalar, operation: Operation, block: &mut Block) {
        let register = self.target(scalar);
        block.push(Statement::Let(register, operation));
    }

    /// A register to assign: one in use that belongs to the innermost loop, or a new one.
    fn target(&mut self, scalar: Scalar) -> Register {
        let first = match self.plan.odd.loose {
            true => 0,
            false => self.outside,
        };
        let known: Vec<Register> = self
            .known(scalar)
            .into_iter()
            .filter(|register| self.assigned[first..].contains(register))
            .collect();
        let again = match scalar {
            Scalar::Real => self.dice.roll(2) == 0,
            Scalar::Truth => self.plan.odd.loose && self.dice.roll(2) == 0,
        };
        match known.is_empty() || !again {
            true => self.fresh(scalar),
            false => self.dice.pick(&known),
        }
    }

    fn known(&self, scalar: Scalar) -> Vec<Register> {
        let known = self.assigned.iter().copied();
        known
            .filter(|register| self.registers[register.0 as usize] == scalar)
            .collect()
    }

    fn real(&mut self, block: &mut Block) -> Register {
        let known = self.known(Scalar::Real);
        match known.is_empty() {
            true => {
                let value = self.dice.constant();
                self.bind(Scalar::Real, Operation::Constant(value), block)
            }
            false => self.dice.pick(&known),
        }
    }

    fn truth(&mut self, block: &mut Block) -> Register {
        let known = self.known(Scalar::Truth);
        match known.is_empty() || self.dice.roll(2) == 0 {
            true => {
                let comparison = self.comparison(block);
                self.bind(Scalar::Truth, comparison, block)
            }
            false => self.dice.pick(&known),
        }
    }

    fn level(&mut self) -> Level {
        match self.levels.len() {
            2 if self.dice.roll(3) > 0 => Level(1),
            _ => Level(0),
        }
    }
}

/// The program of a stream of numbers.
pub(super) fn grow(numbers: &[u32]) -> Program {
    let dice = &mut Dice::new(numbers);
    let mut plan = Plan::new(dice);
    let edge = |source, target| Edge { source, target };
    let mut program = Program {
        schemes: vec![Scheme::new(vec![edge(0, 1), edge(1, 2)])],
        ..Program::default()
    };
    let kernels = plan.sites.len();
    for (level, is_handler) in (0..kernels)
        .map(|group| (group, false))
        .chain(plan.handlers.clone().into_iter().map(|group| (group, true)))
    {
        let grower = Grower {
            dice,
            plan: &mut plan,
            is_handler,
            registers: Vec::new(),
            assigned: Vec::new(),
            outside: 0,
            levels: vec![level],
            sent: false,
            depth: 0,
        };
        match is_handler {
            false => program.kernels.push(grower.kernel(format!("of {level}"))),
            true => program
                .handlers
                .push(grower.kernel(format!("event at {level}"))),
        }
    }
    routes(dice, &plan, &mut program);
    schedule(dice, &plan, &mut program);
    program.memory = (0..plan.memory)
        .map(|_| match dice.roll(12) {
            0 => dice.pick(&VALUES),
            _ => f64::from(dice.roll(4000)) / 1000.0 - 2.0,
        })
        .collect();
    program.links = plan.links;
    program
}

/// Receivers for all sources.
fn routes(dice: &mut Dice<'_>, plan: &Plan, program: &mut Program) {
    let mut routes = Vec::new();
    let mut source = 0;
    for group in &plan.groups {
        let kernels = group.ports.iter().map(|_| None);
        let most = 1 + dice.roll(3);
        for relay in kernels.chain([Some(group.rank)]) {
            let most = if relay.is_some() { 1 } else { most };
            for _ in 0..group.population {
                for _ in 0..dice.roll(most + 1) {
                    let target = target(dice, plan, relay, routes.len() as u32);
                    routes.push((source, target));
                }
                source += 1;
            }
        }
    }
    program.routes = Routes::new(source, &routes);
}

fn target(dice: &mut Dice<'_>, plan: &Plan, relay: Option<u32>, number: u32) -> Target {
    let handler = dice.roll(plan.handlers.len() as u32);
    let receiver = &plan.groups[plan.handlers[handler as usize]];
    let delay = match dice.roll(4) {
        0 => dice.pick(&DELAYS),
        1 => -1.0,
        _ => 0.0,
    };
    let goes_round = relay.is_some_and(|rank| receiver.rank <= rank) && delay <= 0.0;
    let action = match goes_round || receiver.population == 0 || dice.roll(6) == 0 {
        true => Action::Record { selection: number },
        false => Action::Handle {
            handler,
            instance: dice.roll(receiver.population),
        },
    };
    Target { action, delay }
}

/// All kernels, some of them in two or three calls with others between.
fn schedule(dice: &mut Dice<'_>, plan: &Plan, program: &mut Program) {
    let mut open: Vec<(u32, u32)> = (0..plan.sites.len())
        .map(|kernel| (kernel as u32, 0))
        .collect();
    while !open.is_empty() {
        let (kernel, first) = open.remove(dice.roll(open.len() as u32) as usize);
        let population = plan.groups[kernel as usize].population;
        let last = match dice.roll(3) {
            0 => first + 1 + dice.roll(population - first),
            _ => population,
        };
        program.schedule.push(Scheduled::Call(Call {
            kernel,
            first,
            last,
        }));
        if last < population {
            open.push((kernel, last));
        }
    }
}

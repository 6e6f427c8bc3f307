//! Small kernels by hand, and what becomes of them.

use super::{
    BlockKernel, Extent, Ordered, Part, Piece, block_kernel, flatten, independence, tailed_kernel,
};
use crate::obstacle::{Branch, Obstacle};
use Scalar::{Real, Truth};
use lems_ir::Scheduled;
use lems_ir::{
    Action, Block, Call, Comparison, Function, Kernel, Level, Logic, Operation, Operator, Place,
    Program, Register, Routes, Scalar, Statement, Target,
};

const OWN: Level = Level(0);

fn r(number: u32) -> Register {
    Register(number)
}

fn set(register: u32, operation: Operation) -> Statement {
    Statement::Let(r(register), operation)
}

fn constant(register: u32, value: f64) -> Statement {
    set(register, Operation::Constant(value))
}

fn at(base: u32, level: u8) -> Place {
    let level = Level(level);
    Place::Column { base, level }
}

fn load(register: u32, base: u32) -> Statement {
    set(register, Operation::Load(at(base, 0)))
}

fn store(base: u32, register: u32) -> Statement {
    Statement::Store(at(base, 0), r(register))
}

fn add(register: u32, left: u32, right: u32) -> Statement {
    set(
        register,
        Operation::Binary(Operator::Add, r(left), r(right)),
    )
}

fn greater(register: u32, left: u32, right: u32) -> Statement {
    set(
        register,
        Operation::Compare(Comparison::Greater, r(left), r(right)),
    )
}

fn call(register: u32, argument: u32) -> Statement {
    set(register, Operation::Call(Function::Exp, r(argument)))
}

fn choose(condition: u32, then: Block, otherwise: Block) -> Statement {
    Statement::If {
        condition: r(condition),
        then,
        otherwise,
    }
}

fn emit(port: u32) -> Statement {
    Statement::Emit { port, level: OWN }
}

fn attached(body: Block) -> Statement {
    Statement::ForAttached {
        offsets: 0,
        level: Level(1),
        body,
    }
}

/// Registers from 20 on are truth values.
fn kernel(body: Block) -> Kernel {
    Kernel {
        name: "test".to_owned(),
        registers: [vec![Real; 20], vec![Truth; 10]].concat(),
        body,
    }
}

fn flat(body: Block) -> Result<String, Obstacle> {
    flatten::flat(&kernel(body), &[]).map(|(flat, _)| lines(&flat.body))
}

fn lines(body: &Block) -> String {
    let listing = kernel(body.clone()).to_string();
    listing
        .lines()
        .skip(1)
        .map(|line| format!("{}\n", &line[2..]))
        .collect()
}

fn parts(body: Block) -> Result<String, Obstacle> {
    block_kernel(&kernel(body), &Ordered::default()).map(|block| listing(&block))
}

/// The parts, one after the other; `b0` is buffer 0.
fn listing(block: &BlockKernel) -> String {
    let piece = |kind: &str, piece: &Piece| {
        let inputs = piece.inputs.iter().map(|(r, b)| format!("{r} = b{b}\n"));
        let outputs = piece.outputs.iter().map(|(r, b)| format!("b{b} = {r}\n"));
        let (inputs, outputs): (String, String) = (inputs.collect(), outputs.collect());
        format!("{kind}\n{inputs}{}{outputs}", lines(&piece.body))
    };
    let part = |part: &Part| match part {
        Part::Lanes(lanes) => piece("lanes", lanes),
        Part::Each(each) => piece("each", each),
        Part::Call {
            function,
            first,
            count,
        } => format!("{function} of b{first}, {count}\n"),
        Part::Power {
            bases,
            exponents,
            count,
        } => format!("b{bases} ^ b{exponents}, {count}\n"),
        Part::Propagate {
            scheme,
            occupancies,
            states,
            rates,
        } => format!("scheme {scheme} of b{occupancies}, {states} with b{rates}\n"),
        Part::Emit(events) => format!("emit {events:?}\n"),
    };
    block.parts.iter().map(part).collect()
}

#[test]
fn a_register_assigned_under_a_condition_is_selected() {
    let body = vec![
        load(0, 10),
        load(1, 20),
        greater(20, 0, 1),
        choose(20, vec![add(1, 0, 0)], vec![]),
        store(20, 1),
    ];
    let expected = "\
r0 = c10[i0]
r30 = c20[i0]
r20 = r0 > r30
r31 = r0 + r0
r32 = if r20 then r31 else r30
c20[i0] = r32
";
    assert_eq!(flat(body).as_deref(), Ok(expected));
}

#[test]
fn a_register_assigned_in_both_branches_is_selected() {
    let body = vec![
        load(0, 10),
        greater(20, 0, 0),
        choose(20, vec![constant(1, 1.0)], vec![constant(1, 2.0)]),
        store(10, 1),
    ];
    let expected = "\
r0 = c10[i0]
r20 = r0 > r0
r30 = 1.0
r31 = not r20
r32 = 2.0
r33 = if r31 then r32 else r30
c10[i0] = r33
";
    assert_eq!(flat(body).as_deref(), Ok(expected));
}

#[test]
fn a_store_under_conditions_keeps_the_old_value_elsewhere() {
    let body = vec![
        load(0, 10),
        greater(20, 0, 0),
        greater(21, 0, 0),
        choose(20, vec![choose(21, vec![store(20, 0)], vec![])], vec![]),
    ];
    let expected = "\
r0 = c10[i0]
r20 = r0 > r0
r21 = r0 > r0
r30 = r20 and r21
r31 = c20[i0]
r32 = if r30 then r0 else r31
c20[i0] = r32
";
    assert_eq!(flat(body).as_deref(), Ok(expected));
}

#[test]
fn an_event_keeps_its_condition() {
    let body = vec![
        load(0, 10),
        greater(20, 0, 0),
        choose(20, vec![emit(5)], vec![emit(6)]),
    ];
    let expected = "\
r0 = c10[i0]
r20 = r0 > r0
if r20
  emit 5 + i0
r30 = not r20
if r30
  emit 6 + i0
";
    assert_eq!(flat(body).as_deref(), Ok(expected));
}

#[test]
fn a_condition_that_always_holds_leaves_one_side() {
    let body = vec![
        constant(0, 1.0),
        constant(1, 2.0),
        greater(20, 0, 1),
        choose(20, vec![store(10, 0)], vec![store(10, 1)]),
    ];
    let expected = "\
r0 = 1.0
r1 = 2.0
r20 = r0 > r1
c10[i0] = r1
";
    assert_eq!(flat(body).as_deref(), Ok(expected));
}

#[test]
fn a_sum_is_handed_from_one_attached_instance_to_the_next() {
    let body = vec![
        constant(0, 0.0),
        attached(vec![set(1, Operation::Load(at(30, 1))), add(0, 0, 1)]),
        store(10, 0),
    ];
    let expected = "\
r30 = 0.0
r31 = r30
for i1 in t0[i0] .. t0[i0 + 1]
  r1 = c30[i1]
  r32 = r31 + r1
  r31 = r32
c10[i0] = r31
";
    assert_eq!(flat(body).as_deref(), Ok(expected));
}

#[test]
fn a_scheme_reads_what_was_there_before_its_results() {
    let propagate = Statement::Propagate {
        scheme: 0,
        occupancies: vec![r(0), r(1)],
        rates: vec![(r(1), r(0))],
        results: vec![r(1), r(0)],
    };
    let body = vec![
        load(0, 10),
        load(1, 20),
        propagate,
        store(10, 0),
        store(20, 1),
    ];
    let expected = "\
r30 = c10[i0]
r31 = c20[i0]
r32, r33 = propagate scheme 0 from r30, r31 with r31 / r30
c10[i0] = r33
c20[i0] = r32
";
    assert_eq!(flat(body).as_deref(), Ok(expected));
}

#[test]
fn what_must_not_run_twice_or_out_of_order_has_no_flat_form() {
    let under = |statement| {
        vec![
            load(0, 10),
            greater(20, 0, 0),
            choose(20, vec![statement], vec![]),
        ]
    };
    let refused = |body, why: Branch| assert_eq!(flat(body), Err(why.into()));
    refused(under(set(1, Operation::Random(r(0)))), Branch::Draw);
    refused(under(attached(vec![])), Branch::Loop);
    let propagate = Statement::Propagate {
        scheme: 0,
        occupancies: vec![r(0), r(0)],
        rates: vec![(r(0), r(0))],
        results: vec![r(1), r(2)],
    };
    refused(under(propagate), Branch::Scheme);
    assert_eq!(
        flat(under(Statement::Twice(vec![]))),
        Err(Obstacle::Repeats)
    );
    // A truth value of either branch.
    let body = vec![
        load(0, 10),
        greater(20, 0, 0),
        choose(20, vec![greater(21, 0, 0)], vec![greater(21, 0, 0)]),
    ];
    refused(body, Branch::Truth);
}

#[test]
fn what_the_last_attached_instance_leaves_is_refused() {
    let body = vec![
        constant(0, 0.0),
        attached(vec![set(0, Operation::Load(at(30, 1)))]),
        store(10, 0),
    ];
    assert_eq!(flat(body), Err(Branch::Escape.into()));
}

#[test]
fn straight_code_is_one_part() {
    let body = vec![load(0, 10), add(1, 0, 0), store(10, 1)];
    let expected = "\
lanes
r0 = c10[i0]
r1 = r0 + r0
c10[i0] = r1
";
    assert_eq!(parts(body).as_deref(), Ok(expected));
}

#[test]
fn functions_are_called_for_buffers() {
    let body = vec![
        load(0, 10),
        load(1, 20),
        call(2, 0),
        call(3, 1),
        set(4, Operation::Binary(Operator::Power, r(0), r(1))),
        add(5, 2, 3),
        add(6, 5, 4),
        store(10, 6),
    ];
    let expected = "\
lanes
r0 = c10[i0]
r1 = c20[i0]
b0 = r0
b1 = r1
b2 = r0
b3 = r1
exp of b0, 2
b2 ^ b3, 1
lanes
r2 = b0
r3 = b1
r4 = b2
r5 = r2 + r3
r6 = r5 + r4
c10[i0] = r6
";
    assert_eq!(parts(body).as_deref(), Ok(expected));
}

#[test]
fn a_value_crosses_parts_in_a_buffer() {
    let body = vec![
        load(0, 10),
        add(1, 0, 0),
        call(2, 1),
        add(3, 2, 1),
        store(10, 3),
    ];
    let expected = "\
lanes
r0 = c10[i0]
r1 = r0 + r0
b1 = r1
b0 = r1
exp of b0, 1
lanes
r1 = b1
r2 = b0
r3 = r2 + r1
c10[i0] = r3
";
    assert_eq!(parts(body).as_deref(), Ok(expected));
}

#[test]
fn a_truth_value_crosses_parts_as_a_mask() {
    let body = vec![
        load(0, 10),
        add(1, 0, 0),
        greater(20, 0, 1),
        call(2, 1),
        attached(vec![
            set(3, Operation::Load(at(30, 1))),
            set(4, Operation::Select(r(20), r(3), r(2))),
            Statement::Store(at(30, 1), r(4)),
        ]),
        choose(20, vec![emit(7)], vec![]),
    ];
    let expected = "\
lanes
r0 = c10[i0]
r1 = r0 + r0
b1 = r1
b0 = r1
exp of b0, 1
lanes
r1 = b1
r0 = c10[i0]
r20 = r0 > r1
b2 = r20
each
r2 = b0
r20 = b2
for i1 in t0[i0] .. t0[i0 + 1]
  r3 = c30[i1]
  r4 = if r20 then r3 else r2
  c30[i1] = r4
emit [(Some(2), 7)]
";
    assert_eq!(parts(body).as_deref(), Ok(expected));
}

/// Where in a listing a line is.
fn position(listing: &str, line: &str) -> usize {
    let found = listing.lines().position(|other| other.trim() == line);
    found.unwrap_or_else(|| panic!("no `{line}` in\n{listing}"))
}

#[test]
fn loads_and_stores_of_a_column_keep_their_order() {
    // The loop reads the column between its two stores; a function is in the way of both.
    let body = vec![
        load(0, 10),
        call(1, 0),
        store(10, 1),
        attached(vec![
            set(2, Operation::Load(at(10, 0))),
            set(3, Operation::Load(at(30, 1))),
            add(4, 2, 3),
            Statement::Store(at(30, 1), r(4)),
        ]),
        call(5, 1),
        store(10, 5),
    ];
    let parts = parts(body).expect("nothing is in the way");
    let first = position(&parts, "c10[i0] = r1");
    let read = position(&parts, "r2 = c10[i0]");
    let second = position(&parts, "c10[i0] = r5");
    assert!(first < read && read < second, "{parts}");
}

#[test]
fn a_variable_is_not_loaded_again_after_it_was_stored() {
    // The loop needs the store early, and the sum the first value late.
    let body = vec![
        load(0, 10),
        call(1, 0),
        store(10, 1),
        constant(2, 0.0),
        attached(vec![set(3, Operation::Load(at(10, 0))), add(2, 2, 3)]),
        call(4, 2),
        add(5, 4, 0),
        store(20, 5),
    ];
    let parts = parts(body).expect("nothing is in the way");
    assert_eq!(parts.matches("r0 = c10[i0]").count(), 1, "{parts}");
    assert_eq!(parts.matches("r0 = b").count(), 1, "{parts}");
}

#[test]
fn a_variable_is_loaded_again_rather_than_kept() {
    let body = vec![load(0, 10), call(1, 0), add(2, 1, 0), store(20, 2)];
    let parts = parts(body).expect("nothing is in the way");
    assert_eq!(parts.matches("= c10[i0]").count(), 2, "{parts}");
}

#[test]
fn idle_code_is_left_out() {
    let body = vec![load(0, 10), call(1, 0), constant(2, 1.0), store(20, 2)];
    let parts = parts(body).expect("nothing is in the way");
    assert_eq!(parts, "lanes\nr2 = 1.0\nc20[i0] = r2\n");
}

#[test]
fn what_cannot_be_split_is_refused() {
    let in_loop = |statement| vec![load(0, 10), attached(vec![statement])];
    assert_eq!(parts(in_loop(emit(5))), Err(Obstacle::AttachedEvents));
    let of_attached = Statement::Emit {
        port: 5,
        level: Level(1),
    };
    assert_eq!(parts(in_loop(of_attached)), Err(Obstacle::AttachedEvents));
    let slot = Statement::Store(Place::Slot(3), r(0));
    assert_eq!(parts(in_loop(slot.clone())), Err(Obstacle::StoresSlot(3)));
    assert_eq!(parts(vec![load(0, 10), slot]), Err(Obstacle::StoresSlot(3)));
}

/// A program of ten instances whose sources `100..110` run handler 0 for the next instance.
fn program(body: Block, handlers: Vec<Block>) -> Program {
    let routes: Vec<_> = (0..10)
        .map(|instance| {
            let action = Action::Handle {
                handler: 0,
                instance: (instance + 1) % 10,
            };
            (100 + instance, Target { action, delay: 0.0 })
        })
        .collect();
    let routes = match handlers.is_empty() {
        true => Routes::default(),
        false => Routes::new(110, &routes),
    };
    Program {
        kernels: vec![kernel(body)],
        handlers: handlers.into_iter().map(kernel).collect(),
        schedule: vec![Scheduled::Call(Call {
            kernel: 0,
            first: 0,
            last: 10,
        })],
        // Twenty attached instances, two of each.
        links: (0..=10).map(|host| 2 * host).collect(),
        routes,
        memory: vec![0.0; 200],
        ..Program::default()
    }
}

/// A slot for each instance, which `link` names.
const LINKED: Place = Place::Linked {
    table: 20,
    level: OWN,
};

fn link(program: &mut Program, slots: std::ops::Range<u32>) {
    program.links.resize(20, 0);
    program.links.extend(slots);
}

fn is_independent(program: &Program) -> bool {
    independence(program, 0).is_ok()
}

#[test]
fn columns_of_their_own_make_instances_independent() {
    let body = vec![
        load(0, 0),
        attached(vec![
            set(1, Operation::Load(at(20, 1))),
            Statement::Store(at(40, 1), r(1)),
        ]),
        store(10, 0),
    ];
    let found = independence(&program(body, vec![]), 0).expect("independent");
    assert!(!found.interferes());
    let extents: Vec<(u32, Extent)> = found.stored.iter().map(|s| (s.base, s.extent)).collect();
    let attached = Extent::Attached { offsets: 0 };
    assert_eq!(extents, [(10, Extent::Own), (40, attached)]);
    let mut slots = Vec::new();
    for stored in &found.stored {
        stored.ranges(&(0..=20).step_by(2).collect::<Vec<u32>>(), 3..5, |range| {
            slots.push(range);
        });
    }
    assert_eq!(slots, [13..15, 46..50]);
}

#[test]
fn runs_give_each_host_its_own_slots() {
    let runs = Statement::ForRuns {
        offsets: 0,
        runs: 3,
        level: Level(1),
        arms: vec![
            vec![constant(0, 1.0), Statement::Store(at(20, 1), r(0))],
            vec![constant(0, 1.0), Statement::Store(at(40, 1), r(0))],
        ],
    };
    let mut program = program(vec![runs], vec![]);
    program.schedule[0] = Scheduled::Call(Call {
        kernel: 0,
        first: 0,
        last: 2,
    });
    program.links = vec![0, 2, 3, 1, 0, 2, 0, 0, 1, 1, 2, 3];
    let found = independence(&program, 0).expect("independent");
    let mut slots = Vec::new();
    for stored in &found.stored {
        stored.ranges(&program.links, 0..1, |range| slots.push(range));
        stored.ranges(&program.links, 1..2, |range| slots.push(range));
    }
    assert_eq!(slots, [20..21, 40..42, 42..43]);
}

#[test]
fn attached_instances_of_several_hosts_make_them_dependent() {
    let body = vec![attached(vec![
        constant(0, 1.0),
        Statement::Store(at(20, 1), r(0)),
    ])];
    let mut program = program(body, vec![]);
    assert!(is_independent(&program));
    // Host 4 has none, host 5 some of those of host 3.
    program.links[5] = 7;
    assert!(!is_independent(&program));
    let runs = Statement::ForRuns {
        offsets: 0,
        runs: 3,
        level: Level(1),
        arms: vec![vec![constant(0, 1.0), Statement::Store(at(20, 1), r(0))]],
    };
    program.kernels[0].body = vec![runs];
    program.schedule[0] = Scheduled::Call(Call {
        kernel: 0,
        first: 0,
        last: 2,
    });
    program.links = vec![0, 1, 2, 0, 0, 2, 0, 2, 3];
    assert!(is_independent(&program));
    program.links[7] = 1;
    assert!(!is_independent(&program));
}

/// Whether instances of a program are independent but for what they read of one another.
fn take_turns(program: &Program) -> bool {
    independence(program, 0).is_ok_and(|found| !found.ordered.is_empty())
}

#[test]
fn links_to_what_others_store_make_instances_take_turns() {
    let body = vec![set(0, Operation::Load(LINKED)), store(10, 0)];
    let mut program = program(body, vec![]);
    link(&mut program, 100..110);
    assert!(is_independent(&program) && !take_turns(&program));
    program.links[25] = 19;
    assert!(take_turns(&program));
    program.links[25] = 20;
    assert!(is_independent(&program) && !take_turns(&program));
}

#[test]
fn what_instances_read_of_one_another_is_one_loop_with_all_between() {
    let body = vec![
        load(0, 0),
        call(1, 0),
        set(2, Operation::Load(LINKED)),
        add(3, 1, 2),
        call(4, 3),
        add(5, 0, 0),
        store(10, 4),
        call(6, 4),
        store(30, 6),
        store(40, 5),
    ];
    let mut program = program(body, vec![]);
    link(&mut program, 10..20);
    let found = independence(&program, 0).expect("independent");
    let kernel = block_kernel(&program.kernels[0], &found.ordered).expect("has a block form");
    let expected = "\
lanes
r0 = c0[i0]
b0 = r0
exp of b0, 1
each
r1 = b0
r2 = c[t20[i0]]
r3 = r1 + r2
r4 = exp(r3)
c10[i0] = r4
b1 = r4
lanes
r4 = b1
b2 = r4
exp of b2, 1
lanes
r6 = b2
r0 = c0[i0]
r5 = r0 + r0
c40[i0] = r5
c30[i0] = r6
";
    assert_eq!(listing(&kernel), expected);
}

#[test]
fn what_handlers_store_and_others_read_keeps_the_order() {
    let body = vec![set(0, Operation::Load(LINKED)), store(10, 0), emit(100)];
    let handler = vec![load(0, 30), store(30, 0)];
    let mut program = program(body, vec![handler]);
    link(&mut program, 10..20);
    assert!(take_turns(&program));
    program.links[25] = 35;
    assert!(!is_independent(&program));
}

#[test]
fn slots_columns_and_draws_that_make_instances_dependent() {
    let independent = |body| is_independent(&program(body, vec![]));
    let slot = |slot| set(0, Operation::Load(Place::Slot(slot)));
    let turns = |body| take_turns(&program(body, vec![]));
    assert!(!turns(vec![slot(9), store(10, 0)]));
    assert!(turns(vec![slot(15), store(10, 0)]));
    let to_slot = Statement::Store(Place::Slot(150), r(0));
    assert!(!independent(vec![load(0, 0), to_slot]));
    // Columns that overlap.
    assert!(independent(vec![load(0, 0), store(10, 0)]));
    assert!(!independent(vec![load(0, 1), store(10, 0)]));
    let drawn = set(1, Operation::Random(r(0)));
    assert!(!independent(vec![load(0, 0), drawn]));
    // One column as that of the instance and of what is attached.
    let inner = vec![load(0, 10), Statement::Store(at(10, 1), r(0))];
    assert!(!independent(vec![attached(inner)]));
}

#[test]
fn events_of_attached_instances_keep_the_order() {
    let emit = Statement::Emit {
        port: 100,
        level: Level(1),
    };
    assert!(!is_independent(&program(
        vec![attached(vec![emit])],
        vec![]
    )));
}

#[test]
fn events_to_other_instances_interfere() {
    let handler = vec![load(0, 10), store(10, 0)];
    let body = vec![load(0, 10), store(20, 0), emit(100)];
    let found = independence(&program(body, vec![handler]), 0).expect("independent");
    assert!(found.interferes());
    assert_eq!(found.owners, [(0..10).collect::<Vec<u32>>()]);
}

#[test]
fn delayed_events_do_not_interfere() {
    let handler = vec![load(0, 10), store(10, 0)];
    let body = vec![emit(100), load(0, 10), store(20, 0)];
    let mut program = program(body, vec![handler]);
    assert!(!is_independent(&program));
    let mut routes: Vec<_> = program.routes.all().collect();
    routes.iter_mut().for_each(|(_, target)| target.delay = 1.0);
    program.routes = Routes::new(110, &routes);
    let found = independence(&program, 0).expect("independent");
    assert!(!found.interferes());
}

#[test]
fn what_handlers_touch_is_not_touched_after_an_event() {
    let writer = || vec![constant(0, 1.0), store(10, 0)];
    let reader = || vec![load(0, 10), store(30, 0)];
    let independent = |body, handler| is_independent(&program(body, vec![handler]));
    assert!(independent(vec![load(0, 10), emit(100)], writer()));
    assert!(!independent(vec![emit(100), load(0, 10)], writer()));
    assert!(independent(vec![emit(100), load(0, 10)], reader()));
    assert!(independent(
        vec![load(0, 0), store(10, 0), emit(100)],
        reader()
    ));
    assert!(!independent(
        vec![load(0, 0), emit(100), store(10, 0)],
        reader()
    ));
    let in_a_branch = vec![
        load(0, 0),
        greater(20, 0, 0),
        choose(20, vec![emit(100)], vec![]),
        store(10, 0),
    ];
    assert!(!independent(in_a_branch, reader()));
}

#[test]
fn what_handlers_read_through_links_is_not_stored_after_an_event() {
    let handler = || vec![set(0, Operation::Load(LINKED)), load(1, 20), store(20, 0)];
    let independent = |body| {
        let mut program = program(body, vec![handler()]);
        link(&mut program, 10..20);
        is_independent(&program)
    };
    let before = vec![load(0, 0), load(1, 20), store(10, 0), emit(100)];
    assert!(independent(before));
    let after = vec![load(0, 0), load(1, 20), emit(100), store(10, 0)];
    assert!(!independent(after));
}

#[test]
fn handlers_that_reach_into_other_instances_make_them_dependent() {
    let handler = vec![set(0, Operation::Load(LINKED)), store(10, 0)];
    let body = vec![load(0, 10), store(10, 0), emit(100)];
    let mut program = program(body, vec![handler]);
    link(&mut program, 10..20);
    assert!(is_independent(&program));
    program.links.swap(22, 23);
    assert!(!is_independent(&program));
}

#[test]
fn handlers_count_that_other_handlers_run() {
    let relay = vec![emit(110)];
    let writer = vec![constant(0, 1.0), store(10, 0)];
    let independent = |body| {
        let mut program = program(body, vec![relay.clone(), writer.clone()]);
        let mut routes: Vec<_> = program.routes.all().collect();
        routes.extend((0..10).map(|instance| {
            let action = Action::Handle {
                handler: 1,
                instance,
            };
            (110 + instance, Target { action, delay: 0.0 })
        }));
        program.routes = Routes::new(120, &routes);
        is_independent(&program)
    };
    assert!(independent(vec![load(0, 10), emit(100)]));
    assert!(!independent(vec![emit(100), load(0, 10)]));
}

#[test]
fn logic_of_conditions_is_kept() {
    let body = vec![
        load(0, 10),
        greater(20, 0, 0),
        set(21, Operation::Not(r(20))),
        set(22, Operation::Logic(Logic::Or, r(20), r(21))),
        choose(22, vec![emit(3)], vec![]),
    ];
    let parts = parts(body).expect("nothing is in the way");
    assert!(parts.contains("r22 = r20 or r21\nb0 = r22\n"), "{parts}");
    assert!(parts.ends_with("emit [(Some(0), 3)]\n"), "{parts}");
}

/// The parts of the only kernel of a program, as text, if it has a tail.
fn tailed(program: &Program) -> Result<String, Obstacle> {
    tailed_kernel(program, 0, &program.kernels[0]).map(|kernel| listing(&kernel))
}

#[test]
fn what_only_the_instance_sees_comes_before_what_draws_and_fires() {
    let body = vec![
        load(0, 0),
        constant(1, 1.0),
        call(2, 0),
        set(3, Operation::Random(r(1))),
        load(4, 30),
        add(5, 3, 4),
        store(30, 5),
        add(6, 2, 1),
        store(10, 6),
        call(7, 5),
        store(20, 7),
    ];
    let handler = vec![load(0, 30), store(30, 0)];
    let expected = "\
lanes
r0 = c0[i0]
b0 = r0
exp of b0, 1
lanes
r2 = b0
r1 = 1.0
r6 = r2 + r1
c10[i0] = r6
each
r1 = 1.0
r3 = random(r1)
r4 = c30[i0]
r5 = r3 + r4
c30[i0] = r5
r7 = exp(r5)
c20[i0] = r7
";
    let program = program(body, vec![handler]);
    assert_eq!(tailed(&program).as_deref(), Ok(expected));
}

#[test]
fn what_others_read_or_change_is_in_the_tail() {
    let fires = |emit: Block| {
        let mut body = vec![
            load(0, 0),
            call(1, 0),
            store(10, 1),
            load(2, 40),
            call(3, 2),
        ];
        body.extend([store(50, 3), set(4, Operation::Random(r(0)))]);
        body.extend(emit);
        body
    };
    let head = |program: &Program| {
        let parts = tailed(program).unwrap();
        parts.split("each").next().unwrap().to_owned()
    };
    let alone = program(fires(vec![emit(100)]), vec![]);
    assert!(head(&alone).contains("c10[i0] =") && head(&alone).contains("c50[i0] ="));
    // A handler stores what the function is of, or sees what is stored.
    let stored = program(
        fires(vec![emit(100)]),
        vec![vec![constant(0, 1.0), store(40, 0)]],
    );
    assert!(head(&stored).contains("c10[i0] =") && !head(&stored).contains("c50[i0] ="));
    let seen = program(fires(vec![emit(100)]), vec![vec![load(0, 10)]]);
    assert!(!head(&seen).contains("c10[i0] =") && head(&seen).contains("c50[i0] ="));
    // Another instance sees it.
    let mut read = program(fires(vec![set(5, Operation::Load(LINKED))]), vec![]);
    link(&mut read, 50..60);
    assert!(head(&read).contains("c10[i0] =") && !head(&read).contains("c50[i0] ="));
}

#[test]
fn a_head_without_functions_is_not_worth_it() {
    let body = vec![load(0, 0), store(10, 0), set(1, Operation::Random(r(0)))];
    let reason = tailed(&program(body, vec![]));
    assert_eq!(reason, Err(Obstacle::CheapHead));
}

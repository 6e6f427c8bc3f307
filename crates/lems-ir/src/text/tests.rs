//! Texts of programs: all that is written is read back, and nothing that is read brings it down.

#![allow(clippy::cast_possible_truncation, reason = "lists of tests are short")]

use proptest::prelude::*;

use super::{MOST_COUNTED, MOST_NESTED, Problem};
use crate::{
    Action, Block, Cable, CableNode, Call, Clock, Comparison, Edge, Function, Fusion, Kernel,
    Level, Logic, Membrane, Operation, Operator, Place, Program, Register, Routes, Scalar,
    Scheduled, Scheme, SchemeMethod, Setup, Solver, Statement, Target,
};

const DOUBLES: [f64; 12] = [
    0.0,
    -0.0,
    1.0,
    0.1,
    -2.5,
    5e-324,
    1e300,
    123_456_789.123,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    f64::MAX,
];

/// Makes any program, sound or not, of a stream of numbers.
struct Dice<'n>(std::slice::Iter<'n, u32>);

impl Dice<'_> {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0.next().map_or(0, |number| number % sides)
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.roll(items.len() as u32) as usize]
    }

    fn several<T>(&mut self, most: u32, one: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.roll(most + 1)).map(|_| one(self)).collect()
    }

    fn double(&mut self) -> f64 {
        match self.roll(4) {
            0 => f64::from(self.roll(2000)) / 1000.0 - 1.0,
            1 => {
                let high = u64::from(self.roll(u32::MAX)) << 32;
                f64::from_bits(high | u64::from(self.roll(u32::MAX)))
            }
            2 => {
                f64::from_bits(self.pick(&[0xfff8 << 48, 0x7ff0_0000_0000_0001, 0xfff8_dead << 32]))
            }
            _ => self.pick(&DOUBLES),
        }
    }

    fn number(&mut self) -> u32 {
        match self.roll(10) {
            0 => u32::MAX,
            _ => self.roll(50),
        }
    }

    fn register(&mut self) -> Register {
        match self.roll(200) {
            0 => Register(u32::MAX),
            _ => Register(self.roll(6)),
        }
    }

    fn level(&mut self) -> Level {
        Level(self.pick(&[0, 0, 1, 1, 2, 255]))
    }

    fn place(&mut self) -> Place {
        let (number, level) = (self.number(), self.level());
        match self.roll(3) {
            0 => Place::Slot(number),
            1 => Place::Column {
                base: number,
                level,
            },
            _ => Place::Linked {
                table: number,
                level,
            },
        }
    }

    fn operation(&mut self) -> Operation {
        let [a, b, c] = [(); 3].map(|()| self.register());
        match self.roll(13) {
            0 => Operation::Constant(self.double()),
            1 => Operation::Time,
            2 => Operation::Step,
            3 => Operation::Load(self.place()),
            4 => Operation::Copy(a),
            5 => {
                let operators = [
                    Operator::Add,
                    Operator::Subtract,
                    Operator::Multiply,
                    Operator::Divide,
                    Operator::Power,
                ];
                Operation::Binary(self.pick(&operators), a, b)
            }
            6 => {
                let fusions = [Fusion::Add, Fusion::Subtract, Fusion::SubtractFrom];
                Operation::Fused(self.pick(&fusions), a, b, c)
            }
            7 => {
                let comparisons = [
                    Comparison::Less,
                    Comparison::Greater,
                    Comparison::LessOrEqual,
                    Comparison::GreaterOrEqual,
                    Comparison::Equal,
                    Comparison::NotEqual,
                ];
                Operation::Compare(self.pick(&comparisons), a, b)
            }
            8 => Operation::Logic(self.pick(&[Logic::And, Logic::Or]), a, b),
            9 => Operation::Not(a),
            10 => Operation::Select(a, b, c),
            11 => Operation::Call(self.pick(&Function::ALL), a),
            _ => Operation::Random(a),
        }
    }

    fn block(&mut self, depth: u32) -> Block {
        let most = if depth == 0 { 12 } else { 3 };
        self.several(most, |dice| dice.statement(depth + 1))
    }

    fn statement(&mut self, depth: u32) -> Statement {
        match self.roll(if depth < 5 { 12 } else { 8 }) {
            0..=4 => Statement::Let(self.register(), self.operation()),
            5 => Statement::Store(self.place(), self.register()),
            6 => Statement::Emit {
                port: self.number(),
                level: self.level(),
            },
            7 => Statement::Propagate {
                scheme: self.number(),
                occupancies: self.several(3, Dice::register),
                rates: self.several(2, |dice| (dice.register(), dice.register())),
                results: self.several(3, Dice::register),
            },
            8 => Statement::If {
                condition: self.register(),
                then: self.block(depth),
                otherwise: self.block(depth),
            },
            9 => Statement::ForAttached {
                offsets: self.number(),
                level: self.level(),
                body: self.block(depth),
            },
            10 => Statement::ForRuns {
                offsets: self.number(),
                runs: self.number(),
                level: self.level(),
                arms: self.several(3, |dice| dice.block(depth)),
            },
            _ => Statement::Twice(self.block(depth)),
        }
    }

    fn kernel(&mut self) -> Kernel {
        let names = ["cell", "", "cell on spike", "a \"b\" \\ ; é\u{301}\n\0"];
        let body = self.block(0);
        let registers = match super::registers::inferred(&body) {
            Ok(registers) if self.roll(3) > 0 => registers,
            _ => self.several(8, |dice| dice.pick(&[Scalar::Real, Scalar::Truth])),
        };
        Kernel {
            name: self.pick(&names).to_owned(),
            registers,
            body,
        }
    }

    fn scheduled(&mut self) -> Scheduled {
        let call = self.call();
        match call.kernel % 4 {
            0 => Scheduled::Call(call),
            1 => Scheduled::Midway(call),
            2 => Scheduled::Solve(Solver::Trapezoidal, call.first..call.last),
            _ => Scheduled::Solve(Solver::Implicit, call.first..call.last),
        }
    }

    fn call(&mut self) -> Call {
        Call {
            kernel: self.number(),
            first: self.number(),
            last: self.number(),
        }
    }

    fn setup(&mut self, depth: u32) -> Setup {
        match self.roll(3) {
            0 if depth < 4 => Setup::Twice(self.several(3, |dice| dice.setup(depth + 1))),
            _ => Setup::Call(self.call()),
        }
    }

    fn routes(&mut self) -> Routes {
        let sources = self.roll(5);
        if sources == 0 {
            return Routes::default();
        }
        let routes = self.several(10, |dice| {
            let action = match dice.roll(2) {
                0 => Action::Handle {
                    handler: dice.number(),
                    instance: dice.number(),
                },
                _ => Action::Record {
                    selection: dice.number(),
                },
            };
            let delay = if dice.roll(2) == 0 {
                0.0
            } else {
                dice.double()
            };
            (dice.roll(sources), Target { action, delay })
        });
        Routes::new(sources, &routes)
    }

    fn cable_node(&mut self) -> CableNode {
        CableNode {
            parent: (self.roll(3) > 0).then(|| self.number()),
            conductance: self.double(),
            potential: self.number(),
            has_capacitance: self.roll(3) > 0,
            membrane: (self.roll(3) > 0).then(|| Membrane {
                rate: self.number(),
                slope: self.number(),
                capacitance: self.number(),
            }),
        }
    }

    fn program(&mut self) -> Program {
        let repeated = |dice: &mut Self, one: f64| vec![one; dice.pick(&[1, 1, 2, 3, 4, 9])];
        Program {
            kernels: self.several(2, Dice::kernel),
            setups: self.several(2, Dice::kernel),
            handlers: self.several(2, Dice::kernel),
            schedule: self.several(3, Dice::scheduled),
            setup: self.several(3, |dice| dice.setup(0)),
            links: self.several(30, |dice| dice.pick(&[0, 0, 0, 1, u32::MAX])),
            schemes: self.several(2, |dice| {
                let edges = dice.several(3, |dice| Edge {
                    source: dice.roll(4) as usize,
                    target: dice.roll(4) as usize,
                });
                let mut scheme = Scheme::new(edges);
                scheme.size += dice.roll(2) as usize;
                scheme.method = dice.pick(&[SchemeMethod::Squaring, SchemeMethod::Uniformisation]);
                scheme
            }),
            routes: self.routes(),
            cables: self.several(3, |dice| Cable::new(dice.several(5, Dice::cable_node))),
            // The text of a program has no clock.
            clock: Clock::default(),
            memory: {
                let runs = self.several(20, |dice| {
                    let one = dice.double();
                    repeated(dice, one)
                });
                runs.concat()
            },
        }
    }
}

fn grow(numbers: &[u32]) -> Program {
    Dice(numbers.iter()).program()
}

/// Whether all is the same, to the bits of doubles.
fn assert_same(read: &Program, written: &Program) {
    // `Debug` shows all but the bits of NaNs, and the text shows those.
    assert_eq!(format!("{read:?}"), format!("{written:?}"));
    assert_eq!(read.to_string(), written.to_string());
    let bits = |program: &Program| -> Vec<u64> {
        program
            .memory
            .iter()
            .map(|number| number.to_bits())
            .collect()
    };
    assert_eq!(bits(read), bits(written));
}

proptest! {
    #[test]
    fn any_program_is_read_back(numbers in prop::collection::vec(any::<u32>(), 0..3000)) {
        let program = grow(&numbers);
        let text = program.to_string();
        match text.parse() {
            Ok(read) => assert_same(&read, &program),
            Err(error) => prop_assert!(false, "{error}\n{text}"),
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        let _ = text.parse::<Program>();
        let _ = text.parse::<Kernel>();
    }

    #[test]
    fn any_words_are_read_or_refused(words in prop::collection::vec(
        prop::sample::select(vec![
            "\n", "\n  ", "\n    ", "\n\t", " ", "memory", "links", "kernel 0 \"k\"", "setup", "schedule",
            "routes of 9 sources", "scheme", "registers", "m0", "c0", "c", "t0", "r0", "r", "i0", ":",
            "=", "+", "-", "*", "/", "..", "->", "<->", "[", "]", "(", ")", ",", ";", "\"", "\\",
            "0", "1", "3", "99999999999", "1e999", "1.5", "inf", "NaN", "0x7ff", "if", "then", "else",
            "for", "in", "where", "is", "none", "twice", "emit", "propagate", "from", "with", "fused",
            "exp", "random", "not", "and", "é", "real", "truth", "of", "states", "by", "uniformisation",
        ]),
        0..60,
    )) {
        let text = words.join(" ");
        let _ = text.parse::<Program>();
        let _ = text.parse::<Kernel>();
    }

    #[test]
    fn texts_with_mistakes_are_read_or_refused(
        numbers in prop::collection::vec(any::<u32>(), 0..1000),
        mistakes in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..4),
    ) {
        let mut text: Vec<char> = grow(&numbers).to_string().chars().collect();
        for (place, character) in mistakes {
            if text.is_empty() {
                break;
            }
            let place = place.index(text.len());
            match character as u32 % 3 {
                0 => text[place] = character,
                1 => text.insert(place, text[place / 2]),
                _ => drop(text.remove(place)),
            }
        }
        let text: String = text.into_iter().collect();
        if let Ok(program) = text.parse::<Program>() {
            let again = program.to_string().parse::<Program>();
            assert_same(&again.unwrap(), &program);
        }
    }
}

/// The listing of a kernel, as `show kernel` prints it, is a text, too.
#[test]
fn a_listing_is_read_back() {
    let listing = "cell on spike; twice
  r0 = 0.001
  r1 = m7
  r2 = r0 > r1
  if r2
    emit 5 + i0
  else
    r0 = exp(r1)
  for r in t30[i0] .. t30[i0 + 1]
    for i1 in t40[3 r + 1] .. t40[3 r + 2] where t40[3 r] is 0
    for i1 in t40[3 r + 1] .. t40[3 r + 2] where t40[3 r] is 1
      r1 = c[t9[i1]]
  r0, r1 = propagate scheme 2 from r0, r1 with r1 / r0
";
    let kernel: Kernel = listing.parse().unwrap();
    assert_eq!(kernel.name, "cell on spike; twice");
    assert_eq!(
        kernel.registers,
        [Scalar::Real, Scalar::Real, Scalar::Truth]
    );
    assert_eq!(kernel.to_string(), listing);
    assert_eq!("cell".parse::<Kernel>().unwrap().body, []);
}

#[test]
fn registers_have_the_type_of_their_first_value() {
    let types = |body: &str| format!("k\n{body}").parse::<Kernel>().map(|k| k.registers);
    let (real, truth) = (Scalar::Real, Scalar::Truth);
    let copy = " r0 = 1.0\n r1 = r0 < r0\n r2 = r1\n r3 = r0";
    assert_eq!(types(copy), Ok(vec![real, truth, truth, real]));
    assert_eq!(types(" m0 = r1\n r0 = not r2"), Ok(vec![truth, real, real]));
    let problem = |body| types(body).unwrap_err().problem;
    assert_eq!(problem(" r2 = 1.0\n r0 = 1.0"), Problem::Unmentioned(1));
    assert_eq!(problem(" r0 = 1.0\n r0 = not r0"), Problem::BothTypes(0));
    let declared = " registers 1 real, 2 truth\n r0 = 1.0";
    assert_eq!(types(declared), Ok(vec![real, truth, truth]));
}

#[test]
fn errors_say_what_is_wrong_and_where() {
    let cases = [
        (
            "memmory",
            "line 1, column 1: expected `memory`, `links`, `scheme`, `cable`, `kernel`, `handler`, `setup`, `routes` or `schedule`, found `memmory`",
        ),
        (
            "memory 1.0",
            "line 1, column 8: expected the end of the line, found `1.0`",
        ),
        (
            "memory\n  m0: 1.0\n  m2: 2.0",
            "line 3, column 3: the number is 2, but 1 comes next",
        ),
        (
            "memory\n  1.0",
            "line 2, column 3: expected `m0` or `c0`, found `1.0`",
        ),
        (
            "memory\n  m0: 1e400",
            "line 2, column 7: the number 1e400 is larger than any double",
        ),
        (
            "memory\n  m0: NaN(0x7ff0000000000000)",
            "line 2, column 11: `0x7ff0000000000000` are not the bits of a NaN",
        ),
        (
            "memory\n  m0: 4294967295 * 0.0",
            "line 2, column 7: the text repeats or counts more than 16777216 things",
        ),
        (
            "links\n  t0: 4294967296",
            "line 2, column 7: the number 4294967296 does not fit 32 bits",
        ),
        (
            "links\n  t0: 1.5",
            "line 2, column 7: expected a whole number, found `1.5`",
        ),
        (
            "links\nlinks",
            "line 2, column 1: the text has a second section `links`",
        ),
        (
            "kernel 1 \"k\"",
            "line 1, column 8: the number is 1, but 0 comes next",
        ),
        (
            "kernel 0 k",
            "line 1, column 10: expected a name in quotation marks, found `k`",
        ),
        (
            "kernel 0 \"k",
            "line 1, column 10: the name has no closing quotation mark",
        ),
        (
            "kernel 0 \"\\k\"",
            "line 1, column 10: the name has an unknown escape",
        ),
        (
            "kernel 0 \"é\" é",
            "line 1, column 14: expected the end of the line, found `é`",
        ),
        (
            "kernel 0 \"k\"\n  r0 = 1.0\n    r1 = r0",
            "line 3, column 5: the line is indented further than its block",
        ),
        (
            "kernel 0 \"k\"\n\t r0 = 1.0",
            "line 2, column 1: the indentation has a tab; use spaces",
        ),
        (
            "kernel 0 \"k\"\n  r0 =",
            "line 2, column 7: expected an operation, found the end of the line",
        ),
        (
            "kernel 0 \"k\"\n  r0 = arctan(r0)",
            "line 2, column 8: expected an operation, found `arctan`",
        ),
        (
            "kernel 0 \"k\"\n  r0 = r1 % r2",
            "line 2, column 11: expected an operator or the end of the line, found `%`",
        ),
        (
            "kernel 0 \"k\"\n  r0, r1 = 1.0",
            "line 2, column 3: expected one register, or `propagate` after the `=`, found `r0`",
        ),
        (
            "kernel 0 \"k\"\n  else",
            "line 2, column 3: expected a statement, found `else`",
        ),
        (
            "kernel 0 \"k\"\n  for i1 in t0[i1] .. t0[i1 + 1]",
            "line 2, column 16: expected `i0`, found `i1`",
        ),
        (
            "kernel 0 \"k\"\n  for i1 in t0[i0] .. t1[i0 + 1]",
            "line 2, column 23: expected `t0`, found `t1`",
        ),
        (
            "kernel 0 \"k\"\n  for r in t0[i0] .. t0[i0 + 1]",
            "line 2, column 32: expected a line `for …` with a body below, found the end of the line",
        ),
        (
            "kernel 0 \"k\"\n  emit 0 + i256",
            "line 2, column 12: expected a level such as `i0`, up to `i255`, found `i256`",
        ),
        (
            "kernel 0 \"k\"\n  r1 = 1.0",
            "line 1, column 1: register r0 is never used; the kernel needs a line `registers`",
        ),
        (
            "routes of 2 sources\n  2 -> record 0",
            "line 2, column 3: source 2 is not among the 2",
        ),
        (
            "routes of 2 sources\n  1 -> 7",
            "line 2, column 8: expected `handler` or `record`, found `7`",
        ),
        (
            "schedule\n  setup 0 for 0 .. 1",
            "line 2, column 3: expected `kernel`, found `setup`",
        ),
        (
            "scheme 0 of 2 states: 0 -> 1",
            "line 1, column 25: expected `<->`, found `->`",
        ),
    ];
    for (text, message) in cases {
        let error = text.parse::<Program>().unwrap_err();
        assert_eq!(error.to_string(), message, "{text}");
    }
}

#[test]
fn blocks_are_nested_to_a_limit() {
    let nested = |blocks: usize| -> String {
        let inside = (1..blocks).map(|depth| format!("{}if r0\n", " ".repeat(depth)));
        let inside: String = inside.collect();
        format!("kernel 0 \"k\"\n{inside}{}r0 = not r0", " ".repeat(blocks))
    };
    let program: Program = nested(MOST_NESTED).parse().unwrap();
    assert_same(&program.to_string().parse().unwrap(), &program);
    let error = nested(100_000 / 25).parse::<Program>().unwrap_err();
    assert_eq!(error.problem, Problem::Nesting);
    let twice = (1..2_000).map(|depth| format!("{}twice\n", " ".repeat(depth)));
    let text = format!("setup schedule\n{}", twice.collect::<String>());
    let error = text.parse::<Program>().unwrap_err();
    assert_eq!(error.problem, Problem::Nesting);
}

#[test]
fn short_texts_make_no_large_programs() {
    let most = MOST_COUNTED;
    for text in [
        format!("memory\n m0: 1 * 1.0 {most} * 0.0"),
        format!("links\n t0: 1 * 1 {most} * 0"),
        format!("routes of {} sources", most + 1),
        format!("kernel 0 \"k\"\n registers {most} real\nkernel 1 \"k\"\n registers 1 real"),
    ] {
        let error = text.parse::<Program>().unwrap_err();
        assert_eq!(error.problem, Problem::TooMuch, "{text}");
    }
}

#[test]
fn long_lines_take_a_time_in_proportion() {
    let numbers = "1.5 ".repeat(200_000);
    let program: Program = format!("memory\n m0: {numbers}").parse().unwrap();
    assert_eq!(program.memory.len(), 200_000);
    let registers = vec!["r0"; 100_000].join(", ");
    let text = format!("k\n {registers} = propagate scheme 0 from {registers} with none");
    let kernel: Kernel = text.parse().unwrap();
    assert_eq!(kernel.registers, [Scalar::Real]);
}

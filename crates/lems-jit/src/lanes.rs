//! Straight-line code for two instances side by side.
//!
//! A register holds the values of both in one vector, a truth value is a mask of ones or zeros.
//! Values of other levels are the same for both.

use std::collections::{HashMap, HashSet};

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64, F64X2, I64, I64X2};
use cranelift_codegen::ir::{ConstantData, Endianness, InstBuilder, MemFlagsData, Value};
use lems_ir::{
    Block, Function, Level, Logic, Operation, Operator, Place, Program, Register, Scalar,
    Statement, statements,
};
use lems_optimise::{Reads, carried, flat_loop_body};

use crate::exponential;
use crate::helpers::Helper;
use crate::translate::{MEMORY, Translator, condition_code};

/// Instances side by side.
pub(crate) const LANES: u32 = 2;

/// Vectors need not begin at a multiple of their size.
pub(crate) const VECTOR: MemFlagsData = MemFlagsData::new().with_notrap();

/// The values of two instances of a level.
pub(crate) struct Lanes {
    pub(crate) level: Level,
    pub(crate) values: HashMap<Register, Value>,
}

impl Lanes {
    pub(crate) fn new(level: Level) -> Lanes {
        Lanes {
            level,
            values: HashMap::new(),
        }
    }
}

/// The body of a loop over attached instances, as code for two of them.
pub(crate) struct LaneLoop {
    /// What is the same for all of them, in order.
    uniform: Block,
    /// What is done side by side, in order.
    parallel: Block,
    /// What hands values from one instance to the next, in order.
    serial: Block,
}

impl LaneLoop {
    /// The body for two instances, if its instances do not depend on one another but for what
    /// they add to; new registers are added to `registers`.
    pub(crate) fn of(
        program: &Program,
        body: &Block,
        level: Level,
        populations: &[u32],
        reads: &Reads,
        registers: &mut Vec<Scalar>,
    ) -> Option<LaneLoop> {
        if body.iter().any(hides_call) {
            return None;
        }
        let flat = flat_loop_body(body, reads, registers)?;
        let stored: Vec<u32> = (flat.iter())
            .filter_map(|statement| match statement {
                Statement::Store(place, _) => Some(*place),
                _ => None,
            })
            .map(|place| match place {
                Place::Column { base, level: of } if of == level => Some(base),
                _ => None,
            })
            .collect::<Option<_>>()?;
        let mut assigned = HashSet::new();
        let mut serial = HashSet::new();
        for statement in &flat {
            let open = statement.operands();
            serial.extend(
                open.into_iter()
                    .filter(|register| !assigned.contains(register)),
            );
            assigned.extend(statement.assigned());
        }
        // Of those that are read before they are assigned, the others come from outside.
        serial.retain(|register| assigned.contains(register));
        // Also what is handed on unread: a loop that runs for nobody hands on nothing.
        serial.extend(carried(body));
        let mut uniform = HashSet::new();
        let mut lanes = LaneLoop {
            uniform: Block::new(),
            parallel: Block::new(),
            serial: Block::new(),
        };
        for statement in flat {
            let follows = statement
                .operands()
                .iter()
                .any(|register| serial.contains(register));
            match &statement {
                Statement::Let(register, _) if follows || serial.contains(register) => {
                    serial.insert(*register);
                    lanes.serial.push(statement);
                }
                Statement::Let(_, Operation::Load(place))
                    if may_be_stored(program, *place, level, populations, &stored) =>
                {
                    return None;
                }
                Statement::Let(register, operation)
                    if is_uniform(operation, level, &|operand| {
                        uniform.contains(&operand) || !assigned.contains(&operand)
                    }) =>
                {
                    uniform.insert(*register);
                    lanes.uniform.push(statement);
                }
                _ if follows => return None,
                _ => lanes.parallel.push(statement),
            }
        }
        Some(lanes)
    }
}

/// Whether an operation gives the same for all instances of a level.
fn is_uniform(operation: &Operation, level: Level, known: &dyn Fn(Register) -> bool) -> bool {
    let place = match operation {
        Operation::Load(Place::Column { level: of, .. } | Place::Linked { level: of, .. }) => {
            *of != level
        }
        Operation::Constant(_) => false,
        _ => true,
    };
    place && operation.operands().all(known)
}

/// Whether a call is only made under a condition, so that making it always would cost.
fn hides_call(statement: &Statement) -> bool {
    statements(statement.nested()).any(|statement| {
        matches!(
            statement,
            Statement::Let(
                _,
                Operation::Call(..) | Operation::Binary(Operator::Power, ..)
            )
        )
    })
}

/// Whether a loop that stores the columns may thereby change what it loads from elsewhere; what
/// instances that are not neighbours store is the same for two side by side as for one after the
/// other.
fn may_be_stored(
    program: &Program,
    place: Place,
    level: Level,
    populations: &[u32],
    stored: &[u32],
) -> bool {
    let population = |level: Level| populations.get(usize::from(level.0)).copied().unwrap_or(0);
    let inside = |slot: u32| {
        (stored.iter()).any(|base| (*base..base.saturating_add(population(level))).contains(&slot))
    };
    match place {
        Place::Column { base, level: of } => stored.iter().any(|other| {
            let same = of == level && *other == base;
            let before = base.saturating_add(population(of)) <= *other;
            let after = other.saturating_add(population(level)) <= base;
            !(same || before || after)
        }),
        Place::Slot(slot) => inside(slot),
        Place::Linked { table, level: of } => {
            let table = table as usize;
            let entries = program.links.get(table..table + population(of) as usize);
            let mut entries = (0..).zip(entries.unwrap_or_default());
            entries.any(|(instance, slot)| match of == level {
                true => {
                    (stored.iter()).any(|base| slot.abs_diff(base + instance) == 1) && inside(*slot)
                }
                false => inside(*slot),
            })
        }
    }
}

impl Translator<'_, '_> {
    /// Runs straight-line code for the two instances that the innermost loop is at.
    pub(crate) fn lanes(&mut self, lanes: &mut Lanes, body: &Block) {
        for statement in body {
            match statement {
                Statement::Let(register, operation) => {
                    let value = self.lane_operation(lanes, operation);
                    lanes.values.insert(*register, value);
                }
                Statement::Store(place, register) => {
                    let value = self.both(lanes, *register);
                    let (address, displacement) = self.address(*place);
                    self.builder
                        .ins()
                        .store(VECTOR, value, address, displacement);
                }
                // Straight-line code has no others.
                _ => {}
            }
        }
    }

    /// Runs what a loop would do alike for all instances.
    pub(crate) fn before_lane_loop(&mut self, body: &LaneLoop) {
        self.block(&body.uniform);
    }

    /// Runs the body of a loop for the two instances that it is at.
    pub(crate) fn lane_loop(&mut self, level: Level, body: &LaneLoop) {
        let mut lanes = Lanes::new(level);
        self.lanes(&mut lanes, &body.parallel);
        for lane in (0_u8..).take(LANES as usize) {
            let mut own = HashSet::new();
            for statement in &body.serial {
                let Statement::Let(register, operation) = statement else {
                    continue;
                };
                for operand in operation.operands() {
                    if let Some(&pair) = lanes.values.get(&operand)
                        && !own.contains(&operand)
                    {
                        let value = self.lane(pair, self.scalars[operand.0 as usize], lane);
                        self.set(operand, value);
                    }
                }
                let value = self.operation(operation);
                self.set(*register, value);
                own.insert(*register);
            }
        }
    }

    /// One value of a pair.
    fn lane(&mut self, pair: Value, scalar: Scalar, lane: u8) -> Value {
        let value = self.builder.ins().extractlane(pair, lane);
        match scalar {
            Scalar::Real => value,
            Scalar::Truth => self.builder.ins().icmp_imm_s(IntCC::NotEqual, value, 0),
        }
    }

    /// The values of a register for both instances.
    pub(crate) fn both(&mut self, lanes: &Lanes, register: Register) -> Value {
        if let Some(pair) = lanes.values.get(&register) {
            return *pair;
        }
        let value = self.get(register);
        match self.scalars[register.0 as usize] {
            Scalar::Real => self.builder.ins().splat(F64X2, value),
            Scalar::Truth => {
                let mask = self.builder.ins().bmask(I64, value);
                self.builder.ins().splat(I64X2, mask)
            }
        }
    }

    /// The two values at an address.
    pub(crate) fn load_pair(&mut self, scalar: Scalar, address: Value, displacement: i32) -> Value {
        let vector = match scalar {
            Scalar::Real => F64X2,
            Scalar::Truth => I64X2,
        };
        self.builder
            .ins()
            .load(vector, VECTOR, address, displacement)
    }

    /// Puts two values at an address.
    pub(crate) fn store_pair(&mut self, pair: Value, address: Value, displacement: i32) {
        self.builder
            .ins()
            .store(VECTOR, pair, address, displacement);
    }

    pub(crate) fn constant_pair(&mut self, value: f64) -> Value {
        let bytes = value.to_bits().to_le_bytes();
        let pair = ConstantData::from([bytes, bytes].concat());
        let constant = self.builder.func.dfg.constants.insert(pair);
        self.builder.ins().vconst(F64X2, constant)
    }

    fn lane_operation(&mut self, lanes: &Lanes, operation: &Operation) -> Value {
        match *operation {
            Operation::Constant(value) => self.constant_pair(value),
            Operation::Time => self.builder.ins().splat(F64X2, self.time),
            Operation::Step => self.builder.ins().splat(F64X2, self.step),
            Operation::Load(place) => self.load_lanes(lanes.level, place),
            Operation::Copy(register) => self.both(lanes, register),
            Operation::Binary(operator, left, right) => {
                let registers = [left, right];
                let (left, right) = (self.both(lanes, left), self.both(lanes, right));
                match operator {
                    Operator::Add => self.builder.ins().fadd(left, right),
                    Operator::Subtract => self.builder.ins().fsub(left, right),
                    Operator::Multiply => self.builder.ins().fmul(left, right),
                    Operator::Divide => self.divide(registers, [left, right]),
                    Operator::Power => self.one_by_one(&[left, right], |translator, values| {
                        translator.call_value(Helper::Power, values)
                    }),
                }
            }
            Operation::Fused(fusion, a, b, c) => {
                let values = [a, b, c].map(|register| self.both(lanes, register));
                self.fused(fusion, values)
            }
            Operation::Compare(comparison, left, right) => {
                let (left, right) = (self.both(lanes, left), self.both(lanes, right));
                self.builder
                    .ins()
                    .fcmp(condition_code(comparison), left, right)
            }
            Operation::Logic(logic, left, right) => {
                let (left, right) = (self.both(lanes, left), self.both(lanes, right));
                match logic {
                    Logic::And => self.builder.ins().band(left, right),
                    Logic::Or => self.builder.ins().bor(left, right),
                }
            }
            Operation::Not(register) => {
                let value = self.both(lanes, register);
                self.builder.ins().bnot(value)
            }
            Operation::Select(condition, yes, no) => {
                let condition = self.both(lanes, condition);
                let (yes, no) = (self.both(lanes, yes), self.both(lanes, no));
                let little = MemFlagsData::new().with_endianness(Endianness::Little);
                let mask = self.builder.ins().bitcast(F64X2, little, condition);
                self.builder.ins().bitselect(mask, yes, no)
            }
            Operation::Call(function, argument) => {
                let argument = self.both(lanes, argument);
                match function {
                    Function::Sqrt => self.builder.ins().sqrt(argument),
                    Function::Abs => self.builder.ins().fabs(argument),
                    Function::Exp => exponential::exp(&mut self.builder, argument),
                    Function::Ceil => self.one_by_one(&[argument], |translator, values| {
                        translator.builder.ins().ceil(values[0])
                    }),
                    function => self.one_by_one(&[argument], |translator, values| {
                        translator.call_value(Helper::Elementary(function), values)
                    }),
                }
            }
            // Its draws have an order; no code in lanes has one.
            Operation::Random(scale) => self.both(lanes, scale),
        }
    }

    /// A pair made from each lane of the arguments.
    fn one_by_one(
        &mut self,
        arguments: &[Value],
        mut code: impl FnMut(&mut Self, &[Value]) -> Value,
    ) -> Value {
        let [first, second] = [0, 1].map(|lane| {
            let values: Vec<Value> = arguments
                .iter()
                .map(|pair| self.lane(*pair, Scalar::Real, lane))
                .collect();
            code(self, &values)
        });
        let pair = self.builder.ins().splat(F64X2, first);
        self.builder.ins().insertlane(pair, second, 1)
    }

    fn load_lanes(&mut self, level: Level, place: Place) -> Value {
        match place {
            Place::Column { level: of, .. } if of == level => {
                let (address, displacement) = self.address(place);
                self.load_pair(Scalar::Real, address, displacement)
            }
            Place::Linked { table, level: of } if of == level => {
                let [first, second] = [0, 1].map(|lane| {
                    let (address, displacement) = self.linked(table + lane, of);
                    self.builder.ins().load(F64, MEMORY, address, displacement)
                });
                let pair = self.builder.ins().splat(F64X2, first);
                self.builder.ins().insertlane(pair, second, 1)
            }
            _ => {
                let (address, displacement) = self.address(place);
                let value = self.builder.ins().load(F64, MEMORY, address, displacement);
                self.builder.ins().splat(F64X2, value)
            }
        }
    }
}

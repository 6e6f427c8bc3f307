//! Straight-line code for two instances side by side.
//!
//! A register holds the values of both instances in one vector. A truth value is a mask of all ones or
//! all zeros. Values of other levels are the same for both instances.

use std::collections::{HashMap, HashSet};

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64, F64X2, I64, I64X2};
use cranelift_codegen::ir::{ConstantData, Endianness, InstBuilder, MemFlagsData, Value};
use lems_ir::{
    Block, Function, Level, Logic, Operation, Operator, Place, Register, Scalar, Statement,
};

use crate::codegen::abi::{Helper, LANES};
use crate::codegen::exponential;
use crate::codegen::lane_loop::LaneLoop;
use crate::codegen::translator::{MEMORY, Translator, VECTOR, condition_code};

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
                // Straight-line code has no other statements.
                _ => {}
            }
        }
    }

    /// Runs those statements of a loop whose results are the same for all instances.
    pub(crate) fn before_lane_loop(&mut self, body: &LaneLoop) {
        self.block(&body.uniform);
    }

    /// Runs the body of a loop for the two instances that it is at.
    pub(crate) fn lane_loop(&mut self, level: Level, body: &LaneLoop) {
        // First what is independent, for both instances side by side.
        let mut lanes = Lanes::new(level);
        self.lanes(&mut lanes, &body.parallel);
        // Then what hands values from one instance to the next, lane by lane.
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

    /// A constant in both lanes.
    pub(crate) fn constant_pair(&mut self, value: f64) -> Value {
        let bytes = value.to_bits().to_le_bytes();
        let pair = ConstantData::from([bytes, bytes].concat());
        let constant = self.builder.func.dfg.constants.insert(pair);
        self.builder.ins().vconst(F64X2, constant)
    }

    /// The value of an operation for both instances.
    fn lane_operation(&mut self, lanes: &Lanes, operation: &Operation) -> Value {
        match *operation {
            Operation::Constant(value) => self.constant_pair(value),
            Operation::Time => self.builder.ins().splat(F64X2, self.time),
            Operation::Step => self.builder.ins().splat(F64X2, self.step),
            Operation::Load(place) => self.load_lanes(lanes.level, place),
            Operation::Copy(register) => self.both(lanes, register),
            // Only powers are computed lane by lane.
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
            // Truth values are masks, which also select.
            Operation::Select(condition, yes, no) => {
                let condition = self.both(lanes, condition);
                let (yes, no) = (self.both(lanes, yes), self.both(lanes, no));
                let little = MemFlagsData::new().with_endianness(Endianness::Little);
                let mask = self.builder.ins().bitcast(F64X2, little, condition);
                self.builder.ins().bitselect(mask, yes, no)
            }
            // Functions with vector code, and the others lane by lane.
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
            // Validation accepts no draws here: draws have an order, and lanes have none.
            Operation::Random(scale) => self.both(lanes, scale),
        }
    }

    /// A pair whose lanes are computed one after the other from the lanes of the arguments.
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

    /// The values at a place for both instances.
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

//! Loops over the attached instances of two hosts at once.
//!
//! The terms of a sum are added one after the other, and each addition waits for the one before. The sums of
//! two hosts do not wait for one another, so a processor works at both.

use std::mem::swap;

use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::ir::types::I64;
use cranelift_frontend::Variable;
use lems_ir::{Scalar, Statement};

use crate::codegen::abi::LANES;
use crate::codegen::attached::Attached;
use crate::codegen::lane_loop::LaneLoop;
use crate::codegen::translator::{Instance, Translator};
use crate::plan::tables;

/// Attached instances that hosts must have on average. A processor works at several short lists at once by itself, and so
/// gains nothing. Tests want this code for all lists.
const LONG: u32 = if cfg!(any(test, fuzzing)) { 1 } else { 16 };

/// Code for two hosts: straight lines, and loops that have a form for two attached instances side by side.
pub(crate) struct TwoHosts<'b> {
    steps: Vec<Step<'b>>,
    /// The types of all registers, with those that the forms of the loops need.
    scalars: Vec<Scalar>,
}

enum Step<'b> {
    One(&'b Statement),
    Loop {
        /// Table of the ranges of attached instances.
        offsets: u32,
        attached: Attached<'b>,
        pairs: LaneLoop,
    },
}

/// The host that the translator is not at.
pub(crate) struct OtherHost {
    variables: Vec<Variable>,
    instance: Instance,
}

impl Translator<'_, '_> {
    /// The form of a body for two instances of the outermost level, whose number is `population`. None if the body has
    /// anything but straight lines and loops with such a form, or no loop over long lists that adds up something.
    pub(crate) fn two_hosts<'b>(
        &self,
        body: &'b [Statement],
        population: u32,
    ) -> Option<TwoHosts<'b>> {
        let mut scalars = self.scalars.clone();
        let mut steps = Vec::new();
        for statement in body {
            steps.push(match statement {
                Statement::Let(..) | Statement::Store(..) => Step::One(statement),
                Statement::ForAttached {
                    offsets,
                    level,
                    body,
                } => {
                    let length = tables::attached(self.program, *offsets, population).ok()?;
                    let attached = Attached::new(body, *level, length);
                    let pairs = self.pairs(&attached, &[population], &mut scalars)?;
                    Step::Loop {
                        offsets: *offsets,
                        attached,
                        pairs,
                    }
                }
                _ => return None,
            });
        }
        let gains = |step: &Step<'_>| match step {
            Step::One(_) => false,
            Step::Loop {
                attached, pairs, ..
            } => attached.population / population.max(1) >= LONG && !pairs.serial.is_empty(),
        };
        let found = steps.iter().any(gains);
        found.then_some(TwoHosts { steps, scalars })
    }

    /// Runs code for the host that the translator is at and for another one, with registers of its own. `before` and
    /// `after` give these registers their values, and use them, for each of the two.
    pub(crate) fn for_two_hosts(
        &mut self,
        code: TwoHosts<'_>,
        other: Instance,
        mut before: impl FnMut(&mut Self),
        mut after: impl FnMut(&mut Self),
    ) {
        let new = code.scalars.get(self.scalars.len()..).unwrap_or_default();
        self.declare(new);
        let mut other = OtherHost {
            variables: self.variables_for(&code.scalars),
            instance: other,
        };
        self.each_host(&mut other, &mut before);
        for step in code.steps {
            match step {
                Step::One(statement) => {
                    self.each_host(&mut other, |translator| translator.statement(statement));
                }
                Step::Loop {
                    offsets,
                    attached,
                    pairs,
                } => self.loop_for_two(&mut other, offsets, attached, &pairs),
            }
        }
        self.each_host(&mut other, &mut after);
    }

    /// Runs a loop for the attached instances of both hosts.
    fn loop_for_two(
        &mut self,
        other: &mut OtherHost,
        offsets: u32,
        mut attached: Attached<'_>,
        pairs: &LaneLoop,
    ) {
        self.take_uncopied_of(&mut attached);
        // What is the same for all attached instances of a host, and how many there are.
        let lists = self.each_host(other, |translator| {
            translator.before_lane_loop(pairs);
            let outer = translator.instances[0];
            let (first, last) = translator.range(offsets, outer);
            translator.list(first, last)
        });
        // As many pairs as both hosts have.
        let both = {
            let [one, another] = lists.map(|list| list.in_pairs);
            self.builder.ins().umin(one, another)
        };
        let none = self.builder.ins().iconst(I64, 0);
        let count = self.begin_count(none, both);
        let mut firsts = lists.map(|list| list.first).into_iter();
        self.each_host(other, |translator| {
            if let Some(first) = firsts.next() {
                let index = translator.builder.ins().iadd(first, count.index);
                translator.pair(index, &attached, pairs);
            }
        });
        self.end_count(count, both, LANES);
        // What one of them has more, and the last ones of odd numbers.
        let mut rests = lists.map(|list| self.without(list, both)).into_iter();
        self.each_host(other, |translator| {
            if let Some(rest) = rests.next() {
                translator.in_pairs(rest, &attached, pairs);
            }
        });
    }

    /// Runs code for the host that the translator is at, and then for the other one.
    fn each_host<T>(
        &mut self,
        other: &mut OtherHost,
        mut code: impl FnMut(&mut Self) -> T,
    ) -> [T; 2] {
        [(); 2].map(|()| {
            let result = code(self);
            self.turn(other);
            result
        })
    }

    /// Turns from one host to the other.
    fn turn(&mut self, other: &mut OtherHost) {
        self.swap_variables(&mut other.variables);
        if let Some(outermost) = self.instances.first_mut() {
            swap(outermost, &mut other.instance);
        }
    }
}

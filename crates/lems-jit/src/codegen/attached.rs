//! Loops over attached instances, two at a time where that is possible.

use cranelift_codegen::ir::types::{F64, F64X2};
use cranelift_codegen::ir::{InstBuilder, Value};
use lems_ir::{Block, Level, Scalar};

use crate::codegen::abi::LANES;
use crate::codegen::lane_loop::LaneLoop;
use crate::codegen::translator::Translator;
use crate::codegen::undo::ColumnCopy;

/// A loop over attached instances.
pub(crate) struct Attached<'b> {
    body: &'b Block,
    level: Level,
    /// Number of attached instances of all hosts.
    pub(crate) population: u32,
    /// The columns that the loop copies before it stores anything there.
    uncopied: Vec<ColumnCopy>,
}

impl<'b> Attached<'b> {
    /// A loop that copies nothing yet.
    pub(crate) fn new(body: &'b Block, level: Level, population: u32) -> Attached<'b> {
        Attached {
            body,
            level,
            population,
            uncopied: Vec::new(),
        }
    }
}

/// The attached instances of a host.
#[derive(Clone, Copy)]
pub(crate) struct List {
    pub(crate) first: Value,
    /// How many of them come in pairs: all, or all but the last one.
    pub(crate) in_pairs: Value,
    last: Value,
}

impl Translator<'_, '_> {
    /// Runs a body for the attached instances of a range.
    ///
    /// If the body has a form for two instances side by side, one loop computes pairs, and a second
    /// loop computes the last instance of an odd number.
    pub(crate) fn attached(
        &mut self,
        first: Value,
        last: Value,
        level: Level,
        population: u32,
        body: &Block,
    ) {
        let outer: Vec<u32> = self.instances.iter().map(|i| i.population).collect();
        let mut attached = Attached::new(body, level, population);
        self.take_uncopied_of(&mut attached);
        // The form for two instances may need more registers.
        let mut scalars = self.scalars.clone();
        match self.pairs(&attached, &outer, &mut scalars) {
            Some(pairs) => {
                self.declare(&scalars[self.scalars.len()..]);
                let list = self.list(first, last);
                self.before_lane_loop(&pairs);
                self.in_pairs(list, &attached, &pairs);
            }
            None => self.singles(first, last, &attached),
        }
    }

    /// The form of a loop for two instances side by side. New registers are added to `scalars`; `outer` are the
    /// populations of the levels around the loop.
    pub(crate) fn pairs(
        &self,
        attached: &Attached<'_>,
        outer: &[u32],
        scalars: &mut Vec<Scalar>,
    ) -> Option<LaneLoop> {
        let Attached {
            body,
            level,
            population,
            ..
        } = attached;
        let populations = [outer, &[*population]].concat();
        LaneLoop::of(
            self.program,
            body,
            *level,
            &populations,
            &self.reads,
            scalars,
        )
        .ok()
    }

    /// Has a loop copy the columns that are not copied yet.
    pub(crate) fn take_uncopied_of(&mut self, attached: &mut Attached<'_>) {
        attached.uncopied = self.take_uncopied(attached.level, attached.body);
    }

    /// The attached instances of a range.
    pub(crate) fn list(&mut self, first: Value, last: Value) -> List {
        // The number of instances; zero if the table of offsets descends.
        let after = self.builder.ins().umax(first, last);
        let length = self.builder.ins().isub(after, first);
        let in_pairs = self.builder.ins().band_imm_s(length, -i64::from(LANES));
        List {
            first,
            in_pairs,
            last,
        }
    }

    /// A list without a number of its first instances.
    pub(crate) fn without(&mut self, list: List, number: Value) -> List {
        List {
            first: self.builder.ins().iadd(list.first, number),
            in_pairs: self.builder.ins().isub(list.in_pairs, number),
            ..list
        }
    }

    /// Runs a loop in pairs, and for the last one of an odd number.
    pub(crate) fn in_pairs(&mut self, list: List, attached: &Attached<'_>, pairs: &LaneLoop) {
        let end = self.builder.ins().iadd(list.first, list.in_pairs);
        let count = self.begin_count(list.first, end);
        self.pair(count.index, attached, pairs);
        self.end_count(count, end, LANES);
        self.singles(end, list.last, attached);
    }

    /// Runs the body of a loop for the two instances at an index.
    pub(crate) fn pair(&mut self, index: Value, attached: &Attached<'_>, pairs: &LaneLoop) {
        self.enter_level(index, attached.population);
        self.copy(&attached.uncopied, F64X2);
        self.lane_loop(attached.level, pairs);
        self.leave_level();
    }

    /// Runs a loop for one instance after the other.
    fn singles(&mut self, first: Value, last: Value, attached: &Attached<'_>) {
        self.count(first, last, |translator, index| {
            translator.enter_level(index, attached.population);
            translator.copy(&attached.uncopied, F64);
            translator.block(attached.body);
            translator.leave_level();
        });
    }
}

//! Code that copies what instances hold in columns, before anything is stored there.

use std::collections::{HashMap, HashSet};

use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{AliasRegionData, InstBuilder, MemFlagsData, Type, Value};
use lems_ir::{Block, Level, Place, Statement, statements};
use lems_optimise::{Extent, Part, Stored};

use crate::lanes::VECTOR;
use crate::translate::{SLOT_BYTES, Translator, displacement};

/// Columns that the code so far leaves as they were, by first slot: the address where the copy of
/// instance zero would be.
pub(crate) type Unsaved = HashMap<u32, Value>;

/// A column that the body of a loop saves for the instance that it is at.
pub(crate) struct Saving {
    place: Place,
    copies: Value,
}

/// The only thing in its region of memory: copies.
const COPIES: AliasRegionData = AliasRegionData {
    user_id: 0,
    description: std::borrow::Cow::Borrowed("copies of columns"),
};

/// The first slots of the columns that the parts of a kernel store.
pub(crate) fn stored_columns(parts: &[Part]) -> HashSet<u32> {
    let bases =
        statements(parts.iter().filter_map(Part::code)).filter_map(|statement| match statement {
            Statement::Store(Place::Column { base, .. }, _) => Some(*base),
            _ => None,
        });
    bases.collect()
}

/// Whether code can save the columns that it stores: loops over attached instances run whatever
/// happens, and what belongs to some instances lies in the range of what belongs to more.
pub(crate) fn can_save(parts: &[Part], columns: &[Stored], links: &[u32], population: u32) -> bool {
    let is_loop = |statement: &Statement| {
        matches!(
            statement,
            Statement::ForAttached { .. } | Statement::ForRuns { .. }
        )
    };
    let may_not_run = |statement: &Statement| {
        matches!(statement, Statement::If { .. }) && statements(statement.nested()).any(is_loop)
    };
    let mut code = parts.iter().filter_map(Part::code);
    let loops_run = !code.any(|body| body.iter().any(may_not_run));
    let ascends = |column: &Stored| match column.extent {
        Extent::Own | Extent::Runs { .. } => true,
        Extent::Attached { offsets } => {
            let first = offsets as usize;
            let offsets = links.get(first..=first + population as usize);
            offsets.is_some_and(<[u32]>::is_sorted)
        }
    };
    loops_run && columns.iter().all(ascends)
}

impl Translator<'_, '_> {
    /// Has columns saved to where a table of addresses says.
    pub(crate) fn save_columns(&mut self, columns: &[Stored], table: Value) {
        let known = MemFlagsData::trusted().with_readonly().with_can_move();
        for (number, column) in (0..).zip(columns) {
            let displacement = displacement(number);
            let copies = self.builder.ins().load(I64, known, table, displacement);
            self.unsaved.insert(column.base, copies);
        }
    }

    /// The columns that a block stores for instances of a level, and that are not saved yet; takes
    /// them for saved.
    pub(crate) fn take_unsaved(&mut self, level: Level, block: &Block) -> Vec<Saving> {
        let mut taken = Vec::new();
        for statement in statements([block]) {
            if let Statement::Store(place @ Place::Column { base, level: of }, _) = statement
                && *of == level
                && let Some(copies) = self.unsaved.remove(base)
            {
                let place = *place;
                taken.push(Saving { place, copies });
            }
        }
        taken
    }

    /// Saves columns for the instance that the innermost loop is at, or as many as the type holds.
    pub(crate) fn save(&mut self, columns: &[Saving], values: Type) {
        for Saving { place, copies } in columns {
            let Some(index) = self.instances.last().map(|instance| instance.index) else {
                continue;
            };
            let (address, displacement) = self.address(*place);
            let value = (self.builder.ins()).load(values, VECTOR, address, displacement);
            let copy = self.element(*copies, index, SLOT_BYTES);
            let region = self.builder.func.dfg.alias_regions.insert(COPIES);
            let flags = VECTOR.with_alias_region(Some(region));
            self.builder.ins().store(flags, value, copy, 0);
        }
    }
}

//! Code that copies the old content of columns into the undo log before it stores anything there.

use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{AliasRegionData, InstBuilder, MemFlagsData, Type, Value};
use lems_ir::{Block, Level, Place, statements};
use lems_optimise::Stored;

use crate::codegen::translator::{SLOT_BYTES, Translator, VECTOR, displacement};

/// A column that the body of a loop copies for the instance that the loop is at.
pub(crate) struct ColumnCopy {
    place: Place,
    /// Where the copy of instance zero would be.
    copies: Value,
}

/// The region of memory that holds the copies, and nothing else.
const COPIES: AliasRegionData = AliasRegionData {
    user_id: 0,
    description: std::borrow::Cow::Borrowed("copies of columns"),
};

impl Translator<'_, '_> {
    /// Has the function copy these columns; `table` is the address of a table with an address for
    /// each of them, where the copy of instance zero would be.
    pub(crate) fn copy_columns(&mut self, columns: &[Stored], table: Value) {
        let known = MemFlagsData::trusted().with_readonly().with_can_move();
        for (number, column) in (0..).zip(columns) {
            let displacement = displacement(number);
            let copies = self.builder.ins().load(I64, known, table, displacement);
            self.uncopied.insert(column.base, copies);
        }
    }

    /// The columns that a block stores for instances of a level and that are not copied yet. They
    /// count as copied from here on.
    pub(crate) fn take_uncopied(&mut self, level: Level, block: &Block) -> Vec<ColumnCopy> {
        let mut taken = Vec::new();
        for statement in statements([block]) {
            if let Some(place @ Place::Column { base, level: of }) = statement.effects().stores
                && of == level
                && let Some(copies) = self.uncopied.remove(&base)
            {
                taken.push(ColumnCopy { place, copies });
            }
        }
        taken
    }

    /// Copies columns for the instance that the innermost loop is at, or for as many instances as a
    /// value of the given type has lanes.
    pub(crate) fn copy(&mut self, columns: &[ColumnCopy], values: Type) {
        for ColumnCopy { place, copies } in columns {
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

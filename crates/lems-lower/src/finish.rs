//! Removes what no one reads and gives the rest its place in memory.

use lems_index::{Id, IdVec, narrow};

use lems_network::{NetworkError, Shapes};
use rustc_hash::FxHashSet;

use super::{
    Lowered, Lowering, Probe,
    columns::{Address, Column, ColumnId, ColumnKind, Content},
    nodes::{PendingNode, finished},
};
use lems_ir::{Block, Clock, Kernel, Place, Statement, statements};

impl<'d> Lowering<'_, '_, 'd> {
    /// The finished program; `probes` are addresses or constants to find again, `inlets` is the first of their
    /// sources.
    ///
    /// # Errors
    /// If the columns that are used have more slots than can be numbered.
    pub(super) fn finish(
        mut self,
        probes: &[Result<Address, f64>],
        inlets: u32,
    ) -> Result<Lowered, NetworkError> {
        // Columns that recorders and tables of addresses read.
        let mut pinned: FxHashSet<ColumnId> = FxHashSet::default();
        pinned.extend(probes.iter().flatten().map(|address| address.column));
        let nodes = self.cables.iter().flatten();
        pinned.extend(
            nodes
                .flat_map(PendingNode::addresses)
                .map(|address| address.column),
        );
        for table in &self.address_tables {
            let addresses = table.addresses.iter().flatten();
            pinned.extend(addresses.map(|address| address.column));
        }
        let slots: Vec<Address> = std::mem::take(&mut self.slots).into_iter().collect();
        let program = &mut self.program;
        // Dead code may be all that reads a column, so this goes on until nothing changes. What only
        // the set-up reads need not be stored in a step.
        loop {
            let mut read = pinned.clone();
            for kernel in program.kernels.iter().chain(&program.handlers) {
                loaded(&kernel.body, &slots, &mut read);
            }
            let mut changed = false;
            for kernel in program.kernels.iter_mut().chain(&mut program.handlers) {
                changed |= remove_dead(kernel, &slots, &read);
            }
            for kernel in &program.setups {
                loaded(&kernel.body, &slots, &mut read);
            }
            for kernel in &mut program.setups {
                changed |= remove_dead(kernel, &slots, &read);
            }
            if !changed {
                break;
            }
        }
        // Columns that are left get a place in memory.
        let mut used = pinned;
        let kernels = program.kernels.iter().chain(&program.handlers);
        for kernel in kernels.chain(&program.setups) {
            loaded(&kernel.body, &slots, &mut used);
            stored(&kernel.body, &slots, &mut used);
        }
        let slots_needed: usize = (self.columns.all.iter_enumerated())
            .filter(|(column, _)| used.contains(column))
            .map(|(_, column)| column.members)
            .sum();
        if slots_needed > self.most {
            return Err(self.too_large("values in memory"));
        }
        program.memory = vec![0.0; slots_needed];
        let bases = lay_out(
            &mut self.columns.all,
            self.shapes,
            &used,
            &mut program.memory,
        );
        self.divide_slots(&bases);
        let program = &mut self.program;
        // Code and tables name slots from here on.
        let first_slot = |column: ColumnId| match bases[column] {
            Some(base) => base,
            None => lems_index::bug("code names a column that has no place"),
        };
        let slot = |address: Address| first_slot(address.column) + address.member.get();
        let place = |place: &mut Place| match place {
            Place::Column { base, .. } => *base = first_slot(ColumnId::from_u32(*base)),
            Place::Slot(number) => *number = slot(slots[*number as usize]),
            Place::Linked { .. } => {}
        };
        let kernels = program.kernels.iter_mut().chain(&mut program.handlers);
        for kernel in kernels.chain(&mut program.setups) {
            each_place(&mut kernel.body, &place);
        }
        for table in &self.address_tables {
            for (index, address) in table.addresses.iter().enumerate() {
                program.links[table.first as usize + index] = address.map_or(0, slot);
            }
        }
        program.cables = (self.cables.iter())
            .map(|nodes| finished(nodes, &slot, &mut program.memory))
            .collect();
        program.clock = match program.cables.is_empty() {
            true => Clock::Sum,
            false => self.method.clock(),
        };
        // What the caller finds values by.
        let values = (probes.iter())
            .map(|probe| match probe {
                Ok(address) => Probe::Slot(slot(*address)),
                Err(value) => Probe::Constant(*value),
            })
            .collect();
        let columns = (self.columns.all.iter_enumerated())
            .filter_map(|(id, column)| Some((bases[id]?, self.column_name(column))))
            .collect();
        let shapes = (self.columns.all.iter_enumerated())
            .filter_map(|(id, column)| Some((bases[id]?, column.shape)))
            .collect();
        let is_fixed = |column: &Column<'_>| {
            matches!(column.kind, ColumnKind::Parameter(_) | ColumnKind::Value(_))
        };
        let fixed = (self.columns.all.iter_enumerated())
            .filter(|(_, column)| is_fixed(column))
            .filter_map(|(id, column)| Some(bases[id]?..bases[id]? + narrow(column.members)))
            .collect();
        Ok(Lowered {
            program: self.program,
            values,
            columns,
            shapes,
            fixed,
            inlets,
            stops: (self.stops.into_values())
                .map(|(_, mistake)| mistake)
                .collect(),
            division: self.division,
        })
    }

    /// The types from the root of the shape to the node, and what the column holds.
    fn column_name(&self, column: &Column<'d>) -> String {
        let mut steps = Vec::new();
        let shape = self.shape(column.shape);
        let mut node = Some(column.node);
        while let Some(current) = node {
            steps.push(self.network.model.type_of(shape.nodes[current].kind).name);
            node = shape.nodes[current].parent;
        }
        steps.reverse();
        let name = match column.kind {
            ColumnKind::Live(name) | ColumnKind::Parameter(name) => name.to_owned(),
            ColumnKind::OfRegime(number, name) => format!("{name} (regime {number})"),
            ColumnKind::Snapshot(name) => format!("{name} (exposed)"),
            ColumnKind::Row(name) => format!("{name} (recorded)"),
            ColumnKind::Value(number) => format!("value {number}"),
            ColumnKind::Rate => "rate of the potential".to_owned(),
            ColumnKind::Slope => "derivative of that rate by the potential".to_owned(),
            ColumnKind::Regime => "regime".to_owned(),
        };
        format!("{}/{name}", steps.join("/"))
    }
}

fn column_of(place: Place, slots: &[Address]) -> Option<ColumnId> {
    match place {
        Place::Column { base, .. } => Some(ColumnId::from_u32(base)),
        Place::Slot(number) => slots.get(number as usize).map(|address| address.column),
        Place::Linked { .. } => None,
    }
}

/// Adds the columns that a block reads.
fn loaded(block: &Block, slots: &[Address], columns: &mut FxHashSet<ColumnId>) {
    for statement in statements([block]) {
        let loaded = statement.effects().loads;
        columns.extend(loaded.and_then(|place| column_of(place, slots)));
    }
}

/// Adds the columns that a block writes.
fn stored(block: &Block, slots: &[Address], columns: &mut FxHashSet<ColumnId>) {
    for statement in statements([block]) {
        let stored = statement.effects().stores;
        columns.extend(stored.and_then(|place| column_of(place, slots)));
    }
}

fn each_place(block: &mut Block, change: &dyn Fn(&mut Place)) {
    for statement in block {
        statement.place_mut().into_iter().for_each(change);
        for inner in statement.nested_mut() {
            each_place(inner, change);
        }
    }
}

/// Removes stores to columns that are not read and registers that are not used; says whether
/// there were any.
fn remove_dead(kernel: &mut Kernel, slots: &[Address], read: &FxHashSet<ColumnId>) -> bool {
    let mut used = vec![false; kernel.registers.len()];
    while mark_used(&kernel.body, slots, read, &mut used) {}
    sweep(&mut kernel.body, slots, read, &used)
}

/// Whether nothing would change without a statement that has no blocks inside it.
fn is_dead(
    statement: &Statement,
    slots: &[Address],
    read: &FxHashSet<ColumnId>,
    used: &[bool],
) -> bool {
    let is_read = |place| column_of(place, slots).is_none_or(|column| read.contains(&column));
    let effects = statement.effects();
    let is_felt = effects.draws || effects.sends || effects.stores.is_some_and(is_read);
    let assigned = statement.assigned();
    !is_felt && !assigned.iter().any(|register| used[register.0 as usize])
}

/// Marks what is used by something that is, from the last statement to the first; says whether
/// there was anything new. Only loops need a second pass.
fn mark_used(
    block: &Block,
    slots: &[Address],
    read: &FxHashSet<ColumnId>,
    used: &mut [bool],
) -> bool {
    let mut changed = false;
    for statement in block.iter().rev() {
        for inner in statement.nested() {
            changed |= mark_used(inner, slots, read, used);
        }
        let has_blocks = !statement.nested().is_empty();
        if has_blocks || !is_dead(statement, slots, read, used) {
            for register in statement.operands() {
                changed |= !std::mem::replace(&mut used[register.0 as usize], true);
            }
        }
    }
    changed
}

/// Removes what `mark_used` has not marked; says whether there was anything.
fn sweep(block: &mut Block, slots: &[Address], read: &FxHashSet<ColumnId>, used: &[bool]) -> bool {
    let mut changed = false;
    for statement in block.iter_mut() {
        for inner in statement.nested_mut() {
            changed |= sweep(inner, slots, read, used);
        }
    }
    let before = block.len();
    block.retain(|statement| match statement.nested().as_slice() {
        [] => !is_dead(statement, slots, read, used),
        blocks => blocks.iter().any(|block| !block.is_empty()),
    });
    changed | (block.len() != before)
}

/// Gives every used column its first slot and moves its content to memory.
fn lay_out(
    columns: &mut IdVec<ColumnId, Column<'_>>,
    shapes: &Shapes<'_>,
    used: &FxHashSet<ColumnId>,
    memory: &mut [f64],
) -> IdVec<ColumnId, Option<u32>> {
    let mut next = 0;
    let bases = columns.ids().map(|id| {
        let column = &mut columns[id];
        let content = std::mem::replace(&mut column.content, Content::Uniform(0.0));
        if !used.contains(&id) {
            return None;
        }
        let base = next;
        next += column.members;
        let own = &mut memory[base..next];
        // Zeros that are not written take no memory, in particular those of members that are not there.
        let shape = &shapes.shapes[column.shape];
        let members = match column.members == shape.members {
            true => shape.member_runs(),
            false => std::iter::once(0..column.members).collect(),
        };
        for members in members {
            match &content {
                Content::Uniform(value) if value.to_bits() == 0 => {}
                Content::Uniform(value) => own[members].fill(*value),
                Content::Each(values) => own[members.clone()].copy_from_slice(&values[members]),
            }
        }
        Some(narrow(base))
    });
    bases.collect()
}

//! Removes loops that run exactly once for each instance, for example over the one input of each cell.

use lems_ir::{Block, Kernel, Level, Place, Program, Statement};

/// The kernel without one-to-one loops: those in which each of the first `population` instances has exactly
/// one attached instance, with its own number. The bodies of these loops become code of the kernel itself.
pub fn inline_one_to_one(program: &Program, kernel: &Kernel, population: u32) -> Kernel {
    let mut inlined = kernel.clone();
    let mut body = Block::new();
    for statement in std::mem::take(&mut inlined.body) {
        match statement {
            Statement::ForAttached {
                offsets,
                level: Level(1),
                body: inner,
            } if is_one_to_one(program, offsets, population) && inner.iter().all(is_own_code) => {
                let mut inner = inner;
                lift(&mut inner);
                body.extend(inner);
            }
            statement => body.push(statement),
        }
    }
    inlined.body = body;
    inlined
}

/// Whether an offset table gives instance `i` the range `i .. i + 1`.
fn is_one_to_one(program: &Program, offsets: u32, population: u32) -> bool {
    let table = offsets as usize..offsets as usize + population as usize + 1;
    let offsets = program.links.get(table).unwrap_or_default();
    !offsets.is_empty()
        && (0..)
            .zip(offsets)
            .all(|(instance, offset)| instance == *offset)
}

/// Whether a statement has no loops, events or schemes, so that it can move out of its loop.
fn is_own_code(statement: &Statement) -> bool {
    match statement {
        Statement::Let(..) | Statement::Store(..) => true,
        Statement::If { .. } => statement
            .nested()
            .into_iter()
            .all(|block| block.iter().all(is_own_code)),
        _ => false,
    }
}

/// Makes the addresses of a loop body those of the instance around the loop.
fn lift(block: &mut Block) {
    for statement in block {
        if let Some(place) = statement.place_mut()
            && let Place::Column { level, .. } | Place::Linked { level, .. } = place
        {
            *level = Level(0);
        }
        for inner in statement.nested_mut() {
            lift(inner);
        }
    }
}

//! A program that machine code belongs to.

use std::ops::Deref;
use std::sync::Arc;

use lems_ir::Program;

/// A program that is borrowed or shared. It does not change while it is held.
pub(crate) enum Held<'p> {
    Borrowed(&'p Program),
    Shared(Arc<Program>),
}

impl Deref for Held<'_> {
    type Target = Program;

    fn deref(&self) -> &Program {
        match self {
            Held::Borrowed(program) => program,
            Held::Shared(program) => program,
        }
    }
}

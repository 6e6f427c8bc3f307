//! Block kernels as text, for `show kernel --block`.

use std::fmt::{Display, Formatter, Result};

use lems_ir::Listing;

use super::kernel::{BlockKernel, Part, Piece};

/// A listing, part by part: loads from buffers, statements, stores to buffers.
impl Display for BlockKernel {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "{}: {} buffers", self.name, self.buffers)?;
        self.parts.iter().try_for_each(|part| write!(f, "{part}"))
    }
}

impl Display for Part {
    /// Writes a heading and its piece, or a line for each call or event.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Part::Lanes(piece) => write!(f, "side by side\n{piece}"),
            Part::Each(piece) => write!(f, "one after another\n{piece}"),
            Part::Call {
                function,
                first,
                count,
            } => writeln!(f, "b{first} .. b{} = {}", first + count, function),
            Part::Power {
                bases,
                exponents,
                count,
            } => writeln!(
                f,
                "b{bases} .. b{} = to the power of b{exponents} .. b{}",
                bases + count,
                exponents + count
            ),
            Part::Propagate {
                scheme,
                occupancies,
                states,
                rates,
            } => writeln!(
                f,
                "b{occupancies} .. b{} = propagate scheme {scheme} with rates from b{rates}",
                occupancies + states
            ),
            Part::Emit(events) => events
                .iter()
                .try_for_each(|(condition, port)| match condition {
                    Some(buffer) => writeln!(f, "if b{buffer} emit {port} + i0"),
                    None => writeln!(f, "emit {port} + i0"),
                }),
        }
    }
}

impl Display for Piece {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (register, buffer) in &self.inputs {
            writeln!(f, "  {register} = b{buffer}")?;
        }
        write!(f, "{}", Listing(&self.body))?;
        for (register, buffer) in &self.outputs {
            writeln!(f, "  b{buffer} = {register}")?;
        }
        Ok(())
    }
}

//! Programs as text: what `Display` writes, `FromStr` reads back with the same bits.
//!
//! The body of a kernel is the listing that `show kernel` prints (see [`crate::Kernel`]). Around
//! the kernels stand the tables of the [`Program`](crate::Program):
//!
//! ```text
//! ; Everything after a semicolon is a comment.
//! memory
//!   m0: 10.0
//!   c1: 1.0 2.0 3.0
//!   c4: 3 * 0.0
//!
//! kernel 0 "scale"
//!   r0 = c1[i0]
//!   r1 = m0
//!   r2 = r0 * r1
//!   c4[i0] = r2
//!
//! schedule
//!   kernel 0 for 0 .. 3
//! ```
//!
//! A text consists of lines. Two spaces or more of indentation put a line inside the line above;
//! all lines of a block have the same indentation. Blank lines count for nothing. This is the
//! grammar; `…` repeats what stands before it, and a block in braces is indented:
//!
//! ```text
//! program   = section …
//! section   = "memory" { label ":" doubles }
//!           | "links" { "t"N ":" integers }
//!           | "scheme" N "of" N "states" ( "by" "uniformisation" )? ":" ( "none" | edge "," … )
//!           | "kernel" N name { body }
//!           | "handler" N name { body }
//!           | "setup" N name { body }
//!           | "routes" "of" N "sources" { N "->" receiver delay? }
//!           | "schedule" { call | "midway" N "for" N ".." N | "solve" N ".." N }
//!           | "setup" "schedule" { setup }
//! label     = "m"N | "c"N                 ; the slot of the first number on the line
//! doubles   = ( double | N "*" double ) …
//! integers  = ( N | N "*" N ) …
//! edge      = N "<->" N
//! receiver  = "handler" N "for" N | "record" N
//! delay     = "after" double              ; without it: 0.0
//! call      = "kernel" N "for" N ".." N
//! setup     = "setup" N "for" N ".." N | "twice" { setup }
//! name      = a text in double quotes, with the escapes of Rust
//!
//! body      = ( "registers" ( "none" | ( N ( "real" | "truth" ) ) "," … ) )? statement …
//! statement = register "=" operation
//!           | place "=" register
//!           | "if" register { statement } ( "else" { statement } )?
//!           | "emit" N "+" level
//!           | "for" level "in" "t"N "[" level "]" ".." "t"N "[" level "+" 1 "]" { statement }
//!           | "for" "r" "in" "t"N "[" level "]" ".." "t"N "[" level "+" 1 "]" { arm }
//!           | registers "=" "propagate" "scheme" N "from" registers "with" rates
//!           | "twice" { statement }
//! arm       = "for" level "in" "t"N "[" 3 "r" "+" 1 "]" ".." "t"N "[" 3 "r" "+" 2 "]"
//!             "where" "t"N "[" 3 "r" "]" "is" ( N { statement } | "none" )
//! registers = "none" | register "," …
//! rates     = "none" | ( register "/" register ) "," …
//! operation = double | "time" | "step" | place | register
//!           | register ( "+" | "-" | "*" | "/" | "^" ) register
//!           | register ( "<" | ">" | "<=" | ">=" | "==" | "!=" ) register
//!           | register ( "and" | "or" ) register
//!           | "not" register
//!           | "if" register "then" register "else" register
//!           | function "(" register ")"
//!           | "random" "(" register ")"
//!           | "fused" register "*" register ( "+" | "-" ) register
//!           | "fused" register "-" register "*" register
//! place     = "m"N | "c"N "[" level "]" | "c" "[" "t"N "[" level "]" "]"
//! register  = "r"N
//! level     = "i"N
//! double    = decimal | "inf" | "-inf" | "NaN" | "-NaN" | "NaN" "(" hexadecimal bits ")"
//! ```
//!
//! The sections `memory`, `links`, `routes`, `schedule` and `setup schedule` stand in a text once
//! at most. Kernels, handlers, set-up kernels and schemes are numbered from 0 in the order of the
//! text.
//!
//! **Types of registers.** A register has the type of what it is first assigned: `truth` for
//! comparisons, logic and `not`, `real` for all else; a copy has the type of its source. A body
//! says `registers` itself where that rule does not give its types: where a register is assigned
//! both types, or where the kernel has registers that it never mentions.
//!
//! **Doubles** are written as the shortest decimal that reads back as the same double. `NaN` is
//! the quiet NaN without a sign, `-NaN` the one that x86 makes for `0/0`; any other NaN is
//! written with its bits.
//!
//! **Limits.** A text nests at most [`MOST_NESTED`] blocks, and what it repeats or only counts
//! (`1000 * 0.0`, `registers 1000 real`, `routes of 1000 sources`) is at most [`MOST_COUNTED`]
//! things, so that a short text never makes a large program.

mod cursor;
mod error;
mod kernel;
mod program;
mod registers;
mod write;

#[cfg(test)]
mod tests;

pub use error::{Problem, TextError};

/// Most blocks inside one another in a text; machine code allows fewer.
pub const MOST_NESTED: usize = 512;
/// Most numbers, registers and sources that a text may have without spelling each out.
pub const MOST_COUNTED: usize = 1 << 24;

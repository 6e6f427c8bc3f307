//! The engine as a module of Python, `jlems._jlems`: what the Python code of the package is made of.
//!
//! It is no interface for users: the classes of `python/jlems` are. Here is what needs Rust: reading,
//! compiling and running models without the lock of the interpreter, arrays that Python gets without a
//! copy, failures as exceptions.

mod advice;
mod columns;
mod command;
mod descriptions;
mod drive;
mod engine;
mod failure;
mod files;
mod memory;
mod pictures;
mod running;
mod source;
mod specified;
mod sweep;
mod template;
mod texts;
mod views;
mod written;

use pyo3::prelude::pymodule;

#[pymodule]
mod _jlems {
    #[pymodule_export]
    use crate::command::command_line;
    #[pymodule_export]
    use crate::engine::Engine;
    #[pymodule_export]
    use crate::files::write_outputs;
    #[pymodule_export]
    use crate::pictures::picture;
    #[pymodule_export]
    use crate::running::{Running, start};
    #[pymodule_export]
    use crate::source::Source;
    #[pymodule_export]
    use crate::specified::Specified;
    #[pymodule_export]
    use crate::sweep::sweep;
    #[pymodule_export]
    use crate::template::{engine, with_values};
    #[pymodule_export]
    use crate::views::{core_types, describe, explain, validate, version};
    #[pymodule_export]
    use crate::written::run_to_files;
}

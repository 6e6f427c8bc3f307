//! `jlems-rs show`: the intermediate forms of a model, stage by stage.

mod cell;
mod resolved;

use std::fmt::Write;

use clap::{Args, Subcommand};
use jlems::{Code, Failure};
use lems_engine::Simulation;
use lems_ir::{Kernel, Program, Scheduled};
use lems_jit::{Part, block_plan, listing};

use super::core_types::SearchArguments;

/// What to show.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the types in use, and all components with their values in SI units.
    Model(resolved::Arguments),
    /// Show the populations, connections, shapes and recordings of the network that is run.
    Network(resolved::Arguments),
    /// Show the sections and compartments of a cell, what is where in them, and its input resistance.
    Cell(cell::Arguments),
    /// Show a kernel that the model is compiled to; without `--kernel`, list all kernels.
    Kernel(KernelArguments),
    /// Show the order in which a step visits the instances.
    Order(OrderArguments),
}

/// Which kernel to show and how.
#[derive(Debug, Args)]
pub struct KernelArguments {
    /// LEMS file.
    file: String,
    /// Number or name of a kernel or handler.
    #[arg(long, value_name = "NUMBER|NAME")]
    kernel: Option<String>,
    /// Show the kernel's form for blocks, in which each part runs for a block of instances at once.
    #[arg(long, requires = "kernel")]
    block: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    search: SearchArguments,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
struct Form {
    /// Show the typed intermediate representation (the default).
    #[arg(long, requires = "kernel")]
    ir: bool,
    /// Show Cranelift's intermediate representation.
    #[arg(long, requires = "kernel")]
    clif: bool,
    /// Show the machine code for this computer.
    #[arg(long, requires = "kernel")]
    asm: bool,
}

/// Which file's order to show.
#[derive(Debug, Args)]
pub struct OrderArguments {
    /// LEMS file.
    file: String,
    #[command(flatten)]
    search: SearchArguments,
}

/// The text that is asked for.
pub fn run(command: &Command) -> Result<String, Failure> {
    match command {
        Command::Model(arguments) => resolved::model(arguments),
        Command::Network(arguments) => resolved::network(arguments),
        Command::Cell(arguments) => cell::cell(arguments),
        Command::Kernel(arguments) => with_program(&arguments.file, &arguments.search, |run| {
            match &arguments.kernel {
                None => Ok(list(&run.program)),
                Some(wanted) => show(&run.program, wanted, arguments),
            }
        }),
        Command::Order(arguments) => with_program(&arguments.file, &arguments.search, |run| {
            Ok(order(&run.program))
        }),
    }
}

/// What `body` says about each run of a file's target.
fn with_program(
    file: &str,
    search: &SearchArguments,
    body: impl Fn(&Simulation) -> Result<String, Failure>,
) -> Result<String, Failure> {
    let options = search.options()?;
    super::watch::watch_over(&options);
    let document = jlems::load_runnable(file, &*search.reader(file, &options), &options)?;
    let model = jlems::read_model(&document)?;
    let runs = jlems::prepare(&document, &model, &options)?;
    runs.iter().map(body).collect()
}

/// Kernels, then handlers: a number counts through both.
fn parts(program: &Program) -> impl Iterator<Item = (Part, &Kernel)> {
    let kernels = (0..).map(Part::Kernel).zip(&program.kernels);
    kernels.chain((0..).map(Part::Handler).zip(&program.handlers))
}

fn list(program: &Program) -> String {
    let mut text = String::new();
    for (number, (part, kernel)) in parts(program).enumerate() {
        let instances: u64 = program
            .calls()
            .filter(|call| part == Part::Kernel(call.kernel))
            .map(|call| u64::from(call.last - call.first))
            .sum();
        let statements = kernel.to_string().lines().count() - 1;
        let _ = match part {
            Part::Kernel(_) | Part::Block(_) => writeln!(
                text,
                "{number:4}  kernel   {}: {statements} statements, {instances} instances",
                kernel.name
            ),
            Part::Handler(_) => writeln!(
                text,
                "{number:4}  handler  {}: {statements} statements",
                kernel.name
            ),
        };
    }
    text
}

fn show(program: &Program, wanted: &str, arguments: &KernelArguments) -> Result<String, Failure> {
    let number: Option<usize> = wanted.parse().ok();
    let found = parts(program)
        .enumerate()
        .find(|(index, (_, kernel))| Some(*index) == number || kernel.name == wanted);
    let Some((_, (part, kernel))) = found else {
        return Err(Failure::plain(
            Code::NO_SUCH_NAME,
            format!("no kernel or handler `{wanted}`"),
            Some("`jlems-rs show kernel FILE` lists them".to_owned()),
        ));
    };
    let form = &arguments.form;
    let part = match part {
        Part::Kernel(number) if arguments.block => Part::Block(number),
        part => part,
    };
    if !form.clif && !form.asm {
        return match part {
            Part::Block(number) => match block_plan(program, number) {
                Ok(plan) => Ok(plan.kernel.to_string()),
                Err(reason) => Err(Failure::plain(
                    Code::NO_SUCH_NAME,
                    format!("`{wanted}` does not run for blocks of instances: {reason}"),
                    None,
                )),
            },
            Part::Kernel(_) | Part::Handler(_) => Ok(kernel.to_string()),
        };
    }
    let listing = listing(program, part).map_err(|error| {
        Failure::plain(
            Code::NOT_COMPILED,
            format!("the kernel cannot be compiled: {error}"),
            None,
        )
    })?;
    Ok(if form.clif {
        listing.clif
    } else {
        listing.disassembly
    })
}

fn order(program: &Program) -> String {
    let mut text = String::new();
    for (number, stage) in program.schedule.iter().enumerate() {
        let call = match stage {
            Scheduled::Call(call) | Scheduled::Midway(call) => call,
            Scheduled::Solve(_, cables) => {
                let last = cables.end.saturating_sub(1);
                let _ = writeln!(
                    text,
                    "{:4}  potentials of cables [{} .. {last}]",
                    number + 1,
                    cables.start
                );
                continue;
            }
        };
        let name = (program.kernels.get(call.kernel as usize)).map_or("?", |k| k.name.as_str());
        let _ = match call.last - call.first {
            1 => writeln!(text, "{:4}  {name} [{}]", number + 1, call.first),
            _ => {
                let last = call.last.saturating_sub(1);
                writeln!(text, "{:4}  {name} [{} .. {last}]", number + 1, call.first)
            }
        };
    }
    text
}

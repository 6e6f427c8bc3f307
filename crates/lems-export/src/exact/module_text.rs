//! The text of a mechanism as NMODL.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use lems_ir::Clock;

use super::helpers;
use super::mechanism::{Counter, Kind, Module, Phase};
use super::print::{Printed, number, print, register};
use super::scope::PartScope;
use crate::groups::Part;

/// A mechanism as NMODL, and whether it draws random numbers. `step` is the length of a step in seconds.
pub(super) fn module_text(module: &Module<'_>, step: f64) -> (String, bool) {
    let text = ModuleText::of(module);
    (text.write(step), text.draws)
}

/// What is written of a mechanism.
struct ModuleText<'m, 'p> {
    module: &'m Module<'p>,
    /// Its kernels and handlers as statements.
    printed: Vec<(Part, Printed)>,
    /// Kinetic schemes that they propagate.
    schemes: BTreeSet<u32>,
    /// Functions of LEMS that they use and NMODL lacks.
    functions: BTreeSet<&'static str>,
    /// Whether one of them draws random numbers.
    draws: bool,
    /// Whether one of them reads the time.
    timed: bool,
}

impl<'m, 'p> ModuleText<'m, 'p> {
    fn of(module: &'m Module<'p>) -> Self {
        let printed = module.parts().iter().filter_map(|part| {
            let scope = PartScope {
                module,
                part: *part,
            };
            let kernel = module.kernel(*part)?;
            Some((*part, print(kernel, &module.places.program.schemes, &scope)))
        });
        let printed: Vec<(Part, Printed)> = printed.collect();
        let all = || printed.iter().map(|(_, of)| of);
        ModuleText {
            module,
            schemes: all().flat_map(|of| of.schemes.iter().copied()).collect(),
            functions: all().flat_map(|of| of.functions.iter().copied()).collect(),
            draws: all().any(|of| of.draws),
            timed: all().any(|of| of.timed),
            printed,
        }
    }

    /// The whole text.
    fn write(&self, step: f64) -> String {
        let mut text = String::new();
        // Comments, and the declarations of all variables.
        self.heading(&mut text);
        let declarations = self.declarations(step);
        self.neuron_block(&mut text, &declarations);
        section(&mut text, "PARAMETER", &declarations.parameters);
        section(&mut text, "ASSIGNED", &declarations.assigned);
        // The blocks that NEURON runs at the start and in each step.
        self.initial(&mut text);
        self.breakpoint(&mut text);
        // A procedure for each kernel and handler.
        if self.has_held() && self.module.steps().is_empty() {
            text.push_str("PROCEDURE advance() {\n");
            self.release(&mut text);
            text.push_str("}\n\n");
        }
        for (part, of) in &self.printed {
            self.procedure(&mut text, *part, of);
        }
        self.receive(&mut text);
        // The functions that they call.
        self.functions(&mut text);
        text.trim_end().to_owned() + "\n"
    }

    fn heading(&self, text: &mut String) {
        let module = self.module;
        let _ = writeln!(
            text,
            ": {}, computed step by step as jLEMS does: SI units, its order of operations.",
            (module.places.mechanisms.get(module.number))
                .and_then(|of| of.groups.first())
                .map(|group| module.places.name_of(*group))
                .unwrap_or_default()
        );
        let _ = writeln!(
            text,
            ": Made by jlems-rs. It is not attached to the potential of its section.\n"
        );
    }

    /// Whether events that handlers send wait for the end of the step.
    fn has_held(&self) -> bool {
        let mut counters = self.module.counters.values();
        counters.any(|counter| counter.held.is_some())
    }

    /// The index of a variable of a group in its array, if it is one.
    fn index(&self, group: usize) -> &'static str {
        match self.module.places.is_attached(group) {
            true => "[j0]",
            false => "",
        }
    }

    /// All variables of the mechanism.
    fn declarations(&self, step: f64) -> Declarations {
        let module = self.module;
        let mut all = Declarations::default();
        // The step and the time.
        all.parameters.push((
            format!("{} = {}", module.step, bare(step)),
            "length of a step (s)".to_owned(),
        ));
        all.ranges.push(module.step.clone());
        if self.timed {
            all.assign(&module.time, "", "time at the end of the step (s)");
            if self.counts_steps() {
                all.assign("steps_done", "", "number of steps");
            }
        }
        // The columns.
        for variable in module.variables.values() {
            let name = &variable.name;
            let label = plain(&variable.label);
            let size = module.size(variable.group);
            match &variable.kind {
                Kind::Fixed(value) => {
                    all.ranges.push(name.clone());
                    let parameter = format!("{name} = {}", bare(*value));
                    all.parameters.push((parameter, label));
                }
                Kind::FromOwn(start) => {
                    all.ranges.push(name.clone());
                    all.assign(start, &size, &format!("{label}, at the start"));
                    all.assigned.push((format!("{name}{size}"), label));
                }
                Kind::Given | Kind::From(_) => all.assign(name, &size, &label),
            }
        }
        // What loops, events, values of other instances and kinetic schemes need.
        for (name, size) in module.loop_arrays() {
            all.assign(&name, &size, "what is attached");
        }
        for counter in module.counters.values() {
            let size = module.size(counter.group);
            all.assign(&counter.name, &size, "events to be sent");
            if let Some(held) = &counter.held {
                all.assign(held, &size, "events to be sent after this step");
            }
        }
        if self.own_counter().is_some() {
            let comment = "1 if WATCH finds events to be sent, 0 if a connection does";
            let watches = ("watches = 1".to_owned(), comment.to_owned());
            all.parameters.push(watches);
            all.ranges.push("watches".to_owned());
        }
        for (name, size) in module.foreign.values(module) {
            all.assign(&name, &size, "a value of another instance");
        }
        for scheme in &self.schemes {
            let of = module.places.program.schemes.get(*scheme as usize);
            let arrays = of.map(|of| helpers::arrays(*scheme, of));
            for (name, size) in arrays.unwrap_or_default() {
                all.assign(&name, &format!("[{size}]"), "of a kinetic scheme");
            }
        }
        // Variables that are not in each instance's range.
        for pointer in module.foreign.pointers() {
            all.assign_only(&pointer, "a variable of another instance");
            all.pointers.push(pointer);
        }
        if module.membrane.is_some() {
            all.assign_only("v (mV)", "potential");
            all.assign_only(
                "i (nA)",
                "current through the membrane, without that into its capacitance",
            );
        }
        if self.draws {
            all.assign_only("generator_low", "the generator's state, lower half");
            all.assign_only("generator_high", "upper half");
            let halves = ["generator_low", "generator_high"];
            all.pointers.extend(halves.map(str::to_owned));
        }
        all
    }

    fn neuron_block(&self, text: &mut String, declarations: &Declarations) {
        text.push_str("NEURON {\n");
        // A generator that all mechanisms share is not for several threads.
        text.push_str(if self.draws { "" } else { "    THREADSAFE\n" });
        let _ = writeln!(text, "    POINT_PROCESS {}", self.module.name);
        if self.module.membrane.is_some() {
            text.push_str("    NONSPECIFIC_CURRENT i\n");
        }
        lists(text, "RANGE", &declarations.ranges);
        lists(text, "POINTER", &declarations.pointers);
        text.push_str("}\n\n");
    }

    /// What every run starts from.
    fn initial(&self, text: &mut String) {
        let module = self.module;
        text.push_str("INITIAL {\n");
        if self.timed {
            let _ = writeln!(text, "    {} = 0", module.time);
            if self.counts_steps() {
                text.push_str("    steps_done = 0\n");
            }
        }
        // The assignments of each group, then a loop around those of attached instances.
        let mut starts: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for variable in module.variables.values() {
            let index = self.index(variable.group);
            let start = match &variable.kind {
                Kind::From(value) => number(*value),
                Kind::FromOwn(start) => format!("{start}{index}"),
                Kind::Fixed(_) | Kind::Given => continue,
            };
            let line = format!("{}{index} = {start}", variable.name);
            starts.entry(variable.group).or_default().push(line);
        }
        for counter in module.counters.values() {
            let index = self.index(counter.group);
            let lines = starts.entry(counter.group).or_default();
            for name in [Some(&counter.name), counter.held.as_ref()] {
                lines.extend(name.map(|name| format!("{name}{index} = 0")));
            }
        }
        for (group, lines) in starts {
            let attached = module.places.is_attached(group);
            if attached {
                let last = module.places.most(module.number, group) - 1;
                let _ = writeln!(text, "    FROM j0 = 0 TO {last} {{");
            }
            let indent = if attached { "        " } else { "    " };
            for line in lines {
                let _ = writeln!(text, "{indent}{line}");
            }
            text.push_str(if attached { "    }\n" } else { "" });
        }
        if self.own_counter().is_some() {
            text.push_str("    if (watches > 0.5) {\n        net_send(0, 1)\n    }\n");
        }
        text.push_str("}\n\n");
    }

    /// The counter of the port whose events the mechanism sends itself.
    fn own_counter(&self) -> Option<&'m Counter> {
        let mut counters = self.module.counters.values();
        counters.find(|counter| counter.own)
    }

    /// The blocks that NEURON runs in a step.
    fn breakpoint(&self, text: &mut String) {
        let module = self.module;
        let kernels = || {
            let parts = module.parts().iter().copied();
            parts.filter(|part| matches!(part, Part::Kernel(_)))
        };
        let Some(membrane) = module.membrane else {
            let printed = |part: &Part| self.printed.iter().any(|(of, _)| of == part);
            if self.has_held() || kernels().any(|part| printed(&part)) {
                text.push_str("BREAKPOINT {\n    SOLVE advance METHOD after_cvode\n}\n\n");
            }
            return;
        };
        let name = |column| module.name_of(column);
        let potential = format!("    {} = 0.001*v\n", name(membrane.potential));
        // The potentials move by an implicit step, then all else at the new potentials.
        text.push_str("BREAKPOINT {\n    SOLVE finish METHOD after_cvode\n");
        text.push_str(&potential);
        if kernels().any(|part| module.phase(part) == Phase::Currents) {
            text.push_str("    find_currents()\n");
        }
        let (rate, capacitance) = (name(membrane.rate), name(membrane.capacitance));
        let _ = writeln!(text, "    i = 0 - 1e9*{rate}*{capacitance}\n}}\n");
        text.push_str("PROCEDURE finish() {\n");
        text.push_str(&potential);
        if self.timed {
            text.push_str(&self.tick());
        }
        let steps = module.steps();
        for part in &steps {
            let _ = writeln!(text, "    {}()", module.procedure(*part));
        }
        if steps.is_empty() && self.has_held() {
            text.push_str("    advance()\n");
        }
        text.push_str("}\n\n");
    }

    /// Whether the time is found from the number of steps.
    fn counts_steps(&self) -> bool {
        self.module.places.program.clock == Clock::Product
    }

    /// The lines that move the time by a step.
    fn tick(&self) -> String {
        let (time, step) = (&self.module.time, &self.module.step);
        match self.module.places.program.clock {
            Clock::Sum => format!("    {time} = {time} + {step}\n"),
            Clock::Product => {
                format!("    steps_done = steps_done + 1\n    {time} = steps_done*{step}\n")
            }
            Clock::Halves => format!("    {time} = t/1000\n"),
        }
    }

    /// A kernel or handler as a procedure.
    fn procedure(&self, text: &mut String, part: Part, of: &Printed) {
        let module = self.module;
        match part {
            Part::Kernel(_) => {
                let _ = writeln!(text, "PROCEDURE {}() {{", module.procedure(part));
                locals(text, of);
                if self.timed && module.membrane.is_none() {
                    text.push_str(&self.tick());
                }
            }
            Part::Handler(number) => {
                let group = module.places.groups.of_handler(number);
                let attached = group.is_some_and(|group| module.places.is_attached(group));
                let name = module.kernel(part).map_or("", |kernel| &kernel.name);
                let _ = writeln!(text, ": {}", plain(name));
                let argument = if attached { "j0" } else { "" };
                let _ = writeln!(text, "PROCEDURE handle_{number}({argument}) {{");
                locals(text, of);
            }
        }
        for line in &of.lines {
            text.push_str(line);
            text.push('\n');
        }
        if module.steps().last() == Some(&part) {
            self.release(text);
        }
        text.push_str("}\n\n");
    }

    /// At the end of a step, the events that handlers have counted in it are sent.
    fn release(&self, text: &mut String) {
        let places = self.module.places;
        for counter in self.module.counters.values() {
            let (Some(held), name) = (&counter.held, &counter.name) else {
                continue;
            };
            let _ = match places.is_attached(counter.group) {
                true => writeln!(
                    text,
                    "    FROM j0 = 0 TO {} {{\n        {name}[j0] = {name}[j0] + {held}[j0]\n        {held}[j0] = 0\n    }}",
                    places.most(self.module.number, counter.group) - 1
                ),
                false => writeln!(text, "    {name} = {name} + {held}\n    {held} = 0"),
            };
        }
    }

    /// The block that NEURON runs for an event.
    fn receive(&self, text: &mut String) {
        let own = self.own_counter();
        let handlers: Vec<(u32, usize)> = self.module.handlers().collect();
        if own.is_none() && handlers.is_empty() {
            return;
        }
        text.push_str(
            ": Events come with the number of a handler and the place of what is attached.\n",
        );
        text.push_str("NET_RECEIVE(handler, place) {\n");
        // Without it, NEURON sets all numbers of a connection but the first to zero at the start.
        text.push_str("    INITIAL {\n    }\n");
        let mut otherwise = "    ";
        if let Some(counter) = own {
            let _ = write!(text, "    {}", send(&counter.name));
            otherwise = " else ";
        }
        for (number, group) in handlers {
            let is_attached = self.module.places.is_attached(group);
            let argument = if is_attached { "place" } else { "" };
            let _ = write!(
                text,
                "{otherwise}if (handler == {number}) {{\n        handle_{number}({argument})\n    }}"
            );
            otherwise = " else ";
        }
        text.push_str("\n}\n\n");
    }

    /// The functions that procedures call.
    fn functions(&self, text: &mut String) {
        text.push_str(&self.module.foreign.functions());
        for scheme in &self.schemes {
            if let Some(of) = self.module.places.program.schemes.get(*scheme as usize) {
                text.push_str(&helpers::propagate(*scheme, of, &self.module.step));
            }
        }
        for function in &self.functions {
            text.push_str(helpers::function(function));
        }
        if self.draws {
            text.push_str(helpers::DRAW);
        }
    }
}

/// The statement of `NET_RECEIVE` that sends the events of a counter. `WATCH` leads there, or a connection of the
/// instance with itself whose threshold the counter crosses. NEURON does not see it cross a threshold in two steps in
/// a row, so the instance looks again after a step.
fn send(counter: &str) -> String {
    format!(
        "if (flag == 1) {{
        WATCH ({counter} > 0.5) 2
    }} else if ((flag == 2) || (handler == -1)) {{
        if ({counter} > 0.5) {{
            WHILE ({counter} > 0.5) {{
                {counter} = {counter} - 1
                net_event(t)
            }}
            if (watches > 0.5) {{
                WATCH ({counter} > 0.5) 2
            }} else {{
                net_send(dt, 2)
            }}
        }}
    }}"
    )
}

/// Variables of a mechanism with comments, by the block in which they are declared.
#[derive(Default)]
struct Declarations {
    parameters: Vec<(String, String)>,
    assigned: Vec<(String, String)>,
    ranges: Vec<String>,
    pointers: Vec<String>,
}

impl Declarations {
    /// Declares a variable that each instance has; `size` makes it an array.
    fn assign(&mut self, name: &str, size: &str, comment: &str) {
        self.ranges.push(name.to_owned());
        self.assign_only(&format!("{name}{size}"), comment);
    }

    /// Declares a variable that is not in `RANGE`.
    fn assign_only(&mut self, name: &str, comment: &str) {
        self.assigned.push((name.to_owned(), comment.to_owned()));
    }
}

/// A number without parentheses, as declarations want it.
fn bare(value: f64) -> String {
    let text = number(value);
    match text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'))
    {
        Some(inside) if !inside.contains(' ') => inside.to_owned(),
        _ => text,
    }
}

/// A name of a model as a comment can hold it.
fn plain(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii_graphic() || c == ' ' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

fn locals(text: &mut String, of: &Printed) {
    let registers = of.locals.iter().map(|local| register(*local));
    let names: Vec<String> = registers.chain(of.bounds.iter().cloned()).collect();
    if !names.is_empty() {
        let _ = writeln!(text, "    LOCAL {}", wrapped(&names, "        "));
    }
}

/// Names with commas between them, in lines that are not too long.
fn wrapped(names: &[String], indent: &str) -> String {
    let mut text = String::new();
    let mut length = 0;
    for (number, name) in names.iter().enumerate() {
        if number > 0 {
            text.push(',');
            if length + name.len() > 90 {
                text.push('\n');
                text.push_str(indent);
                length = 0;
            } else {
                text.push(' ');
            }
        }
        text.push_str(name);
        length += name.len() + 2;
    }
    text
}

fn lists(text: &mut String, word: &str, names: &[String]) {
    let mut line: Vec<String> = Vec::new();
    let mut length = 0;
    let mut all = Vec::new();
    for name in names {
        if length + name.len() > 90 && !line.is_empty() {
            all.push(std::mem::take(&mut line));
            length = 0;
        }
        length += name.len() + 2;
        line.push(name.clone());
    }
    all.extend((!line.is_empty()).then_some(line));
    for line in all {
        let _ = writeln!(text, "    {word} {}", line.join(", "));
    }
}

fn section(text: &mut String, word: &str, lines: &[(String, String)]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "{word} {{");
    let width = lines
        .iter()
        .map(|(declaration, _)| declaration.len())
        .max()
        .unwrap_or(0)
        .min(40);
    for (declaration, comment) in lines {
        let _ = writeln!(text, "    {declaration:width$}  : {comment}");
    }
    text.push_str("}\n\n");
}

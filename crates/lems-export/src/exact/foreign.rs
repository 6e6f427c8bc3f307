//! Values of other instances that the kernels of a mechanism read.

use std::collections::BTreeMap;
use std::fmt::Write;

use lems_ir::{Block, Level, Operation, Place, Statement};

use super::mechanism::Module;
use super::print::number;
use crate::error::ExportError;
use crate::groups::{Loop, Part};
use crate::names::Names;

/// A value of another instance, as text.
#[derive(Debug, Clone)]
pub(super) struct Foreign {
    pub text: String,
    pub source: Source,
}

/// Where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// It never changes.
    Constant,
    /// A pointer of the mechanism.
    Pointer,
}

/// What a place outside the mechanism became.
#[derive(Debug, Clone)]
pub(super) enum Read {
    /// A number.
    Literal(f64),
    /// A variable (an array for attached ones) that is given its values once, slot by slot.
    Values {
        name: String,
        group: usize,
        slots: Vec<u32>,
    },
    /// Pointers, one for each member of the group that an instance has.
    Pointers {
        names: Vec<String>,
        group: usize,
        slots: Vec<u32>,
    },
}

/// All of them, by the slot or the table that names them.
#[derive(Debug, Clone, Default)]
pub(super) struct Foreigns {
    pub reads: BTreeMap<Key, Read>,
}

/// What a kernel names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Slot(u32),
    Table(u32),
}

impl Key {
    fn of(place: Place) -> Option<(Key, Level)> {
        match place {
            Place::Slot(slot) => Some((Key::Slot(slot), Level(0))),
            Place::Linked { table, level } => Some((Key::Table(table), level)),
            Place::Column { .. } => None,
        }
    }
}

impl Foreigns {
    /// Adds what a kernel reads of other instances.
    pub fn read(
        &mut self,
        body: &Block,
        part: Part,
        module: &Module<'_>,
        memory: &[f64],
        names: &mut Names,
    ) -> Result<(), ExportError> {
        let mut found: Vec<(Key, usize)> = Vec::new();
        let mut stores = false;
        places_of(body, &mut Vec::new(), &mut |place, loops, is_store| {
            if let Some((key, level)) = Key::of(place)
                && let Some((group, _)) = module.level(part, loops, level)
            {
                stores |= is_store;
                found.push((key, group));
            }
        });
        if stores {
            return Err(ExportError::Bug {
                what: "way to write a variable of another instance",
            });
        }
        for (key, group) in found {
            if let std::collections::btree_map::Entry::Vacant(entry) = self.reads.entry(key) {
                entry.insert(read(key, group, module, memory, names));
            }
        }
        Ok(())
    }

    /// How a place is written.
    pub fn get(
        &self,
        place: Place,
        module: &Module<'_>,
        part: Part,
        loops: &[Loop],
    ) -> Option<Foreign> {
        let (key, level) = Key::of(place)?;
        let (group, index) = module.level(part, loops, level)?;
        Some(match self.reads.get(&key)? {
            Read::Literal(value) => Foreign {
                text: number(*value),
                source: Source::Constant,
            },
            Read::Values { name, .. } => Foreign {
                text: format!("{name}{index}"),
                source: Source::Constant,
            },
            Read::Pointers { names, .. } => {
                let first = names.first()?;
                let text = match key {
                    Key::Table(table) if module.places.is_attached(group) => {
                        format!("pointed_{table}(j{})", level.0)
                    }
                    _ => first.clone(),
                };
                Foreign {
                    text,
                    source: Source::Pointer,
                }
            }
        })
    }

    /// The variables that are given their values once, with their sizes.
    pub fn values(&self, module: &Module<'_>) -> Vec<(String, String)> {
        let values = self.reads.values().filter_map(|read| match read {
            Read::Values { name, group, .. } => Some((name.clone(), module.size(*group))),
            _ => None,
        });
        values.collect()
    }

    pub fn pointers(&self) -> Vec<String> {
        let pointers = self.reads.values().filter_map(|read| match read {
            Read::Pointers { names, .. } => Some(names.clone()),
            _ => None,
        });
        pointers.flatten().collect()
    }

    /// Functions that choose among the pointers of an instance.
    pub fn functions(&self) -> String {
        let mut text = String::new();
        for (key, read) in &self.reads {
            if let (Key::Table(table), Read::Pointers { names, .. }) = (key, read) {
                let _ = writeln!(text, "FUNCTION pointed_{table}(place) {{");
                for (index, name) in names.iter().enumerate() {
                    let _ = writeln!(
                        text,
                        "    if (place == {index}) {{\n        pointed_{table} = {name}\n    }}"
                    );
                }
                text.push_str("}\n\n");
            }
        }
        text
    }
}

fn read(key: Key, group: usize, module: &Module<'_>, memory: &[f64], names: &mut Names) -> Read {
    let places = module.places;
    let links = &places.program.links;
    let slots: Vec<u32> = match key {
        Key::Slot(slot) => vec![slot],
        Key::Table(table) => {
            let members = places
                .spans(module.number, group)
                .iter()
                .map(|span| span.first + span.count)
                .max()
                .unwrap_or(0);
            let entries = table as usize..table as usize + members as usize;
            links.get(entries).unwrap_or_default().to_vec()
        }
    };
    let is_constant = |slot: &u32| places.column(*slot).is_none_or(|column| !column.written);
    let value = |slot: u32| memory.get(slot as usize).copied().unwrap_or(0.0);
    match (key, slots.iter().all(is_constant)) {
        (Key::Slot(slot), true) => Read::Literal(value(slot)),
        (Key::Table(_), true) => Read::Values {
            name: names.give("given"),
            group,
            slots,
        },
        (_, false) => {
            let count = match key {
                Key::Table(_) if places.is_attached(group) => places.most(module.number, group),
                _ => 1,
            };
            let names = (0..count).map(|_| names.give("pointed")).collect();
            Read::Pointers {
                names,
                group,
                slots,
            }
        }
    }
}

/// The places of a block, with the loops around each.
fn places_of(block: &Block, loops: &mut Vec<Loop>, visit: &mut dyn FnMut(Place, &[Loop], bool)) {
    for statement in block {
        match statement {
            Statement::Let(_, Operation::Load(place)) => visit(*place, loops, false),
            Statement::Store(place, _) => visit(*place, loops, true),
            Statement::If {
                then, otherwise, ..
            } => {
                places_of(then, loops, visit);
                places_of(otherwise, loops, visit);
            }
            Statement::ForAttached { offsets, body, .. } => {
                loops.push(Loop::Attached { offsets: *offsets });
                places_of(body, loops, visit);
                loops.pop();
            }
            Statement::ForRuns {
                offsets,
                runs,
                arms,
                ..
            } => {
                for (arm, body) in arms.iter().enumerate() {
                    loops.push(Loop::Run {
                        offsets: *offsets,
                        runs: *runs,
                        arm,
                    });
                    places_of(body, loops, visit);
                    loops.pop();
                }
            }
            Statement::Twice(body) => places_of(body, loops, visit),
            Statement::Let(..) | Statement::Emit { .. } | Statement::Propagate { .. } => {}
        }
    }
}

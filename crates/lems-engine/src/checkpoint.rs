//! A run that stands still, as bytes.
//!
//! A checkpoint begins with a line, the length of what follows and its checksum. All numbers are little-endian words of
//! eight bytes; text and lists have their length before them.
//!
//! One process writes one file. Of several ranks each writes a part, a file of the same format with the variables and
//! events of the rank. Then rank 0 writes the checkpoint itself, which has the seals of the parts instead.

mod bytes;

use std::collections::HashSet;
use std::fmt::Debug;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use lems_ir::{Action, CableScratch, Deliveries, EventQueue, QueuedEvent, Share, State};
use lems_math::JavaRandom;
use lems_output::{Checksum, Mark, OutputError, OutputSink, OutputStore};

use crate::Simulation;
use crate::error::{CONTENT, CheckpointError, VERSION};
use crate::fingerprint::fingerprint_of_outputs;
use bytes::{Bytes, Reader};

pub use bytes::Seal;

/// Values that are read at once.
const CHUNK: usize = 1 << 13;

/// Where the files of a checkpoint are.
pub trait CheckpointFiles: Debug + Send + Sync {
    /// Opens the checkpoint, or the part of a rank.
    ///
    /// # Errors
    /// It cannot be opened.
    fn open(&self, part: Option<PartName>) -> io::Result<Box<dyn Read + '_>>;

    /// What a part is called in messages.
    fn name(&self, part: PartName) -> String;
}

/// Which part of a checkpoint a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartName {
    /// Number of the checkpoint among those of the run.
    pub generation: u64,
    /// Number of the rank that wrote it.
    pub rank: usize,
}

/// A checkpoint in memory.
#[derive(Debug)]
struct InMemory(Vec<u8>);

impl CheckpointFiles for InMemory {
    fn open(&self, part: Option<PartName>) -> io::Result<Box<dyn Read + '_>> {
        match part {
            None => Ok(Box::new(self.0.as_slice())),
            Some(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn name(&self, part: PartName) -> String {
        format!("rank {}", part.rank)
    }
}

/// A run between two steps: all that it needs to go on, and all that its further course depends on.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    head: Head,
    seal: Seal,
    files: Arc<dyn CheckpointFiles>,
}

/// What each file of a checkpoint begins with.
#[derive(Debug, Clone)]
struct Head {
    run: u64,
    identity: Vec<u64>,
    steps: u64,
    time: f64,
    now: f64,
    random: u64,
    effects: u64,
    sent: u64,
    /// Number of slots of the whole run.
    slots: u64,
    generation: u64,
    /// Seals of the parts, one of each rank.
    parts: Vec<Seal>,
    marks: Vec<Mark>,
}

/// What two runs with the same further course have in common, and how it is called if it differs.
fn identity(simulation: &Simulation) -> [(&'static str, u64); 4] {
    [
        ("another step", simulation.run.step.to_bits()),
        ("another `--every`", simulation.every()),
        ("other outputs", fingerprint_of_outputs(simulation)),
        (
            "another model, other parameters or another seed",
            simulation.fingerprint_of_program(),
        ),
    ]
}

/// What a file of a checkpoint contains.
#[derive(Clone, Copy)]
pub(crate) enum Content<'c> {
    /// All.
    Whole { marks: &'c [Mark] },
    /// What a rank has.
    Part(&'c dyn Share),
    /// What the parts have in common, and their seals.
    Common {
        marks: &'c [Mark],
        generation: u64,
        parts: &'c [Seal],
    },
}

/// A file of a checkpoint of a run that has done `steps` and is at `time`.
pub(crate) fn write(
    simulation: &Simulation,
    state: &State,
    (steps, time): (u64, f64),
    content: Content<'_>,
) -> Vec<u8> {
    // Between two steps nothing is left to record, no handler runs, and the run has not failed.
    let State {
        memory,
        now,
        queue,
        deliveries: _,
        random,
        recorded: _,
        effects,
        draws: _,
        depth: _,
        fault: _,
        scratch: _,
    } = state;
    let all = 0..lems_index::narrow(memory.len());
    let (marks, generation, parts, slots) = match content {
        Content::Whole { marks } => (marks, 0, &[][..], std::slice::from_ref(&all)),
        Content::Part(share) => (&[][..], 0, &[][..], share.slots()),
        Content::Common {
            marks,
            generation,
            parts,
        } => (marks, generation, parts, &[][..]),
    };
    let is_here = |event: &&QueuedEvent| match content {
        Content::Whole { .. } => true,
        Content::Part(share) => share.has(event.action),
        Content::Common { .. } => false,
    };
    let mut body = Bytes::new();
    body.text(VERSION.as_bytes());
    body.number(simulation.number());
    body.list(&identity(simulation), |body, (_, part)| body.number(*part));
    body.number(steps);
    body.real(time);
    body.real(*now);
    body.number(random.state());
    body.number(*effects);
    body.number(queue.sent());
    body.number(memory.len() as u64);
    body.number(generation);
    body.list(parts, |body, seal| {
        body.number(seal.length);
        body.number(seal.checksum);
    });
    body.list(marks, |body, mark| {
        body.number(mark.bytes);
        body.number(mark.rows);
        body.number(mark.checksum.value());
        body.text(mark.partial.as_bytes());
        body.text(&mark.content);
    });
    let events: Vec<&QueuedEvent> = queue.events().filter(is_here).collect();
    body.list(&events, |body, event| {
        body.real(event.time);
        body.number(event.number);
        body.action(event.action);
    });
    body.list(slots, |body, slots| {
        body.number(u64::from(slots.start) << 32 | u64::from(slots.end));
        let values = memory.get(slots.start as usize..slots.end as usize);
        for value in values.unwrap_or_default() {
            body.real(*value);
        }
    });
    body.sealed()
}

impl Checkpoint {
    /// Reads what [`Moment::checkpoint`](crate::Moment::checkpoint) gave; takes no more memory than
    /// a few times that of the bytes.
    ///
    /// # Errors
    /// Bytes that are no checkpoint, not all of one or not as they were written, or of another
    /// version of this program.
    pub fn read(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
        Checkpoint::open(Arc::new(InMemory(bytes.to_vec())))
    }

    /// Looks at a checkpoint in files. Their variables and events are read when the run continues.
    ///
    /// # Errors
    /// Those of [`Checkpoint::read`] for the checkpoint itself. Its parts are not opened.
    pub fn open(files: Arc<dyn CheckpointFiles>) -> Result<Checkpoint, CheckpointError> {
        let source = files.open(None).map_err(|_| CheckpointError::NotOne)?;
        let mut reader = Reader::new(source)?;
        let (head, seal) = (Head::read(&mut reader), reader.seal());
        // What is damaged makes no sense either.
        reader.check()?;
        let head = head?;
        Ok(Checkpoint { head, seal, files })
    }

    /// Which of the runs of the target it is of.
    pub fn run(&self) -> u64 {
        self.head.run
    }

    /// Steps done.
    pub fn steps(&self) -> u64 {
        self.head.steps
    }

    /// Simulated time, in seconds.
    pub fn time(&self) -> f64 {
        self.head.time
    }

    /// Number of the checkpoint among those of the run, from one; zero if it has no parts.
    pub fn generation(&self) -> u64 {
        self.head.generation
    }

    /// What `simulation` goes on with: the state, of which a rank gets its share, and how far the outputs were written.
    pub(crate) fn into_state(
        self,
        simulation: &Simulation,
        share: Option<&dyn Share>,
        memory_at_start: impl FnOnce() -> Vec<f64>,
    ) -> Result<(State, Vec<Mark>), CheckpointError> {
        let Checkpoint { head, seal, files } = self;
        let program = &simulation.program;
        head.check(simulation)?;
        let has_all = share.is_none() && head.parts.is_empty();
        let mut contents = Contents {
            // Parts lack what only the initial passes store.
            memory: match has_all {
                true => vec![0.0; program.memory.len()],
                false => memory_at_start(),
            },
            events: Vec::new(),
            stored: 0,
            share,
            chunk: vec![0; 8 * CHUNK],
        };
        if head.parts.is_empty() {
            contents.add(files.open(None), seal)?;
        }
        for (rank, seal) in head.parts.iter().enumerate() {
            let generation = head.generation;
            let part = PartName { generation, rank };
            let added = contents.add(files.open(Some(part)), *seal);
            added.map_err(|error| CheckpointError::Part {
                name: files.name(part),
                problem: error.to_string(),
            })?;
        }
        let wanted = match share {
            Some(share) => (share.slots().iter()).map(|slots| slots.len() as u64).sum(),
            None if has_all => head.slots,
            None => contents.stored,
        };
        // Machine code relies on both.
        let mut unknown: HashSet<Action> =
            (contents.events.iter()).map(|event| event.action).collect();
        if !unknown.is_empty() {
            for (_, target) in program.routes.all() {
                unknown.remove(&target.action);
            }
        }
        if contents.stored != wanted || !unknown.is_empty() {
            return Err(CONTENT);
        }
        let queue = match head.parts.is_empty() {
            true => EventQueue::of(contents.events, head.sent),
            false => queue_of_parts(contents.events),
        };
        let state = State {
            memory: contents.memory,
            now: head.now,
            queue,
            deliveries: Deliveries::default(),
            random: JavaRandom::from_state(head.random),
            recorded: Vec::new(),
            effects: head.effects,
            draws: 0,
            depth: 0,
            fault: None,
            scratch: CableScratch::default(),
        };
        Ok((state, head.marks))
    }
}

impl Head {
    fn read(body: &mut Reader<'_>) -> Result<Head, CheckpointError> {
        let version = body.text()?;
        if version != VERSION.as_bytes() {
            let found = String::from_utf8_lossy(&version).into_owned();
            return Err(CheckpointError::OtherVersion { found });
        }
        Ok(Head {
            run: body.number()?,
            identity: body.list(Reader::number)?,
            steps: body.number()?,
            time: body.real()?,
            now: body.real()?,
            random: body.number()?,
            effects: body.number()?,
            sent: body.number()?,
            slots: body.number()?,
            generation: body.number()?,
            parts: body.list(|body| {
                Ok(Seal {
                    length: body.number()?,
                    checksum: body.number()?,
                })
            })?,
            marks: body.list(|body| {
                Ok(Mark {
                    bytes: body.number()?,
                    rows: body.number()?,
                    checksum: Checksum::from_value(body.number()?),
                    partial: String::from_utf8_lossy(&body.text()?).into_owned(),
                    content: body.text()?,
                })
            })?,
        })
    }

    /// Whether a simulation can go on from it.
    fn check(&self, simulation: &Simulation) -> Result<(), CheckpointError> {
        let own = identity(simulation);
        let differs = |((_, own), found): &(&(&str, u64), &u64)| own != *found;
        if let Some(((what, _), _)) = own.iter().zip(&self.identity).find(differs) {
            return Err(CheckpointError::OtherRun { what });
        }
        if self.steps > simulation.steps() {
            let (reached, steps) = (self.steps, simulation.steps());
            return Err(CheckpointError::AfterTheEnd { reached, steps });
        }
        let fits = self.identity.len() == own.len()
            && self.run == simulation.number()
            && self.slots == simulation.program.memory.len() as u64;
        match fits {
            true => Ok(()),
            false => Err(CONTENT),
        }
    }
}

/// A queue of the events of several parts, which are numbered apart.
fn queue_of_parts(mut events: Vec<QueuedEvent>) -> EventQueue {
    // Events of equal time from different parts touch different variables. Only one rank has events that draw or send
    // when they are due.
    events.sort_by(|one, other| {
        (one.time.total_cmp(&other.time)).then(one.number.cmp(&other.number))
    });
    let mut queue = EventQueue::default();
    queue.replace(events.into_iter().map(|event| (event.time, event.action)));
    queue
}

/// What the files of a checkpoint contain, as far as this process needs it.
struct Contents<'s> {
    memory: Vec<f64>,
    events: Vec<QueuedEvent>,
    /// Number of slots that were read into memory.
    stored: u64,
    share: Option<&'s dyn Share>,
    /// Room for values that are read at once.
    chunk: Vec<u8>,
}

impl Contents<'_> {
    /// Adds those of a file.
    fn add(&mut self, file: io::Result<Box<dyn Read + '_>>, seal: Seal) -> Result<(), PartError> {
        let mut reader = Reader::new(file?)?;
        if reader.seal() != seal {
            return Err(PartError::Other);
        }
        let read = self.read(&mut reader);
        // What is damaged makes no sense either.
        reader.check()?;
        Ok(read?)
    }

    fn read(&mut self, body: &mut Reader<'_>) -> Result<(), CheckpointError> {
        Head::read(body)?;
        for _ in 0..body.length()? {
            let event = QueuedEvent {
                time: body.real()?,
                number: body.number()?,
                action: body.action()?,
            };
            if self.share.is_none_or(|share| share.has(event.action)) {
                self.events.push(event);
            }
        }
        for _ in 0..body.length()? {
            let slots = body.number()?;
            let half = |word: u64| usize::try_from(word & u64::from(u32::MAX)).map_err(|_| CONTENT);
            let (start, end) = (half(slots >> 32)?, half(slots)?);
            if start > end || end > self.memory.len() {
                return Err(CONTENT);
            }
            self.read_slots(body, start..end)?;
        }
        match body.is_at_end() {
            true => Ok(()),
            false => Err(CONTENT),
        }
    }

    /// Reads the values of slots, of which those of the share go to memory.
    fn read_slots(
        &mut self,
        body: &mut Reader<'_>,
        slots: Range<usize>,
    ) -> Result<(), CheckpointError> {
        for start in slots.clone().step_by(CHUNK) {
            let here = start..slots.end.min(start + CHUNK);
            body.fill(self.chunk.get_mut(..8 * here.len()).unwrap_or_default())?;
            let Some(share) = self.share else {
                self.store(start, here);
                continue;
            };
            let own = share.slots();
            let first = own.partition_point(|own| own.end as usize <= here.start);
            let own = own.iter().skip(first);
            for own in own.take_while(|own| (own.start as usize) < here.end) {
                self.store(
                    start,
                    start.max(own.start as usize)..here.end.min(own.end as usize),
                );
            }
        }
        Ok(())
    }

    /// Stores the values of some slots, if those from `start` on are in the chunk.
    fn store(&mut self, start: usize, slots: Range<usize>) {
        let (values, _) = self.chunk.as_chunks::<8>();
        let values = values.iter().skip(slots.start - start);
        let own = self.memory.get_mut(slots).unwrap_or_default();
        self.stored += own.len() as u64;
        for (slot, value) in own.iter_mut().zip(values) {
            *slot = f64::from_le_bytes(*value);
        }
    }
}

/// What is wrong with a file of a checkpoint.
#[derive(Debug, thiserror::Error)]
enum PartError {
    #[error("{0}")]
    NotThere(#[from] io::Error),
    #[error("it was written with another checkpoint")]
    Other,
    #[error("{}", short(.0))]
    Bad(#[from] CheckpointError),
}

/// What is wrong with a part, without saying that it is a checkpoint.
fn short(error: &CheckpointError) -> String {
    match error {
        CheckpointError::NotOne => "it is something else".to_owned(),
        CheckpointError::Damaged(problem) => (*problem).to_owned(),
        error => error.to_string(),
    }
}

impl From<PartError> for CheckpointError {
    fn from(error: PartError) -> CheckpointError {
        match error {
            PartError::NotThere(_) => CheckpointError::NotOne,
            PartError::Other => CheckpointError::Damaged("it has changed since the run was set up"),
            PartError::Bad(error) => error,
        }
    }
}

/// A store that opens its first outputs at marks.
pub(crate) struct Reopening<'s> {
    pub store: &'s mut dyn OutputStore,
    pub marks: std::vec::IntoIter<Mark>,
}

impl OutputStore for Reopening<'_> {
    fn create(&mut self, path: &str) -> Result<Box<dyn OutputSink>, OutputError> {
        match self.marks.next() {
            Some(mark) => self.store.reopen(path, &mark),
            None => self.store.create(path),
        }
    }

    fn reopen(&mut self, path: &str, mark: &Mark) -> Result<Box<dyn OutputSink>, OutputError> {
        self.store.reopen(path, mark)
    }
}

#[cfg(test)]
mod tests;

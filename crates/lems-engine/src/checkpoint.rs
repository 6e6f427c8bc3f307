//! A run that stands still, as bytes.
//!
//! A checkpoint begins with [`MAGIC`], the length of what follows and its checksum. All numbers are
//! little-endian words of eight bytes; text and lists have their length before them.

use std::collections::HashSet;

use lems_ir::{Action, CableScratch, Deliveries, EventQueue, QueuedEvent, State};
use lems_math::JavaRandom;
use lems_output::{Checksum, Mark, OutputError, OutputSink, OutputStore};

use crate::Simulation;
use crate::fingerprint::fingerprint_of_outputs;

const MAGIC: &[u8] = b"jlems-rs checkpoint 2\n";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why a run cannot go on from a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Something else.
    #[error("this is no checkpoint")]
    NotOne,
    /// Bytes are missing or have changed.
    #[error("the checkpoint is damaged: {0}")]
    Damaged(&'static str),
    /// It was written by another version of this program.
    #[error("the checkpoint was written by version {found}, and this is version {VERSION}")]
    OtherVersion {
        /// That version.
        found: String,
    },
    /// It belongs to a run that would go on otherwise.
    #[error("the checkpoint is of a run with {what}")]
    OtherRun {
        /// What differs between the run and the checkpoint.
        what: &'static str,
    },
    /// The run ends before it.
    #[error("the checkpoint was made after {reached} steps, and this run has {steps}")]
    AfterTheEnd {
        /// Steps that were done.
        reached: u64,
        /// Steps to do.
        steps: u64,
    },
}

impl CheckpointError {
    /// The stable number of the error: 541 is shown as `E0541`.
    pub fn code(&self) -> u16 {
        match self {
            CheckpointError::NotOne | CheckpointError::Damaged(_) => 541,
            CheckpointError::OtherVersion { .. } => 542,
            CheckpointError::OtherRun { .. } | CheckpointError::AfterTheEnd { .. } => 543,
        }
    }

    /// The likely fix, in one sentence.
    pub fn help(&self) -> String {
        match self {
            CheckpointError::NotOne | CheckpointError::Damaged(_) => {
                "give the file that `--checkpoint` named, or run from the start"
            }
            CheckpointError::OtherVersion { .. } => {
                "go on with that version, or run from the start"
            }
            CheckpointError::OtherRun { .. } => {
                "go on with the files and options that the run began with, or run from the start"
            }
            CheckpointError::AfterTheEnd { .. } => "give it at least the length that it had",
        }
        .to_owned()
    }
}

/// A run between two steps: all that it needs to go on, and all that its further course depends on.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// Which of the runs of the target it is of.
    pub run: u64,
    /// Steps done.
    pub steps: u64,
    /// Simulated time, in seconds.
    pub time: f64,
    identity: Vec<u64>,
    state: State,
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

/// The bytes of a checkpoint of a run that has done `steps` and is at `time`.
pub(crate) fn write(
    simulation: &Simulation,
    state: &State,
    steps: u64,
    time: f64,
    marks: &[Mark],
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
    let mut body = Bytes::default();
    body.text(VERSION.as_bytes());
    body.number(simulation.number());
    body.list(&identity(simulation), |body, (_, part)| body.number(*part));
    body.number(steps);
    body.real(time);
    body.real(*now);
    body.number(random.state());
    body.number(*effects);
    body.number(queue.sent());
    let events: Vec<&QueuedEvent> = queue.events().collect();
    body.list(&events, |body, event| {
        body.real(event.time);
        body.number(event.number);
        body.action(event.action);
    });
    body.list(memory, |body, value| body.real(*value));
    body.list(marks, |body, mark| {
        body.number(mark.bytes);
        body.number(mark.rows);
        body.number(mark.checksum.value());
        body.text(mark.partial.as_bytes());
        body.text(&mark.content);
    });
    let mut sum = Checksum::default();
    sum.add(&body.0);
    let mut whole = Bytes(MAGIC.to_vec());
    whole.number(body.0.len() as u64);
    whole.number(sum.value());
    whole.0.append(&mut body.0);
    whole.0
}

impl Checkpoint {
    /// Reads what [`Moment::checkpoint`](crate::Moment::checkpoint) gave; takes no more memory than
    /// a few times that of the bytes.
    ///
    /// # Errors
    /// Bytes that are no checkpoint, not all of one or not as they were written, or of another
    /// version of this program.
    pub fn read(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
        let mut header = Reader(bytes.strip_prefix(MAGIC).ok_or(CheckpointError::NotOne)?);
        let (length, sum) = (header.number()?, header.number()?);
        let mut body = header;
        if body.0.len() as u64 != length {
            return Err(CheckpointError::Damaged("it does not have its full length"));
        }
        let mut found = Checksum::default();
        found.add(body.0);
        if found.value() != sum {
            return Err(CheckpointError::Damaged("its checksum is wrong"));
        }
        let version = body.text()?;
        if version != VERSION.as_bytes() {
            let found = String::from_utf8_lossy(version).into_owned();
            return Err(CheckpointError::OtherVersion { found });
        }
        let run = body.number()?;
        let identity = body.list(Reader::number)?;
        let steps = body.number()?;
        let time = body.real()?;
        let now = body.real()?;
        let random = JavaRandom::from_state(body.number()?);
        let effects = body.number()?;
        let sent = body.number()?;
        let events = body.list(|body| {
            Ok(QueuedEvent {
                time: body.real()?,
                number: body.number()?,
                action: body.action()?,
            })
        })?;
        let memory = body.list(Reader::real)?;
        let marks = body.list(|body| {
            Ok(Mark {
                bytes: body.number()?,
                rows: body.number()?,
                checksum: Checksum::from_value(body.number()?),
                partial: String::from_utf8_lossy(body.text()?).into_owned(),
                content: body.text()?.to_vec(),
            })
        })?;
        if !body.0.is_empty() {
            return Err(CONTENT);
        }
        let state = State {
            memory,
            now,
            queue: EventQueue::of(events, sent),
            deliveries: Deliveries::default(),
            random,
            recorded: Vec::new(),
            effects,
            draws: 0,
            depth: 0,
            fault: None,
            scratch: CableScratch::default(),
        };
        Ok(Checkpoint {
            run,
            steps,
            time,
            identity,
            state,
            marks,
        })
    }

    /// What `simulation` goes on with: the state, and how far its outputs were written.
    pub(crate) fn into_parts(
        mut self,
        simulation: &Simulation,
    ) -> Result<(State, Vec<Mark>), CheckpointError> {
        let parts = identity(simulation);
        let differs = |((_, own), found): &(&(&str, u64), &u64)| own != *found;
        if let Some(((what, _), _)) = parts.iter().zip(&self.identity).find(differs) {
            return Err(CheckpointError::OtherRun { what });
        }
        if self.steps > simulation.steps() {
            let (reached, steps) = (self.steps, simulation.steps());
            return Err(CheckpointError::AfterTheEnd { reached, steps });
        }
        // Machine code relies on both.
        let program = &simulation.program;
        let mut unknown: HashSet<Action> = self
            .state
            .queue
            .events()
            .map(|event| event.action)
            .collect();
        if !unknown.is_empty() {
            for (_, target) in program.routes.all() {
                unknown.remove(&target.action);
            }
        }
        // Other ranks handle what this part does not know.
        if simulation.is_part() && !unknown.is_empty() {
            let queue = &self.state.queue;
            let known = queue
                .events()
                .filter(|event| !unknown.contains(&event.action));
            self.state.queue = EventQueue::of(known.copied().collect(), queue.sent());
            unknown.clear();
        }
        let fits = self.identity.len() == parts.len()
            && self.run == simulation.number()
            && self.state.memory.len() == program.memory.len()
            && unknown.is_empty();
        if fits {
            Ok((self.state, self.marks))
        } else {
            Err(CONTENT)
        }
    }
}

const CONTENT: CheckpointError = CheckpointError::Damaged("its content makes no sense");

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

#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn real(&mut self, real: f64) {
        self.number(real.to_bits());
    }

    fn text(&mut self, text: &[u8]) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text);
    }

    fn action(&mut self, action: Action) {
        let numbers = match action {
            Action::Handle { handler, instance } => [0, handler, instance],
            Action::Record { selection } => [1, selection, 0],
        };
        (numbers.into_iter()).for_each(|number| self.number(number.into()));
    }

    fn list<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Bytes, &T)) {
        self.number(items.len() as u64);
        items.iter().for_each(|one| item(self, one));
    }
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, length: u64) -> Result<&'b [u8], CheckpointError> {
        let length = usize::try_from(length).map_err(|_| CONTENT)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(CONTENT)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u64, CheckpointError> {
        let bytes = self.take(8)?.try_into().map_err(|_| CONTENT)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn real(&mut self) -> Result<f64, CheckpointError> {
        Ok(f64::from_bits(self.number()?))
    }

    fn text(&mut self) -> Result<&'b [u8], CheckpointError> {
        let length = self.number()?;
        self.take(length)
    }

    fn action(&mut self) -> Result<Action, CheckpointError> {
        let mut index = || u32::try_from(self.number()?).map_err(|_| CONTENT);
        match [index()?, index()?, index()?] {
            [0, handler, instance] => Ok(Action::Handle { handler, instance }),
            [1, selection, 0] => Ok(Action::Record { selection }),
            _ => Err(CONTENT),
        }
    }

    /// Items of at least eight bytes each.
    fn list<T>(
        &mut self,
        item: impl Fn(&mut Self) -> Result<T, CheckpointError>,
    ) -> Result<Vec<T>, CheckpointError> {
        let length = self.number()?;
        if length > self.0.len() as u64 / 8 {
            return Err(CONTENT);
        }
        (0..length).map(|_| item(self)).collect()
    }
}

#[cfg(test)]
mod tests;

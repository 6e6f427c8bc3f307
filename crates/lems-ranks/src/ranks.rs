//! The protocol of the ranks of a run: which kinds of messages there are, and what happens when a rank leaves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::exchange::Exchange;
use crate::words::{packed, unpacked};

/// The ranks of a run as one of them sees them. A clone shares the connection.
///
/// Every exchange involves all ranks, and all its messages are of one kind. If a rank leaves instead, all ranks
/// are disconnected: no rank waits for one that does not answer.
#[derive(Clone)]
pub struct Ranks {
    rank: usize,
    size: usize,
    connection: Arc<Mutex<Connection>>,
}

struct Connection {
    exchange: Box<dyn Exchange>,
    /// Why nothing can be exchanged any more; none while the ranks are connected.
    ended: Option<Disconnected>,
}

/// Nothing can be exchanged any more, for the reason in the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Disconnected(pub String);

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The checksum of the model: all ranks must have the same.
    Model,
    /// What the instances of a rank did in a step.
    Step,
    /// What rank 0 commands between two steps.
    Command,
    /// What became of the part of a checkpoint that a rank writes.
    Part,
    /// A number of a rank, of which all need the least.
    Least,
    /// The rank leaves: it is done, or has failed.
    Leave,
}

impl Kind {
    const ALL: [Kind; 6] = [
        Kind::Model,
        Kind::Step,
        Kind::Command,
        Kind::Part,
        Kind::Least,
        Kind::Leave,
    ];

    fn number(self) -> u64 {
        self as u64
    }

    fn of(word: Option<&u64>) -> Option<Kind> {
        Kind::ALL
            .into_iter()
            .find(|kind| Some(&kind.number()) == word)
    }
}

/// What rank 0 commands between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Make this number of steps, then wait for the next command.
    Continue(u64),
    /// Write your part of the checkpoint of this generation, say what became of it ([`Ranks::results`]), then wait for
    /// the next command.
    Save(u64),
    /// End the run here.
    Stop,
}

impl Command {
    /// As a message between ranks.
    fn words(self) -> Vec<u64> {
        match self {
            Command::Continue(steps) => vec![0, steps],
            Command::Save(generation) => vec![1, generation],
            Command::Stop => vec![2],
        }
    }

    fn of_words(words: &[u64]) -> Option<Command> {
        match *words {
            [0, steps] => Some(Command::Continue(steps)),
            [1, generation] => Some(Command::Save(generation)),
            [2] => Some(Command::Stop),
            _ => None,
        }
    }
}

impl std::fmt::Debug for Ranks {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Ranks({} of {})", self.rank, self.size)
    }
}

impl Ranks {
    /// The ranks that an exchange reaches.
    pub fn new(exchange: impl Exchange + 'static) -> Ranks {
        Ranks {
            rank: exchange.rank(),
            size: exchange.size(),
            connection: Arc::new(Mutex::new(Connection {
                exchange: Box::new(exchange),
                ended: None,
            })),
        }
    }

    /// Number of this rank, from zero.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Number of ranks.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether this rank writes the outputs and commands the others.
    pub fn leads(&self) -> bool {
        self.rank == 0
    }

    /// Checks that all ranks have read the same model: `checksum` must be equal on all.
    ///
    /// # Errors
    /// The models differ, or a rank has left.
    pub fn check_model(&self, checksum: u64) -> Result<(), Disconnected> {
        let all = self.gather(Kind::Model, vec![checksum])?;
        match all.iter().all(|words| **words == [checksum]) {
            true => Ok(()),
            false => Err(Disconnected(
                "the processes of the run have read different models".to_owned(),
            )),
        }
    }

    /// The checksum of a model of which each rank has a part. It is the sum of the checksum that all ranks have in
    /// common and of the checksums of their parts. A rank without a part passes None.
    ///
    /// The result is None if a rank has no part, or if the checksums that all should have in common differ.
    ///
    /// # Errors
    /// A rank has left.
    pub fn checksum_of_parts(&self, part: Option<[u64; 2]>) -> Result<Option<u64>, Disconnected> {
        let own = part.map_or_else(Vec::new, Vec::from);
        let all = self.gather(Kind::Model, own)?;
        let mut sum: Option<[u64; 2]> = None;
        for words in &all {
            let (Ok([common, own]), first) = (<[u64; 2]>::try_from(words.as_slice()), sum) else {
                return Ok(None);
            };
            let [known, others] = first.unwrap_or([common, 0]);
            if known != common {
                return Ok(None);
            }
            sum = Some([common, others.wrapping_add(own)]);
        }
        Ok(sum.map(|[common, own]| common.wrapping_add(own)))
    }

    /// Broadcasts the command of rank 0, which every rank returns. What the others pass is ignored.
    ///
    /// # Errors
    /// A rank has left.
    pub fn broadcast(&self, own: Command) -> Result<Command, Disconnected> {
        let all = self.gather(Kind::Command, own.words())?;
        let first = all.first().map(Vec::as_slice);
        first.and_then(Command::of_words).ok_or_else(out_of_step)
    }

    /// Receives the command of rank 0, on another rank.
    ///
    /// # Errors
    /// A rank has left.
    pub fn follow(&self) -> Result<Command, Disconnected> {
        self.broadcast(Command::Continue(0))
    }

    /// Gives all ranks the result of each, after [`Command::Save`]: some words, or why it has failed.
    ///
    /// # Errors
    /// A rank has left.
    pub fn results(
        &self,
        own: Result<Vec<u64>, String>,
    ) -> Result<Vec<Result<Vec<u64>, String>>, Disconnected> {
        let message = match own {
            Ok(mut words) => {
                words.insert(0, 1);
                words
            }
            Err(text) => [vec![0], packed(&text)].concat(),
        };
        let all = self.gather(Kind::Part, message)?;
        let result = |words: &Vec<u64>| match words.split_first()? {
            (1, words) => Some(Ok(words.to_vec())),
            (_, words) => Some(Err(unpacked(words)?)),
        };
        let results = all
            .iter()
            .map(|words| result(words).ok_or_else(out_of_step));
        results.collect()
    }

    /// The least of the numbers of all ranks.
    pub(crate) fn least(&self, own: Option<u64>) -> Result<Option<u64>, Disconnected> {
        let all = self.gather(Kind::Least, own.into_iter().collect())?;
        Ok(all.into_iter().flatten().min())
    }

    /// Disconnects: lets the others know that this rank is done, or why it has failed.
    pub fn leave(&self, failure: Option<&str>) {
        let message = failure.map_or_else(Vec::new, |text| {
            // An empty text would mean that the rank is done.
            let text = if text.is_empty() {
                "it has failed"
            } else {
                text
            };
            packed(text)
        });
        // Another rank may have left before; then there is nobody to inform.
        let _ = self.gather(Kind::Leave, message);
        self.lock().ended.get_or_insert_with(out_of_step);
    }

    /// Gives every rank the messages of all, without their kind.
    pub(crate) fn gather(
        &self,
        kind: Kind,
        mut message: Vec<u64>,
    ) -> Result<Vec<Vec<u64>>, Disconnected> {
        let mut connection = self.lock();
        if let Some(left) = &connection.ended {
            return Err(left.clone());
        }
        message.insert(0, kind.number());
        let mut all = match connection.exchange.gather(&message) {
            Ok(all) => all,
            Err(gone) => {
                let left = Disconnected(gone.to_string());
                return Err(connection.ended.insert(left).clone());
            }
        };
        // If a rank leaves, all are disconnected. The reason is that of the first rank that has failed.
        let kinds = all.iter().map(|words| Kind::of(words.first()));
        if !kinds.clone().all(|other| other == Some(kind)) || kind == Kind::Leave {
            let leaving = kinds.map(|other| other == Some(Kind::Leave));
            let mut leaving = (0..)
                .zip(leaving.zip(&all))
                .filter(|(_, (leaves, _))| *leaves);
            let failed = (leaving.clone())
                .find_map(|(rank, (_, words))| Some((rank, unpacked(words.get(1..)?)?)));
            let left = match (failed, leaving.next()) {
                (Some((rank, text)), _) => {
                    Disconnected(format!("process {rank} of the run has failed: {text}"))
                }
                (None, Some((rank, _))) => {
                    Disconnected(format!("process {rank} of the run has ended early"))
                }
                (None, None) => out_of_step(),
            };
            return Err(connection.ended.insert(left).clone());
        }
        for words in &mut all {
            words.remove(0);
        }
        Ok(all)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ranks do not send the same kind of message.
pub(crate) fn out_of_step() -> Disconnected {
    Disconnected("the processes of the run are out of step: this is a bug in jlems-rs".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::threads;

    fn each(size: usize, body: impl Fn(Ranks) + Sync) {
        std::thread::scope(|scope| {
            for rank in threads(size) {
                let ranks = Ranks::new(rank);
                scope.spawn(|| body(ranks));
            }
        });
    }

    #[test]
    fn rank_0_decides() {
        each(3, |ranks| {
            ranks.check_model(17).unwrap();
            for command in [Command::Continue(7), Command::Save(3), Command::Stop] {
                let own = if ranks.leads() {
                    command
                } else {
                    Command::Continue(1)
                };
                assert_eq!(ranks.broadcast(own), Ok(command));
            }
            let own = match ranks.rank() {
                1 => Err("no room".to_owned()),
                rank => Ok(vec![rank as u64, 7]),
            };
            let all = [Ok(vec![0, 7]), Err("no room".to_owned()), Ok(vec![2, 7])];
            assert_eq!(ranks.results(own), Ok(all.to_vec()));
            for (own, least) in [
                ([None, None, None], None),
                ([None, Some(9), Some(4)], Some(4)),
            ] {
                assert_eq!(ranks.least(own[ranks.rank()]), Ok(least));
            }
            ranks.leave(None);
        });
    }

    #[test]
    fn if_a_rank_leaves_all_are_disconnected_with_a_reason() {
        for (failure, expected) in [
            (
                Some("no memory"),
                "process 1 of the run has failed: no memory",
            ),
            (Some(""), "process 1 of the run has failed: it has failed"),
            (None, "process 1 of the run has ended early"),
        ] {
            each(3, |ranks| {
                if ranks.rank() == 1 {
                    ranks.leave(failure);
                } else {
                    let left = ranks.broadcast(Command::Continue(1)).unwrap_err();
                    assert_eq!(left.to_string(), expected);
                    ranks.leave(None);
                    assert_eq!(ranks.check_model(1), Err(left));
                }
            });
        }
    }

    #[test]
    fn different_models_and_different_messages_are_noticed() {
        each(2, |ranks| {
            let left = ranks.check_model(ranks.rank() as u64).unwrap_err();
            assert!(left.to_string().contains("different models"));
        });
        each(2, |ranks| {
            let left = match ranks.leads() {
                true => ranks.check_model(1).unwrap_err(),
                false => ranks.broadcast(Command::Continue(1)).unwrap_err(),
            };
            assert_eq!(left, out_of_step());
        });
    }

    #[test]
    fn texts_travel_as_words() {
        for text in ["", "a", "eight by", "nine byte", "µ and more of it"] {
            assert_eq!(unpacked(&packed(text)).as_deref(), Some(text));
        }
        assert_eq!(unpacked(&[]), None);
        assert_eq!(
            unpacked(&[u64::MAX, 0x61]).as_deref(),
            Some("a\0\0\0\0\0\0\0")
        );
    }
}

//! The conversation of the ranks of a run: what kinds of messages there are, and how it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::exchange::Exchange;

/// The ranks of a run as one of them sees them. All parts of a rank share it.
///
/// Every exchange is one of all ranks, and all its messages are of one kind, unless a rank leaves. Then the
/// conversation is over for all: nobody waits for a rank that does not come.
#[derive(Clone)]
pub struct Ranks {
    rank: usize,
    size: usize,
    table: Arc<Mutex<Conversation>>,
}

struct Conversation {
    exchange: Box<dyn Exchange>,
    /// Why nothing more is exchanged, if so.
    over: Option<Left>,
    /// Whether rank 0 has asked for all that this rank holds.
    is_asked: bool,
}

/// The conversation is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Left(pub String);

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whether all have the same model.
    Greeting,
    /// What the instances of a rank did in a step.
    Step,
    /// What rank 0 wants between two steps.
    Wish,
    /// All that a rank holds.
    Whole,
    /// The rank leaves: it is done, or has failed.
    Farewell,
}

impl Kind {
    const ALL: [Kind; 5] = [
        Kind::Greeting,
        Kind::Step,
        Kind::Wish,
        Kind::Whole,
        Kind::Farewell,
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

/// What rank 0 wants between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To go on.
    GoOn,
    /// To have all that the ranks hold, and to be asked again.
    Collect,
    /// To end the run here.
    Stop,
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
            table: Arc::new(Mutex::new(Conversation {
                exchange: Box::new(exchange),
                over: None,
                is_asked: false,
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

    /// Whether this rank writes the outputs, and decides what all do.
    pub fn leads(&self) -> bool {
        self.rank == 0
    }

    /// Sees to it that all ranks make the same run, of which `number` is a checksum.
    ///
    /// # Errors
    /// They do not, or one has left.
    pub fn greet(&self, number: u64) -> Result<(), Left> {
        let all = self.gather(Kind::Greeting, vec![number])?;
        match all.iter().all(|words| **words == [number]) {
            true => Ok(()),
            false => Err(Left(
                "the processes of the run have read different models".to_owned(),
            )),
        }
    }

    /// What rank 0 wants; only its own wish counts.
    ///
    /// # Errors
    /// A rank has left.
    pub fn wish(&self, own: Wish) -> Result<Wish, Left> {
        let all = self.gather(Kind::Wish, vec![own as u64])?;
        let wishes = [Wish::GoOn, Wish::Collect, Wish::Stop];
        let first = all.first().and_then(|words| words.first());
        (wishes
            .into_iter()
            .find(|wish| Some(&(*wish as u64)) == first))
        .ok_or_else(out_of_step)
    }

    /// What rank 0 wants, for the others. If it wants to have all that they hold, the next thing that a rank does
    /// must be to give it.
    ///
    /// # Errors
    /// A rank has left.
    pub fn follow(&self) -> Result<Wish, Left> {
        let wish = self.wish(Wish::GoOn)?;
        self.lock().is_asked = wish == Wish::Collect;
        Ok(wish)
    }

    /// Comes together with the others to give rank 0 all that they hold.
    pub(crate) fn meet(&self) -> Result<(), Left> {
        if !self.leads() && std::mem::take(&mut self.lock().is_asked) {
            return Ok(());
        }
        match self.wish(Wish::Collect)? {
            Wish::Collect => Ok(()),
            Wish::GoOn | Wish::Stop => Err(out_of_step()),
        }
    }

    /// Tells the others that this rank is done, or why it has failed. Nothing is exchanged afterwards.
    pub fn leave(&self, failure: Option<&str>) {
        let message = failure.map_or_else(Vec::new, |text| {
            // A rank that fails without words is still one that fails.
            let text = if text.is_empty() {
                "it has failed"
            } else {
                text
            };
            packed(text)
        });
        // Others may have left before, which is no news.
        let _ = self.gather(Kind::Farewell, message);
        self.lock().over.get_or_insert_with(out_of_step);
    }

    /// Gives every rank the messages of all, without their kind.
    pub(crate) fn gather(&self, kind: Kind, mut message: Vec<u64>) -> Result<Vec<Vec<u64>>, Left> {
        let mut conversation = self.lock();
        if let Some(left) = &conversation.over {
            return Err(left.clone());
        }
        message.insert(0, kind.number());
        let mut all = match conversation.exchange.gather(&message) {
            Ok(all) => all,
            Err(gone) => {
                let left = Left(gone.to_string());
                return Err(conversation.over.insert(left).clone());
            }
        };
        // Whoever leaves ends it for all, with the words of the first that has failed.
        let kinds = all.iter().map(|words| Kind::of(words.first()));
        if !kinds.clone().all(|other| other == Some(kind)) || kind == Kind::Farewell {
            let leaving = kinds.map(|other| other == Some(Kind::Farewell));
            let mut leaving = (0..)
                .zip(leaving.zip(&all))
                .filter(|(_, (leaves, _))| *leaves);
            let failed = (leaving.clone())
                .find_map(|(rank, (_, words))| Some((rank, unpacked(words.get(1..)?)?)));
            let left = match (failed, leaving.next()) {
                (Some((rank, text)), _) => {
                    Left(format!("process {rank} of the run has failed: {text}"))
                }
                (None, Some((rank, _))) => {
                    Left(format!("process {rank} of the run has ended early"))
                }
                (None, None) => out_of_step(),
            };
            return Err(conversation.over.insert(left).clone());
        }
        for words in &mut all {
            words.remove(0);
        }
        Ok(all)
    }

    fn lock(&self) -> MutexGuard<'_, Conversation> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ranks are not where they should be.
pub(crate) fn out_of_step() -> Left {
    Left("the processes of the run are out of step: this is a bug in jlems-rs".to_owned())
}

/// A text as words: its length, and its bytes.
pub(crate) fn packed(text: &str) -> Vec<u64> {
    let bytes = text.as_bytes().chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word.iter_mut()
            .zip(chunk)
            .for_each(|(to, from)| *to = *from);
        u64::from_le_bytes(word)
    });
    std::iter::once(text.len() as u64).chain(bytes).collect()
}

/// The text of such words; none if there are no words.
pub(crate) fn unpacked(words: &[u64]) -> Option<String> {
    let (length, words) = words.split_first()?;
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let length = usize::try_from(*length).ok()?.min(bytes.len());
    Some(String::from_utf8_lossy(bytes.get(..length)?).into_owned())
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
            ranks.greet(17).unwrap();
            for wish in [Wish::GoOn, Wish::Collect, Wish::Stop] {
                let own = if ranks.leads() { wish } else { Wish::GoOn };
                assert_eq!(ranks.wish(own), Ok(wish));
            }
            ranks.leave(None);
        });
    }

    #[test]
    fn whoever_leaves_ends_it_for_all_with_a_reason() {
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
                    let left = ranks.wish(Wish::GoOn).unwrap_err();
                    assert_eq!(left.to_string(), expected);
                    ranks.leave(None);
                    assert_eq!(ranks.greet(1), Err(left));
                }
            });
        }
    }

    #[test]
    fn other_models_and_other_places_are_noticed() {
        each(2, |ranks| {
            let left = ranks.greet(ranks.rank() as u64).unwrap_err();
            assert!(left.to_string().contains("different models"));
        });
        each(2, |ranks| {
            let left = match ranks.leads() {
                true => ranks.greet(1).unwrap_err(),
                false => ranks.wish(Wish::GoOn).unwrap_err(),
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

use std::cell::Cell;
use std::rc::Rc;

use crate::{Mark, OutputError, OutputSink, OutputStore};

/// A store that limits the bytes of all its outputs together.
pub struct LimitedStore<'s> {
    store: &'s mut dyn OutputStore,
    budget: Rc<Budget>,
}

struct Budget {
    limit: u64,
    left: Cell<u64>,
}

impl Budget {
    fn exceeded(&self) -> OutputError {
        OutputError::TooManyBytes { limit: self.limit }
    }

    fn spend(&self, bytes: u64) -> Result<(), OutputError> {
        let left = self.left.get().checked_sub(bytes);
        self.left.set(left.ok_or_else(|| self.exceeded())?);
        Ok(())
    }
}

impl<'s> LimitedStore<'s> {
    /// A store that takes at most `limit` bytes on to `store`.
    pub fn new(store: &'s mut dyn OutputStore, limit: u64) -> Self {
        let left = Cell::new(limit);
        LimitedStore {
            store,
            budget: Rc::new(Budget { limit, left }),
        }
    }

    fn limited(&self, sink: Box<dyn OutputSink>) -> Box<dyn OutputSink> {
        let budget = Rc::clone(&self.budget);
        Box::new(LimitedSink { sink, budget })
    }
}

impl OutputStore for LimitedStore<'_> {
    fn create(&mut self, path: &str) -> Result<Box<dyn OutputSink>, OutputError> {
        let sink = self.store.create(path)?;
        Ok(self.limited(sink))
    }

    fn reopen(&mut self, path: &str, mark: &Mark) -> Result<Box<dyn OutputSink>, OutputError> {
        self.budget.spend(mark.bytes)?;
        let sink = self.store.reopen(path, mark)?;
        Ok(self.limited(sink))
    }

    fn reserve(
        &mut self,
        outputs: &[&str],
        inputs: &[&str],
    ) -> Result<Vec<[usize; 2]>, OutputError> {
        self.store.reserve(outputs, inputs)
    }
}

struct LimitedSink {
    sink: Box<dyn OutputSink>,
    budget: Rc<Budget>,
}

impl OutputSink for LimitedSink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        let left = usize::try_from(self.budget.left.get()).unwrap_or(usize::MAX);
        match bytes.get(..left) {
            Some(fitting) if left < bytes.len() => {
                let lines = full_lines(fitting);
                self.sink.write(lines)?;
                self.budget.spend(lines.len() as u64)?;
                Err(self.budget.exceeded())
            }
            _ => {
                self.sink.write(bytes)?;
                self.budget.spend(bytes.len() as u64)
            }
        }
    }

    fn mark(&mut self) -> Result<Mark, OutputError> {
        self.sink.mark()
    }

    fn finish(self: Box<Self>) -> Result<(), OutputError> {
        self.sink.finish()
    }

    fn place(&self) -> Option<String> {
        self.sink.place()
    }
}

/// The bytes up to the last line break among them.
fn full_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    end.and_then(|end| bytes.get(..=end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    const TOO_MANY: Result<(), OutputError> = Err(OutputError::TooManyBytes { limit: 12 });

    #[test]
    fn outputs_share_what_is_allowed_and_keep_full_lines() {
        let mut memory = MemoryStore::new();
        let mut store = LimitedStore::new(&mut memory, 12);
        let mut a = store.create("a").unwrap();
        let mut b = store.create("b").unwrap();
        assert_eq!(a.write(b"1\n2\n"), Ok(()));
        assert_eq!(b.write(b"123\n45678\n"), TOO_MANY);
        assert_eq!(a.write(b"3\n4\n"), Ok(()));
        assert_eq!(a.write(b"\n"), TOO_MANY);
        a.finish().unwrap();
        b.finish().unwrap();
        assert_eq!(memory.text("a").unwrap(), "1\n2\n3\n4\n");
        assert_eq!(memory.text("b").unwrap(), "123\n");
    }

    #[test]
    fn what_was_written_before_a_checkpoint_counts() {
        let mut memory = MemoryStore::new();
        let mut store = LimitedStore::new(&mut memory, 12);
        let mut first = store.create("a").unwrap();
        first.write(b"1234567\n").unwrap();
        let mark = first.mark().unwrap();
        let mut store = LimitedStore::new(&mut memory, 12);
        let mut again = store.reopen("a", &mark).unwrap();
        assert_eq!(again.write(b"123\n"), Ok(()));
        assert_eq!(again.write(b"\n"), TOO_MANY);
        assert!(store.reopen("a", &mark).is_err());
    }
}

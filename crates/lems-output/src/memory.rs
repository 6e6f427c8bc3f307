use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Mark, OutputError, OutputSink, OutputStore};

/// Outputs kept in memory. Clones share the same outputs: keep one and hand the other to a run.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    outputs: Outputs,
}

type Outputs = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

impl MemoryStore {
    /// A store without outputs.
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes of the finished output named `path`.
    pub fn get(&self, path: &str) -> Option<Vec<u8>> {
        lock(&self.outputs).get(path).cloned()
    }

    /// The text of the finished output named `path`.
    pub fn text(&self, path: &str) -> Option<String> {
        self.get(path)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// All finished outputs by name.
    pub fn outputs(&self) -> BTreeMap<String, Vec<u8>> {
        lock(&self.outputs).clone()
    }
}

impl OutputStore for MemoryStore {
    fn create(&mut self, path: &str) -> Result<Box<dyn OutputSink>, OutputError> {
        Ok(Box::new(MemorySink {
            path: path.to_owned(),
            bytes: Vec::new(),
            outputs: Arc::clone(&self.outputs),
        }))
    }

    fn reopen(&mut self, path: &str, mark: &Mark) -> Result<Box<dyn OutputSink>, OutputError> {
        let mut sink = self.create(path)?;
        sink.write(&mark.content)?;
        Ok(sink)
    }
}

struct MemorySink {
    path: String,
    bytes: Vec<u8>,
    outputs: Outputs,
}

impl OutputSink for MemorySink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn mark(&mut self) -> Result<Mark, OutputError> {
        let mut mark = Mark::default();
        mark.add(&self.bytes);
        mark.content = self.bytes.clone();
        Ok(mark)
    }

    fn finish(self: Box<Self>) -> Result<(), OutputError> {
        lock(&self.outputs).insert(self.path, self.bytes);
        Ok(())
    }
}

/// The map is never left half-changed, so a panic elsewhere does not spoil it.
fn lock(outputs: &Outputs) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
    outputs.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finished_outputs_are_seen() -> Result<(), OutputError> {
        let store = MemoryStore::new();
        let mut sink = store.clone().create("a.dat")?;
        sink.write(b"1\n")?;
        assert_eq!(store.get("a.dat"), None);
        sink.finish()?;
        store.clone().create("a.dat")?.write(b"2\n")?;
        assert_eq!(store.text("a.dat").as_deref(), Some("1\n"));
        Ok(())
    }
}

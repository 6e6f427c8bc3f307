use std::collections::HashMap;

use crate::{Mark, OutputError};

/// The place where the outputs of a run go: a file system, memory, an archive.
pub trait OutputStore {
    /// Opens the output named `path`, empty. What has been under that name stays there until the new
    /// output is finished.
    ///
    /// # Errors
    /// If the store cannot hold an output of that name.
    fn create(&mut self, path: &str) -> Result<Box<dyn OutputSink>, OutputError>;

    /// Opens the output named `path` again, as it was at `mark`. What was written after it is lost.
    ///
    /// # Errors
    /// If the bytes up to the mark are not there any more.
    fn reopen(&mut self, path: &str, mark: &Mark) -> Result<Box<dyn OutputSink>, OutputError>;

    /// Checks before anything is computed that these outputs can be created side by side, and none
    /// of them over one of the `inputs`, which are protected from then on. Gives the pairs of
    /// outputs, by their places in the list, that have one name, however it is spelt.
    ///
    /// # Errors
    /// The first output that cannot be created.
    fn reserve(
        &mut self,
        outputs: &[&str],
        inputs: &[&str],
    ) -> Result<Vec<[usize; 2]>, OutputError> {
        let _ = inputs;
        let mut seen = HashMap::new();
        let earlier = (outputs.iter().enumerate())
            .filter_map(|(number, path)| Some([seen.insert(path, number)?, number]));
        Ok(earlier.collect())
    }
}

/// One output that is being written. Dropping it unfinished never changes what was there before under
/// its final name.
pub trait OutputSink {
    /// Appends `bytes`: whole lines, so that an output that ends early ends on a full line.
    ///
    /// # Errors
    /// If the bytes cannot be stored; then none of them are, or full lines only.
    fn write(&mut self, bytes: &[u8]) -> Result<(), OutputError>;

    /// Makes sure that what was written outlives the process. Returns how long the output is.
    ///
    /// # Errors
    /// If the bytes cannot be written to disk.
    fn mark(&mut self) -> Result<Mark, OutputError>;

    /// Gives the output its final name.
    ///
    /// # Errors
    /// If that is not possible.
    fn finish(self: Box<Self>) -> Result<(), OutputError>;

    /// Throws away what was written, which would otherwise stay in the place of an unfinished output.
    fn discard(self: Box<Self>) {}

    /// Where the bytes are until the output is finished, if that is a place with a name.
    fn place(&self) -> Option<String> {
        None
    }
}

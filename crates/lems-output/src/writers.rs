use std::borrow::Borrow;

use crate::{Mark, OutputError, OutputSink, OutputStore, write_java_float};

const BUFFER_BYTES: usize = 64 * 1024;

/// Collects whole lines and hands them on in large pieces; what is left goes out when it is dropped.
struct LineBuffer {
    path: String,
    sink: Option<Box<dyn OutputSink>>,
    /// After a failure nothing more is written, so that no line can be missing between others.
    failure: Option<OutputError>,
    lines: Vec<u8>,
}

impl LineBuffer {
    fn create(store: &mut dyn OutputStore, path: &str) -> Result<Self, OutputError> {
        Ok(Self {
            path: path.to_owned(),
            sink: Some(store.create(path)?),
            failure: None,
            lines: Vec::with_capacity(BUFFER_BYTES),
        })
    }

    /// Adds the line that `write` appends without its newline.
    fn line(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), OutputError> {
        write(&mut self.lines);
        self.lines.push(b'\n');
        if self.lines.len() >= BUFFER_BYTES {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        if let (None, Some(sink)) = (&self.failure, &mut self.sink)
            && !self.lines.is_empty()
        {
            self.failure = sink.write(&self.lines).err();
        }
        self.lines.clear();
        self.failure.clone().map_or(Ok(()), Err)
    }

    fn mark(&mut self) -> Result<Mark, OutputError> {
        self.flush()?;
        (self.sink.as_mut()).map_or_else(|| Ok(Mark::default()), |sink| sink.mark())
    }

    fn finish(mut self) -> Result<(), OutputError> {
        self.flush()?;
        match self.sink.take() {
            Some(sink) => sink.finish(),
            None => Ok(()),
        }
    }
}

impl Drop for LineBuffer {
    fn drop(&mut self) {
        // The run has failed already, and its error is the one to report.
        let _ = self.flush();
    }
}

/// A data file (LEMS `OutputFile`): one line per sample, every value followed by a tab.
pub struct DataFile {
    lines: LineBuffer,
}

impl DataFile {
    /// Opens the file `path` of `store`.
    ///
    /// # Errors
    /// If the store cannot create it.
    pub fn create(store: &mut dyn OutputStore, path: &str) -> Result<Self, OutputError> {
        LineBuffer::create(store, path).map(|lines| Self { lines })
    }

    /// Writes one sample: the time in seconds, then the columns in SI units.
    ///
    /// # Errors
    /// If the store cannot take the lines collected so far.
    pub fn row(&mut self, values: impl IntoIterator<Item: Borrow<f64>>) -> Result<(), OutputError> {
        self.lines.line(|line| {
            for value in values {
                write_java_float(*value.borrow(), line);
                line.push(b'\t');
            }
        })
    }

    /// Writes everything to disk, and returns how long the file is.
    ///
    /// # Errors
    /// If the store cannot keep the lines collected so far.
    pub fn mark(&mut self) -> Result<Mark, OutputError> {
        self.lines.mark()
    }

    /// Completes the file.
    ///
    /// # Errors
    /// If the store cannot take the last lines or give the file its final name.
    pub fn finish(self) -> Result<(), OutputError> {
        self.lines.finish()
    }
}

/// The order of the two fields of a line of an event file (LEMS `EventOutputFile`, `format`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventFormat {
    /// `ID_TIME`: id, tab, time.
    IdTime,
    /// `TIME_ID`: time, tab, id.
    TimeId,
}

/// An event file (LEMS `EventOutputFile`): one line per event.
pub struct EventFile {
    lines: LineBuffer,
    format: EventFormat,
    ids: Ids,
    time: TimeText,
}

/// How a time is written, kept for the next events of the same time.
#[derive(Default)]
struct TimeText {
    of: Option<f64>,
    text: Vec<u8>,
}

impl TimeText {
    fn get(&mut self, time: f64) -> &[u8] {
        if self.of.map(f64::to_bits) != Some(time.to_bits()) {
            self.of = Some(time);
            self.text.clear();
            write_java_float(time, &mut self.text);
        }
        &self.text
    }
}

/// Many short texts side by side: a few bytes each, where a `String` takes three words and a place
/// of its own.
struct Ids {
    texts: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Ids {
    fn of(ids: &[String]) -> Ids {
        let mut texts = String::with_capacity(ids.iter().map(String::len).sum());
        let ends = (ids.iter())
            .map(|id| {
                texts.push_str(id);
                texts.len()
            })
            .collect();
        Ids { texts, ends }
    }

    fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).and_then(|last| self.ends.get(last));
        self.texts.get(start.copied().unwrap_or(0)..end)
    }
}

impl EventFile {
    /// Opens the file `path` of `store` for the events of the selections `ids`.
    ///
    /// # Errors
    /// If the store cannot create it.
    pub fn create(
        store: &mut dyn OutputStore,
        path: &str,
        format: EventFormat,
        ids: &[String],
    ) -> Result<Self, OutputError> {
        Ok(Self {
            lines: LineBuffer::create(store, path)?,
            format,
            ids: Ids::of(ids),
            time: TimeText::default(),
        })
    }

    /// Writes one event at `time` seconds of the selection at `index` in the ids.
    ///
    /// # Errors
    /// If there is no such selection, or the store cannot take the lines collected so far.
    pub fn event(&mut self, index: usize, time: f64) -> Result<(), OutputError> {
        let Some(id) = self.ids.get(index) else {
            return Err(OutputError::UnknownSelection {
                path: self.lines.path.clone(),
                index,
                selections: self.ids.ends.len(),
            });
        };
        let (id, time) = (id.as_bytes(), self.time.get(time));
        let [first, second] = match self.format {
            EventFormat::IdTime => [id, time],
            EventFormat::TimeId => [time, id],
        };
        self.lines.line(|line| {
            line.extend_from_slice(first);
            line.push(b'\t');
            line.extend_from_slice(second);
        })
    }

    /// Writes everything to disk, and returns how long the file is.
    ///
    /// # Errors
    /// If the store cannot keep the lines collected so far.
    pub fn mark(&mut self) -> Result<Mark, OutputError> {
        self.lines.mark()
    }

    /// Completes the file.
    ///
    /// # Errors
    /// If the store cannot take the last lines or give the file its final name.
    pub fn finish(self) -> Result<(), OutputError> {
        self.lines.finish()
    }
}

/// A times file (LEMS `Target`, `timesFile`): the time of each sample on a line of its own.
pub struct TimesFile {
    lines: LineBuffer,
}

impl TimesFile {
    /// Opens the file `path` of `store`.
    ///
    /// # Errors
    /// If the store cannot create it.
    pub fn create(store: &mut dyn OutputStore, path: &str) -> Result<Self, OutputError> {
        LineBuffer::create(store, path).map(|lines| Self { lines })
    }

    /// Writes the time of one sample in seconds.
    ///
    /// # Errors
    /// If the store cannot take the lines collected so far.
    pub fn time(&mut self, time: f64) -> Result<(), OutputError> {
        self.lines.line(|line| write_java_float(time, line))
    }

    /// Writes everything to disk, and returns how long the file is.
    ///
    /// # Errors
    /// If the store cannot keep the lines collected so far.
    pub fn mark(&mut self) -> Result<Mark, OutputError> {
        self.lines.mark()
    }

    /// Completes the file.
    ///
    /// # Errors
    /// If the store cannot take the last lines or give the file its final name.
    pub fn finish(self) -> Result<(), OutputError> {
        self.lines.finish()
    }
}

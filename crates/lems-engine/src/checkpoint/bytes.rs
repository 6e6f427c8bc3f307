//! The bytes of a file of a checkpoint: how they are written, and how they are read as a stream.

use std::io::{BufReader, Read};

use lems_ir::Action;
use lems_output::Checksum;

use crate::error::{CONTENT, CheckpointError};

pub(super) const MAGIC: &[u8] = b"jlems-rs checkpoint 3\n";
/// Bytes before the content: the first line, and the seal.
pub(super) const HEADER: usize = MAGIC.len() + 16;
/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;

/// Length and checksum of the content of a file of a checkpoint. They tell files apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// Number of bytes after the seal.
    pub length: u64,
    /// Their checksum.
    pub checksum: u64,
}

impl Seal {
    /// The seal in a file; none if it is no checkpoint.
    pub fn of(bytes: &[u8]) -> Option<Seal> {
        let seal = bytes.strip_prefix(MAGIC)?;
        let number = |bytes: Option<&[u8]>| Some(u64::from_le_bytes(bytes?.try_into().ok()?));
        Some(Seal {
            length: number(seal.get(..8))?,
            checksum: number(seal.get(8..16))?,
        })
    }
}

/// A file that is being written.
pub(super) struct Bytes(Vec<u8>);

impl Bytes {
    pub(super) fn new() -> Bytes {
        let mut bytes = MAGIC.to_vec();
        bytes.resize(HEADER, 0);
        Bytes(bytes)
    }

    /// A file with some content.
    #[cfg(test)]
    pub(super) fn of(content: &[u8]) -> Bytes {
        let mut bytes = Bytes::new();
        bytes.0.extend_from_slice(content);
        bytes
    }

    /// The whole file with its seal.
    pub(super) fn sealed(self) -> Vec<u8> {
        let Bytes(mut bytes) = self;
        let (header, body) = bytes.split_at_mut(HEADER);
        let mut sum = Checksum::default();
        sum.add(body);
        let seal = [body.len() as u64, sum.value()].map(u64::to_le_bytes);
        for (to, from) in header.iter_mut().skip(MAGIC.len()).zip(seal.as_flattened()) {
            *to = *from;
        }
        bytes
    }

    pub(super) fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn real(&mut self, real: f64) {
        self.number(real.to_bits());
    }

    pub(super) fn text(&mut self, text: &[u8]) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text);
    }

    pub(super) fn action(&mut self, action: Action) {
        let numbers = match action {
            Action::Handle { handler, instance } => [0, handler, instance],
            Action::Record { selection } => [1, selection, 0],
        };
        (numbers.into_iter()).for_each(|number| self.number(number.into()));
    }

    pub(super) fn list<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Bytes, &T)) {
        self.number(items.len() as u64);
        items.iter().for_each(|one| item(self, one));
    }
}

/// A file that is being read.
pub(super) struct Reader<'f> {
    source: BufReader<Box<dyn Read + 'f>>,
    left: u64,
    sum: Checksum,
    seal: Seal,
    /// Whether the file has ended too soon.
    is_short: bool,
}

impl<'f> Reader<'f> {
    /// Reads up to the seal.
    pub(super) fn new(source: Box<dyn Read + 'f>) -> Result<Reader<'f>, CheckpointError> {
        let mut source = BufReader::with_capacity(CHUNK, source);
        let mut first = [0; MAGIC.len()];
        if source.read_exact(&mut first).is_err() || first != MAGIC {
            return Err(CheckpointError::NotOne);
        }
        let mut reader = Reader {
            source,
            left: 16,
            sum: Checksum::default(),
            seal: Seal {
                length: 0,
                checksum: 0,
            },
            is_short: false,
        };
        let (length, checksum) = (reader.number()?, reader.number()?);
        (reader.left, reader.sum) = (length, Checksum::default());
        reader.seal = Seal { length, checksum };
        Ok(reader)
    }

    pub(super) fn seal(&self) -> Seal {
        self.seal
    }

    /// Reads all that is left, and checks that the file is what it was when it was written.
    pub(super) fn check(mut self) -> Result<(), CheckpointError> {
        let mut chunk = vec![0; CHUNK];
        while self.left > 0 && !self.is_short {
            let count = usize::try_from(self.left).map_or(CHUNK, |left| left.min(CHUNK));
            self.fill(chunk.get_mut(..count).unwrap_or_default())?;
        }
        if self.is_short || !matches!(self.source.read(&mut chunk), Ok(0)) {
            return Err(LENGTH);
        }
        match self.sum.value() == self.seal.checksum {
            true => Ok(()),
            false => Err(CheckpointError::Damaged("its checksum is wrong")),
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.left == 0
    }

    pub(super) fn fill(&mut self, bytes: &mut [u8]) -> Result<(), CheckpointError> {
        self.left = (self.left.checked_sub(bytes.len() as u64)).ok_or(CONTENT)?;
        let read = self.source.read_exact(bytes);
        self.is_short |= read.is_err();
        self.sum.add(bytes);
        read.map_err(|_| LENGTH)
    }

    pub(super) fn number(&mut self) -> Result<u64, CheckpointError> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    pub(super) fn real(&mut self) -> Result<f64, CheckpointError> {
        Ok(f64::from_bits(self.number()?))
    }

    pub(super) fn text(&mut self) -> Result<Vec<u8>, CheckpointError> {
        let length = self.number()?;
        self.left = self.left.checked_sub(length).ok_or(CONTENT)?;
        let mut text = Vec::new();
        let read = (&mut self.source).take(length).read_to_end(&mut text);
        self.sum.add(&text);
        self.is_short |= read.is_err() || text.len() as u64 != length;
        match self.is_short {
            true => Err(LENGTH),
            false => Ok(text),
        }
    }

    pub(super) fn action(&mut self) -> Result<Action, CheckpointError> {
        let mut index = || u32::try_from(self.number()?).map_err(|_| CONTENT);
        match [index()?, index()?, index()?] {
            [0, handler, instance] => Ok(Action::Handle { handler, instance }),
            [1, selection, 0] => Ok(Action::Record { selection }),
            _ => Err(CONTENT),
        }
    }

    /// The length of a list of items of at least eight bytes each.
    pub(super) fn length(&mut self) -> Result<u64, CheckpointError> {
        let length = self.number()?;
        match length > self.left / 8 {
            true => Err(CONTENT),
            false => Ok(length),
        }
    }

    pub(super) fn list<T>(
        &mut self,
        item: impl Fn(&mut Self) -> Result<T, CheckpointError>,
    ) -> Result<Vec<T>, CheckpointError> {
        let length = self.length()?;
        (0..length).map(|_| item(self)).collect()
    }
}

const LENGTH: CheckpointError = CheckpointError::Damaged("it does not have its full length");

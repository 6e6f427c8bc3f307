use std::io::{self, BufRead, BufReader, Read};

/// A number that almost surely differs between different bytes: FNV-1a with 64 bits. It finds what
/// was damaged or mixed up, not what was forged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum(u64);

impl Checksum {
    /// The checksum so far.
    pub fn value(self) -> u64 {
        self.0
    }

    /// The checksum that has this value.
    pub fn from_value(value: u64) -> Self {
        Self(value)
    }

    /// Takes more bytes in.
    pub fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

impl Default for Checksum {
    /// The checksum of no bytes.
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl std::fmt::Write for Checksum {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.add(text.as_bytes());
        Ok(())
    }
}

/// How far an output has been written: enough to go on with it in another process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Number of bytes.
    pub bytes: u64,
    /// Number of lines.
    pub rows: u64,
    /// Checksum of the bytes.
    pub checksum: Checksum,
    /// Name of the file that has the bytes until it is complete, if one has them.
    pub partial: String,
    /// The bytes themselves, if they would be lost when the process ends.
    pub content: Vec<u8>,
}

impl Mark {
    /// Advances the mark by `bytes`.
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.rows += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.checksum.add(bytes);
    }

    /// Moves on over all that `source` gives.
    ///
    /// # Errors
    /// The source cannot be read.
    pub fn read(&mut self, source: impl Read) -> io::Result<()> {
        let mut source = BufReader::new(source);
        loop {
            let bytes = source.fill_buf()?;
            if bytes.is_empty() {
                return Ok(());
            }
            self.add(bytes);
            let length = bytes.len();
            source.consume(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_of_the_reference() {
        let checksum = |text: &str| {
            let mut checksum = Checksum::default();
            checksum.add(text.as_bytes());
            checksum.value()
        };
        assert_eq!(checksum(""), 0xcbf29ce484222325);
        assert_eq!(checksum("a"), 0xaf63dc4c8601ec8c);
        assert_eq!(checksum("foobar"), 0x85944171f73967e8);
    }
}

//! The words of messages.

/// The words of a message that have not been read yet.
pub(crate) struct Words<'w>(pub(crate) &'w [u64]);

impl<'w> Words<'w> {
    pub(crate) fn next(&mut self) -> Option<u64> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'w [u64]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A list: its length, then its words.
    pub(crate) fn list(&mut self) -> Option<&'w [u64]> {
        let count = usize::try_from(self.next()?).ok()?;
        self.take(count)
    }

    /// All that are left.
    pub(crate) fn rest(&mut self) -> &'w [u64] {
        std::mem::take(&mut self.0)
    }
}

pub(crate) fn low_half(word: u64) -> u32 {
    u32::try_from(word & u64::from(u32::MAX)).unwrap_or(0)
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

//! The only source of random choices.

/// A splitmix64 generator (Steele, Lea, Flood 2014): the same seed gives the same rolls everywhere.
#[derive(Debug, Clone)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// A generator with this seed.
    pub fn new(seed: u64) -> Dice {
        Dice { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A whole number from `low` to `high`, both included.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        let sides = (high.saturating_sub(low) as u64).saturating_add(1);
        // The number of sides comes from a `usize`, so the remainder fits.
        low + usize::try_from(self.next() % sides).unwrap_or_default()
    }

    /// True with a probability of `percent` / 100.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    /// One of `items`; None if there are none.
    pub fn pick<'i, T>(&mut self, items: &'i [T]) -> Option<&'i T> {
        match items.len() {
            0 => None,
            length => items.get(self.between(0, length - 1)),
        }
    }

    /// One of `words`; empty if there are none.
    pub fn word<'w>(&mut self, words: &[&'w str]) -> &'w str {
        self.pick(words).copied().unwrap_or_default()
    }

    /// Shuffles `items`.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.between(0, last);
            items.swap(last, other);
        }
    }

    /// A positive number as text, mostly between 0.1 and 10, in one of the spellings of LEMS.
    pub fn number(&mut self) -> String {
        let digits = self.between(1, 99);
        match self.between(0, 7) {
            0 => format!("{}", self.between(1, 9)),
            1 => format!(".{digits:02}5"),
            2 => format!("{digits}e-1"),
            3 => format!("0.{digits:02}E1").replace("0.00", "0.01"),
            4 => format!("{}.", self.between(1, 5)),
            5 => format!(
                "{}.{digits:02}7{}",
                self.between(0, 3),
                self.between(1, 99_999)
            ),
            _ => format!("{}.{digits}", self.between(1, 4)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        let mut dice = Dice::new(1_234_567);
        let numbers = [dice.next(), dice.next(), dice.next()];
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!(numbers, expected);
    }

    #[test]
    fn numbers_are_positive() {
        let mut dice = Dice::new(5);
        for _ in 0..10_000 {
            let text = dice.number();
            let number: f64 = text.parse().unwrap();
            assert!(number > 0.0 && number < 20.0, "{text}");
        }
    }
}

//! Limits the events without a delay that one step delivers.
//!
//! Each event can cause two more, and those four: a step may practically never end, and signals and limits are
//! otherwise checked only between steps.

use std::sync::Arc;

/// Number of events between two checks whether the step must end.
const BETWEEN_LOOKS: u64 = 1 << 14;

/// Counts the events without a delay that the current step has delivered, and limits them.
#[derive(Clone)]
pub struct Deliveries {
    /// Most of them in one step.
    pub limit: u64,
    /// Whether a step that delivers very many must end, asked now and then.
    pub must_end: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
    made: u64,
    /// How many there are when it is asked next.
    next_look: u64,
}

/// Why a step may not deliver more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// There are more than this.
    Limit(u64),
    /// It must end.
    End,
}

impl Default for Deliveries {
    fn default() -> Self {
        Deliveries {
            limit: u64::MAX,
            must_end: None,
            made: 0,
            next_look: BETWEEN_LOOKS,
        }
    }
}

impl std::fmt::Debug for Deliveries {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} of {} deliveries", self.made, self.limit)
    }
}

impl Deliveries {
    /// Begins to count for another step.
    pub fn begin_step(&mut self) {
        self.made = 0;
        self.next_look = BETWEEN_LOOKS.min(self.limit);
    }

    /// Counts more events. Returns the obstacle if the step must not deliver them.
    pub(crate) fn add(&mut self, more: u64) -> Option<Obstacle> {
        self.made = self.made.saturating_add(more);
        match self.made > self.next_look {
            true => self.look(),
            false => None,
        }
    }

    fn look(&mut self) -> Option<Obstacle> {
        if self.made > self.limit {
            return Some(Obstacle::Limit(self.limit));
        }
        self.next_look = self.made.saturating_add(BETWEEN_LOOKS).min(self.limit);
        let must_end = self.must_end.as_ref().is_some_and(|must_end| must_end());
        must_end.then_some(Obstacle::End)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_of_one_step() {
        let mut deliveries = Deliveries {
            limit: 3,
            ..Deliveries::default()
        };
        for _ in 0..2 {
            deliveries.begin_step();
            assert_eq!(deliveries.add(3), None);
        }
        assert_eq!(deliveries.add(1), Some(Obstacle::Limit(3)));
    }

    #[test]
    fn a_step_that_delivers_very_many_is_ended_when_it_must() {
        let mut deliveries = Deliveries {
            must_end: Some(Arc::new(|| true)),
            ..Deliveries::default()
        };
        deliveries.begin_step();
        assert_eq!(deliveries.add(BETWEEN_LOOKS), None);
        assert_eq!(deliveries.add(1), Some(Obstacle::End));
    }
}

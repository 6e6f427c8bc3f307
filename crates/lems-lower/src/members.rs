//! Members of a shape in ascending order.

use std::ops::Range;

use lems_index::Id;
use lems_network::MemberId;

/// Members of a shape in ascending order. Most follow one another, so that a few ranges are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Members {
    runs: Vec<Range<u32>>,
}

impl Members {
    /// Adds a member after all others.
    pub fn push(&mut self, member: MemberId) {
        let member = member.get();
        match self.runs.last_mut() {
            Some(last) if last.end == member => last.end += 1,
            _ => self.runs.push(member..member + 1),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = MemberId> + Clone {
        self.runs.iter().cloned().flatten().map(MemberId::from_u32)
    }

    /// The first one, if there is one.
    pub fn first(&self) -> Option<MemberId> {
        self.iter().next()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.runs.iter().map(ExactSizeIterator::len).sum()
    }

    /// Whether a member is one of them.
    pub fn contains(&self, member: MemberId) -> bool {
        let member = member.get();
        let after = self.runs.partition_point(|run| run.start <= member);
        let run = after.checked_sub(1).and_then(|run| self.runs.get(run));
        run.is_some_and(|run| run.contains(&member))
    }
}

impl FromIterator<MemberId> for Members {
    fn from_iter<T: IntoIterator<Item = MemberId>>(members: T) -> Self {
        let mut all = Members::default();
        members.into_iter().for_each(|member| all.push(member));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_given_back_as_they_were_added() {
        let numbers = [2, 3, 4, 9, 11, 12];
        let members: Members = numbers.into_iter().map(MemberId::from_u32).collect();
        assert_eq!(members.runs, [2..5, 9..10, 11..13]);
        assert!(members.iter().map(Id::get).eq(numbers));
        assert_eq!(
            (members.len(), members.first()),
            (6, Some(MemberId::from_u32(2)))
        );
        assert!((0..15).all(|number| {
            members.contains(MemberId::from_u32(number)) == numbers.contains(&number)
        }));
        assert_eq!(Members::default().first(), None);
    }
}

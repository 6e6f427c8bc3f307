//! Events on their way.

use std::collections::BTreeMap;

use crate::Action;

/// Events that empty buckets keep room for, whatever is on its way.
const MOST_SPARE_ROOM: usize = 1 << 16;
/// A bucket with fewer events grows to twice its size.
const SMALL_BUCKET: usize = 1 << 12;

/// An event on its way to a receiver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QueuedEvent {
    /// Delivered at the start of the first step that ends at or after this time, in seconds.
    pub time: f64,
    /// Order among events of equal time.
    pub number: u64,
    /// What happens then.
    pub action: Action,
}

/// Delayed events, earliest first, those of equal time in the order in which they were sent.
///
/// They lie in one bucket for each step, and are put in order when it comes: an event costs about
/// the same however many others are on their way.
#[derive(Debug, Clone)]
pub struct EventQueue {
    /// Most events on their way; the run ends before there are more.
    pub limit: usize,
    /// Time that a bucket covers, in seconds.
    width: f64,
    /// By their times in widths, rounded down.
    buckets: BTreeMap<u64, Vec<QueuedEvent>>,
    /// Empty buckets, kept for their memory.
    spare: Vec<Vec<QueuedEvent>>,
    /// Room for events in them.
    spare_room: usize,
    length: usize,
    sent: u64,
}

impl Default for EventQueue {
    fn default() -> Self {
        EventQueue {
            limit: usize::MAX,
            width: f64::INFINITY,
            buckets: BTreeMap::new(),
            spare: Vec::new(),
            spare_room: 0,
            length: 0,
            sent: 0,
        }
    }
}

impl EventQueue {
    /// A queue of events on their way after `sent` were sent.
    pub fn of(events: Vec<QueuedEvent>, sent: u64) -> EventQueue {
        let mut queue = EventQueue {
            sent,
            ..EventQueue::default()
        };
        queue.insert(&events);
        queue
    }

    /// Makes the queue ready for steps of a length, in seconds. It is right for all, but fast for
    /// these.
    pub fn expect_steps_of(&mut self, step: f64) {
        self.width = step;
        let events: Vec<QueuedEvent> = self.events().copied().collect();
        self.buckets.clear();
        self.length = 0;
        self.insert(&events);
    }

    fn insert(&mut self, events: &[QueuedEvent]) {
        for event in events {
            self.bucket(event.time).push(*event);
        }
        self.length += events.len();
    }

    /// The events on their way, in no order.
    pub fn events(&self) -> impl Iterator<Item = &QueuedEvent> {
        self.buckets.values().flatten()
    }

    /// The events on their way, in the order in which they will be delivered.
    pub fn in_order(&self) -> Vec<QueuedEvent> {
        let mut events: Vec<QueuedEvent> = self.events().copied().collect();
        events.sort_unstable_by(|one, other| {
            (one.time.total_cmp(&other.time)).then(one.number.cmp(&other.number))
        });
        events
    }

    /// Takes all events out and puts others in: receivers with times in seconds, those of equal time in their
    /// order.
    pub fn replace(&mut self, events: impl IntoIterator<Item = (f64, Action)>) {
        self.buckets.clear();
        (self.length, self.sent) = (0, 0);
        for (time, action) in events {
            self.push(time, [action]);
        }
    }

    /// Puts events of one time, in seconds, in the queue, in the order given.
    pub fn push(&mut self, time: f64, actions: impl IntoIterator<Item = Action>) {
        let first = self.sent;
        let bucket = self.bucket(time);
        let before = bucket.len();
        let actions = actions.into_iter();
        make_room(bucket, actions.size_hint().0);
        let events = (first..).zip(actions).map(|(number, action)| QueuedEvent {
            time,
            number,
            action,
        });
        bucket.extend(events);
        let more = bucket.len() - before;
        self.length += more;
        self.sent += more as u64;
    }

    /// Where events of a time belong.
    fn bucket(&mut self, time: f64) -> &mut Vec<QueuedEvent> {
        let number = self.number_of_bucket(time);
        let (spare, room) = (&mut self.spare, &mut self.spare_room);
        (self.buckets.entry(number)).or_insert_with(|| taken(spare, room))
    }

    fn number_of_bucket(&self, time: f64) -> u64 {
        // Times outside the range saturate to the first or last bucket; a bucket keeps the order.
        lems_math::saturating_u64(time / self.width)
    }

    /// Takes all events that are due at `time`, in seconds, in their order.
    pub fn take_due(&mut self, time: f64) -> Vec<QueuedEvent> {
        let last = self.number_of_bucket(time);
        let mut due = taken(&mut self.spare, &mut self.spare_room);
        while let Some(mut entry) = self.buckets.first_entry()
            && *entry.key() <= last
        {
            let events = entry.get_mut();
            events.sort_unstable_by(|one, other| {
                (one.time.total_cmp(&other.time)).then(one.number.cmp(&other.number))
            });
            let count = events.partition_point(|event| event.time <= time);
            self.length -= count;
            match due.is_empty() && count == events.len() {
                true => std::mem::swap(&mut due, events),
                false => due.extend(events.drain(..count)),
            }
            if !events.is_empty() {
                break;
            }
            let emptied = entry.remove();
            self.reuse(emptied);
        }
        due
    }

    /// Uses the memory of a list of events again.
    pub fn reuse(&mut self, mut events: Vec<QueuedEvent>) {
        events.clear();
        let room = self.spare_room + events.capacity();
        if room <= self.length.max(MOST_SPARE_ROOM) {
            self.spare_room = room;
            self.spare.push(events);
        }
    }

    /// When the next event is due, in seconds.
    pub fn next_due(&self) -> Option<f64> {
        let (_, events) = self.buckets.first_key_value()?;
        events.iter().map(|event| event.time).min_by(f64::total_cmp)
    }

    /// Number of events sent so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Number of events on their way.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether no event is on its way.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

/// An empty bucket.
fn taken(spare: &mut Vec<Vec<QueuedEvent>>, room: &mut usize) -> Vec<QueuedEvent> {
    let bucket = spare.pop().unwrap_or_default();
    *room -= bucket.capacity();
    bucket
}

/// Makes room for more events: twice what there is in a small bucket, an eighth more in a large one,
/// so that the memory is not much more than what the events need.
fn make_room(bucket: &mut Vec<QueuedEvent>, more: usize) {
    if bucket.capacity() - bucket.len() < more {
        let step = match bucket.len() {
            small if small < SMALL_BUCKET => small,
            large => large / 8,
        };
        bucket.reserve_exact(more.max(step).max(4));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(selection: u32) -> Action {
        Action::Record { selection }
    }

    #[test]
    fn events_are_due_at_the_first_step_that_ends_at_or_after_their_time() {
        let mut queue = EventQueue::default();
        queue.expect_steps_of(0.1);
        queue.push(0.30000000000000004, [record(1)]);
        queue.push(0.3, [record(2), record(3)]);
        queue.push(0.25, [record(4)]);
        assert_eq!(queue.next_due(), Some(0.25));
        assert_eq!(queue.take_due(0.2), []);
        let numbers =
            |due: Vec<QueuedEvent>| -> Vec<u64> { due.iter().map(|event| event.number).collect() };
        assert_eq!(numbers(queue.take_due(0.3)), [3, 1, 2]);
        assert_eq!(queue.len(), 1);
        assert_eq!(numbers(queue.take_due(0.4)), [0]);
        assert!(queue.is_empty());
        assert_eq!(queue.next_due(), None);
    }

    proptest! {
        #[test]
        fn events_come_in_order_of_time_and_then_of_sending(
            width in prop_oneof![Just(f64::INFINITY), Just(0.1), Just(0.025), Just(1e-300), 0.001..10.0],
            delays in prop::collection::vec(prop::collection::vec(
                prop_oneof![Just(0.1), Just(0.2), Just(1e300), 1e-18..1.5], 0..6), 1..40),
        ) {
            let mut queue = EventQueue::default();
            queue.expect_steps_of(width);
            let (mut waiting, mut time, mut sent) = (Vec::new(), 0.0, 0);
            for delays in delays {
                for delay in delays {
                    let event = QueuedEvent { time: time + delay, number: sent, action: record(7) };
                    queue.push(event.time, [event.action]);
                    waiting.push(event);
                    sent += 1;
                }
                prop_assert_eq!((queue.len(), queue.sent()), (waiting.len(), sent));
                let times = waiting.iter().map(|event| event.time);
                prop_assert_eq!(queue.next_due(), times.min_by(f64::total_cmp));
                time += 0.1;
                waiting.sort_by(|one, other| one.time.total_cmp(&other.time));
                let later = waiting.split_off(waiting.partition_point(|event| event.time <= time));
                prop_assert_eq!(queue.take_due(time), std::mem::replace(&mut waiting, later));
            }
            let all = EventQueue::of(queue.events().copied().collect(), queue.sent());
            let left = all.clone().take_due(f64::INFINITY);
            waiting.sort_by(|one, other| one.time.total_cmp(&other.time));
            prop_assert_eq!((left, all.sent()), (waiting, sent));
        }
    }
}

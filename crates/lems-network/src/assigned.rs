//! Values that were set in single instances.

use rustc_hash::FxHashMap;

use crate::InstanceId;

/// Values set by `Assign`, or copied by `CoInstantiate`, by name and instance.
#[derive(Debug, Clone, Default)]
pub struct Assigned<'d> {
    by_name: FxHashMap<&'d str, AssignedValues>,
}

/// The values of one name, in the order of the instances.
#[derive(Debug, Clone, Default)]
pub struct AssignedValues {
    instances: Vec<InstanceId>,
    values: Vec<f64>,
}

impl AssignedValues {
    /// The value that was set in an instance.
    pub fn get(&self, id: InstanceId) -> Option<f64> {
        Some(self.values[self.place(id).ok()?])
    }

    /// Where the value of an instance is or, if it has none, belongs.
    fn place(&self, id: InstanceId) -> Result<usize, usize> {
        let Some(first) = self.instances.first() else {
            return Err(0);
        };
        // Mostly one instance follows the other, so that none is further back than this.
        let furthest = id.0.saturating_sub(first.0) as usize;
        if self.instances.get(furthest) == Some(&id) {
            return Ok(furthest);
        }
        let end = self.instances.len().min(furthest.saturating_add(1));
        self.instances[..end].binary_search(&id)
    }
}

impl<'d> Assigned<'d> {
    /// Whether no value was set.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The value with a name that was set in an instance.
    pub fn get(&self, id: InstanceId, name: &str) -> Option<f64> {
        self.of(name)?.get(id)
    }

    /// The values with a name that were set in instances, if there are any.
    pub fn of(&self, name: &str) -> Option<&AssignedValues> {
        self.by_name.get(name)
    }

    /// Sets a value. Returns whether the instance had none with this name.
    pub(crate) fn insert(&mut self, id: InstanceId, name: &'d str, value: f64) -> bool {
        let values = self.by_name.entry(name).or_default();
        match values.place(id) {
            Ok(place) => {
                values.values[place] = value;
                false
            }
            Err(place) => {
                values.instances.insert(place, id);
                values.values.insert(place, value);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_in_whatever_order_values_were_set() {
        let mut assigned = Assigned::default();
        assert!(assigned.is_empty());
        for id in [7, 8, 9, 20, 3, 21, 5, 1000] {
            assert!(assigned.insert(InstanceId(id), "weight", f64::from(id)));
        }
        assert!(!assigned.insert(InstanceId(20), "weight", 0.5));
        assert!(assigned.insert(InstanceId(20), "delay", 2.0));
        for id in 0..1100 {
            let expected = match id {
                20 => Some(0.5),
                3 | 5 | 7 | 8 | 9 | 21 | 1000 => Some(f64::from(id)),
                _ => None,
            };
            assert_eq!(assigned.get(InstanceId(id), "weight"), expected, "{id}");
        }
        assert_eq!(assigned.get(InstanceId(20), "delay"), Some(2.0));
        assert_eq!(assigned.get(InstanceId(20), "other"), None);
    }
}

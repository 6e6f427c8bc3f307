//! The order in which Java's `HashMap<String, _>` walks its keys.

use lems_model::{Dynamics, Regime};

/// The names in that order; `names` are in order of insertion.
pub fn hash_order<'n>(names: &[&'n str]) -> Vec<&'n str> {
    let mut capacity: u32 = 16;
    while names.len() as f64 > 0.75 * f64::from(capacity) {
        capacity *= 2;
    }
    let mut ordered = names.to_vec();
    ordered.sort_by_key(|name| bucket(name, capacity));
    ordered
}

/// The regimes of an instance in that order, with their names.
pub fn regimes_in_order<'m, 'd>(
    dynamics: &'m Dynamics<'d>,
) -> impl DoubleEndedIterator<Item = (&'d str, &'m Regime<'d>)> + Clone {
    let names: Vec<&'d str> = dynamics.regimes.keys().copied().collect();
    let ordered = hash_order(&names).into_iter();
    ordered.filter_map(|name| Some((name, dynamics.regimes.get(name)?)))
}

fn bucket(name: &str, capacity: u32) -> u32 {
    let hash = (name.encode_utf16()).fold(0_u32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(u32::from(unit))
    });
    (hash ^ (hash >> 16)) & (capacity - 1)
}

#[cfg(test)]
mod tests {
    use super::hash_order;

    #[test]
    fn slots_of_a_gate_are_walked_as_java_does() {
        let names = [
            "forwardRate",
            "reverseRate",
            "timeCourse",
            "steadyState",
            "notes",
        ];
        let walked = [
            "notes",
            "steadyState",
            "forwardRate",
            "reverseRate",
            "timeCourse",
        ];
        assert_eq!(hash_order(&names), walked);
    }
}

//! The order in which Java's `HashMap<String, _>` walks its keys.

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

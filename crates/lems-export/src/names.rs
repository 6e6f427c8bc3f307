//! Names that NMODL, hoc and Python take.

use std::collections::HashSet;

/// Words of NMODL, C and Python, and variables of NEURON, that no mechanism may declare anew, in lower
/// case. NMODL knows its keywords in capital letters only; one rule for both is easier to keep in mind.
const RESERVED: &str = include_str!("reserved.txt");

/// Names that hoc has given to something: no mechanism may have one. In lower case.
const RESERVED_BY_HOC: &str = include_str!("reserved_by_hoc.txt");

/// Whether a variable of a mechanism may not have a name.
fn is_reserved(name: &str) -> bool {
    let lower = name.to_lowercase();
    // Registers and indices of loops are called so.
    let is_numbered = |prefix: &str| {
        let number = lower.strip_prefix(prefix);
        number.is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()))
    };
    ["r", "j", "k", "first_j", "first_k", "last_j", "last_k"]
        .into_iter()
        .any(is_numbered)
        || RESERVED.split_whitespace().any(|word| word == lower)
}

/// A name for a mechanism, before it is made unique.
pub fn mechanism_name(name: &str) -> String {
    let name = identifier(name);
    let lower = name.to_lowercase();
    match is_reserved(&name) || RESERVED_BY_HOC.split_whitespace().any(|word| word == lower) {
        true => format!("{name}_"),
        false => name,
    }
}

/// Hands out each name once.
#[derive(Debug, Default)]
pub struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// A name like `wanted` that is nobody else's, made of letters, digits and underscores.
    pub fn give(&mut self, wanted: &str) -> String {
        let mut name = identifier(wanted);
        if name == "v" {
            // What users of NEURON call a potential that is not the section's.
            name = "vm".to_owned();
        } else if is_reserved(&name) {
            name.push('_');
        }
        if !self.taken.insert(name.clone()) {
            let mut number = 2_u32;
            loop {
                let candidate = format!("{name}_{number}");
                if self.taken.insert(candidate.clone()) {
                    return candidate;
                }
                number += 1;
            }
        }
        name
    }
}

/// The name with underscores for all that is not a letter or digit of ASCII, and a letter first.
pub(crate) fn identifier(name: &str) -> String {
    let mut identifier: String = (name.chars())
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if !identifier.starts_with(|c: char| c.is_ascii_alphabetic()) {
        identifier.insert_str(0, "x_");
    }
    identifier
}

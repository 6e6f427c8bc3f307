//! The rules by which cells with dendrites are read.

use std::sync::OnceLock;

use lems_network::CableRules;

/// The rules beside the core types. They are part of the program, so a mistake in them is a bug.
pub(crate) fn cable_rules() -> &'static CableRules {
    static RULES: OnceLock<CableRules> = OnceLock::new();
    RULES.get_or_init(|| match CableRules::parse(nml2_coretypes::CABLES) {
        Ok(rules) => rules,
        Err(error) => lems_index::bug(&format!("the rules of cables: {error}")),
    })
}

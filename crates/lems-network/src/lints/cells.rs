//! What is doubtful about cells with dendrites.

use std::rc::Rc;

use crate::{CablePlan, Network, NetworkError};

/// The doubts about each cell component, once.
pub(super) fn doubtful(network: &Network<'_, '_>) -> Vec<NetworkError> {
    let mut plans: Vec<&Rc<CablePlan>> = Vec::new();
    for cable in &network.cables.all {
        // The cells of a population follow one another, and share a plan.
        let is_known = |known: &&&Rc<CablePlan>| Rc::ptr_eq(known, &cable.plan);
        if plans.iter().rev().find(is_known).is_none() {
            plans.push(&cable.plan);
        }
    }
    let mut doubts: Vec<NetworkError> = Vec::new();
    for doubt in plans.iter().flat_map(|plan| &plan.doubts) {
        if !doubts.contains(doubt) {
            doubts.push(doubt.clone());
        }
    }
    doubts
}

//! How the states of mechanisms move.

/// How the states of mechanisms move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Moves {
    /// By `cnexp` where an equation is linear in its state; channels conduct by what their gates are now.
    #[default]
    Exactly,
    /// By Euler's method, as in the mechanisms that jNeuroML makes: what is inside channels and pools is computed
    /// once in a step, before their states move, and channels conduct by that in the next step.
    ByEuler,
}

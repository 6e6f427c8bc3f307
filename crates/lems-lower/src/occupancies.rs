//! Code that computes occupancies of kinetic schemes by elimination, without a subtraction (W. Grassmann,
//! M. Taksar and D. Heyman, Oper. Res. 33, 1985).

use lems_ir::{Edge, Operator, Register};

use super::code::Code;

/// The occupancies that the rates of a scheme keep as they are, with a sum of 1: elimination of one
/// state after the other.
pub(super) fn steady_state(
    code: &mut Code,
    size: usize,
    edges: &[Edge],
    rates: &[(Register, Register)],
) -> Vec<Register> {
    use Operator::{Add, Divide, Multiply};
    let zero = code.constant(0.0);
    // The rate from each state to each other.
    let mut rate = vec![vec![zero; size]; size];
    for (edge, (forward, reverse)) in edges.iter().zip(rates) {
        let (a, b) = (edge.source, edge.target);
        rate[a][b] = code.binary(Add, rate[a][b], *forward);
        rate[b][a] = code.binary(Add, rate[b][a], *reverse);
    }
    // What leaves a state goes to those before it. A state that nothing leaves keeps what it gets.
    for last in (1..size).rev() {
        let onwards = rate[last].clone();
        let mut leaving = onwards[0];
        for other in &onwards[1..last] {
            leaving = code.binary(Add, leaving, *other);
        }
        for (from, row) in rate.iter_mut().enumerate().take(last) {
            row[last] = code.binary(Divide, row[last], leaving);
            for to in (0..last).filter(|to| *to != from) {
                let around = code.binary(Multiply, row[last], onwards[to]);
                row[to] = code.binary(Add, row[to], around);
            }
        }
    }
    // The occupancies, if that of the first state is 1; then with a sum of 1.
    let one = code.constant(1.0);
    let mut occupancies = vec![one];
    let mut sum = one;
    for state in 1..size {
        let mut occupancy = rate[0][state];
        for (known, row) in occupancies.iter().zip(&rate).skip(1) {
            let share = code.binary(Multiply, *known, row[state]);
            occupancy = code.binary(Add, occupancy, share);
        }
        occupancies.push(occupancy);
        sum = code.binary(Add, sum, occupancy);
    }
    let shares = occupancies.into_iter().take(size);
    shares
        .map(|occupancy| code.binary(Divide, occupancy, sum))
        .collect()
}

/// The occupancies after a step by the implicit rule of Euler, from those before it. Rates are per step.
pub(super) fn implicit_step(
    code: &mut Code,
    before: &[Register],
    edges: &[Edge],
    rates: &[(Register, Register)],
) -> Vec<Register> {
    use Operator::{Add, Divide, Multiply};
    let size = before.len();
    let mut occupancies = before.to_vec();
    let (zero, one) = (code.constant(0.0), code.constant(1.0));
    // The rate from each state to each other.
    let mut rate = vec![vec![zero; size]; size];
    for (edge, (forward, reverse)) in edges.iter().zip(rates) {
        let (a, b) = (edge.source, edge.target);
        rate[a][b] = code.binary(Add, rate[a][b], *forward);
        rate[b][a] = code.binary(Add, rate[b][a], *reverse);
    }
    // With k the own term of a state, which is 1 at first, and r its rates, its row is
    //     (k + sum of r away from it) x - sum of (r towards it times the x of the other state) = before.
    // A state is expressed by those before it, which take over its row in parts.
    let mut own = vec![one; size];
    let mut terms = vec![one; size];
    for last in (0..size).rev() {
        let onwards: Vec<Register> = rate[last].iter().take(last).copied().collect();
        let leaving = onwards
            .iter()
            .fold(own[last], |sum, other| code.binary(Add, sum, *other));
        terms[last] = leaving;
        let parts: Vec<Register> = (onwards.iter())
            .map(|onwards| code.binary(Divide, *onwards, leaving))
            .collect();
        let rest = code.binary(Divide, own[last], leaving);
        for from in 0..last {
            let towards = rate[from][last];
            for (to, part) in parts.iter().enumerate().filter(|(to, _)| *to != from) {
                let around = code.binary(Multiply, towards, *part);
                rate[from][to] = code.binary(Add, rate[from][to], around);
            }
            let lost = code.binary(Multiply, towards, rest);
            own[from] = code.binary(Add, own[from], lost);
            let gained = code.binary(Multiply, parts[from], occupancies[last]);
            occupancies[from] = code.binary(Add, occupancies[from], gained);
        }
    }
    for state in 0..size {
        for from in 0..state {
            let gained = code.binary(Multiply, rate[from][state], occupancies[from]);
            occupancies[state] = code.binary(Add, occupancies[state], gained);
        }
        occupancies[state] = code.binary(Divide, occupancies[state], terms[state]);
    }
    occupancies
}

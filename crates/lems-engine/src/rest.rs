//! The membranes of cells with dendrites as they are before the first step, and what follows from them:
//! input resistances and the time constant.

use lems_ir::{Backend, Cable, CableNode, Interpreter, Program, Scheduled, State};
use lems_math::JavaRandom;

/// One cell with dendrites before the first step, by node.
#[derive(Debug, Clone)]
pub struct CableAtRest {
    cable: Cable,
    /// By node.
    pub nodes: Vec<NodeAtRest>,
}

/// The membrane of a node before the first step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeAtRest {
    /// Potential, in volts.
    pub potential: f64,
    /// The derivative of the current out of the cell by the potential, in siemens. Gates keep their
    /// values; what follows the potential at once follows it.
    pub conductance: f64,
    /// Capacitance, in farads; 0 for a point without membrane.
    pub capacitance: f64,
}

/// A step, in seconds, in which nothing moves.
const INSTANT: f64 = 1e-15;

/// The cells with dendrites of a program after its initial passes.
pub fn cables_at_rest(program: &Program, random: &JavaRandom) -> Vec<CableAtRest> {
    let mut state = State::new(program, 0);
    state.random = random.clone();
    let interpreter = Interpreter::new(program);
    interpreter.run_setup(&mut state);
    // Kernels leave the currents and their derivatives in memory before the potentials are solved.
    for scheduled in &program.schedule {
        match scheduled {
            Scheduled::Midway(call) => interpreter.advance(&mut state, *call, 0.0, INSTANT),
            Scheduled::Solve(..) => break,
            Scheduled::Call(_) => {}
        }
    }
    let value = |slot: u32| state.memory.get(slot as usize).copied().unwrap_or(f64::NAN);
    let at_rest = |node: &CableNode| {
        let membrane = node.membrane;
        let capacitance = membrane.map_or(0.0, |membrane| value(membrane.capacitance));
        let slope = membrane.map_or(0.0, |membrane| value(membrane.slope));
        NodeAtRest {
            potential: value(node.potential),
            conductance: -capacitance * slope,
            capacitance: if node.has_capacitance {
                capacitance
            } else {
                0.0
            },
        }
    };
    let cables = program.cables.iter();
    cables
        .map(|cable| CableAtRest {
            nodes: cable.nodes().iter().map(at_rest).collect(),
            cable: cable.clone(),
        })
        .collect()
}

impl CableAtRest {
    /// The input resistance at each node, in ohm: how much the potential changes for a constant current.
    ///
    /// Seen from a node, each neighbour is its membrane and all behind it, in series with the
    /// conductance between the two. One pass towards the root adds what is behind the children, one pass
    /// back what is behind the parent.
    pub fn input_resistances(&self) -> Vec<f64> {
        let nodes = self.cable.nodes();
        let series = |coupling: f64, term: f64| coupling * (term / (coupling + term));
        // What each node is with all that is behind its children.
        let mut below: Vec<f64> = self.nodes.iter().map(|node| node.conductance).collect();
        let term = |terms: &[f64], node: usize| terms.get(node).copied().unwrap_or(f64::NAN);
        for (index, node) in nodes.iter().enumerate().rev() {
            let share = series(node.conductance, term(&below, index));
            let parent = node
                .parent
                .and_then(|parent| below.get_mut(parent as usize));
            if let Some(parent) = parent {
                *parent += share;
            }
        }
        // The same with what is behind the parent.
        let mut all = below.clone();
        for (index, node) in nodes.iter().enumerate() {
            let Some(parent) = node.parent else { continue };
            let own = term(&below, index);
            let behind = term(&all, parent as usize) - series(node.conductance, own);
            if let Some(all) = all.get_mut(index) {
                *all += series(node.conductance, behind);
            }
        }
        all.into_iter()
            .map(|conductance| 1.0 / conductance)
            .collect()
    }

    /// The time constant of the slowest decay of the potentials, in seconds; None if they do not decay.
    ///
    /// A potential that decays as a whole, V exp(-t/τ), solves G V = C V / τ, where G are the conductances
    /// of membrane and cytoplasm. Repeated solution of G W = C V turns V into the slowest such potential.
    pub fn time_constant(&self) -> Option<f64> {
        const MOST: usize = 1000;
        const ACCURACY: f64 = 1e-9;
        let own: Vec<f64> = self.nodes.iter().map(|node| node.conductance).collect();
        let capacitance = || self.nodes.iter().map(|node| node.capacitance);
        let charge =
            |potentials: &[f64]| -> f64 { capacitance().zip(potentials).map(|(c, v)| c * v).sum() };
        let mut potentials = vec![1.0; own.len()];
        let mut before = f64::NAN;
        for _ in 0..MOST {
            let scale = charge(&potentials);
            let mut right: Vec<f64> = capacitance()
                .zip(&potentials)
                .map(|(c, v)| c * v / scale)
                .collect();
            self.cable.solve(&own, &mut right);
            // The charge before this step was one. The charge after it is therefore the time constant.
            let time_constant = charge(&right);
            if !(time_constant.is_finite() && time_constant > 0.0) {
                return None;
            }
            if (time_constant - before).abs() <= ACCURACY * time_constant {
                return Some(time_constant);
            }
            before = time_constant;
            potentials = right;
        }
        Some(before)
    }
}

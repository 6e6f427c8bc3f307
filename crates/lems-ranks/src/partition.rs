//! Which rank makes which part of a run.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use lems_ir::{Action, Program};

use crate::clusters::{Clusters, Reason};

/// The assignment of nodes to ranks. Every rank computes the same one.
pub(crate) struct Partition {
    pub(crate) clusters: Clusters,
    /// Rank of each node.
    pub(crate) ranks: Vec<u16>,
    /// For each source: who receives its events.
    pub(crate) sources: Vec<Source>,
    /// Where random numbers are drawn, in the order of a step.
    pub(crate) segments: Vec<Segment>,
    /// If some ranks have nothing to do: why.
    pub(crate) complaint: Option<String>,
}

/// Who receives the events of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Source {
    /// Rank of the sender.
    pub(crate) rank: u16,
    /// Turn of the sender: one more than its position, or zero if only handlers send.
    pub(crate) turn: u32,
    /// Whether a handler that these events run at once sends events itself.
    pub(crate) is_relayed: bool,
    /// Whether other ranks have receivers, and whether these get the events at once.
    pub(crate) goes_elsewhere: bool,
    pub(crate) reaches_at_once: bool,
    /// Whether some receivers get the events later.
    pub(crate) has_later: bool,
    /// Whether its events are recorded.
    pub(crate) is_recorded: bool,
}

/// Positions of one rank that may draw random numbers, with none of another rank between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Turns: one more than positions; zero is when due events are delivered.
    pub(crate) turns: Range<u32>,
    pub(crate) rank: u16,
}

impl Partition {
    /// Cuts a program into parts of about equal cost, as far as its clusters allow.
    pub(crate) fn of(program: &Program, size: u16, cut: Option<&Cut>) -> Partition {
        let mut clusters = Clusters::of(program);
        let given = cut.and_then(|cut| given(program, &mut clusters, cut));
        let ranks = match (given, clusters.same_source) {
            (Some(ranks), _) => ranks,
            (None, Some(_)) => vec![0; clusters.handlers.last().map_or(0, |nodes| *nodes as usize)],
            (None, None) => assigned(&mut clusters, size),
        };
        let mut sources = sources(program, &clusters, &ranks);
        for (source, at_once) in cut.into_iter().flat_map(|cut| &cut.crossings) {
            if let Some(source) = sources.get_mut(*source as usize) {
                source.goes_elsewhere = true;
                source.reaches_at_once |= at_once;
            }
        }
        let segments = segments(program, &mut clusters, &ranks);
        let complaint = complaint(program, &mut clusters, &ranks, size);
        Partition {
            clusters,
            ranks,
            sources,
            segments,
            complaint,
        }
    }

    /// Rank of a node; 0 if there is no such node.
    pub(crate) fn rank(&self, node: u32) -> u16 {
        self.ranks.get(node as usize).copied().unwrap_or(0)
    }

    /// Rank that holds a slot; none if nothing stores it.
    pub(crate) fn rank_of_slot(&self, slot: u32) -> Option<u16> {
        self.clusters.owner(slot).map(|owner| self.rank(owner))
    }
}

/// How a network was cut before it was built. Each rank has the program without what only others need.
#[derive(Debug, Clone, Default)]
pub struct Cut {
    /// This rank.
    pub rank: u16,
    /// Rank of each position of a step.
    pub positions: Vec<u16>,
    /// Sources whose events reach instances that this program does not have, and whether some reach them without a
    /// delay.
    pub crossings: Vec<(u32, bool)>,
}

impl Cut {
    /// Whether no cluster of a program has positions on several ranks, so that it can run as it is cut.
    pub fn fits(&self, program: &Program) -> bool {
        let mut clusters = Clusters::of(program);
        clusters.same_source.is_none() && given(program, &mut clusters, self).is_some()
    }
}

/// Ranks of all nodes if the positions have given ranks. None if that cuts a cluster, or leaves one without a rank.
fn given(program: &Program, clusters: &mut Clusters, cut: &Cut) -> Option<Vec<u16>> {
    let nodes = clusters.handlers.last().copied().unwrap_or(0);
    let mut of_roots: Vec<Option<u16>> = vec![None; nodes as usize];
    if cut.positions.len() != clusters.positions() as usize {
        return None;
    }
    for (position, rank) in (0..).zip(&cut.positions) {
        let root = of_roots.get_mut(clusters.root(position) as usize)?;
        if *root.get_or_insert(*rank) != *rank {
            return None;
        }
    }
    let positions = clusters.positions();
    let handlers = clusters.handlers.clone();
    // What does nothing can be done anywhere.
    let does_nothing = |node: u32| {
        let handler = handlers
            .partition_point(|first| *first <= node)
            .checked_sub(1);
        let handler = handler.and_then(|handler| program.handlers.get(handler));
        node >= positions && handler.is_some_and(|handler| handler.body.is_empty())
    };
    let rank = |node| {
        let root = of_roots.get(clusters.root(node) as usize)?;
        root.or_else(|| does_nothing(node).then_some(cut.rank))
    };
    (0..nodes).map(rank).collect()
}

/// Gives each cluster to a rank. The clusters lie one after another on a line, in the order of their first nodes,
/// each as long as its cost. The line is cut into equal shares, one for each rank; the middle of a cluster decides.
fn assigned(clusters: &mut Clusters, size: u16) -> Vec<u16> {
    let nodes = clusters.handlers.last().copied().unwrap_or(0);
    let roots: Vec<u32> = (0..nodes).map(|node| clusters.root(node)).collect();
    let mut costs = vec![0_u64; roots.len()];
    for (cost, root) in clusters.costs.iter().zip(&roots) {
        if let Some(sum) = costs.get_mut(*root as usize) {
            *sum += u64::from(*cost);
        }
    }
    let all = costs.iter().sum::<u64>().max(1);
    let mut before = 0;
    let mut of_roots: Vec<Option<u16>> = vec![None; roots.len()];
    let mut ranks = Vec::with_capacity(roots.len());
    for root in roots {
        let root = root as usize;
        let cost = costs.get(root).copied().unwrap_or(0);
        let rank = of_roots.get(root).copied().flatten().unwrap_or_else(|| {
            let middle = u128::from(2 * before + cost) * u128::from(size);
            before += cost;
            let rank = u16::try_from(middle / u128::from(2 * all)).unwrap_or(u16::MAX);
            rank.min(size.saturating_sub(1))
        });
        if let Some(entry) = of_roots.get_mut(root) {
            *entry = Some(rank);
        }
        ranks.push(rank);
    }
    ranks
}

fn sources(program: &Program, clusters: &Clusters, ranks: &[u16]) -> Vec<Source> {
    let rank_of = |node: u32| ranks.get(node as usize).copied().unwrap_or(0);
    let mut sources = Vec::with_capacity(clusters.senders.len());
    for number in 0..lems_index::narrow(clusters.senders.len()) {
        let sender = clusters.sender(number);
        let turn = if sender < clusters.positions() {
            sender + 1
        } else {
            0
        };
        let mut source = Source {
            rank: rank_of(sender),
            turn,
            ..Source::default()
        };
        for receivers in program.routes.receivers(number) {
            let Some(handler) = receivers.handler else {
                source.is_recorded = true;
                continue;
            };
            let is_elsewhere =
                |instance: &u32| rank_of(clusters.handler(handler, *instance)) != source.rank;
            let is_elsewhere = receivers.numbers.iter().any(is_elsewhere);
            source.goes_elsewhere |= is_elsewhere;
            match receivers.at_once() {
                true => {
                    source.reaches_at_once |= is_elsewhere;
                    let relays = clusters.relays.get(handler as usize);
                    source.is_relayed |= relays == Some(&true);
                }
                false => source.has_later = true,
            }
        }
        sources.push(source);
    }
    sources
}

/// Where random numbers are drawn: in steps, in handlers that the events of a step run at once, and in handlers
/// that events of the queue run.
fn segments(program: &Program, clusters: &mut Clusters, ranks: &[u16]) -> Vec<Segment> {
    let mut drawing_clusters = HashSet::new();
    let mut of_queue = None;
    if clusters.drawing.contains(&true) {
        for (_, target) in program.routes.all() {
            let Action::Handle { handler, instance } = target.action else {
                continue;
            };
            let node = clusters.handler(handler, instance);
            if clusters.drawing.get(handler as usize) == Some(&true) {
                drawing_clusters.insert(clusters.root(node));
            }
            // What an event of the queue runs may send an event at once to a handler that draws. All such
            // handlers are in one cluster.
            if target.delay > 0.0 && clusters.is_in_order(handler) {
                of_queue = ranks.get(node as usize).copied();
            }
        }
    }
    let mut segments: Vec<Segment> = Vec::new();
    segments.extend(of_queue.map(|rank| Segment { turns: 0..1, rank }));
    for position in 0..clusters.positions() {
        let own = clusters.draws.get(position as usize) == Some(&true);
        if !own && !drawing_clusters.contains(&clusters.root(position)) {
            continue;
        }
        let rank = ranks.get(position as usize).copied().unwrap_or(0);
        let turn = position + 1;
        match segments.last_mut() {
            Some(last) if last.rank == rank => last.turns.end = turn + 1,
            _ => segments.push(Segment {
                turns: turn..turn + 1,
                rank,
            }),
        }
    }
    segments
}

/// Why some ranks have nothing to do, in one sentence.
fn complaint(
    program: &Program,
    clusters: &mut Clusters,
    ranks: &[u16],
    size: u16,
) -> Option<String> {
    let mut costs = vec![0_u64; size.into()];
    for (cost, rank) in clusters.costs.iter().zip(ranks) {
        if let Some(sum) = costs.get_mut(usize::from(*rank)) {
            *sum += u64::from(*cost);
        }
    }
    let busy = costs.iter().filter(|cost| **cost > 0).count();
    if busy == costs.len() {
        return None;
    }
    let name = |clusters: &Clusters, node: u32| clusters.name(program, node).to_owned();
    let why = match clusters.same_source {
        Some((one, other)) => {
            let (one, other) = (name(clusters, one), name(clusters, other));
            format!("`{one}` and `{other}` send the same events")
        }
        None => why_not_cut(clusters, &name, size),
    };
    let have = if busy == 1 { "has" } else { "have" };
    Some(format!(
        "{busy} of {size} ranks {have} something to do, because the model cannot be cut further: {why}"
    ))
}

/// What keeps the largest cluster together, or why there are too few clusters.
fn why_not_cut(
    clusters: &mut Clusters,
    name: &dyn Fn(&Clusters, u32) -> String,
    size: u16,
) -> String {
    let mut costs: BTreeMap<u32, u64> = BTreeMap::new();
    for position in 0..clusters.positions() {
        let cost = clusters.costs.get(position as usize).copied().unwrap_or(0);
        *costs.entry(clusters.root(position)).or_default() += u64::from(cost);
    }
    let parts = costs.len();
    if parts >= usize::from(size) {
        return format!(
            "its {parts} parts that can be computed apart differ too much in their cost"
        );
    }
    let largest = costs.into_iter().max_by_key(|(_, cost)| *cost);
    let reason = largest.and_then(|(root, _)| clusters.reason(root).cloned());
    match reason {
        None if parts == 1 => "it is one instance".to_owned(),
        None => format!("it has {parts} instances"),
        Some(Reason::Shared(one, other)) => match (name(clusters, one), name(clusters, other)) {
            (one, other) if one == other => {
                format!("instances of `{one}` read what others of them store in the same step")
            }
            (one, other) => {
                format!("`{one}` and `{other}` share what one of them stores in the same step")
            }
        },
        Some(Reason::InOrder(node)) => format!(
            "`{}` draws random numbers or sends events when it gets an event, and must do so in its turn",
            name(clusters, node)
        ),
    }
}

//! Loops over what is attached to the members of a shape, such as the synapses of cells.

use std::rc::Rc;

use lems_index::{Id, narrow};
use lems_network::{NodeId, ShapeId};

use super::{ListKey, Lowering, members::Members};

/// The instances attached to one list of one node of a shape.
#[derive(Debug)]
pub(super) struct Attachments {
    /// Their shapes, each with its members here.
    pub variants: Vec<Variant>,
    /// How the loop over them finds them.
    pub order: AttachmentOrder,
}

/// The attached instances of one shape.
#[derive(Debug)]
pub(super) struct Variant {
    pub shape: ShapeId,
    pub members: Rc<Members>,
}

/// How a loop finds attached instances.
#[derive(Debug)]
pub(super) enum AttachmentOrder {
    /// Variant after variant; an offset table each.
    Segments(Vec<u32>),
    /// Offset table and first triple.
    Runs(u32, u32),
}

/// Attached instances of one host that follow one another.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Index of their shape among the variants.
    variant: u32,
    /// The first member.
    first: u32,
    /// The member after the last one.
    last: u32,
}

/// What is attached to a list of one node of each member of a shape.
#[derive(Default)]
struct Attached {
    /// The shapes, each with its members that are on this rank.
    variants: Vec<(ShapeId, Members)>,
    /// The runs of all hosts, host by host.
    runs: Vec<Run>,
    /// By host: the end of its runs.
    ends: Vec<u32>,
    /// Whether each host belongs to this part of the program.
    are_own: Vec<bool>,
    /// Whether each variant is left out on the hosts of other parts.
    are_plain: Vec<bool>,
}

impl Attached {
    /// The runs of each host, in order.
    fn runs_of_hosts(&self) -> impl Iterator<Item = &[Run]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        (starts.zip(&self.ends)).map(|(start, end)| &self.runs[*start as usize..*end as usize])
    }
}

impl<'d> Lowering<'_, '_, 'd> {
    /// What is attached to a list of a node, and how a loop finds it.
    pub(super) fn attachments(
        &mut self,
        shape: ShapeId,
        node: NodeId,
        list: &'d str,
    ) -> Rc<Attachments> {
        let key = ListKey { shape, node, list };
        if let Some(attachments) = self.attachments.get(&key) {
            return attachments.clone();
        }
        let attached = self.attached(shape, node, list);
        // A table for each shape if that is enough, else the runs as they are.
        let order = match segments(&attached) {
            Some(tables) => self.segment_tables(tables, &attached),
            None => self.run_tables(&attached),
        };
        let variants = (attached.variants.into_iter()).map(|(shape, members)| Variant {
            shape,
            members: Rc::new(members),
        });
        let attachments = Rc::new(Attachments {
            variants: variants.collect(),
            order,
        });
        self.attachments.insert(key, attachments.clone());
        attachments
    }

    fn attached(&self, shape: ShapeId, node: NodeId, list: &'d str) -> Attached {
        let mut all = Attached::default();
        for host in self.shape(shape).member_ids() {
            let instance = self.shape(shape).instance(host, node);
            let start = all.runs.len();
            for attached in self.shapes.attached(self.network, instance, list) {
                let known = (all.variants.iter()).position(|(known, _)| *known == attached.shape);
                let variant = known.unwrap_or_else(|| {
                    all.variants.push((attached.shape, Members::default()));
                    all.variants.len() - 1
                });
                if attached.is_here {
                    all.variants[variant].1.push(attached.first);
                }
                let (variant, first) = (narrow(variant), attached.first.get());
                match all.runs[start..].last_mut() {
                    Some(run) if run.variant == variant && run.last == first => {
                        run.last += attached.count;
                    }
                    _ => all.runs.push(Run {
                        variant,
                        first,
                        last: first + attached.count,
                    }),
                }
            }
            all.ends.push(narrow(all.runs.len()));
            all.are_own.push(self.is_own(instance));
        }
        let are_plain = all.variants.iter().map(|(shape, _)| self.is_plain(*shape));
        all.are_plain = are_plain.collect();
        all
    }

    fn segment_tables(&mut self, tables: Vec<Vec<u32>>, attached: &Attached) -> AttachmentOrder {
        let mut firsts = Vec::with_capacity(tables.len());
        for (mut table, is_plain) in tables.into_iter().zip(&attached.are_plain) {
            if *is_plain {
                self.division.is_sound &= only_own(&mut table, &attached.are_own);
            }
            firsts.push(self.link_table(&table, &attached.are_own));
        }
        AttachmentOrder::Segments(firsts)
    }

    fn run_tables(&mut self, attached: &Attached) -> AttachmentOrder {
        let mut offsets = vec![0];
        let mut triples = Vec::new();
        let mut are_own = Vec::new();
        for (runs, is_own) in attached.runs_of_hosts().zip(&attached.are_own) {
            for run in runs {
                let is_left_out = !is_own && attached.are_plain[run.variant as usize];
                let last = if is_left_out { run.first } else { run.last };
                triples.extend([run.variant, run.first, last]);
                are_own.extend([*is_own; 3]);
            }
            offsets.push(self.offset(triples.len() / 3));
        }
        let offsets = self.link_table(&offsets, &attached.are_own);
        AttachmentOrder::Runs(offsets, self.link_table(&triples, &are_own))
    }
}

/// Makes the ranges of an offset table empty for hosts of other parts. Returns whether that is possible: the own
/// hosts must follow one another.
fn only_own(table: &mut [u32], are_own: &[bool]) -> bool {
    let first = are_own.iter().position(|is_own| *is_own).unwrap_or(0);
    let last = are_own.iter().rposition(|is_own| *is_own);
    let end = last.map_or(0, |last| last + 1);
    let (from, to) = (table[first], table[end]);
    for entry in table {
        *entry = (*entry).clamp(from, to);
    }
    are_own[first..end].iter().all(|is_own| *is_own)
}

/// Offset tables, one for each variant, if all hosts hold variant after variant and follow one
/// another without gaps.
fn segments(attached: &Attached) -> Option<Vec<Vec<u32>>> {
    let is_sorted = |own: &[Run]| own.is_sorted_by(|a, b| a.variant < b.variant);
    if !attached.runs_of_hosts().all(is_sorted) {
        return None;
    }
    let variants = attached.variants.len();
    let mut tables = Vec::with_capacity(variants);
    for variant in 0..narrow(variants) {
        let of_variant = |own: &[Run]| own.iter().find(|run| run.variant == variant).copied();
        let first = attached.runs_of_hosts().find_map(of_variant);
        let mut end = first.map_or(0, |run| run.first);
        let mut table = vec![end];
        for own in attached.runs_of_hosts() {
            if let Some(run) = of_variant(own) {
                if run.first != end {
                    return None;
                }
                end = run.last;
            }
            table.push(end);
        }
        tables.push(table);
    }
    Some(tables)
}

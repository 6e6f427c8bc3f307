//! What connections attach in a network that is distributed over ranks.

use lems_model::{ComponentId, Wiring};

use crate::connect::Connector;
use crate::instance::{Absent, PlainKind, Representative};
use crate::share::is_plain;
use crate::{InstanceId, Network};

/// What a connection attaches in a network that is distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attaching {
    /// An instance that gets its events on this rank.
    Here,
    /// An instance that stands for others on this rank.
    Representative,
    /// Nothing; this instance has the same shape.
    Absent(InstanceId),
}

impl<'d> Connector<'_, '_, '_, 'd> {
    /// Counts a connection, if the connections are only counted. Returns whether they are.
    pub(crate) fn is_counted(&mut self, wiring: &Wiring<'d>, host: InstanceId) -> bool {
        let Some(survey) = &mut self.builder.survey else {
            return false;
        };
        if wiring.receiver.is_some() {
            *survey.counts.entry(host).or_default() += survey.weight;
        }
        true
    }

    /// Notes if an end of a connection is something that was attached, or is in it. What is attached may connect
    /// itself, since then it is on all ranks.
    pub(crate) fn note_ends(&mut self, ends: [InstanceId; 2]) {
        let network = self.network();
        let Some(distribution) = &network.distribution else {
            return;
        };
        let is_own = |end: InstanceId| {
            let mut around = std::iter::successors(Some(end), |id| network.instance(*id).parent);
            around.any(|id| Some(id) == self.place.instance)
        };
        let is_attached = |end: &InstanceId| distribution.is_attached(*end) && !is_own(*end);
        let leads_to_attached = ends.iter().any(is_attached);
        if let Some(distribution) = &mut self.builder.network.distribution {
            distribution.leads_to_attached |= leads_to_attached;
        }
    }

    /// Whether a connection attaches something that has its place on one rank only.
    fn is_plain(&mut self, component: ComponentId) -> bool {
        let model = self.network().model;
        let Some(distribution) = &mut self.builder.network.distribution else {
            return false;
        };
        let plain = &mut distribution.plain;
        *(plain.entry(component)).or_insert_with(|| is_plain(model, component))
    }

    /// What a connection has to attach. None if the values of the instance have errors.
    pub(crate) fn attaching(
        &mut self,
        wiring: &Wiring<'d>,
        component: ComponentId,
        (host, list): (InstanceId, &'d str),
    ) -> Option<Attaching> {
        let Some(kind) = self.plain_kind(component, (host, list)) else {
            return Some(Attaching::Here);
        };
        let distribution = self.network().distribution.as_ref()?;
        let known = distribution.representatives.get(&kind).copied();
        let is_like = match known {
            Some(known) if !known.varied => self.has_values_of(wiring, known.like)?,
            _ => known.is_some(),
        };
        let rank = self.network().rank_of(host);
        let distribution = self.builder.network.distribution.as_mut()?;
        let is_own = distribution.is_own(rank);
        if let (Some(known), false) = (distribution.representatives.get_mut(&kind), is_like) {
            known.varied = true;
        }
        Some(match known {
            _ if is_own => Attaching::Here,
            Some(known) if is_like => Attaching::Absent(known.like),
            _ => Attaching::Representative,
        })
    }

    /// What a connection attaches, as far as others attach the like. None if that is not plain.
    fn plain_kind(
        &mut self,
        component: ComponentId,
        (host, list): (InstanceId, &'d str),
    ) -> Option<PlainKind<'d>> {
        if !self.is_plain(component) {
            return None;
        }
        let network = self.network();
        let around = std::iter::successors(Some(host), |id| network.instance(*id).parent);
        Some(PlainKind {
            component,
            maker: network
                .model
                .component(self.place.component?)
                .component_type,
            group: around.take_while(|id| *id != Network::ROOT).last()?,
            list,
        })
    }

    /// Whether an attached instance would have the assigned values of another one. None after an error.
    fn has_values_of(&mut self, wiring: &Wiring<'d>, other: InstanceId) -> Option<bool> {
        let mut is_same = true;
        for assign in &wiring.assigns {
            let value = self.builder.evaluate(&assign.value, None, self.place)?;
            let known = self.network().assigned.get(other, assign.property);
            is_same &= known.is_some_and(|known| known.to_bits() == value.to_bits());
        }
        Some(is_same)
    }

    /// Notes that an instance was made or left out.
    pub(crate) fn note(
        &mut self,
        component: ComponentId,
        (host, list): (InstanceId, &'d str),
        attaching: Attaching,
        made: InstanceId,
    ) {
        let Some(kind) = self.plain_kind(component, (host, list)) else {
            return;
        };
        let after = self.network().list(host, list).map_or(0, <[_]>::len);
        let Some(distribution) = &mut self.builder.network.distribution else {
            return;
        };
        let Attaching::Absent(like) = attaching else {
            let new = Representative {
                like: made,
                varied: false,
            };
            distribution.representatives.entry(kind).or_insert(new);
            return;
        };
        distribution.left_out += 1;
        let absent = distribution.absent.entry((host, list)).or_default();
        let after = lems_index::narrow(after);
        match absent.last_mut() {
            Some(last) if last.after == after && last.like == like => last.count += 1,
            _ => absent.push(Absent {
                after,
                like,
                count: 1,
            }),
        }
    }

    /// Notes that events go to a plain instance, and returns whether they reach it on this rank.
    pub(crate) fn crosses(
        &mut self,
        (from, port): (InstanceId, &'d str),
        host: InstanceId,
        delay: f64,
        attaching: Attaching,
        component: ComponentId,
    ) -> bool {
        if !self.is_plain(component) {
            return true;
        }
        let (sender, receiver) = (self.network().rank_of(from), self.network().rank_of(host));
        if let Some(distribution) = &mut self.builder.network.distribution
            && sender != receiver
        {
            *distribution.crossings.entry((from, port)).or_default() |= delay <= 0.0;
        }
        attaching == Attaching::Here
    }
}

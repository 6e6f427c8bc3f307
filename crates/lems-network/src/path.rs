//! Paths to instances: `../pop[3]`, `pop/2/cell`, `synapses:NMDA:0`.

use std::collections::VecDeque;

use lems_document::{Attribute, Choice, Span, nearest};
use rustc_hash::FxHashMap;

use crate::error::LISTED;
use crate::names::equal;
use crate::structure::makes_instances;
use crate::{InstanceId, Network, NetworkError};

/// Lists at least this long are searched through a table.
const TABLE_FROM: usize = 16;
/// Most instances that are looked at for a better path.
const SEARCHED: usize = 1000;
/// Most steps that a message lists, and one more.
const SHOWN: usize = LISTED + 1;

/// A path, and the attribute that has it.
#[derive(Clone, Copy)]
pub(crate) struct Path<'p, 'd> {
    text: &'p str,
    source: Attribute<'d>,
}

/// A step of a path.
#[derive(Clone, Copy)]
pub(crate) struct Step<'p, 'd> {
    path: Path<'p, 'd>,
    /// What stands between slashes: one step such as `cell`, or two such as `pop[3]`.
    text: &'p str,
    to: To<'p>,
}

/// Where a step leads.
#[derive(Clone, Copy)]
enum To<'p> {
    Name(&'p str),
    Index(&'p str),
}

impl<'p, 'd> Path<'p, 'd> {
    /// A path in an attribute. Steps that are slices of its value have their own spans.
    pub(crate) fn new(text: &'p str, source: Attribute<'d>) -> Self {
        Path { text, source }
    }

    /// Its steps, in order.
    pub(crate) fn steps(self) -> impl Iterator<Item = Step<'p, 'd>> {
        self.steps_in(self.text)
    }

    /// The steps in a part of it.
    fn steps_in(self, part: &'p str) -> impl Iterator<Item = Step<'p, 'd>> {
        let texts = part.split('/').map(str::trim);
        texts.flat_map(move |text| {
            let (name, index) = match text.split_once('[') {
                Some((name, rest)) => (name.trim(), rest.strip_suffix(']').map(str::trim)),
                None => (text, None),
            };
            let name = Some(name).filter(|name| !name.is_empty());
            let to = name.map(To::Name).into_iter().chain(index.map(To::Index));
            to.map(move |to| Step {
                path: self,
                text,
                to,
            })
        })
    }
}

impl Path<'_, '_> {
    /// The length of what comes before the first index and the second name.
    fn beginning(self) -> usize {
        let mut from_name = self.text;
        while let Some(rest) = from_name.strip_prefix("../") {
            from_name = rest;
        }
        let mut bytes = from_name.bytes();
        let name = bytes.position(|byte| matches!(byte, b'/' | b'['));
        self.text.len() - from_name.len() + name.unwrap_or(from_name.len())
    }
}

impl<'d> Path<'d, 'd> {
    /// The path in an attribute that leads to an instance from the root of the network.
    pub(crate) fn from_root(source: Attribute<'d>) -> Self {
        Path::new(source.value().trim().trim_matches('/'), source)
    }

    /// Such a path to a variable, as the path to its instance, and the name of the variable.
    pub(crate) fn to_variable(source: Attribute<'d>) -> (Self, &'d str) {
        Path::from_root(source).split_last()
    }

    /// The path without what stands after its last slash, and that.
    pub(crate) fn split_last(self) -> (Self, &'d str) {
        let (steps, last) = self.text.rsplit_once('/').unwrap_or(("", self.text));
        (Path::new(steps, self.source), last)
    }
}

/// Where paths have led. Those of neighbouring connections are often the same, or begin alike.
#[derive(Default)]
pub(crate) struct Followed<'d> {
    /// What the paths up to their first name lead to, if they always will.
    beginnings: FxHashMap<(InstanceId, &'d str), Option<InstanceId>>,
    /// The last two paths that will always lead to the same instance, from where they start.
    last: [Option<(InstanceId, &'d str, InstanceId)>; 2],
    /// Where the attributes of a run of connections lead.
    columns: Vec<Led>,
}

/// Where the different values of an attribute in a run of connections lead, by their numbers.
struct Led {
    run: u32,
    column: usize,
    found: Vec<Option<InstanceId>>,
}

impl<'d> Followed<'d> {
    /// The instance at the end of a path that starts at `from`, if all that instances contain has been made.
    pub(crate) fn follow(
        &mut self,
        network: &Network<'_, 'd>,
        from: InstanceId,
        path: Path<'d, 'd>,
    ) -> Result<InstanceId, NetworkError> {
        if let Some(found) = self.again(from, path.text) {
            return Ok(found);
        }
        let (beginning, rest) = path.text.split_at(path.beginning());
        let known = self.beginnings.entry((from, beginning));
        let start = *known.or_insert_with(|| network.lasting(from, path.steps_in(beginning)));
        let Some(found) = start.and_then(|start| network.lasting(start, path.steps_in(rest)))
        else {
            return network.follow(from, path);
        };
        self.last = [Some((from, path.text, found)), self.last[0]];
        Ok(found)
    }

    /// Whether the path that was followed last is this one, and always leads to the same instance.
    pub(crate) fn is_lasting(&self, from: InstanceId, path: Path<'d, 'd>) -> bool {
        let is_it = |(start, text, _)| start == from && equal(text, path.text);
        self.last[0].is_some_and(is_it)
    }

    /// What was said of a value.
    pub(crate) fn of_value(&self, choice: Choice) -> Option<InstanceId> {
        let mut columns = self.columns.iter();
        let led = columns.find(|led| led.column == choice.column && led.run == choice.run)?;
        *led.found.get(choice.value as usize)?
    }

    /// Says that a value leads to an instance wherever it stands in its run.
    pub(crate) fn set_of_value(&mut self, choice: Choice, instance: InstanceId) {
        let Choice { run, column, value } = choice;
        let known = self.columns.iter().position(|led| led.column == column);
        let number = known.unwrap_or_else(|| {
            let found = Vec::new();
            self.columns.push(Led { run, column, found });
            self.columns.len() - 1
        });
        let led = &mut self.columns[number];
        if led.run != run {
            (led.run, led.found) = (run, Vec::new());
        }
        if led.found.len() <= value as usize {
            led.found.resize(value as usize + 1, None);
        }
        led.found[value as usize] = Some(instance);
    }

    /// Where a path leads, if it is one of the last two.
    fn again(&mut self, from: InstanceId, text: &str) -> Option<InstanceId> {
        let is_it = |last: &Option<(InstanceId, &str, InstanceId)>| {
            last.is_some_and(|(start, path, _)| start == from && equal(path, text))
        };
        let number = self.last.iter().position(is_it)?;
        self.last.swap(0, number);
        self.last[0].map(|(.., found)| found)
    }
}

impl Step<'_, '_> {
    fn span(&self) -> Span {
        self.path.source.part_span(self.text)
    }
}

impl<'d> Network<'_, 'd> {
    /// The instance at the end of a path that starts at `from`.
    pub(crate) fn follow(
        &self,
        from: InstanceId,
        path: Path<'_, 'd>,
    ) -> Result<InstanceId, NetworkError> {
        (path.steps()).try_fold(from, |current, step| self.take_step(current, step))
    }

    /// The instance at the end of steps that will always lead there: nothing can be attached to the instances on the way.
    fn lasting<'p>(
        &self,
        from: InstanceId,
        mut steps: impl Iterator<Item = Step<'p, 'd>>,
    ) -> Option<InstanceId>
    where
        'd: 'p,
    {
        if !self.cables.all.is_empty() {
            return None;
        }
        steps.try_fold(from, |current, step| {
            if self.instance(current).attached || !self.type_of(current).attachments.is_empty() {
                return None;
            }
            match step.to {
                To::Name(name) => self.step(current, name),
                To::Index(index) => self
                    .elements(current)?
                    .get(index.parse::<usize>().ok()?)
                    .copied(),
            }
        })
    }

    /// The instance to which a step of a path leads.
    pub(crate) fn take_step(
        &self,
        current: InstanceId,
        step: Step<'_, 'd>,
    ) -> Result<InstanceId, NetworkError> {
        match step.to {
            To::Name(name) => (self.step(current, name))
                .or_else(|| self.step(self.unwrapped(current), name))
                .or_else(|| self.only_instance(current, name, step.path))
                .ok_or_else(|| self.unresolved(current, step)),
            To::Index(index) => self.element(current, index, step),
        }
    }

    /// One step by name.
    pub(crate) fn step(&self, current: InstanceId, name: &str) -> Option<InstanceId> {
        let instance = self.instance(current);
        match name {
            "." | "this" => return Some(current),
            ".." | "parent" => return instance.parent,
            _ => {}
        }
        (self.named(current, name))
            .or_else(|| self.cables.segment(current, name))
            .or_else(|| self.peer(current, name))
            .or_else(|| self.single_by_id(current, name))
            .or_else(|| self.labelled(current, name))
            .or_else(|| self.made_element(current, name))
            .or_else(|| self.numbered(current, name))
            .or_else(|| self.same_cell(current, name))
            .or_else(|| self.on_same_segment(current, name))
            .or_else(|| self.slot_of_kind(current, name))
    }

    /// `list:id:k` on another compartment of the segment that a path has led to.
    fn on_same_segment(&self, current: InstanceId, name: &str) -> Option<InstanceId> {
        let mut parts = name.split(':');
        let (list, id, number) = (parts.next()?, parts.next()?, parts.next()?);
        let number: usize = number.parse().ok()?;
        let others = self.cables.on_same_segments(current);
        let attached = others.filter_map(|other| self.list(other, list)).flatten();
        (attached.copied())
            .filter(|element| self.component_id(*element) == Some(id))
            .nth(number)
    }

    /// The only child of a cell with dendrites whose type extends the one that a path names.
    fn slot_of_kind(&self, current: InstanceId, name: &str) -> Option<InstanceId> {
        if self.cables.all.is_empty() {
            return None;
        }
        let singles = self.instance(current).singles.iter().map(|(_, id)| *id);
        let mut meant = singles.filter(|id| self.model.is_a(self.instance(*id).kind, name));
        let first = meant.next()?;
        meant.next().is_none().then_some(first)
    }

    /// The cell of an `instance`, whatever the path calls it. Other simulators ignore the name, so some files have
    /// a wrong one.
    fn only_instance(
        &self,
        current: InstanceId,
        name: &str,
        path: Path<'_, 'd>,
    ) -> Option<InstanceId> {
        let inner = self.unwrapped(current);
        if inner == current || name.parse::<usize>().is_ok() {
            return None;
        }
        let warning = NetworkError::OtherName {
            path: path.text.to_owned(),
            step: name.to_owned(),
            instance: self.title(inner),
            span: path.source.span(),
        };
        let mut warnings = self.warnings.borrow_mut();
        if warnings.last() != Some(&warning) {
            warnings.push(warning);
        }
        Some(inner)
    }

    fn peer(&self, current: InstanceId, name: &str) -> Option<InstanceId> {
        let peers = self.peers.get(&current)?;
        peers
            .iter()
            .find(|(peer, _)| *peer == name)
            .map(|(_, id)| *id)
    }

    /// `list:id:k`: the k-th element with that id.
    fn labelled(&self, current: InstanceId, name: &str) -> Option<InstanceId> {
        let mut parts = name.split(':');
        let (list, id, number) = (parts.next()?, parts.next()?, parts.next()?);
        let number: usize = number.parse().ok()?;
        let list = self.list(current, list)?;
        (list.iter().copied())
            .filter(|element| self.component_id(*element) == Some(id))
            .nth(number)
    }

    /// What is known by a name in jLEMS's one table of the parts of an instance: a slot, a `ChildInstance` or an element
    /// of a list.
    fn named(&self, current: InstanceId, name: &str) -> Option<InstanceId> {
        let single = self.single(current, name);
        let parts = single.into_iter().chain(self.own_element(current, name));
        parts.max_by_key(|part| self.precedence(*part))
    }

    /// What an `EventConnection` in a `Structure` can name without a `With`: a part of the instance, by its name or by
    /// the id of its component.
    pub(crate) fn part(&self, current: InstanceId, name: &str) -> Option<InstanceId> {
        self.named(current, name)
            .or_else(|| self.single_by_id(current, name))
    }

    /// The instance in a slot whose component has that id.
    fn single_by_id(&self, current: InstanceId, name: &str) -> Option<InstanceId> {
        let mut singles = self.instance(current).singles.iter().map(|(_, id)| *id);
        singles.find(|id| self.component_id(*id) == Some(name))
    }

    /// An element of the `Children` lists that has that id.
    fn own_element(&self, current: InstanceId, name: &str) -> Option<InstanceId> {
        let lists = self.instance(current).lists.iter().enumerate();
        let named = lists.filter(|(_, (list, _))| !list.is_empty());
        (named.map(|(number, _)| number))
            .filter(|number| !self.is_attached_to(current, *number))
            .filter_map(|number| self.in_list_by_id(current, number, name))
            .max_by_key(|element| self.precedence(*element))
    }

    /// Of several parts with one name, that with the greatest precedence counts: the last one, as in jLEMS. But what
    /// cannot be meant, such as a projection with the id of a population, comes before all others.
    fn precedence(&self, id: InstanceId) -> (bool, InstanceId) {
        let kind = self.type_of(id);
        let can_be_meant = kind.dynamics.is_some()
            || !kind.attachments.is_empty()
            || kind.structure.iter().any(makes_instances)
            || self.instance(id).inner().next().is_some();
        (can_be_meant, id)
    }

    /// Whether the elements of a list were attached.
    fn is_attached_to(&self, current: InstanceId, number: usize) -> bool {
        let list = self.instance(current).lists.get(number);
        let first = list.and_then(|(_, list)| list.first());
        first.is_some_and(|first| self.instance(*first).attached)
    }

    /// An element of a list whose component has that id. As in jLEMS, it is the last one, but among attached instances
    /// the first of the last list.
    pub(crate) fn by_component_id(&self, current: InstanceId, name: &str) -> Option<InstanceId> {
        (self.own_element(current, name)).or_else(|| self.made_element(current, name))
    }

    /// An element that a `Structure` made, in a population or attached, whose component has that id.
    fn made_element(&self, current: InstanceId, name: &str) -> Option<InstanceId> {
        let of_population = (self.number_of_list(current, ""))
            .and_then(|number| self.in_list_by_id(current, number, name));
        of_population.or_else(|| {
            let numbers = (0..self.instance(current).lists.len()).rev();
            numbers
                .filter(|number| self.is_attached_to(current, *number))
                .find_map(|number| self.in_list_by_id(current, number, name))
        })
    }

    fn in_list_by_id(&self, current: InstanceId, number: usize, name: &str) -> Option<InstanceId> {
        let (_, list) = self.instance(current).lists.get(number)?;
        let is_wanted = |element: &InstanceId| self.component_id(*element) == Some(name);
        if list.len() < TABLE_FROM {
            let mut all = list.iter().copied();
            return match self.is_attached_to(current, number) {
                true => all.find(is_wanted),
                false => all.rfind(is_wanted),
            };
        }
        let mut tables = self.by_id.borrow_mut();
        let table = tables.entry((current, number)).or_default();
        // Connections go on attaching instances after the first path has gone through the list.
        for element in list.iter().skip(table.seen) {
            let Some(id) = self.component_id(*element) else {
                continue;
            };
            match self.instance(*element).attached {
                true => {
                    table.ids.entry(id).or_insert(*element);
                }
                false => {
                    table.ids.insert(id, *element);
                }
            }
        }
        table.seen = list.len();
        table.ids.get(name).copied()
    }

    /// `pop/3` for the element `pop[3]` of a population, or for an element without an id.
    fn numbered(&self, current: InstanceId, name: &str) -> Option<InstanceId> {
        let number: usize = name.parse().ok()?;
        let element = *self.elements(current)?.get(number)?;
        let is_of_population = || self.list(current, "").is_some();
        (is_of_population() || self.is_nameless_wrapper(element)).then_some(element)
    }

    /// Whether an element stands for the cell inside it, but has no id by which a path finds it.
    fn is_nameless_wrapper(&self, id: InstanceId) -> bool {
        !self.instance(id).singles.is_empty()
            && self.component_id(id).is_none()
            && self.unwrapped(id) != id
    }

    /// Warns of lists with such elements.
    pub(crate) fn warn_of_nameless_wrappers(&self) {
        let numbers = 0..lems_index::narrow(self.instances.len());
        let lists = numbers.flat_map(|number| {
            let id = InstanceId(number);
            let lists = self.instance(id).lists.iter();
            lists
                .filter(|(name, _)| !name.is_empty())
                .map(move |list| (id, &list.1))
        });
        for (id, list) in lists {
            let mut elements = list.iter().copied();
            if let Some(first) = elements.find(|element| self.is_nameless_wrapper(*element)) {
                self.warnings.borrow_mut().push(NetworkError::Nameless {
                    list: self.title(id),
                    span: self.span_of(first),
                });
            }
        }
    }

    /// `pop/3/cell`, where `pop/3` already is the cell.
    fn same_cell(&self, current: InstanceId, name: &str) -> Option<InstanceId> {
        let parent = self.instance(current).parent?;
        self.list(parent, "")?;
        (self.component_id(current) == Some(name)).then_some(current)
    }

    /// A list by name; the nameless one holds the elements of a population.
    pub fn list(&self, current: InstanceId, name: &str) -> Option<&[InstanceId]> {
        let number = self.number_of_list(current, name)?;
        let (_, elements) = self.instance(current).lists.get(number)?;
        Some(elements.as_slice())
    }

    /// The elements that `[k]` counts: those of a population, else of the only list that has
    /// some.
    pub(crate) fn elements(&self, current: InstanceId) -> Option<&[InstanceId]> {
        self.list(current, "").or_else(|| {
            let lists = &self.instance(current).lists;
            let mut filled = lists
                .iter()
                .filter(|(_, list)| list.first().is_some_and(|first| !self.is_metadata(*first)));
            let list = filled.next()?;
            filled.next().is_none().then_some(list.1.as_slice())
        })
    }

    fn is_metadata(&self, id: InstanceId) -> bool {
        self.model.note(self.type_of(id).name).is_some()
    }

    /// The element that a step names by its number.
    fn element(
        &self,
        current: InstanceId,
        index: &str,
        step: Step<'_, 'd>,
    ) -> Result<InstanceId, NetworkError> {
        let number = index.parse::<usize>().ok();
        let (Some(number), Some(elements)) = (number, self.elements(current)) else {
            return Err(self.unresolved(current, step));
        };
        elements
            .get(number)
            .copied()
            .ok_or_else(|| NetworkError::IndexTooLarge {
                path: step.path.text.to_owned(),
                inside: self.title(current),
                size: elements.len(),
                span: step.span(),
            })
    }

    /// The cell inside a bare wrapper (an `instance` of a `populationList`), else the instance.
    pub fn unwrapped(&self, id: InstanceId) -> InstanceId {
        let kind = self.type_of(id);
        if kind.dynamics.is_some() || !kind.attachments.is_empty() {
            return id;
        }
        let mut inner = self.instance(id).singles.iter().filter(|(_, child)| {
            let child = self.type_of(*child);
            child.dynamics.is_some() || !child.attachments.is_empty()
        });
        match (inner.next(), inner.next()) {
            (Some((_, only)), None) => *only,
            _ => id,
        }
    }

    fn unresolved(&self, current: InstanceId, step: Step<'_, 'd>) -> NetworkError {
        let names = self.names_in(current);
        let wanted = step.text.split('[').next().unwrap_or(step.text);
        let slots = self.instance(current).singles.iter().map(|(name, _)| *name);
        let suggestion = (nearest(wanted, slots.chain(names.iter().copied())).map(str::to_owned))
            .or_else(|| Some(self.below(current, self.further_down(current, wanted)?)))
            .or_else(|| self.beside(current, wanted, step));
        NetworkError::UnresolvedPath {
            path: step.path.text.to_owned(),
            step: step.text.to_owned(),
            inside: self.title(current),
            suggestion,
            there: self.steps_from(current, &names),
            span: step.span(),
        }
    }

    /// What a step from an instance may be called, without the numbers of a population.
    fn names_in(&self, current: InstanceId) -> Vec<&'d str> {
        let instance = self.instance(current);
        let singles =
            (instance.singles.iter()).map(|(name, id)| self.component_id(*id).unwrap_or(name));
        let lists = (instance.lists.iter()).flat_map(|(_, list)| list.iter().take(1000));
        let mut names: Vec<&str> = singles
            .chain(lists.filter_map(|id| self.component_id(*id)))
            .collect();
        names.dedup();
        names
    }

    /// Steps that lead somewhere: the numbers of a population, else names.
    fn steps_from(&self, current: InstanceId, names: &[&str]) -> Vec<String> {
        let cells = self.list(current, "").unwrap_or_default();
        match cells.first() {
            Some(first) if self.unwrapped(*first) == *first => (0..cells.len().min(SHOWN))
                .map(|number| format!("[{number}]"))
                .collect(),
            _ => (names.iter())
                .filter(|name| self.model.note(name).is_none())
                .take(SHOWN)
                .map(|name| (*name).to_owned())
                .collect(),
        }
    }

    /// The path from an instance to one in it.
    pub(crate) fn below(&self, top: InstanceId, inner: InstanceId) -> String {
        let (whole, above) = (self.path(inner), self.path(top));
        let below = whole.strip_prefix(&above).unwrap_or(&whole);
        below.trim_start_matches('/').to_owned()
    }

    /// An instance of that name deeper down, in case the path leaves out steps.
    pub(crate) fn further_down(&self, top: InstanceId, name: &str) -> Option<InstanceId> {
        self.find_inside(top, |id| self.component_id(id) == Some(name))
    }

    /// The first of the nearest instances inside one that is `wanted`.
    pub(crate) fn find_inside(
        &self,
        top: InstanceId,
        wanted: impl Fn(InstanceId) -> bool,
    ) -> Option<InstanceId> {
        let mut found = VecDeque::from([top]);
        for _ in 0..SEARCHED {
            let current = found.pop_front()?;
            if current != top && wanted(current) {
                return Some(current);
            }
            let places = SEARCHED.saturating_sub(found.len());
            found.extend(self.instance(current).inner().take(places));
        }
        None
    }

    /// The first step with `../` before it, if that was forgotten.
    fn beside(&self, current: InstanceId, name: &str, step: Step<'_, 'd>) -> Option<String> {
        let parent = self.instance(current).parent?;
        let is_first = (step.path.text.trim_start_matches('/')).starts_with(step.text);
        let found = self.step(parent, name).filter(|found| *found != current)?;
        (is_first && found != parent).then(|| format!("../{}", step.text))
    }
}

//! All instances of a network, with what many have in common kept once.

use lems_index::{Id, narrow};
use lems_model::{ComponentId, TypeId};

/// Index of an instance in its [`Network`](crate::Network).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceId(pub u32);

impl Id for InstanceId {
    fn get(self) -> u32 {
        self.0
    }

    fn from_u32(number: u32) -> Self {
        InstanceId(number)
    }
}

/// One running copy of a component, as [`Instances`] show it.
#[derive(Debug, Clone, Copy)]
pub struct Instance<'n, 'd> {
    /// Its type.
    pub kind: TypeId,
    /// Its component; None for an instance made from a type alone.
    pub component: Option<ComponentId>,
    /// The instance that it is in; None for the root.
    pub parent: Option<InstanceId>,
    /// Whether jLEMS runs it from a consolidated type, which doubles its `OnStart` blocks.
    pub consolidated: bool,
    /// Which of the instances that a `MultiInstantiate` made it is.
    pub number: Option<u32>,
    /// Whether it was attached while the network was built.
    pub attached: bool,
    /// Children in slots, in the order in which jLEMS walks them, then `ChildInstance`s, by the
    /// name that paths use.
    pub singles: &'n [(&'d str, InstanceId)],
    /// Lists by name: `Children`, `Attachments`, and the nameless list of `MultiInstantiate`.
    pub lists: &'n [(&'d str, Vec<InstanceId>)],
}

impl<'n> Instance<'n, '_> {
    /// The instances in it: those in slots, then those in lists.
    pub(crate) fn inner(self) -> impl Iterator<Item = InstanceId> + Clone + 'n {
        let singles = self.singles.iter().map(|(_, id)| *id);
        let lists = self.lists.iter().flat_map(|(_, list)| list);
        singles.chain(lists.copied())
    }
}

/// What an instance is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub kind: TypeId,
    pub component: Option<ComponentId>,
    pub consolidated: bool,
    pub attached: bool,
}

/// What is in an instance.
#[derive(Debug, Clone, Default)]
pub struct Contents<'d> {
    pub(crate) number: Option<u32>,
    pub(crate) singles: Vec<(&'d str, InstanceId)>,
    /// Lists by name.
    pub lists: Vec<(&'d str, Vec<InstanceId>)>,
}

impl Contents<'_> {
    /// Bytes that an instance with so many filled slots and lists of an element or a few keeps for them. The
    /// instances in them are not counted.
    pub(crate) fn bytes(slots: usize, lists: usize) -> u64 {
        // What an allocation takes beside the bytes that were asked for.
        const ALLOCATION: usize = 16;
        const SLOT: usize = size_of::<(&str, InstanceId)>();
        const LIST: usize = size_of::<(&str, Vec<InstanceId>)>();
        const ELEMENTS: usize = 4 * size_of::<InstanceId>() + ALLOCATION;
        // The receivers of connections do not follow one another if there are parts between them.
        const RECEIVER: usize = 16;
        let in_slots = match slots {
            0 => 0,
            slots => ALLOCATION + slots * SLOT,
        };
        let in_lists = match lists {
            0 => 0,
            lists => ALLOCATION + lists * (LIST + ELEMENTS),
        };
        (size_of::<u32>() + size_of::<Contents<'_>>() + RECEIVER + in_slots + in_lists) as u64
    }

    /// Whether there are no instances.
    fn is_empty(&self) -> bool {
        self.singles.is_empty() && self.lists.is_empty()
    }
}

/// The mark of what is not there.
const NONE: u32 = u32::MAX;

/// So many origins are looked at for one that is already known.
const RECENT: usize = 256;

/// All instances; the first is the root. Most are synapses with nothing in them, so that each takes a few bytes only.
#[derive(Debug, Clone)]
pub struct Instances<'d> {
    records: Vec<Record>,
    origins: Vec<Origin>,
    /// Numbers of origins that were used not long ago.
    recent: Box<[u32; RECENT]>,
    /// By instance, up to the last one that has any: the number of its contents, or [`NONE`].
    contents_of: Vec<u32>,
    contents: Vec<Contents<'d>>,
}

#[derive(Debug, Clone, Copy)]
struct Record {
    /// The number of its origin.
    origin: u32,
    /// The instance that it is in, or [`NONE`].
    parent: u32,
}

impl Default for Instances<'_> {
    fn default() -> Self {
        Instances {
            records: Vec::new(),
            origins: Vec::new(),
            recent: Box::new([NONE; RECENT]),
            contents_of: Vec::new(),
            contents: Vec::new(),
        }
    }
}

impl<'d> Instances<'d> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// An instance by number.
    #[inline]
    pub(crate) fn get(&self, id: InstanceId) -> Instance<'_, 'd> {
        let record = self.records[id.0 as usize];
        let contents = self.contents(id);
        let origin = self.origins[record.origin as usize];
        Instance {
            kind: origin.kind,
            component: origin.component,
            parent: (record.parent != NONE).then_some(InstanceId(record.parent)),
            consolidated: origin.consolidated,
            number: contents.and_then(|contents| contents.number),
            attached: origin.attached,
            singles: contents.map_or(&[], |contents| &contents.singles),
            lists: contents.map_or(&[], |contents| &contents.lists),
        }
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Instance<'_, 'd>> {
        let numbers = 0..narrow(self.records.len());
        numbers.map(|number| self.get(InstanceId(number)))
    }

    /// What is in an instance, if it is not nothing.
    #[inline]
    fn contents(&self, id: InstanceId) -> Option<&Contents<'d>> {
        let number = self.contents_of.get(id.0 as usize)?;
        self.contents.get(*number as usize)
    }

    /// How many numbers there are of what instances are made from.
    pub(crate) fn origins(&self) -> usize {
        self.origins.len()
    }

    /// The number of what an instance is made from, if nothing is in it. Instances with one number are alike.
    pub(crate) fn origin_of_leaf(&self, id: InstanceId) -> Option<u32> {
        let is_leaf = self.contents(id).is_none_or(Contents::is_empty);
        is_leaf.then_some(self.records[id.0 as usize].origin)
    }

    /// Adds an instance with nothing in it.
    pub(crate) fn push(&mut self, origin: Origin, parent: Option<InstanceId>) -> InstanceId {
        let id = InstanceId(narrow(self.records.len()));
        let origin = self.origin(origin);
        self.records.push(Record {
            origin,
            parent: parent.map_or(NONE, |parent| parent.0),
        });
        id
    }

    /// The number of an origin.
    fn origin(&mut self, origin: Origin) -> u32 {
        let component = origin.component.map_or(origin.kind.0, |of| of.0) as usize;
        let place = 4 * component + 2 * usize::from(origin.consolidated);
        let recent = &mut self.recent[(place + usize::from(origin.attached)) % RECENT];
        if self.origins.get(*recent as usize) != Some(&origin) {
            *recent = narrow(self.origins.len());
            self.origins.push(origin);
        }
        *recent
    }

    /// Says that an instance is attached to the one that it is in.
    pub(crate) fn set_attached(&mut self, id: InstanceId) {
        let record = self.records[id.0 as usize];
        let origin = self.origins[record.origin as usize];
        self.records[id.0 as usize].origin = self.origin(Origin {
            attached: true,
            ..origin
        });
    }

    /// What is in an instance, to be changed.
    pub(crate) fn contents_mut(&mut self, id: InstanceId) -> &mut Contents<'d> {
        let place = id.0 as usize;
        if self.contents_of.len() <= place {
            self.contents_of.resize(place + 1, NONE);
        }
        let number = &mut self.contents_of[place];
        if *number == NONE {
            *number = narrow(self.contents.len());
            self.contents.push(Contents::default());
        }
        &mut self.contents[*number as usize]
    }

    /// What is in each instance that has something in it, to be changed.
    pub fn all_contents_mut(&mut self) -> impl Iterator<Item = &mut Contents<'d>> {
        self.contents.iter_mut()
    }
}

//! The whole model.

use std::sync::Arc;

use indexmap::IndexMap;
use lems_document::{Attribute, Document, Element, Note, Span};
use lems_expression::Dimension;
use lems_index::Id as _;
use lems_math::JavaRandom;
use rustc_hash::FxHashMap;

use crate::{
    Component, ComponentId, ComponentType, Components, Dynamics, ModelError, Role, Siblings, Table,
    TypeId,
    units::{Dimensions, Units},
};

/// Everything that a LEMS document defines, checked, as plain data that borrows names from the document.
#[derive(Debug, Clone, Default)]
pub struct Model<'d> {
    /// `Dimension` elements.
    pub dimensions: Dimensions<'d>,
    /// `Unit` elements, by symbol.
    pub units: Units<'d>,
    /// Global `Constant` elements, by symbol.
    pub constants: Table<'d, Constant>,
    /// `ComponentType` elements, by name; a [`TypeId`] is an index. Copies of a model share them.
    pub types: Arc<Table<'d, ComponentType<'d>>>,
    /// All components, nested ones after their parents.
    pub(crate) components: Components<'d>,
    /// Top-level components by id.
    pub ids: IndexMap<&'d str, ComponentId>,
    /// Top-level components in document order.
    pub top_level: Vec<ComponentId>,
    /// What to run.
    pub target: Option<Target<'d>>,
    /// The generator behind `random()`, if derived parameters drew from it: as in jLEMS one with
    /// the seed 1234, whatever the seed of the simulation.
    pub random: Option<JavaRandom>,
    /// Elements that describe the model and do not change what it computes.
    pub notes: &'static [Note],
    /// What is legal, but probably a mistake.
    pub warnings: Vec<ModelError>,
}

/// A global `Constant`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constant {
    /// SI value.
    pub value: f64,
    /// Dimension; None where any is accepted.
    pub dimension: Option<Dimension>,
}

/// The `Target`.
#[derive(Debug, Clone, Copy)]
pub struct Target<'d> {
    /// The component to run.
    pub component: ComponentId,
    /// `reportFile`.
    pub report_file: Option<Attribute<'d>>,
    /// `timesFile`.
    pub times_file: Option<Attribute<'d>>,
    /// Its element.
    pub element: Element<'d>,
}

impl<'d> Model<'d> {
    /// The rule for elements of that name, if they only describe the model.
    pub fn note(&self, name: &str) -> Option<&'static Note> {
        self.notes.iter().find(|note| note.name == name)
    }

    /// The dynamics of a type if they are not those of its parent.
    pub(crate) fn own_dynamics<'m>(
        &'m self,
        kind: &'m ComponentType<'d>,
    ) -> Option<&'m Dynamics<'d>> {
        let own = kind.dynamics.as_ref()?;
        let parent = kind.parent.map(|parent| self.type_of(parent));
        let inherited = parent.and_then(|parent| parent.dynamics.as_ref());
        let is_own = !inherited.is_some_and(|inherited| Arc::ptr_eq(inherited, own));
        is_own.then_some(own)
    }

    /// The target, or an error that says why the document cannot be run.
    pub fn runnable_target(&self, document: &Document) -> Result<Target<'d>, ModelError> {
        self.target.ok_or_else(|| {
            let span = document.root_span();
            match document.root_name() {
                "Lems" | "lems" => ModelError::NoTarget { span },
                root => ModelError::NotLems {
                    root: root.to_owned(),
                    span,
                },
            }
        })
    }

    /// How messages call a dimension: by its name, `voltage per time`, or its exponents.
    pub fn dimension_title(&self, dimension: Dimension) -> String {
        let named = |wanted: Dimension| {
            let mut known = self
                .dimensions
                .iter()
                .filter(|(_, known)| **known == wanted);
            known.next().map(|(name, _)| *name)
        };
        if dimension == Dimension::NONE {
            return "a pure number".to_owned();
        }
        match (named(dimension), named(dimension.times(Dimension::TIME))) {
            (Some(name), _) => format!("`{name}`"),
            (None, Some("none")) => "`1/time`".to_owned(),
            (None, Some(name)) => format!("`{name}` per time"),
            (None, None) => format!("`{dimension}`"),
        }
    }

    /// A type by number.
    #[inline]
    pub fn type_of(&self, id: TypeId) -> &ComponentType<'d> {
        &self.types[id.0 as usize]
    }

    /// A type by name.
    pub fn type_named(&self, name: &str) -> Option<TypeId> {
        (self.types.get_index_of(name)).map(TypeId::at)
    }

    /// All components, in order.
    pub fn component_ids(&self) -> impl DoubleEndedIterator<Item = ComponentId> + use<> {
        (0..self.components.count()).map(ComponentId::at)
    }

    /// The components that are kept by themselves, and the tables: the first component and how many there are.
    pub fn tables(&self) -> impl Iterator<Item = Siblings> {
        self.components.records().map(|(siblings, _)| siblings)
    }

    /// A component: what it has in common with all in its table, if it is in one.
    pub fn component(&self, id: ComponentId) -> &Component<'d> {
        self.components.record(id)
    }

    /// The element of a component.
    pub fn element(&self, id: ComponentId) -> Element<'d> {
        self.components.element(id)
    }

    /// The `id` of a component.
    pub fn name(&self, id: ComponentId) -> Option<&'d str> {
        self.components.name(id)
    }

    /// SI values of a component, by index of [`ComponentType::parameters`].
    pub fn parameters(&self, id: ComponentId) -> &[f64] {
        self.components.parameters(id)
    }

    /// References and links of a component that are given, with the components that they mean.
    pub fn references(&self, id: ComponentId) -> &[(&'d str, ComponentId)] {
        self.components.references(id)
    }

    /// The components that references and links of others mean.
    pub fn referenced(&self) -> impl Iterator<Item = ComponentId> {
        let records = self.components.records();
        let references = records.flat_map(|(_, component)| &component.references);
        references.map(|(_, target)| *target)
    }

    /// How messages call a component.
    pub fn title(&self, id: ComponentId) -> String {
        let element = self.element(id).name();
        match self.name(id) {
            Some(id) => format!("{element} `{id}`"),
            None => element.to_owned(),
        }
    }

    /// The type of a component.
    pub fn type_of_component(&self, id: ComponentId) -> &ComponentType<'d> {
        self.type_of(self.component(id).component_type)
    }

    /// Whether `kind` is the type of that name or extends it.
    pub fn is_a(&self, kind: TypeId, name: &str) -> bool {
        let mut current = Some(kind);
        while let Some(id) = current {
            let component_type = self.type_of(id);
            if component_type.name == name {
                return true;
            }
            current = component_type.parent;
        }
        false
    }

    /// Value of a parameter of a component, in SI units.
    pub fn parameter(&self, id: ComponentId, name: &str) -> Option<f64> {
        let component = self.component(id);
        let index = self
            .type_of(component.component_type)
            .parameters
            .get_index_of(name)?;
        self.parameters(id).get(index).copied()
    }

    /// The default of a property of a component, in SI units.
    pub fn default_of(&self, id: ComponentId, property: &str) -> Option<f64> {
        let properties = &self.type_of_component(id).properties;
        properties.get(property).map(|property| property.default)
    }

    /// A text or path attribute of a component, or of the component it extends.
    pub fn text(&self, id: ComponentId, name: &str) -> Option<Attribute<'d>> {
        let mut current = Some(id);
        while let Some(id) = current {
            if let Some(attribute) = self.element(id).attribute(name) {
                return Some(attribute);
            }
            current = self.component(id).prototype;
        }
        None
    }

    /// Whether a component is one of several in a table. These have the same attributes, all in their own elements.
    pub fn is_in_table(&self, id: ComponentId) -> bool {
        self.components.rows(id) > 1
    }

    /// The component that a reference of a component means.
    pub fn reference(&self, id: ComponentId, name: &str) -> Option<ComponentId> {
        (self.references(id).iter())
            .find(|(reference, _)| *reference == name)
            .map(|(_, target)| *target)
    }

    /// Children of a component and what they are to it: those of the component that it extends,
    /// then its own in document order, then adopted ones.
    pub fn children(
        &self,
        id: ComponentId,
    ) -> impl Iterator<Item = (Role<'d>, ComponentId)> + use<'d> {
        let groups = self.child_groups(id).into_iter();
        groups.flat_map(|(role, group)| group.ids().map(move |child| (role, child)))
    }

    /// The same, each table of like children at once.
    pub fn child_groups(&self, id: ComponentId) -> Vec<(Role<'d>, Siblings)> {
        let component = self.component(id);
        if component.prototype.is_none()
            && component.children.is_empty()
            && component.adopted.is_empty()
        {
            return Vec::new();
        }
        let mut prototypes = vec![component];
        while let Some(next) = prototypes.last().and_then(|component| component.prototype) {
            prototypes.push(self.component(next));
        }
        let mut children: Vec<(Role<'d>, Siblings)> = Vec::new();
        for component in prototypes.into_iter().rev() {
            let own = component.children.iter();
            let own = own.map(|group| (self.component(group.first).role, *group));
            let adopted = component.adopted.iter();
            children.extend(own.chain(adopted.map(|(role, child)| (*role, (*child).into()))));
        }
        // Of several in a slot the last counts.
        let slots = children.iter().enumerate();
        let slots = slots.filter_map(|(index, (role, _))| match role {
            Role::Slot(slot) => Some((*slot, index)),
            Role::List(_) | Role::TopLevel => None,
        });
        let last: FxHashMap<&str, usize> = slots.collect();
        let mut index = 0;
        children.retain(|(role, _)| {
            let of_slot = match role {
                Role::Slot(slot) => last.get(slot),
                Role::List(_) | Role::TopLevel => None,
            };
            let is_last = of_slot.is_none_or(|last| *last == index);
            index += 1;
            is_last
        });
        children
    }

    /// A place for messages about a component.
    pub fn span_of(&self, id: ComponentId) -> Span {
        crate::table::place_of_name(self.element(id), "id")
    }
}

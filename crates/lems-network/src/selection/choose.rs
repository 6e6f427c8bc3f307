//! Which instances a selection means.

use lems_document::{Attribute, Span};
use lems_expression::Logic;
use lems_model::StructureElement;
use rustc_hash::FxHashSet;

use super::{Condition, Selection, SelectionError, Step, Value, holds, parse};
use crate::{InstanceId, NetworkError, build::Builder};

impl<'d> Builder<'_, '_, 'd> {
    /// The instances that the name of an instance stands for in a `ForEach` or a selection: its elements, or those
    /// in its only `Collection`. An error at `span` if there is no such thing.
    pub(crate) fn members(&mut self, id: InstanceId, span: Span) -> Option<Vec<InstanceId>> {
        if self.making.contains(&id) {
            return self.circular(id, span);
        }
        self.complete(id);
        let collections = &self.network.type_of(id).collections;
        if let (Some(only), 1) = (collections.first(), collections.len()) {
            return self.collection(id, only, span);
        }
        Some(self.network.elements(id).unwrap_or_default().to_vec())
    }

    fn circular<T>(&mut self, id: InstanceId, span: Span) -> Option<T> {
        self.errors.push(NetworkError::CircularSelection {
            instance: self.network.title(id),
            span,
        });
        None
    }

    /// What a `Collection` of an instance holds.
    pub(crate) fn collection(
        &mut self,
        id: InstanceId,
        name: &'d str,
        span: Span,
    ) -> Option<Vec<InstanceId>> {
        match self.collections.get(&(id, name)) {
            Some(Some(known)) => return Some(known.clone()),
            Some(None) => return self.circular(id, span),
            None => {}
        }
        self.collections.insert((id, name), None);
        let structure = &self.network.type_of(id).structure;
        let path = structure.iter().rev().find_map(|element| match element {
            StructureElement::Gather { path, collection } if collection.value() == name => {
                Some(*path)
            }
            _ => None,
        });
        let gathered = path.map_or(Some(Vec::new()), |path| self.selected(id, path));
        let held = gathered.clone().unwrap_or_default();
        self.collections.insert((id, name), Some(held));
        gathered
    }

    /// The instances that the selection in an attribute of an instance means; `name` is the
    /// attribute's, or `../` and that of one of the instance around it. Names are looked for in
    /// the instance around it, then outwards.
    pub(crate) fn selected(
        &mut self,
        id: InstanceId,
        name: Attribute<'d>,
    ) -> Option<Vec<InstanceId>> {
        let instance = self.network.instance(id);
        let around = instance.parent;
        let (component, wanted) = match name.value().strip_prefix("../") {
            Some(wanted) => (
                around.and_then(|id| self.network.instance(id).component),
                wanted,
            ),
            None => (instance.component, name.value()),
        };
        let text = component.and_then(|component| self.network.model.text(component, wanted));
        let Some(text) = text else {
            self.errors.push(NetworkError::UnknownName {
                name: name.value().to_owned(),
                suggestion: None,
                span: name.span(),
            });
            return None;
        };
        let items = self.choose(id, &[], text, Item::Instance(around.unwrap_or(id)))?;
        let instances = items.into_iter().filter_map(|item| match item {
            Item::Instance(id) => Some(id),
            Item::Pair(_) | Item::Pairs => None,
        });
        Some(instances.collect())
    }

    /// Those of some pairs that a selection means: they are called `x`, and each has a `p` and a
    /// `q`. Texts of the instance may stand for names.
    pub(crate) fn selected_pairs(
        &mut self,
        id: InstanceId,
        pairs: &[(InstanceId, InstanceId)],
        select: Attribute<'d>,
    ) -> Option<Vec<(InstanceId, InstanceId)>> {
        let items = self.choose(id, pairs, select, Item::Pairs)?;
        let kept = items.into_iter().filter_map(|item| match item {
            Item::Pair(index) => pairs.get(index).copied(),
            Item::Instance(_) | Item::Pairs => None,
        });
        Some(kept.collect())
    }

    fn choose(
        &mut self,
        owner: InstanceId,
        pairs: &[(InstanceId, InstanceId)],
        text: Attribute<'d>,
        from: Item,
    ) -> Option<Vec<Item>> {
        let selection = match parse(text.value()) {
            Ok(selection) => selection,
            Err(SelectionError { reason, range }) => {
                let span = text.sub_span(range);
                self.errors
                    .push(NetworkError::BadSelection { reason, span });
                return None;
            }
        };
        let mut chooser = Chooser {
            builder: self,
            owner,
            pairs,
            text,
        };
        chooser.selection(&selection, from)
    }
}

/// What a selection is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Item {
    Instance(InstanceId),
    /// One of the pairs, by number.
    Pair(usize),
    /// That which holds the pairs.
    Pairs,
}

struct Chooser<'b, 'r, 'm, 'd, 'p> {
    builder: &'b mut Builder<'r, 'm, 'd>,
    /// The instance whose selection it is.
    owner: InstanceId,
    pairs: &'p [(InstanceId, InstanceId)],
    text: Attribute<'d>,
}

impl Chooser<'_, '_, '_, '_, '_> {
    fn fail<T>(&mut self, reason: String) -> Option<T> {
        self.builder.errors.push(NetworkError::BadSelection {
            reason,
            span: self.text.span(),
        });
        None
    }

    fn selection(&mut self, selection: &Selection, from: Item) -> Option<Vec<Item>> {
        let (parts, keep): (_, fn(bool) -> bool) = match selection {
            Selection::Path(steps) => return self.path(steps, from),
            Selection::Union(parts) => {
                let mut known = FxHashSet::default();
                let mut all = Vec::new();
                for part in parts {
                    let found = self.selection(part, from)?;
                    all.extend(found.into_iter().filter(|item| known.insert(*item)));
                }
                return Some(all);
            }
            Selection::Difference(parts) => (parts, |found| !found),
            Selection::Intersection(parts) => (parts, |found| found),
        };
        let (first, others) = parts.split_first()?;
        let mut kept = self.selection(first, from)?;
        for other in others {
            let found: FxHashSet<Item> = self.selection(other, from)?.into_iter().collect();
            kept.retain(|item| keep(found.contains(item)));
        }
        Some(kept)
    }

    fn path(&mut self, steps: &[Step], from: Item) -> Option<Vec<Item>> {
        let mut current = vec![from];
        for step in steps {
            current = match step {
                Step::Members(name) => {
                    self.each(&current, |this, item| this.members(item, name))?
                }
                Step::Group(inner) => {
                    self.each(&current, |this, item| this.selection(inner, item))?
                }
                Step::Where(condition) => self.each(&current, |this, item| {
                    let holds = this.condition(condition, item)?;
                    Some(if holds { vec![item] } else { Vec::new() })
                })?,
                Step::Number(number) => {
                    let Some(item) = current.get(*number) else {
                        let size = current.len();
                        return self.fail(format!("there is no [{number}] among {size} instances"));
                    };
                    vec![*item]
                }
            };
        }
        Some(current)
    }

    fn each(
        &mut self,
        items: &[Item],
        mut next: impl FnMut(&mut Self, Item) -> Option<Vec<Item>>,
    ) -> Option<Vec<Item>> {
        let mut all = Vec::new();
        for item in items {
            all.extend(next(self, *item)?);
        }
        Some(all)
    }

    fn members(&mut self, from: Item, name: &str) -> Option<Vec<Item>> {
        let mut current = match from {
            Item::Pairs if name == "x" => {
                return Some((0..self.pairs.len()).map(Item::Pair).collect());
            }
            Item::Pair(index) if name == "p" || name == "q" => {
                let (p, q) = *self.pairs.get(index)?;
                return Some(vec![Item::Instance(if name == "p" { p } else { q })]);
            }
            Item::Pairs | Item::Pair(_) => Some(self.owner),
            Item::Instance(id) => Some(id),
        };
        while let Some(id) = current {
            if let Some(found) = self.members_at(id, name) {
                return Some(found?.into_iter().map(Item::Instance).collect());
            }
            current = self.builder.network.instance(id).parent;
        }
        self.fail(format!("nothing here is called `{name}`"))
    }

    /// What goes by a name at an instance: None if nothing does, Some(None) after an error.
    fn members_at(&mut self, id: InstanceId, name: &str) -> Option<Option<Vec<InstanceId>>> {
        let span = self.text.span();
        self.builder.complete(id);
        let network = &self.builder.network;
        if let Some(name) = network.type_of(id).collections.get(name) {
            return Some(self.builder.collection(id, name, span));
        }
        let instance = network.instance(id);
        if let Some((_, single)) = instance.singles.iter().find(|(slot, _)| *slot == name) {
            return Some(Some(vec![*single]));
        }
        if let Some(list) = network.list(id, name) {
            return Some(Some(list.to_vec()));
        }
        let found = network.by_component_id(id, name)?;
        Some(self.builder.members(found, span))
    }

    fn condition(&mut self, condition: &Condition, item: Item) -> Option<bool> {
        match condition {
            Condition::Compare(comparison, left, right) => {
                let (left, right) = (self.value(left, item)?, self.value(right, item)?);
                Some(holds(*comparison, left, right))
            }
            Condition::Logic(first, more) => {
                let mut result = self.condition(first, item)?;
                for (logic, condition) in more {
                    let other = self.condition(condition, item)?;
                    result = match logic {
                        Logic::And => result && other,
                        Logic::Or => result || other,
                    };
                }
                Some(result)
            }
        }
    }

    fn value(&mut self, value: &Value, item: Item) -> Option<f64> {
        match value {
            Value::Number(number) => Some(*number),
            Value::Absolute(inside) => Some(self.value(inside, item)?.abs()),
            Value::Chain(first, more) => {
                let mut result = self.value(first, item)?;
                for (operator, operand) in more {
                    result = operator.apply(result, self.value(operand, item)?);
                }
                Some(result)
            }
            Value::Variable(steps, name) => {
                let found = self.path(steps, item)?;
                match found.as_slice() {
                    [only] => self.variable(*only, name),
                    _ => self.fail(format!(
                        "`{name}` is to be read from one instance, not from {}",
                        found.len()
                    )),
                }
            }
        }
    }

    /// The value of a variable of an instance, else of the one around it.
    fn variable(&mut self, item: Item, name: &str) -> Option<f64> {
        let network = &self.builder.network;
        let name = match (
            self.pairs.is_empty(),
            network.instance(self.owner).component,
        ) {
            (false, Some(component)) if network.type_of(self.owner).texts.contains_key(name) => {
                (network.model.text(component, name)).map_or(name, Attribute::value)
            }
            _ => name,
        };
        let (id, around) = match item {
            Item::Instance(id) => (id, network.instance(id).parent),
            Item::Pair(_) | Item::Pairs => (self.owner, None),
        };
        let found = (network.number_at(id, name))
            .or_else(|| around.and_then(|around| network.number_at(around, name)));
        match found {
            Some(value) => Some(value),
            None => {
                let title = self.builder.network.title(id);
                self.fail(format!("{title} has no number `{name}`"))
            }
        }
    }
}

//! Reads a model from a document, stage by stage.

use lems_document::{Attribute, Document, Element};
use rustc_hash::FxHashSet;

use crate::{
    Model, ModelError, ModelFailure, check, components, declarations, derived_parameters, excused,
    excused::Excused, inheritance, lints, read, wanted,
};

/// What a document defines before its components: dimensions, units, constants and types, checked.
///
/// Documents that differ in attributes of components only have it in common.
#[derive(Debug, Clone)]
pub struct Definitions<'d>(Model<'d>);

impl<'d> Definitions<'d> {
    /// Those of a document that [`Model::read_in_use`] reads. None if that finds something wrong with them.
    pub fn in_use(document: &'d Document, pairs: &[(&str, &str)]) -> Option<Definitions<'d>> {
        let wanted = wanted::embedded_types(document, pairs);
        let mut model = Model::empty(document);
        let read = model.read_definitions(
            document,
            &|definition| is_wanted(definition, &wanted),
            &mut Excused::Nothing,
        );
        read.ok().map(|_| Definitions(model))
    }

    /// The model of a document with the same definitions.
    ///
    /// # Errors
    /// Everything that is wrong with components and equations.
    pub fn model_of(&self, document: &'d Document) -> Result<Model<'d>, Vec<ModelError>> {
        let mut model = self.0.clone();
        let elements: Vec<_> = document.roots().filter(read::is_component).collect();
        model.read_components(document, &elements)?;
        Ok(model)
    }
}

/// Whether a type is one of the user's, or is among the embedded ones that are wanted.
fn is_wanted(definition: Element<'_>, wanted: &FxHashSet<&str>) -> bool {
    let name = definition.attribute("name").map(Attribute::value);
    !definition.is_embedded() || name.is_none_or(|name| wanted.contains(name))
}

impl<'d> Model<'d> {
    /// Reads a document. All errors of the first stage that finds any are given together:
    /// definitions, components, then equations.
    ///
    /// # Errors
    /// Everything that is wrong in that stage, and that jLEMS refuses.
    pub fn read(document: &'d Document) -> Result<Model<'d>, ModelFailure> {
        Self::read_with_types(document, &|_| true)
    }

    /// The same without the embedded types that nothing in the document is about. Each of the `pairs`
    /// is a type and another that is needed wherever the first one is.
    ///
    /// # Errors
    /// As of [`read`](Self::read).
    pub fn read_in_use(
        document: &'d Document,
        pairs: &[(&str, &str)],
    ) -> Result<Model<'d>, ModelFailure> {
        let wanted = wanted::embedded_types(document, pairs);
        let is_wanted = |definition: Element<'d>| is_wanted(definition, &wanted);
        // After an error, all types are read, so that messages can suggest any name.
        Self::read_with_types(document, &is_wanted).or_else(|_| Self::read(document))
    }

    fn read_with_types(
        document: &'d Document,
        is_wanted: &dyn Fn(Element<'d>) -> bool,
    ) -> Result<Model<'d>, ModelFailure> {
        let failure = match Self::read_excusing(document, is_wanted, Excused::Nothing) {
            Ok((model, _)) => return Ok(model),
            Err(failure) => failure,
        };
        if !failure.errors.iter().all(excused::may_be_excused) {
            return Err(failure);
        }
        // jLEMS does not see these mistakes in a type that nothing runs.
        let again = Self::read_excusing(document, is_wanted, Excused::Mistakes(Vec::new()));
        match again {
            Ok((mut model, excused)) if excused::matters_to_none(&excused, &model) => {
                model.warnings.extend(excused);
                Ok(model)
            }
            _ => Err(failure),
        }
    }

    /// The model, and the mistakes that were excused.
    fn read_excusing(
        document: &'d Document,
        is_wanted: &dyn Fn(Element<'d>) -> bool,
        mut excused: Excused,
    ) -> Result<(Model<'d>, Vec<ModelError>), ModelFailure> {
        let mut model = Model::empty(document);
        match model.read_stages(document, is_wanted, &mut excused) {
            Ok(()) => Ok((model, excused.into_mistakes())),
            Err(errors) => Err(ModelFailure {
                errors,
                warnings: model.warnings,
            }),
        }
    }

    fn empty(document: &Document) -> Model<'d> {
        Model {
            notes: document.notes(),
            ..Model::default()
        }
    }

    fn read_stages(
        &mut self,
        document: &'d Document,
        is_wanted: &dyn Fn(Element<'d>) -> bool,
        excused: &mut Excused,
    ) -> Result<(), Vec<ModelError>> {
        let elements = self.read_definitions(document, is_wanted, excused)?;
        self.read_components(document, &elements)
    }

    /// Reads the definitions, and gives the other top-level elements.
    fn read_definitions(
        &mut self,
        document: &'d Document,
        is_wanted: &dyn Fn(Element<'d>) -> bool,
        excused: &mut Excused,
    ) -> Result<Vec<Element<'d>>, Vec<ModelError>> {
        let (elements, errors) = read::definitions(document, is_wanted, self);
        excused.check(errors)?;
        inheritance::resolve(self)?;
        let errors = declarations::check(self);
        excused.check(errors)?;
        Ok(elements)
    }

    fn read_components(
        &mut self,
        document: &'d Document,
        elements: &[Element<'d>],
    ) -> Result<(), Vec<ModelError>> {
        components::read(self, elements)?;
        derived_parameters::evaluate(self)?;
        check::equations(self)?;
        let found = lints::warnings(document, self);
        self.warnings.extend(found);
        Ok(())
    }
}

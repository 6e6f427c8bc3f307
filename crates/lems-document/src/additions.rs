//! Elements that do not come from a file, such as those from the command line.

use std::sync::Arc;

use crate::error::{DocumentError, LoadFailure};
use crate::options::{IncludeOptions, Limits};
use crate::read::{Builder, Item};
use crate::source::{Source, SourceId};
use crate::tree::Document;

impl Document {
    /// Adds the elements of `text` as the last children of an element of the document. The text is
    /// XML, and its outermost element is dropped. Messages name `origin` as the source.
    ///
    /// # Errors
    /// The text cannot be read.
    pub fn add_inside(
        &mut self,
        element: u32,
        origin: &str,
        text: String,
        limits: &Limits,
    ) -> Result<(), LoadFailure> {
        let mut source = Source {
            name: origin.to_owned(),
            text: text.into(),
            embedded: false,
        };
        let id = SourceId::after(&self.sources);
        let mut builder = Builder::of(Arc::unwrap_or_clone(std::mem::take(&mut self.tree)));
        let options = IncludeOptions {
            limits: *limits,
            ..IncludeOptions::default()
        };
        let read = builder.read(id, &mut source, &options);
        self.tree = Arc::new(builder.finish());
        self.sources.push(source);
        let file = read.map_err(|error| self.refusing(error))?;
        for item in file.items {
            match item {
                Item::Element(index) => self.additions.entry(element).or_default().push(index),
                Item::Include(include) | Item::Nested(_, include) => {
                    let span = include.span;
                    return Err(self.refusing(DocumentError::NamelessInclude { span }));
                }
            }
        }
        Ok(())
    }

    fn refusing(&self, error: DocumentError) -> LoadFailure {
        LoadFailure {
            sources: self.sources.clone(),
            errors: vec![error],
            warnings: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Element, MemorySources};

    #[test]
    fn added_elements_come_last_inside_theirs_and_know_where_they_come_from()
    -> Result<(), LoadFailure> {
        let text = r#"<Lems><a id="a"><b id="1"/></a><c id="c"/></Lems>"#;
        let sources = MemorySources::from([("a.xml", text)]);
        let mut document = Document::load("a.xml", &sources, &IncludeOptions::default())?;
        let number = document.roots().next().map_or(0, Element::number);
        let added = r#"<more><b id="2"><d id="3" t="&lt;"/></b></more>"#;
        document.add_inside(number, "--record", added.to_owned(), &Limits::default())?;
        document.add_inside(
            number,
            "--spikes",
            "<more><e id='4'/></more>".to_owned(),
            &Limits::default(),
        )?;
        let ids = |elements: &mut dyn Iterator<Item = Element<'_>>| -> Vec<String> {
            elements
                .filter_map(|element| Some(element.attribute("id")?.value().to_owned()))
                .collect()
        };
        let roots: Vec<Element<'_>> = document.roots().collect();
        assert_eq!(ids(&mut document.roots()), ["a", "c"]);
        assert_eq!(ids(&mut roots[0].children()), ["1", "2", "4"]);
        assert_eq!(ids(&mut roots[0].descendants()), ["a", "1", "2", "3", "4"]);
        assert_eq!(ids(&mut roots[1].descendants()), ["c"]);
        let inner = roots[0]
            .descendants()
            .find(|element| element.name() == "d")
            .unwrap();
        assert_eq!(inner.attribute("t").unwrap().value(), "<");
        assert_eq!(document.source(inner.span().source).name, "--record");
        Ok(())
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_changes_nothing() -> Result<(), LoadFailure> {
        let sources = MemorySources::from([("a.xml", r#"<Lems><a id="a"/></Lems>"#)]);
        let mut document = Document::load("a.xml", &sources, &IncludeOptions::default())?;
        for wrong in ["<more>", "<more><Include file='b.xml'/></more>"] {
            let added = document.add_inside(0, "--record", wrong.to_owned(), &Limits::default());
            assert!(added.is_err(), "{wrong}");
        }
        let text = "<more><b/></more>";
        let short = Limits {
            source_bytes: text.len() - 1,
            ..Limits::default()
        };
        let added = document.add_inside(0, "--record", text.to_owned(), &short);
        let Err(LoadFailure { errors, .. }) = added else {
            panic!("a longer text than a file may have");
        };
        assert!(matches!(errors[..], [DocumentError::SourceTooLarge { .. }]));
        let roots: Vec<Element<'_>> = document.roots().collect();
        assert_eq!(roots.len(), 1);
        assert_eq!(roots[0].descendants().count(), 1);
        Ok(())
    }
}

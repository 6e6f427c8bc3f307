//! Runs of like elements: they mean what the same elements mean one by one.

use std::fmt::Write;

use proptest::prelude::*;

use crate::read::{Builder, File, Item};
use crate::tree::Document;
use crate::{
    DocumentError, Element, IncludeOptions, Limits, Override, Source, SourceId, SourceText,
};

/// A document of one text, read with runs or without.
fn read(text: &str, singly: bool, limits: Limits) -> Result<Document, DocumentError> {
    read_source(text.to_owned().into(), singly, limits)
}

fn read_source(text: SourceText, singly: bool, limits: Limits) -> Result<Document, DocumentError> {
    let mut source = Source {
        name: "main.xml".to_owned(),
        text,
        embedded: false,
    };
    let options = IncludeOptions {
        limits,
        ..IncludeOptions::default()
    };
    let mut builder = Builder::default();
    let file = match singly {
        true => builder.read_singly(SourceId(0), &source, &options),
        false => builder.read(SourceId(0), &mut source, &options),
    };
    let File {
        name, span, items, ..
    } = file?;
    let roots = items.into_iter().filter_map(|item| match item {
        Item::Element(number) => Some(number),
        Item::Include(_) | Item::Nested(..) => None,
    });
    Ok(Document {
        roots: roots.collect(),
        tree: std::sync::Arc::new(builder.finish()),
        sources: vec![source],
        root_name: name,
        root_span: span,
        warnings: Vec::new(),
        doubt: None,
        notes: &[],
        words: Default::default(),
        given: Vec::new(),
        overrides: Default::default(),
        additions: Default::default(),
        added_texts: Vec::new(),
    })
}

/// All that can be asked about the elements of a document.
fn told(document: &Document) -> String {
    let mut text = format!("{} {:?}\n", document.root_name(), document.root_span());
    for element in document.roots().flat_map(Element::descendants) {
        let places = (element.span(), element.name_span());
        let inside: Vec<u32> = element.children().map(Element::number).collect();
        let _ = write!(
            text,
            "{} {} {places:?} {inside:?} {:?}",
            element.number(),
            element.name(),
            element.text()
        );
        for attribute in element.attributes() {
            let places = (
                attribute.name_span(),
                attribute.span(),
                attribute.sub_span(1..2),
            );
            let same = element
                .attribute(attribute.name())
                .map(|other| other.span());
            assert_eq!(same, Some(attribute.span()));
            let _ = write!(text, " {attribute:?} {places:?}");
        }
        text.push('\n');
    }
    text
}

fn rows(count: usize, row: impl Fn(usize) -> String) -> String {
    (0..count).map(|number| row(number) + "\n\t ").collect()
}

/// A text with two runs inside elements and one at the top.
fn text_with_runs() -> String {
    let first = rows(17, |number| {
        format!("<c id=\"{number}\"  to=\"../p[{}]\" w='1'/>", number * 7)
    })
    .replace('\'', "\"");
    let second = rows(16, |number| format!("<d\n id='{number}' q='a\"b' />"));
    format!(
        "<?xml version=\"1.0\"?><Lems xmlns=\"urn:x\"><p id='p'>\
         one <a>b</a><c id=\"a\" to=\"b\" w=\"2\"/>{first}two<e/>{second}</p>\n\
         <!-- {first} --><t>{second}<![CDATA[{second}]]></t>{first}<z w=\"&lt;\"/></Lems>"
    )
}

#[test]
fn runs_are_read_like_single_elements() {
    let text = text_with_runs();
    let document = read(&text, false, Limits::default()).unwrap();
    let singly = read(&text, true, Limits::default()).unwrap();
    assert_eq!(told(&document), told(&singly));
    let source = &document.sources[0].text;
    assert!(source.kept_bytes() < text.len() * 2 / 3);
    assert_eq!(source.len(), text.len());
    assert_eq!(**source, text);
    assert_eq!(document.tree.rows.len(), 4);
    assert_eq!(document.tree.count(), singly.tree.elements.len());
    assert!(document.tree.elements.len() < 12);
}

#[test]
fn equal_choices_are_equal_values() {
    // Of the first attribute all values differ, of the second there are five, of the third one.
    let row = |number: usize| format!("<c id=\"{number}\" to=\"../p[{}]\" w=\"2\"/>", number % 5);
    let text = format!("<Lems><p>{}</p><q to=\"../p[1]\"/></Lems>", rows(100, row));
    let document = read(&text, false, Limits::default()).unwrap();
    let of = |element: Element<'_>, column| {
        let value = element
            .written_at(column)
            .map(|found| found.value().to_owned());
        element.choice_at(column).zip(value)
    };
    let connections: Vec<_> = document.roots().next().unwrap().children().collect();
    for column in 0..3 {
        let mut known = std::collections::BTreeMap::new();
        let chosen = connections.iter().filter_map(|one| of(*one, column));
        let mut number = 0;
        for (choice, value) in chosen {
            assert_eq!((choice.run, choice.column), (0, column));
            assert_eq!(known.entry(choice.value).or_insert(value.clone()), &value);
            number += 1;
        }
        assert_eq!((number, known.len()), [(0, 0), (100, 5), (100, 1)][column]);
    }
    let single = document.roots().nth(1).unwrap();
    assert_eq!(single.choice_at(0), None);
}

#[test]
fn lines_that_are_counted_once_are_those_of_single_places() {
    let text = text_with_runs();
    let document = read(&text, false, Limits::default()).unwrap();
    let source = &document.sources[0];
    let lines = crate::Lines::of(source);
    for offset in 0..=u32::try_from(text.len()).unwrap() {
        assert_eq!(lines.line(offset), source.line_column(offset).0, "{offset}");
    }
}

#[test]
fn a_text_in_pieces_is_read_like_a_whole_one() {
    // Three parts, and a run that goes on over their ends.
    let row = |number: usize| format!("<c id=\"{number}\" to=\"../p[{}]\"/>", number % 97);
    let run = rows(200, row);
    let text = format!("<Lems><!-- {run} --><p>{run}</p>\u{e9}<q/>{run}</Lems>");
    for piece in [1, 77, 1024, 1234, text.len()] {
        let mut condenser = crate::Condenser::with_parts_of(1000);
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.ceil_char_boundary(piece.min(rest.len())));
            condenser.push(now);
            rest = later;
        }
        let condensed = condenser.finish();
        // What comes at once is condensed when it is read.
        let is_condensed = condensed.kept_bytes() < text.len() * 9 / 10;
        assert!(is_condensed || piece == text.len(), "{piece}");
        assert_eq!(condensed.len(), text.len());
        assert_eq!(*condensed, *text);
        let in_pieces = read_source(condensed, false, Limits::default()).unwrap();
        let whole = read(&text, false, Limits::default()).unwrap();
        assert_eq!(told(&in_pieces), told(&whole));
        // Places are those of the file, also inside characters and behind the end.
        let plain = Source {
            name: "main.xml".to_owned(),
            text: SourceText::from(text.clone()),
            embedded: false,
        };
        for offset in (0..text.len() + 3).step_by(7) {
            let offset = u32::try_from(offset).unwrap();
            let place = in_pieces.sources()[0].line_column(offset);
            assert_eq!(place, plain.line_column(offset), "{offset}");
        }
    }
}

#[test]
fn blanks_between_the_elements_of_a_run_may_differ() {
    let row = |number: usize| {
        let blanks = &"\n\t  \n "[number % 7..];
        format!("<c id=\"{number}\" to=\"b\"/>{blanks}")
    };
    let rows: String = (0..30).map(row).collect();
    let even: String = (0..20)
        .map(|number| format!("<d id='{number}'/>"))
        .collect();
    let text = format!("<Lems>{rows}{rows}<x/>{even}</Lems>");
    let document = read(&text, false, Limits::default()).unwrap();
    let singly = read(&text, true, Limits::default()).unwrap();
    assert_eq!(told(&document), told(&singly));
    assert_eq!(document.tree.rows.len(), 2);
    assert_eq!(*document.sources[0].text, text);
}

#[test]
fn whatever_is_wrong_in_or_about_runs_is_told_as_without_them() {
    let text = text_with_runs();
    let mut refused = 0;
    for at in (0..text.len()).step_by(7) {
        for other in "<>&\"'/!:= \nx\u{1}".bytes() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = other;
            let text = String::from_utf8(bytes).unwrap();
            let read = |singly| read(&text, singly, Limits::default()).map(|read| told(&read));
            let with_runs = read(false);
            refused += usize::from(with_runs.is_err());
            assert_eq!(with_runs, read(true), "{text}");
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn limits_are_those_of_single_elements() {
    let text = text_with_runs();
    for elements in 0..80 {
        for element_depth in 0..4 {
            for attributes in 0..4 {
                let limits = Limits {
                    elements,
                    element_depth,
                    attributes,
                    ..Limits::default()
                };
                let read = |singly| read(&text, singly, limits).map(|read| told(&read));
                assert_eq!(read(false), read(true));
            }
        }
    }
}

#[test]
fn one_element_of_a_run_can_be_given_other_values() {
    let text = text_with_runs();
    let mut document = read(&text, false, Limits::default()).unwrap();
    let meant = |element: &Element<'_>| {
        let id = element.attribute("id").map(|id| id.value());
        element.name() == "c" && id == Some("5")
    };
    let number = {
        let mut all = document.roots().flat_map(Element::descendants);
        all.find(meant).map_or(0, Element::number)
    };
    document.set_attribute(Override {
        element: number,
        name: "w".to_owned(),
        origin: "--set".to_owned(),
        text: "w=7".to_owned(),
        value: 2..3,
    });
    let all = document.roots().flat_map(Element::descendants);
    let weights = all.filter(|element| element.name() == "c");
    let weights: Vec<&str> = weights
        .filter_map(|element| Some(element.attribute("w")?.value()))
        .collect();
    assert_eq!(weights.iter().filter(|weight| **weight == "7").count(), 1);
    assert_eq!(weights.len(), 2 * 17 + 1);
}

#[test]
fn runs_in_included_files_move_as_a_whole() {
    let run = rows(20, |number| format!("<c id=\"{number}\"/>"));
    let inner = format!("<Lems>{run}<x/></Lems>");
    let main =
        format!("<Lems><p><c id=\"first\"/>{run}<Include file=\"inner.xml\"/><y/></p>{run}</Lems>");
    let document = super::load([("main.xml", &main), ("inner.xml", &inner)]).unwrap();
    let all = document.roots().flat_map(Element::descendants);
    let ids: Vec<&str> = all
        .map(|element| {
            element
                .attribute("id")
                .map_or(element.name(), |id| id.value())
        })
        .collect();
    let numbers: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let wanted = [
        &["p", "first"],
        &numbers[..],
        &numbers,
        &["x", "y"],
        &numbers,
    ]
    .concat();
    assert_eq!(ids, wanted);
    let inside = document.roots().next().map(|p| p.children().count());
    assert_eq!(inside, Some(43));
}

/// A column of a run, of one kind.
fn value(kind: u32, row: u32, seed: u32) -> String {
    let random = (row.wrapping_mul(2_654_435_761) ^ seed).wrapping_mul(40_503) >> 7;
    match kind {
        0 => "synapses".to_owned(),
        1 => row.to_string(),
        2 => format!("../pop/{}/cell", random % 5),
        3 => format!("../pop[{}]", random % 300),
        4 => String::new(),
        _ => format!("{}", random % 100_000),
    }
}

proptest! {
    #[test]
    fn values_that_many_elements_share_and_others_are_read_alike(
        kinds in prop::collection::vec(0_u32..6, 1..7),
        count in 16_u32..400,
        seed: u32,
        blanks in prop::sample::select(vec!["", "\n  ", "differ"]),
    ) {
        let mut run = String::new();
        for row in 0..count {
            run.push_str("<c");
            for (number, kind) in (0_u32..).zip(&kinds) {
                let _ = write!(run, " a{number}=\"{}\"", value(*kind, row, seed ^ number));
            }
            run.push_str("/>");
            run.push_str(if blanks == "differ" { &"\n   "[row as usize % 4..] } else { blanks });
        }
        let text = format!("<Lems>{run}<x/></Lems>");
        let document = read(&text, false, Limits::default()).unwrap();
        let singly = read(&text, true, Limits::default()).unwrap();
        prop_assert_eq!(told(&document), told(&singly));
        prop_assert_eq!(document.tree.rows.len(), 1);
        prop_assert_eq!(&*document.sources[0].text, text.as_str());
    }
}

#[test]
fn values_that_many_elements_share_take_little_memory() {
    let count = 300_000;
    let mut run = String::new();
    for row in 0..count {
        let [from, to] = [0, 1].map(|seed| (row * 7919 + seed) % 70_000);
        let _ = write!(
            run,
            "<c id=\"{row}\" from=\"../population[{from}]\" to=\"../population[{to}]\" w=\"1\"/>"
        );
    }
    let document = read(&format!("<Lems>{run}</Lems>"), false, Limits::default()).unwrap();
    let kept = document.sources[0].text.kept_bytes();
    // Digits and a quote, and two numbers of words, which are 70,000 of 20 bytes and an end.
    assert!(kept < count * (7 + 4 + 4) + 2 * 70_000 * 24, "{kept}");
    let last = document.roots().last().unwrap();
    let to = last.attribute("to").unwrap();
    assert_eq!(
        to.value(),
        format!("../population[{}]", ((count - 1) * 7919 + 1) % 70_000)
    );
}

//! Tests of repairs: how texts are read that are not well-formed.

use proptest::prelude::*;

use super::{load, spanned};
use crate::{Document, DocumentError, Element};

/// Elements with their attributes and texts, and the place that each warning marks.
fn read(text: &str) -> Option<(String, Vec<String>)> {
    let document = load([("m", text)]).ok()?;
    let warnings = document.warnings().iter();
    let places = warnings.filter_map(DocumentError::span);
    let places = places.map(|span| spanned(document.sources(), span).to_owned());
    Some((shown(&document), places.collect()))
}

fn shown(document: &Document) -> String {
    let shown = |element: Element<'_>| {
        let attributes = element.attributes();
        let attributes: String = attributes
            .map(|one| format!(" {}={}", one.name(), one.value()))
            .collect();
        format!("{}{attributes} [{}]", element.name(), element.text())
    };
    let elements = document.roots().flat_map(Element::descendants).map(shown);
    elements.collect::<Vec<_>>().join("; ")
}

#[test]
fn each_kind_of_mistake_is_read_as_jlems_reads_it() {
    for (text, elements, places) in [
        ("<L><a x='1 & 2'/></L>", "a x=1 & 2 []", &["&"][..]),
        ("<L><a x='&mu;&lt;é'/></L>", "a x=&mu;<é []", &["&mu;"]),
        ("<L><a x='&#0;'/></L>", "a x=&#0; []", &["&#0;"]),
        ("<L><a>p & q</a></L>", "a [p & q]", &["&"]),
        ("<L><a>p ]]> q</a></L>", "a [p ]]> q]", &["]]>"]),
        (
            "<L><!-- far behind --><a x='é\u{7}b'/></L>",
            "a x=é\u{7}b []",
            &["\u{7}"],
        ),
        (
            "<L><!-- far behind --><a \u{7}x='1'/></L>",
            "a x=1 []",
            &["\u{7}"],
        ),
        (
            "<L><a description='1 < 2'/></L>",
            "a description=1 < 2 []",
            &["<"],
        ),
        ("\u{feff}\u{feff}<L><a/></L>", "a []", &["\u{feff}"]),
        ("é\n<L><a/></L>\nb c\nd", "a []", &["é", "b c"]),
        (
            "\n<?xml version='1.0'?><L><a/></L>",
            "a []",
            &["<?xml version='1.0'?>"],
        ),
        ("<L><a x='1'y='2'/></L>", "a x=1 y=2 []", &["y"]),
        ("<L><a <!--é--> x='1'/></L>", "a x=1 []", &["<!--é-->"]),
        ("<L><a x='1<!-- -->2'/></L>", "a x=12 []", &["<!-- -->"]),
        (
            "<L><a x='1' y=2 z='3'/><b/></L>",
            "a x=1 []; b []",
            &["y=2 z='3'"],
        ),
        (
            "<L><a x='1' y=“2”><b/></a></L>",
            "a x=1 []; b []",
            &["y=“2”"],
        ),
        (
            "<L><a x=\"1/>\n<b y=\"2\"/></L>",
            "a []; b y=2 []",
            &["x=\"1"],
        ),
        (
            "<L><a><p:b x='1'>t</p:b></a></L>",
            "a []; b x=1 [t]",
            &["p:"],
        ),
        ("<L><a/></l>", "a []", &["</l>"]),
        ("<L><a><b/></L><c/>", "a []; b []", &["</L>"]),
        ("<L><a/></L></L><c/>", "a []", &["</L>"]),
        ("<L><a><b x='1'>", "a []; b x=1 []", &["<b x='1'>"]),
    ] {
        let (found, underlined) = read(text).unwrap();
        assert_eq!(found, elements, "{text:?}");
        assert_eq!(underlined, places, "{text:?}");
    }
}

#[test]
fn what_jlems_refuses_or_nobody_can_mean_stays_an_error() {
    for text in [
        "<L/><M/>",
        "</L><L/>",
        "<L><a x='1' x='2'/></L>",
        "<L><a x='1 < 2'/></L>",
        "<L><a x='1'",
        "<L><!-- </L>",
        "<L><a <b/></L>",
        "<p:L/>",
        "<L>a < b</L>",
        "a\n<?xml version='1.0'?><L/>",
        "<L><?xml version='1.0'?></L>",
        "<L><Include file=a/></L>",
        "<L><![CDATA[ </L>",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    let includes = "<L><Include file=\"b\"/></L>";
    for included in ["<L><a></L>", "<L><a/></l>", "x <L/>", "<L>"] {
        assert!(
            load([("m", includes), ("b", included)]).is_err(),
            "{included}"
        );
    }
}

#[test]
fn places_behind_a_repair_are_those_of_the_file() {
    let text = "<!-- far behind -->é & <L>\u{1}<a x='&é' y='2'>&t</a><b z='3'/></L>";
    let document = load([("m", text)]).unwrap();
    let span = |span| spanned(document.sources(), span);
    let roots: Vec<_> = document.roots().collect();
    assert_eq!(span(roots[0].span()), "<a x='&é' y='2'>");
    assert_eq!(span(roots[1].span()), "<b z='3'/>");
    assert_eq!(span(roots[1].name_span()), "b");
    let x = roots[0].attribute("x").unwrap();
    assert_eq!((span(x.span()), span(x.name_span())), ("&é", "x"));
    assert_eq!(span(roots[0].attribute("y").unwrap().span()), "2");
    assert_eq!(span(document.root_span()), "<L>");
}

/// Whether the name of every element and attribute is found at its place, which is inside the tag.
fn names_are_at_their_places(text: &str) -> Result<(), String> {
    let Ok(document) = load([("m", text)]) else {
        return Ok(());
    };
    for element in document.roots().flat_map(Element::descendants) {
        let tag = element.span();
        let attributes = element.attributes();
        let attributes = attributes.map(|one| (one.name(), one.name_span()));
        for (name, span) in attributes.chain([(element.name(), element.name_span())]) {
            let found = text.get(span.start as usize..span.end as usize);
            if found != Some(name) || span.start <= tag.start || span.end > tag.end {
                return Err(format!("{name} is {found:?} at {span:?} in {text:?}"));
            }
        }
    }
    Ok(())
}

#[test]
fn the_name_of_an_element_ends_where_the_parser_ends_it() {
    for tag in [
        "<a=\"1\"/>",
        "<a = '1'/>",
        "<a\"x='1'/>",
        "<a'>",
        "<a/x='1'>",
        "<p:a=1/>",
        "<p:a'1'/>",
        "<a\u{b}/>",
    ] {
        let text = format!("<L>{tag}</L>");
        let document = load([("m", &text)]).map(|document| document.roots().count());
        assert_eq!(names_are_at_their_places(&text), Ok(()), "{document:?}");
    }
    assert!(load([("m", "<L><a=\"1\"/></L>")]).is_ok());
}

#[test]
fn of_many_mistakes_the_first_are_listed() {
    let text = format!("<L>{}</L>", "<a x='&'/>".repeat(100_000));
    let document = load([("m", &text)]).unwrap();
    assert_eq!(document.roots().count(), 100_000);
    assert_eq!(document.warnings().len(), 101);
    let last = document.warnings().last().unwrap().to_string();
    assert!(last.contains("99900 more"), "{last}");
}

#[test]
fn only_what_may_change_the_model_raises_a_doubt() {
    let is_doubtful = |text| load([("m", text)]).unwrap().doubt().is_some();
    for text in ["<L><a x='&'/></L>", "<L><a></L>", "<L><a x=1/></L>"] {
        assert!(is_doubtful(text), "{text}");
    }
    for text in [
        "a<L/>",
        "<L><a title='&'/></L>",
        "<L><a x='1'y='2'/></L>",
        "<L/>",
    ] {
        assert!(!is_doubtful(text), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_places_in_it(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "<L>", "</L>", "<a ", "x='1'", "y=\"", "\"", "'", ">", "/>", "</a>", "<a>", "&", "&amp;",
                "&mu;", "é", " ", "\n", "\u{7}", "\u{f0007}", "<!--", "-->", "--", "]]>", "<![CDATA[",
                "<?xml ?>", "p:z='1'", "<p:a>", "</p:a>", "=", "<", "xmlns:p='u'", "\u{feff}", "title='<'",
            ]),
            0..24,
        ),
    ) {
        let text = format!("<L>{}", parts.concat());
        prop_assert_eq!(names_are_at_their_places(&text), Ok(()));
        match load([("m", &text)]) {
            Ok(document) => {
                let warnings = document.warnings().iter().filter_map(DocumentError::span);
                let elements = || document.roots().flat_map(Element::descendants);
                let attributes = elements().flat_map(Element::attributes);
                let spans = elements().map(Element::span);
                let spans = spans.chain(attributes.map(|one| one.span())).chain(warnings);
                for span in spans.chain(elements().map(Element::name_span)) {
                    prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?}");
                }
            }
            Err(failure) => {
                for span in failure.errors.iter().filter_map(DocumentError::span) {
                    prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?}");
                }
            }
        }
    }
}

const SOUND: &str = "<?xml version='1.0'?>\n<L xmlns:q='u'>\n<a x='1' y=\"é\">t &amp; u<b/></a>\n<!-- c -->\
    <q:cd q:x='2' description='d'/>\n<e f='3'>\n</e>\n</L>\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn in_a_damaged_text_names_are_at_their_places(
        damages in prop::collection::vec(
            // A number of characters gives way to a piece.
            (any::<prop::sample::Index>(), 0..4_usize, prop::sample::select(vec![
                "", "<", ">", "/", "/>", "</", "</>", "=", "\"", "'", " ", "\n", "&", ":", "p:", "<a", "<p:a",
                "é", "\u{7}", "\u{c}", "<!--", "-->", "]]>", "?>", "xmlns:p='v' ", "words", "</a>", "</L>",
            ])),
            1..4,
        ),
    ) {
        let mut letters: Vec<char> = SOUND.chars().collect();
        for (place, removed, piece) in damages {
            let start = place.index(letters.len());
            let end = letters.len().min(start + removed);
            letters.splice(start..end, piece.chars());
        }
        let text: String = letters.into_iter().collect();
        prop_assert_eq!(names_are_at_their_places(&text), Ok(()));
    }
}

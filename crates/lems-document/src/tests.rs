//! Tests of loading: spans, limits, errors, and trees that survive a round trip.

use proptest::prelude::*;

use crate::{
    Document, DocumentError, Element, EmbeddedFile, IncludeOptions, Limits, LoadFailure, Markup,
    MemorySources, Piece, Source, SourceId, SourceReader, Span,
};

mod includes;
mod repair;
mod rows;

const EMBEDDED: &[EmbeddedFile] = &[
    EmbeddedFile::new(
        "Cells.xml",
        "<Lems><Include file=\"Base.xml\"/><fromCells/></Lems>",
    ),
    EmbeddedFile::new("Base.xml", "<Lems><fromBase/></Lems>"),
];

fn load_with<const N: usize>(
    files: [(&str, &str); N],
    options: &IncludeOptions,
) -> Result<Document, LoadFailure> {
    let root = files[0].0.to_owned();
    Document::load(&root, &MemorySources::from(files), options)
}

fn load<const N: usize>(files: [(&str, &str); N]) -> Result<Document, LoadFailure> {
    load_with(
        files,
        &IncludeOptions {
            embedded: EMBEDDED,
            ..Default::default()
        },
    )
}

fn root_names(document: &Document) -> Vec<&str> {
    document.roots().map(Element::name).collect()
}

fn spanned(sources: &[Source], span: Span) -> &str {
    &sources[span.source.0 as usize].text[span.start as usize..span.end as usize]
}

fn only_error(failure: Result<Document, LoadFailure>) -> (DocumentError, Vec<Source>) {
    let mut failure = failure.unwrap_err();
    assert_eq!(failure.errors.len(), 1, "{failure}");
    (failure.errors.remove(0), failure.sources)
}

#[test]
fn elements_know_names_attributes_children_and_places() {
    let text = "<?xml version=\"1.0\"?>\n<!-- c --><Lems xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' \
        xsi:schemaLocation='a b' xmlns:n='urn:n'>\
        <n:cell id = \"c>1\" n:tau='5ms'\n ><gate  id='m'/><gate id='h'>x</gate></n:cell ><Target/></Lems>";
    let document = load([("main.xml", text)]).unwrap();
    assert_eq!(document.root_name(), "Lems");
    assert!(spanned(document.sources(), document.root_span()).starts_with("<Lems "));
    assert!(spanned(document.sources(), document.root_span()).ends_with("xmlns:n='urn:n'>"));
    assert_eq!(root_names(&document), ["cell", "Target"]);
    let cell = document.roots().next().unwrap();
    let place = |span| spanned(document.sources(), span);
    assert_eq!(place(cell.span()), "<n:cell id = \"c>1\" n:tau='5ms'\n >");
    assert_eq!(place(cell.name_span()), "cell");
    let attributes: Vec<_> = cell.attributes().map(|a| (a.name(), a.value())).collect();
    assert_eq!(attributes, [("id", "c>1"), ("tau", "5ms")]);
    let tau = cell.attribute("tau").unwrap();
    assert_eq!(place(tau.span()), "5ms");
    assert_eq!(place(tau.name_span()), "tau");
    assert_eq!(place(tau.sub_span(1..3)), "ms");
    assert_eq!(place(tau.sub_span(1..300)), "ms");
    assert!(cell.attribute("id2").is_none());
    let gates: Vec<_> = cell.children().map(|gate| place(gate.span())).collect();
    assert_eq!(gates, ["<gate  id='m'/>", "<gate id='h'>"]);
    assert_eq!(document.roots().nth(1).unwrap().children().count(), 0);
}

#[test]
fn root_element_attributes_do_not_leak_into_elements() {
    let document = load([(
        "main.xml",
        "<neuroml id='n'><a x='1'/><b/><c y='2'/></neuroml>",
    )])
    .unwrap();
    assert_eq!(document.root_name(), "neuroml");
    let counts: Vec<_> = document
        .roots()
        .map(|element| element.attributes().count())
        .collect();
    assert_eq!(counts, [1, 0, 1]);
}

#[test]
fn decoded_values_are_spanned_as_a_whole() {
    let document = load([(
        "m",
        "<L><a test='x &lt; 3' b='y&#10;z' c='p\nq' d='plain'/></L>",
    )])
    .unwrap();
    let element = document.roots().next().unwrap();
    let values: Vec<_> = element.attributes().map(|a| a.value()).collect();
    assert_eq!(values, ["x < 3", "y\nz", "p q", "plain"]);
    let test = element.attribute("test").unwrap();
    assert_eq!(spanned(document.sources(), test.sub_span(0..1)), "x &lt; 3");
    let plain = element.attribute("d").unwrap();
    assert_eq!(spanned(document.sources(), plain.sub_span(0..1)), "p");
}

#[test]
fn text_is_the_first_that_is_not_blank() {
    let document = load([(
        "m",
        "<L><a> \n <b> inner </b> one <c/> two </a><d><![CDATA[ <raw> ]]></d><e/><f>x &amp; y</f><g>é</g></L>",
    )])
    .unwrap();
    let texts: Vec<_> = document.roots().map(Element::text).collect();
    assert_eq!(texts, ["one", "<raw>", "", "x & y", "é"]);
    assert_eq!(
        document
            .roots()
            .next()
            .unwrap()
            .children()
            .next()
            .unwrap()
            .text(),
        "inner"
    );
}

#[test]
fn all_errors_are_reported_at_once() {
    let failure = load([
        ("main.xml", "<L><Include file='no.xml'/><Include file='bad.xml'/><Include/><Include file='good.xml'/></L>"),
        ("bad.xml", "<L>\n<a></b></L>"),
        ("good.xml", "<L><Include file='nor.xml'/></L>"),
    ])
    .unwrap_err();
    let text = failure.to_string();
    let lines: Vec<&str> = text.lines().collect();
    let [bad, nameless] = lines.as_slice() else {
        panic!("{text}")
    };
    assert!(
        bad.starts_with("bad.xml:2:1: not well-formed XML: `<a>` is not closed before `</b>`"),
        "{bad}"
    );
    assert!(nameless.starts_with("main.xml:1:"), "{nameless}");
    let missing = |warning: &DocumentError| matches!(warning, DocumentError::MissingInclude { .. });
    assert_eq!(failure.warnings.len(), 2);
    assert!(failure.warnings.iter().all(missing));
}

#[test]
fn unreadable_and_missing_roots() {
    struct Locked;
    impl SourceReader for Locked {
        fn read(&self, path: &str, _most: usize) -> Result<Option<crate::SourceText>, String> {
            match path {
                "main.xml" => Ok(Some("<L><Include file='net.h5'/></L>".into())),
                "gone.xml" => Ok(None),
                _ => Err("not UTF-8".to_owned()),
            }
        }
        fn canonical(&self, path: &str) -> String {
            path.to_owned()
        }
    }
    let load = |root| only_error(Document::load(root, &Locked, &IncludeOptions::default())).0;
    assert_eq!(
        load("gone.xml"),
        DocumentError::RootMissing {
            file: "gone.xml".to_owned(),
            suggestion: None,
        }
    );
    assert_eq!(
        load("other.xml").to_string(),
        "cannot read `other.xml`: not UTF-8"
    );
    let error = load("main.xml");
    assert!(error.span().is_some() && error.help().is_some());
}

#[test]
fn limits_are_errors() {
    let limits = |change: fn(&mut Limits)| {
        let mut options = IncludeOptions {
            embedded: EMBEDDED,
            ..Default::default()
        };
        change(&mut options.limits);
        let files = [
            (
                "main.xml",
                "<L><a><b><c/></b></a><Include file='one.xml'/></L>",
            ),
            ("one.xml", "<L><Include file='two.xml'/></L>"),
            ("two.xml", "<L><two/></L>"),
        ];
        load_with(files, &options)
    };
    assert!(limits(|_| {}).is_ok());
    assert!(limits(|l| l.element_depth = 4).is_ok());
    assert!(matches!(
        only_error(limits(|l| l.element_depth = 3)).0,
        DocumentError::TooDeep { limit: 3, .. }
    ));
    assert!(limits(|l| l.elements = 6).is_ok());
    assert!(matches!(
        only_error(limits(|l| l.elements = 5)).0,
        DocumentError::TooManyElements { .. }
    ));
    assert!(limits(|l| l.sources = 3).is_ok());
    assert!(matches!(
        only_error(limits(|l| l.sources = 2)).0,
        DocumentError::TooManySources { .. }
    ));
    assert!(limits(|l| l.include_depth = 3).is_ok());
    assert!(matches!(
        only_error(limits(|l| l.include_depth = 2)).0,
        DocumentError::IncludesTooDeep { .. }
    ));
    assert!(matches!(
        only_error(limits(|l| l.source_bytes = 40)).0,
        DocumentError::SourceTooLarge { .. }
    ));
    assert!(limits(|l| l.total_bytes = 95).is_ok());
    assert!(matches!(
        only_error(limits(|l| l.total_bytes = 94)).0,
        DocumentError::TooMuchText { limit: 94, .. }
    ));
}

#[test]
fn deep_nesting_is_an_error_and_no_crash() {
    let deep = format!("<L>{}{}</L>", "<a>".repeat(100_000), "</a>".repeat(100_000));
    assert!(matches!(
        only_error(load([("m", &deep)])).0,
        DocumentError::TooDeep { .. }
    ));
}

#[test]
fn document_types_and_broken_references_are_refused_with_a_hint() {
    for (text, place) in [
        ("<!DOCTYPE L [<!ENTITY a 'b'>]><L>&a;</L>", "<"),
        ("<L><a test='x < 3'/></L>", "<"),
        ("<L><a id='1' id='2'/></L>", "i"),
    ] {
        let (error, sources) = only_error(load([("m", text)]));
        assert!(
            matches!(error, DocumentError::Malformed { .. }),
            "{error:?}"
        );
        assert!(error.help().is_some(), "{error:?}");
        assert_eq!(spanned(&sources, error.span().unwrap()), place, "{error:?}");
    }
    for text in ["", "  ", "<L", "x", "<L/><M/>", "\u{feff}"] {
        let (error, _) = only_error(load([("m", text)]));
        assert!(
            matches!(error, DocumentError::Malformed { .. }),
            "{text:?}: {error:?}"
        );
    }
}

#[test]
fn comments_may_contain_hyphens() {
    let text = "<L><!-- é -- x ----><a v='1'/><!-- <b/> --- -->\n<c>t</c></L>";
    let document = load([("m", text)]).unwrap();
    assert_eq!(root_names(&document), ["a", "c"]);
    let v = document.roots().next().unwrap().attribute("v").unwrap();
    assert_eq!(spanned(document.sources(), v.span()), "1");
    assert_eq!(document.roots().nth(1).unwrap().text(), "t");
    let document = load([("m", "<L><!-- a -- b --><c></L>")]).unwrap();
    let error = document.doubt().unwrap();
    assert!(error.to_string().contains("`<c>` is not closed"), "{error}");
    assert!(load([("m", "<L><!-- a -- </L>")]).is_err());
}

#[test]
fn places_are_right_behind_what_is_blanked() {
    for before in ["<!-- a\n -- \n b -->", "<a p:x='1\n\n2'/>"] {
        let text = format!("<L>{before}\n<c></L>");
        let document = load([("m", &text)]).unwrap();
        for error in document.doubt().into_iter().chain(document.warnings()) {
            let (line, _) = document.sources()[0].line_column(error.span().unwrap().start);
            assert_eq!(line, 4, "{error}");
        }
    }
}

#[test]
fn attributes_of_other_namespaces_do_not_count() {
    let sources = MemorySources::from([
        (
            "a.xml",
            "<L xmlns:f='urn:f'><Include f:file='no.xml' file='b.xml'/>\
             <x f:id='1' id='2' f:n='3'/><f:w f:id='7' id='8' f:n='9'/><y xml:id='4' xml:lang='en'/></L>",
        ),
        (
            "b.xml",
            "<L xmlns:g='urn:g' xmlns='urn:d'><z g:id='5' id='6'/></L>",
        ),
    ]);
    let document = Document::load("a.xml", &sources, &IncludeOptions::default()).unwrap();
    let found = document.roots().map(|element| {
        let attributes = element.attributes();
        let words =
            attributes.map(|attribute| format!("{}={}", attribute.name(), attribute.value()));
        (element.name().to_owned(), words.collect::<Vec<_>>())
    });
    let expected = [
        ("z", vec!["id=6"]),
        ("x", vec!["id=2"]),
        ("w", vec!["id=8", "n=9"]),
        ("y", vec![]),
    ];
    let expected = expected.map(|(name, words)| {
        (
            name.to_owned(),
            words.into_iter().map(str::to_owned).collect(),
        )
    });
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn attributes_of_an_undeclared_namespace_do_not_count() {
    let text = "<L p:x='é'\tp:y = \"2\"><a v='p:z' p:v='3'>p:w='4'</a></L>";
    let document = load([("m", text)]).unwrap();
    let element = document.roots().next().unwrap();
    let attributes: Vec<_> = element
        .attributes()
        .map(|a| (a.name(), a.value()))
        .collect();
    assert_eq!(attributes, [("v", "p:z")]);
    assert_eq!(
        spanned(document.sources(), element.attribute("v").unwrap().span()),
        "p:z"
    );
    let document = load([("m", "<L p:x='1' q:y='2'/>")]).unwrap();
    assert!(document.warnings().is_empty());
    for text in ["<p:L/>", "<L p:x='1'"] {
        assert!(load([("m", text)]).is_err(), "{text}");
    }
}

#[test]
fn byte_order_marks_and_windows_line_ends_are_fine() {
    let document = load([("m", "\u{feff}<L>\r\n<a\r\nx='1'/>\r\n</L>\r\n")]).unwrap();
    let element = document.roots().next().unwrap();
    assert_eq!(spanned(document.sources(), element.span()), "<a\r\nx='1'/>");
    assert_eq!(
        document.sources()[0].line_column(element.attribute("x").unwrap().span().start),
        (3, 4)
    );
}

#[test]
fn columns_count_characters() {
    let source = Source {
        name: "m".to_owned(),
        text: "äb\nçde".into(),
        embedded: false,
    };
    let places: Vec<_> = [0, 2, 3, 4, 6, 7, 99]
        .map(|offset| source.line_column(offset))
        .into();
    assert_eq!(
        places,
        [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (2, 4)]
    );
    assert_eq!(source.line_column(1), (1, 1), "inside a character");
}

#[derive(Clone, Debug, PartialEq)]
struct Tree {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Tree>,
}

/// Random trees of elements.
fn trees() -> impl Strategy<Value = Tree> {
    let attributes = proptest::collection::btree_map("[a-z]{1,3}", "[ -~äµ]{0,6}", 0..4);
    let leaf = ("[a-zA-Z_][a-z0-9]{0,3}", attributes.clone()).prop_map(|(name, attributes)| Tree {
        name,
        attributes: attributes.into_iter().collect(),
        children: Vec::new(),
    });
    leaf.prop_recursive(5, 40, 5, move |inner| {
        let children = proptest::collection::vec(inner, 0..5);
        ("[a-z]{1,3}", attributes.clone(), children).prop_map(|(name, attributes, children)| Tree {
            name,
            attributes: attributes.into_iter().collect(),
            children,
        })
    })
}

/// Writes a tree as XML.
fn write(tree: &Tree, text: &mut String) {
    text.push_str(&format!("<{}", tree.name));
    for (name, value) in &tree.attributes {
        let value = value
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('\'', "&apos;");
        text.push_str(&format!(" {name}='{value}'"));
    }
    if tree.children.is_empty() {
        text.push_str("/>\n");
        return;
    }
    text.push('>');
    tree.children.iter().for_each(|child| write(child, text));
    text.push_str(&format!("</{}> ", tree.name));
}

fn view(element: Element<'_>) -> Tree {
    Tree {
        name: element.name().to_owned(),
        attributes: element
            .attributes()
            .map(|attribute| (attribute.name().to_owned(), attribute.value().to_owned()))
            .collect(),
        children: element.children().map(view).collect(),
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(trees in proptest::collection::vec(trees(), 0..4)) {
        let mut text = "<Lems>".to_owned();
        trees.iter().for_each(|tree| write(tree, &mut text));
        text.push_str("</Lems>");
        let document = load([("m", &text)]).unwrap();
        prop_assert_eq!(document.roots().map(view).collect::<Vec<_>>(), trees);
        let mut elements: Vec<_> = document.roots().collect();
        while let Some(element) = elements.pop() {
            prop_assert_eq!(spanned(document.sources(), element.name_span()), element.name());
            for attribute in element.attributes() {
                prop_assert_eq!(spanned(document.sources(), attribute.name_span()), attribute.name());
            }
            elements.extend(element.children());
        }
    }

    #[test]
    fn any_text_is_read_or_refused_with_places_inside(text in "(<|>|/|a|=|'|\"| |&|;|!|-|\\[|é|\n|<a>|</a>|<Include |<!--|-->){0,40}") {
        let text = format!("<L>{text}</L>");
        if let Err(failure) = load([("m", &text)]) {
            prop_assert!(!failure.to_string().is_empty());
            for span in failure.errors.iter().filter_map(DocumentError::span) {
                prop_assert!(text.get(span.start as usize..span.end as usize).is_some());
            }
        }
    }
}

const PREPARED: &str = r#"<?xml version="1.0"?>
<n:Lems xmlns:n="x" description="is the root">
  <Include file="Base.xml"/>
  <Include url="http://nowhere/Base.xml"/>
  <!-- a comment -->
  <n:a n:one="1" two = 'a &amp; b'> some text <b/> more </n:a>
  <c three="3"><d>a &lt; b</d></c>
</n:Lems>"#;

/// Everything in a document, as text.
fn told(document: &Document) -> Vec<String> {
    let elements = document.roots().flat_map(Element::descendants);
    let told = elements.map(|element| {
        let places: Vec<_> = (element.attributes())
            .map(|attribute| (attribute.name_span(), attribute.span()))
            .collect();
        let attributes: Vec<_> = element.attributes().collect();
        let children = element.children().count();
        let (text, name) = (element.text(), element.name_span());
        format!("{element:?} {name:?} {attributes:?} {places:?} {children} {text:?}")
    });
    let warnings = document.warnings().iter().map(ToString::to_string);
    told.chain(warnings).collect()
}

fn with_embedded(prepared: Vec<u8>) -> Vec<String> {
    let file = EmbeddedFile {
        prepared: prepared.leak(),
        ..EmbeddedFile::new("Prepared.xml", PREPARED)
    };
    let options = IncludeOptions {
        embedded: [&[file], EMBEDDED].concat().leak(),
        ..Default::default()
    };
    let main = "<Lems><c four='4'/><Include file='Prepared.xml'/><e five='&gt;'/></Lems>";
    told(&load_with([("main.xml", main)], &options).unwrap())
}

#[test]
fn what_is_prepared_is_what_would_be_read() {
    let read = with_embedded(Vec::new());
    assert_eq!(read.len(), 8, "{read:#?}");
    assert!(
        read.iter()
            .any(|line| line.contains("a & b") && line.contains("some text"))
    );
    let prepared = crate::prepare(PREPARED.to_owned()).unwrap();
    assert_eq!(with_embedded(prepared.clone()), read);
    for length in 0..prepared.len() {
        assert_eq!(with_embedded(prepared[..length].to_vec()), read);
    }
}

#[test]
fn a_misspelt_file_is_likely_one_beside_it() {
    let sources = MemorySources::from([
        ("models/main.xml", "<L><Include file='parts/cels.xml'/></L>"),
        ("models/parts/cells.xml", "<L/>"),
        ("models/parts/more/cel.xml", "<L/>"),
        ("cels.nml", "<L/>"),
    ]);
    let load = |root| Document::load(root, &sources, &IncludeOptions::default());
    let help = |root| only_error(load(root)).0.help().unwrap();
    let document = load("models/main.xml").unwrap();
    assert_eq!(
        document.warnings()[0].help().unwrap(),
        "did you mean `parts/cells.xml`?"
    );
    assert_eq!(help("models/mein.xml"), "did you mean `main.xml`?");
    assert_eq!(help("cells.nml"), "did you mean `cels.nml`?");
    assert!(help("elsewhere/main.xml").starts_with("check the spelling"));
}

#[test]
fn markup_has_namespaces_all_texts_and_their_places() {
    let text = "<!-- x --><n:a xmlns:n='urn:n' xmlns='urn:d' n:p='1&amp;2' q='3'>one<!-- - -->\
        <b/> two<c>&lt;</c></n:a>";
    let source = Source {
        name: "a.xml".to_owned(),
        text: text.to_owned().into(),
        embedded: false,
    };
    let told = |piece: Piece<'_>| match piece {
        Piece::Start(tag) => {
            let mut told = format!("{}#{}", tag.name.namespace, tag.name.local);
            assert_eq!(
                spanned(std::slice::from_ref(&source), tag.span),
                tag.name.local
            );
            assert!(tag.prefixes.contains(&("n", "urn:n")));
            assert!(tag.prefixes.contains(&("", "urn:d")));
            for attribute in tag.attributes {
                let written = spanned(std::slice::from_ref(&source), attribute.value_span);
                let name = spanned(std::slice::from_ref(&source), attribute.span);
                assert_eq!(name, attribute.name.local);
                told += &format!(
                    " {}#{}={} as {written}",
                    attribute.name.namespace, attribute.name.local, attribute.value
                );
            }
            told
        }
        Piece::Text(text, span) => {
            format!(
                "`{text}` as `{}`",
                spanned(std::slice::from_ref(&source), span)
            )
        }
        Piece::End => "end".to_owned(),
    };
    let limits = Limits::default();
    let pieces = Markup::of(SourceId(0), &source, &limits, |markup| {
        assert_eq!(markup.root().name.local, "a");
        markup.pieces().map(told).collect::<Vec<String>>()
    });
    assert_eq!(
        pieces.unwrap(),
        [
            "urn:n#a urn:n#p=1&2 as 1&amp;2 #q=3 as 3",
            "`one` as `one`",
            "urn:d#b",
            "end",
            "` two` as ` two`",
            "urn:d#c",
            "`<` as `&lt;`",
            "end",
            "end",
        ]
    );
    let few = Limits {
        elements: 1,
        ..limits
    };
    let many = Source {
        text: format!("<a>{}</a>", "<b/>".repeat(500)).into(),
        ..source
    };
    let refused = Markup::of(SourceId(0), &many, &few, |_| ());
    assert!(matches!(
        refused,
        Err(DocumentError::TooManyElements { .. })
    ));
    let short = Limits {
        source_bytes: many.text.len() - 1,
        ..limits
    };
    assert!(matches!(
        Markup::of(SourceId(0), &many, &short, |_| ()),
        Err(DocumentError::SourceTooLarge { .. })
    ));
}

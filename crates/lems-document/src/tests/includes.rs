//! Tests of includes: where files are found, and which elements replace the includes.

use super::{load, only_error, root_names, spanned};
use crate::{
    Document, DocumentError, Element, EmbeddedFile, ForeignLanguage, IncludeOptions, MemorySources,
};

#[test]
fn includes_are_replaced_in_place_whatever_their_spelling() {
    for include in [
        "<Include file=\"sub.nml\"/>",
        "<Include file='sub.nml'/>",
        "<Include file=\" sub.nml \"></Include>",
        "<include href=\"sub.nml\"/>",
        "<include href='sub.nml'></include>",
        "<Include xmlns=\"urn:x\" file=\"./sub.nml\"/>",
    ] {
        let main = format!("<Lems><a/>{include}<b/></Lems>");
        let sub = "<?xml version='1.0'?><neuroml id='x'><one><inner/></one><two/></neuroml>";
        let document = load([("main.xml", &main), ("sub.nml", sub)]).unwrap();
        assert_eq!(root_names(&document), ["a", "one", "two", "b"], "{include}");
        let two = document.roots().nth(2).unwrap();
        assert_eq!(
            document
                .source(two.span().source)
                .name
                .trim_start_matches("./"),
            "sub.nml"
        );
        assert_eq!(spanned(document.sources(), two.span()), "<two/>");
    }
}

#[test]
fn includes_in_comments_are_not_followed() {
    let text = "<Lems><!-- <Include file='none.xml'/> --><a/></Lems>";
    let document = load([("main.xml", text)]).unwrap();
    assert_eq!(root_names(&document), ["a"]);
    assert!(document.warnings().is_empty());
}

/// An element and everything inside it, without spans.
fn shown(element: Element<'_>) -> String {
    let attributes = element.attributes();
    let attributes: String = attributes
        .map(|attribute| format!(" {}={:?}", attribute.name(), attribute.value()))
        .collect();
    let children: String = element.children().map(shown).collect();
    format!(
        "<{}{attributes}>{}{children}</>",
        element.name(),
        element.text()
    )
}

#[test]
fn includes_inside_elements_are_replaced_in_place() {
    let document = load([
        (
            "main.xml",
            "<L><a x='&gt;1'>text<b y='2'/><include href='in.xml'/><c>last<d z='&lt;'/></c></a>\
             <e><Include file='in.xml'/><Include name='own'/><include to='own'/></e></L>",
        ),
        (
            "in.xml",
            "<L><one p='&amp;'><Include file='deep.xml'/>inner</one><two q='q'/></L>",
        ),
        ("deep.xml", "<L><three/></L>"),
    ])
    .unwrap();
    let roots: Vec<String> = document.roots().map(shown).collect();
    assert_eq!(
        roots,
        [
            "<a x=\">1\">text<b y=\"2\"></><one p=\"&\">inner<three></></><two q=\"q\"></>\
             <c>last<d z=\"<\"></></></>",
            "<e><Include name=\"own\"></><include to=\"own\"></></>",
        ]
    );
    let a = document.roots().next().unwrap();
    assert_eq!(a.descendants().count(), 7);
    let two = a.children().nth(2).unwrap();
    assert_eq!(spanned(document.sources(), two.span()), "<two q='q'/>");
}

#[test]
fn a_file_is_included_once() {
    let document = load([
        ("main.xml", "<L><Include file='left.xml'/><Include file='d/../right.xml'/><Include file='right.xml'/></L>"),
        ("left.xml", "<L><Include file='base.xml'/><left/></L>"),
        ("right.xml", "<L><Include file='base.xml'/><right/></L>"),
        ("base.xml", "<L><base/></L>"),
    ])
    .unwrap();
    assert_eq!(root_names(&document), ["base", "left", "right"]);
    assert_eq!(document.sources().len(), 4);
}

#[test]
fn files_of_one_name_in_different_folders_are_different() {
    let document = load([
        (
            "main.xml",
            "<L><Include file='x/a.xml'/><Include file='y/b.xml'/></L>",
        ),
        ("x/a.xml", "<L><Include file='t.xml'/></L>"),
        ("y/b.xml", "<L><Include file='t.xml'/></L>"),
        ("x/t.xml", "<L><fromX/></L>"),
        ("y/t.xml", "<L><fromY/></L>"),
    ])
    .unwrap();
    assert_eq!(root_names(&document), ["fromX", "fromY"]);
}

#[test]
fn search_goes_from_near_to_far() {
    let places = [
        "models/sub/t.xml",
        "models/t.xml",
        "first/t.xml",
        "second/t.xml",
        "t.xml",
    ];
    for nearest in 0..places.len() {
        let mut sources = MemorySources::from([
            ("models/main.xml", "<L><Include file='sub/a.xml'/></L>"),
            ("models/sub/a.xml", "<L><Include file='t.xml'/></L>"),
        ]);
        for place in &places[nearest..] {
            let text = format!("<L><{}/></L>", place.replace('/', "-"));
            sources.0.insert((*place).to_owned(), text);
        }
        const EMBEDDED: &[EmbeddedFile] = &[EmbeddedFile::new("t.xml", "<L><embedded/></L>")];
        let options = IncludeOptions {
            folders: vec!["first".to_owned(), "second/".to_owned()],
            embedded: EMBEDDED,
            ..Default::default()
        };
        let document = Document::load("models/main.xml", &sources, &options).unwrap();
        assert_eq!(root_names(&document), [places[nearest].replace('/', "-")]);
    }
}

#[test]
fn embedded_files_are_found_by_name_and_shadowed_by_local_ones() {
    for file in [
        "Cells.xml",
        "../NeuroML2CoreTypes/Cells.xml",
        "../../x/./Cells.xml",
    ] {
        let main = format!("<L><Include file='{file}'/></L>");
        let document = load([("main.xml", &main)]).unwrap();
        assert_eq!(root_names(&document), ["fromBase", "fromCells"]);
        assert_eq!(document.sources()[1].name, "Cells.xml (core types)");
    }
    let document = load([
        ("main.xml", "<L><Include file='Cells.xml'/></L>"),
        ("Base.xml", "<L><localBase/></L>"),
    ])
    .unwrap();
    assert_eq!(root_names(&document), ["localBase", "fromCells"]);
}

#[test]
fn absolute_paths_are_taken_as_they_are() {
    let document = load([
        ("models/main.xml", "<L><Include file='/lib/a.xml'/></L>"),
        ("/lib/a.xml", "<L><Include file='b.xml'/></L>"),
        ("/lib/b.xml", "<L><b/></L>"),
    ])
    .unwrap();
    assert_eq!(root_names(&document), ["b"]);
}

#[test]
fn a_missing_include_names_the_places_and_a_near_name() {
    let document = load([("m/main.xml", "<L><Include file='cels.xml'/><a/></L>")]).unwrap();
    assert_eq!(root_names(&document), ["a"]);
    let [warning] = document.warnings() else {
        panic!("{:?}", document.warnings())
    };
    assert_eq!(
        warning.to_string(),
        "the included file `cels.xml` was not found; it is not in `m`, the working directory, nor among the core types"
    );
    let span = warning.span().unwrap();
    assert_eq!(spanned(document.sources(), span), "cels.xml");
    assert_eq!(warning.help().unwrap(), "did you mean `Cells.xml`?");
}

/// The warning about an include in a folder with files of the given names.
fn remark(include: &str, files: &[&str]) -> (Vec<String>, Vec<String>) {
    let mut sources = MemorySources::from([("m/main.xml", include)]);
    for file in files {
        let name = file.rsplit('/').next().unwrap().split('.').next().unwrap();
        let name: String = name.chars().filter(char::is_ascii_alphabetic).collect();
        sources
            .0
            .insert((*file).to_owned(), format!("<L><{name}/></L>"));
    }
    let document = Document::load("m/main.xml", &sources, &IncludeOptions::default()).unwrap();
    let warnings = document.warnings().iter();
    let said = warnings.map(|one| format!("{one}; {}", one.help().unwrap_or_default()));
    let names = root_names(&document).into_iter().map(str::to_owned);
    (names.collect(), said.collect())
}

#[test]
fn other_spellings_of_a_name_are_found_with_a_remark() {
    for (written, on_disk, help) in [
        ("/parts/a.xml", "m/parts/a.xml", "write it without"),
        ("parts\\a.xml", "m/parts/a.xml", "write `/`"),
        (" pa rts/ a.xml", "m/parts/a.xml", "without blanks"),
        ("\\par ts\\a.xml", "m/parts/a.xml", "write `/`"),
        ("caf\u{e9}/a.xml", "m/cafe\u{301}/a.xml", "Unicode"),
        ("cafe\u{301}/a.xml", "m/caf\u{e9}/a.xml", "Unicode"),
    ] {
        let (names, said) = remark(&format!("<L><Include file='{written}'/></L>"), &[on_disk]);
        assert_eq!(names, ["a"], "{written}");
        assert!(said.len() == 1 && said[0].contains(help), "{said:?}");
    }
}

#[test]
fn a_name_is_taken_as_it_is_written_first() {
    for (written, first, second) in [
        ("/m/a.xml", "/m/a.xml", "m/m/b.xml"),
        ("a b.xml", "m/a b.xml", "m/ab.xml"),
        ("b\\a.xml", "m/b\\a.xml", "m/b/a.xml"),
    ] {
        let include = format!("<L><Include file='{written}'/></L>");
        let (names, said) = remark(&include, &[first, second]);
        assert_eq!((names.len(), said.len()), (1, 0), "{written}: {said:?}");
    }
}

#[test]
fn other_letters_are_suggested_and_not_taken() {
    for (written, on_disk) in [
        ("parts/A.xml", "parts/a.xml"),
        ("Parts/a.xml", "parts/a.xml"),
        ("part/../part/aa.xml", "parts/../parts/a.xml"),
    ] {
        let include = format!("<L><Include file='{written}'/></L>");
        let (names, said) = remark(&include, &["m/parts/a.xml"]);
        assert!(names.is_empty());
        assert!(
            said[0].ends_with(&format!("did you mean `{on_disk}`?")),
            "{said:?}"
        );
    }
}

#[test]
fn folders_of_files_found_before_are_searched_last() {
    let files = [
        (
            "m/main.xml",
            "<L><Include file='one/a.xml'/><Include file='two/b.xml'/><Include file='t.xml'/></L>",
        ),
        ("m/one/a.xml", "<L/>"),
        ("m/two/b.xml", "<L/>"),
        ("m/one/t.xml", "<L><one/></L>"),
        ("m/two/t.xml", "<L><two/></L>"),
        ("t.xml", "<L><near/></L>"),
    ];
    let load = |without: &[&str]| {
        let mut sources = MemorySources::from(files);
        without
            .iter()
            .for_each(|name| drop(sources.0.remove(*name)));
        const EMBEDDED: &[EmbeddedFile] = &[EmbeddedFile::new("t.xml", "<L><embedded/></L>")];
        let options = IncludeOptions {
            embedded: if without.contains(&"embedded") {
                &[]
            } else {
                EMBEDDED
            },
            ..Default::default()
        };
        let document = Document::load("m/main.xml", &sources, &options).unwrap();
        let names = root_names(&document).join(" ");
        (names, document.warnings().len())
    };
    assert_eq!(load(&[]), ("near".to_owned(), 0));
    assert_eq!(load(&["t.xml"]), ("embedded".to_owned(), 0));
    assert_eq!(load(&["t.xml", "embedded"]), ("two".to_owned(), 1));
    let without = ["t.xml", "embedded", "m/two/t.xml"];
    assert_eq!(load(&without), ("one".to_owned(), 1));
}

#[test]
fn files_of_other_languages_are_refused_by_their_namespace() {
    const FOREIGN: &[ForeignLanguage] = &[ForeignLanguage {
        namespace: "urn:old/",
        name: "Old",
        help: "make it new",
    }];
    let load = |text: &str| {
        let sources = MemorySources::from([("main.xml", text)]);
        let options = IncludeOptions {
            foreign: FOREIGN,
            ..Default::default()
        };
        Document::load("main.xml", &sources, &options)
    };
    for text in [
        "<a xmlns='urn:old/one'/>",
        "<o:a xmlns:o='urn:old/two'/>",
        "<a xmlns:o='urn:old/two'/>",
    ] {
        let (error, _) = only_error(load(text));
        assert!(matches!(error, DocumentError::OtherLanguage { .. }));
        assert_eq!(error.help().unwrap(), "make it new");
    }
    assert!(load("<a xmlns='urn:new' xmlns:o='urn:old/two'/>").is_ok());
    assert!(load("<a xmlns='urn:older'/>").is_ok());
}

#[test]
fn cycles_are_remarks_with_their_chain() {
    let document = load([
        ("main.xml", "<L><Include file='a.xml'/></L>"),
        ("a.xml", "<L><Include file='b.xml'/></L>"),
        ("b.xml", "<L><Include file='a.xml'/><b/></L>"),
    ])
    .unwrap();
    assert_eq!(root_names(&document), ["b"]);
    let error = &document.warnings()[0];
    assert_eq!(
        error.to_string(),
        "files include each other in a cycle: a.xml -> b.xml -> a.xml"
    );
    assert_eq!(
        document.sources()[error.span().unwrap().source.0 as usize].name,
        "b.xml"
    );
    let document = load([("main.xml", "<L><Include file='./main.xml'/></L>")]).unwrap();
    assert_eq!(
        document.warnings()[0].to_string(),
        "files include each other in a cycle: main.xml -> main.xml"
    );
}

#[test]
fn addresses_are_errors_unless_the_file_is_at_hand() {
    for include in [
        "<Include url='http://x.org/d/far.xml'/>",
        "<Include file='https://x.org/d/far.xml'/>",
    ] {
        let main = format!("<L>{include}</L>");
        let (error, sources) = only_error(load([("main.xml", &main)]));
        assert!(
            matches!(&error, DocumentError::UrlInclude { url, .. } if url.ends_with("x.org/d/far.xml"))
        );
        assert!(spanned(&sources, error.span().unwrap()).starts_with("http"));
        assert!(error.help().unwrap().contains("download"));

        let document = load([("main.xml", &main), ("far.xml", "<L><far/></L>")]).unwrap();
        assert_eq!(root_names(&document), ["far"]);
        assert!(
            matches!(&document.warnings()[0], DocumentError::UrlReplaced { file, .. } if file == "far.xml")
        );
        let help = document.warnings()[0].help();
        assert!(help.is_some_and(|help| help.contains("by its name")));
    }
    let (error, _) = only_error(load([(
        "main.xml",
        "<L><Include url='http://x.org/'/></L>",
    )]));
    assert!(matches!(error, DocumentError::UrlInclude { .. }));
}

//! Small schemas, with files that they allow and files that they do not allow.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use lems_document::{Limits, Source, SourceId};
use lems_schema::{Outermost, Schema, SchemaError};

fn source(name: &str, text: &str) -> Source {
    Source {
        name: name.to_owned(),
        text: text.to_owned().into(),
        embedded: false,
    }
}

/// A schema with these declarations, all in the namespace `urn:t`.
fn of_namespace(declarations: &str) -> String {
    format!(
        "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns=\"urn:t\" \
         targetNamespace=\"urn:t\" elementFormDefault=\"qualified\">{declarations}</xs:schema>"
    )
}

fn read(text: &str) -> Result<Schema, SchemaError> {
    Schema::read(&source("s.xsd", text), &Limits::default())
}

/// The violations in a file: message, marked text, help.
fn found(schema: &Schema, file: &str) -> Vec<(String, String, String)> {
    let file = source("f.xml", file);
    let violations = schema.violations(SourceId(0), &file, &Limits::default());
    let told = violations.unwrap().into_iter().map(|violation| {
        let span = violation.span().unwrap();
        let place = &file.text[span.start as usize..span.end as usize];
        (
            violation.to_string(),
            place.to_owned(),
            violation.help().unwrap_or_default(),
        )
    });
    told.collect()
}

/// A file with this content inside the outermost element `r` of the namespace.
fn file(inside: &str) -> String {
    let (attributes, content) = inside.split_once('|').unwrap_or(("", inside));
    format!(
        "<r xmlns='urn:t' xmlns:o='urn:o' \
         xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' {attributes}>{content}</r>"
    )
}

/// For each type of `r`: content that is allowed, and content that is not, with the number of
/// violations. The part before `|` is the attributes.
#[test]
fn what_is_allowed_and_what_is_not() {
    for (declarations, right, wrong) in [
        (
            "<xs:complexType name='T'><xs:sequence><xs:element name='a' type='xs:string'/>\
             <xs:element name='b' type='xs:int' minOccurs='0' maxOccurs='2'/></xs:sequence></xs:complexType>",
            &[
                "<a/>",
                "<a>x</a><b>1</b><b> 2 </b>",
                "<!-- x --><a><![CDATA[<]]></a>",
            ][..],
            &[
                "",
                "<b>1</b>",
                "<a/><b>1</b><b>1</b><b>1</b>",
                "<a/><a/>",
                "<a/><b>x</b>",
                "<a/>x",
                "<a/><c/>",
                "<a/><o:b>1</o:b>",
                "<a><b>1</b></a>",
                "<a x='1'/>",
                "x='1'|<a/>",
                "<a/>&#160;",
                "<a xsi:other='1'/>",
            ][..],
        ),
        (
            "<xs:group name='G'><xs:choice><xs:element name='a' type='xs:anyType'/><xs:element name='b' type='xs:string'/></xs:choice></xs:group>\
             <xs:complexType name='T'><xs:sequence><xs:group ref='G' minOccurs='2' maxOccurs='3'/>\
             <xs:element name='c' type='xs:boolean'/></xs:sequence></xs:complexType>",
            &[
                "<a/><b/><c>true</c>",
                "<b/><b/><b/><c>0</c>",
                "<a><x y='1'>any</x></a><a/><c>1</c>",
            ],
            &[
                "<a/><c>1</c>",
                "<a/><a/><a/><a/><c>1</c>",
                "<a/><b/>",
                "<a/><b/><c>yes</c>",
            ],
        ),
        (
            "<xs:complexType name='T'><xs:all><xs:element name='a' type='xs:float'/>\
             <xs:element name='b' minOccurs='0'/></xs:all></xs:complexType>",
            &["<a>1e3</a>", "<b/><a>INF</a>", "<a>-0.5</a><b/>"],
            &["<b/>", "<a>1</a><a>1</a>", "<a>1,5</a>", "<a>1</a><b/><b/>"],
        ),
        (
            "<xs:attributeGroup name='A'><xs:attribute name='id' type='xs:NCName' use='required'/></xs:attributeGroup>\
             <xs:complexType name='B'><xs:sequence><xs:element name='a'/></xs:sequence><xs:attributeGroup ref='A'/></xs:complexType>\
             <xs:complexType name='T'><xs:complexContent><xs:extension base='B'><xs:sequence><xs:element name='b'/></xs:sequence>\
             <xs:attribute name='n' type='xs:nonNegativeInteger'/></xs:extension></xs:complexContent></xs:complexType>",
            &["id='x'|<a/><b/>", "n=' 7 ' id='x_1'|<a/><b/>"],
            &[
                "<a/><b/>",
                "id='1'|<a/><b/>",
                "id='x'|<b/><a/>",
                "id='x'|<a/>",
                "id='x' n='-1'|<a/><b/>",
                "id='x' n=''|<a/><b/>",
                "id='x' n='1_0'|<a/><b/>",
            ],
        ),
        (
            "<xs:simpleType name='V'><xs:restriction base='xs:string'>\
             <xs:pattern value='-?[0-9]+(\\.\\d+)?\\s*(V|mV)'/></xs:restriction></xs:simpleType>\
             <xs:simpleType name='E'><xs:restriction base='xs:token'><xs:enumeration value='on'/><xs:enumeration value='off'/>\
             </xs:restriction></xs:simpleType>\
             <xs:simpleType name='N'><xs:restriction base='xs:double'><xs:minExclusive value='0'/><xs:maxInclusive value='1'/>\
             </xs:restriction></xs:simpleType>\
             <xs:simpleType name='L'><xs:restriction base='xs:string'><xs:minLength value='1'/><xs:maxLength value='2'/>\
             </xs:restriction></xs:simpleType>\
             <xs:simpleType name='S'><xs:restriction base='xs:string'><xs:pattern value='[a-c]|x\\.x|$'/></xs:restriction></xs:simpleType>\
             <xs:complexType name='T'><xs:attribute name='v' type='V'/><xs:attribute name='e' type='E'/>\
             <xs:attribute name='n' type='N'/><xs:attribute name='l' type='L'/><xs:attribute name='s' type='S'/>\
             <xs:attribute name='f' type='xs:string' fixed='x'/></xs:complexType>",
            &[
                "v='-1.5 mV'|",
                "v='1V' e=' on ' n='1' l='ab' s='b' f='x'|",
                "s='x.x'|",
                "s='$'|",
                "n='1e-9'|",
                "l='\u{e9}\u{e9}'|",
            ],
            &[
                "v='1 A'|",
                "v='1mV '|",
                "v='x1mV'|",
                "e='On'|",
                "e=''|",
                "n='0'|",
                "n='1.1'|",
                "n='NaN'|",
                "l=''|",
                "l='abc'|",
                "s='bx.x'|",
                "s='xyx'|",
                "s=''|",
                "f='y'|",
                " ",
                "<x/>",
            ],
        ),
        (
            "<xs:complexType name='T'><xs:sequence><xs:any namespace='##other' processContents='lax' minOccurs='0'/>\
             <xs:element name='a' minOccurs='0'/></xs:sequence><xs:anyAttribute namespace='##other' processContents='skip'/></xs:complexType>",
            &["<o:x><y z='1'/></o:x><a/>", "o:b='1'|"],
            &["<b/>", "b='1'|", "<o:x/><o:x/>"],
        ),
        (
            "<xs:complexType name='T' mixed='true'><xs:sequence><xs:element name='a' maxOccurs='1000000' minOccurs='0'/></xs:sequence></xs:complexType>",
            &["text <a/> and <a/> more", ""],
            &["text <b/>"],
        ),
        (
            "<xs:simpleType name='L'><xs:list itemType='xs:int'/></xs:simpleType>\
             <xs:simpleType name='U'><xs:union memberTypes='xs:int xs:boolean'/></xs:simpleType>\
             <xs:complexType name='T'><xs:simpleContent><xs:extension base='L'><xs:attribute name='u' type='U'/>\
             </xs:extension></xs:simpleContent></xs:complexType>",
            &["u='true'|1 2 3", "u='12'|", "1<!-- - -->2"],
            &["u='x'|1", "1 x", "1 1_0", "<a/>"],
        ),
        (
            "<xs:complexType name='I'><xs:attribute name='id' use='required'/></xs:complexType>\
             <xs:complexType name='J'><xs:complexContent><xs:extension base='I'><xs:attribute name='j'/></xs:extension></xs:complexContent></xs:complexType>\
             <xs:complexType name='T'><xs:sequence><xs:element name='a' type='I' maxOccurs='9' nillable='true'/></xs:sequence></xs:complexType>",
            &[
                "<a id='1'/>",
                "xsi:schemaLocation='one'|<a id='1' xsi:noNamespaceSchemaLocation='x'/>",
                "<a id='1' j='2' xsi:type='J'/>",
                "<a xsi:nil='true' id='1'/>",
            ],
            &[
                "<a id='1' j='2'/>",
                "<a id='1' xsi:type='K'/>",
                "<a id='1' xsi:type='o:J'/>",
                "<a id='1' xsi:other='J'/>",
                "<a id='1' xsi:nil='maybe'/>",
            ],
        ),
    ] {
        let schema = of_namespace(&format!("<xs:element name='r' type='T'/>{declarations}"));
        let schema = read(&schema).unwrap_or_else(|error| panic!("{error}: {declarations}"));
        for right in right {
            let found = found(&schema, &file(right));
            assert!(found.is_empty(), "{right} in {declarations}: {found:?}");
        }
        for wrong in wrong {
            let found = found(&schema, &file(wrong));
            assert_eq!(found.len(), 1, "{wrong} in {declarations}: {found:?}");
        }
    }
}

#[test]
fn keys_and_references() {
    let schema = of_namespace(
        "<xs:element name='r'><xs:complexType><xs:choice maxOccurs='unbounded'>\
         <xs:element name='a'><xs:complexType><xs:attribute name='id' type='xs:string'/></xs:complexType></xs:element>\
         <xs:element name='b'><xs:complexType><xs:attribute name='to' type='xs:string'/></xs:complexType></xs:element>\
         </xs:choice></xs:complexType>\
         <xs:key name='ids'><xs:selector xpath='t:a' xmlns:t='urn:t'/><xs:field xpath='@id'/></xs:key>\
         <xs:keyref name='refs' refer='ids'><xs:selector xpath='t:b' xmlns:t='urn:t'/><xs:field xpath='@to'/></xs:keyref>\
         </xs:element>",
    );
    let schema = read(&schema).unwrap();
    assert!(found(&schema, &file("<a id='1'/><a id='2'/><b to='2'/>")).is_empty());
    for wrong in ["<a id='1'/><a id='1'/>", "<a/>", "<a id='1'/><b to='2'/>"] {
        let found = found(&schema, &file(wrong));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].0.starts_with("this breaks a rule of the schema: "));
    }
}

#[test]
fn every_violation_is_told_with_its_place_and_a_remedy() {
    let schema = of_namespace(
        "<xs:element name='r'><xs:complexType><xs:sequence>\
         <xs:element name='first' minOccurs='0'><xs:complexType><xs:attribute name='size' type='Size' use='required'/>\
         <xs:attribute name='colour'/></xs:complexType></xs:element>\
         <xs:element name='second' type='xs:int'/><xs:element name='third' minOccurs='0'/></xs:sequence></xs:complexType></xs:element>\
         <xs:simpleType name='Size'><xs:restriction base='xs:string'><xs:pattern value='\\d+ (m|cm)'/></xs:restriction></xs:simpleType>",
    );
    let schema = read(&schema).unwrap();
    for (inside, message, place, help) in [
        (
            "<firts/><second>1</second>",
            "`firts` is not allowed here in `r`",
            "firts",
            "did you mean `first`?",
        ),
        (
            "<second>1</second><first size='1 m'/>",
            "`first` is not allowed here in `r`",
            "first",
            "its place is earlier in `r`; here may be `third`",
        ),
        (
            "<second>1</second><third/><first size='1 m'/>",
            "`first` is not allowed here in `r`",
            "first",
            "its place is earlier in `r`; nothing may follow here",
        ),
        (
            "<other/><second>1</second>",
            "`other` is not allowed here in `r`",
            "other",
            "here may be `first` or `second`",
        ),
        (
            "<second>1</second><third/><third/>",
            "`third` is not allowed here in `r`",
            "third",
            "its place is earlier in `r`; nothing may follow here",
        ),
        (
            "<first size='1 m'/>",
            "`r` ends too early",
            "r",
            "it goes on with `second`",
        ),
        (
            "<first size='1 m' color='x'/><second>1</second>",
            "`first` has no attribute `color`",
            "color",
            "did you mean `colour`?",
        ),
        (
            "<first size='1 m' x='x'/><second>1</second>",
            "`first` has no attribute `x`",
            "x",
            "it may have `size` and `colour`",
        ),
        (
            "<first/><second>1</second>",
            "`first` needs the attribute `size`",
            "first",
            "add `size=\"...\"`",
        ),
        (
            "<first size='1 &lt;'/><second>1</second>",
            "`1 <` is no value for `size`",
            "1 &lt;",
            "it must match `\\d+ (m|cm)` (type `Size`)",
        ),
        (
            "<second>1.5</second>",
            "`1.5` is no value for the text of `second`",
            "1.5",
            "it must be of the type `int`",
        ),
        (
            "<second>1</second> stray ",
            "text is not allowed here in `r`",
            "stray",
            "only elements may be in it; is this a comment without `<!--`?",
        ),
        (
            "<first size='1 m'> </first><second>1</second>",
            "text is not allowed here in `first`",
            " ",
            "nothing may be in it, not even a space: write `/>`",
        ),
    ] {
        let expected = (message.to_owned(), place.to_owned(), help.to_owned());
        assert_eq!(found(&schema, &file(inside)), [expected], "{inside}");
    }
    let all = found(
        &schema,
        &file("<first x='1'/><x/><second>x</second><y/>z<first/>"),
    );
    assert_eq!(all.len(), 7, "{all:?}");
}

#[test]
fn the_outermost_element_is_one_that_is_declared_in_its_namespace() {
    let schema = read(&of_namespace(
        "<xs:element name='r'/><xs:element name='s'/>",
    ))
    .unwrap();
    assert_eq!(schema.roots().collect::<Vec<_>>(), ["r", "s"]);
    for (file, message, help) in [
        (
            "<r/>",
            "the schema does not declare `r` without a namespace",
            "write `xmlns=\"urn:t\"` in it, or take the schema of its namespace",
        ),
        (
            "<q xmlns='urn:t'/>",
            "the schema does not declare `q` of the namespace `urn:t`",
            "a file begins with `r` or `s`",
        ),
        (
            "<R xmlns='urn:t'/>",
            "the schema does not declare `R` of the namespace `urn:t`",
            "did you mean `r`?",
        ),
    ] {
        let found = found(&schema, file);
        assert_eq!((found[0].0.as_str(), found[0].2.as_str()), (message, help));
        assert_eq!(found.len(), 1);
    }
    let bare = read(
        "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='r'/></xs:schema>",
    );
    let bare = bare.unwrap();
    assert!(found(&bare, "<r/>").is_empty());
    let told = &found(&bare, "<r xmlns='urn:t'/>")[0];
    assert_eq!(
        told.2,
        "remove `xmlns=\"urn:t\"`: it declares `r` in no namespace"
    );
    let name = |namespace, local| lems_document::QualifiedName { namespace, local };
    assert_eq!(bare.outermost(name("", "r")), Outermost::Declared);
    assert_eq!(bare.outermost(name("urn:t", "R")), Outermost::Similar);
    assert_eq!(bare.outermost(name("", "s")), Outermost::Unknown);
}

#[test]
fn a_schema_that_is_not_understood_is_refused_with_its_place() {
    let element = "<xs:element name='r' type='T'/>";
    for (declarations, expected) in [
        (
            "<xs:group name='G'><xs:sequence><xs:element name='a'/></xs:sequence></xs:group>\
             <xs:complexType name='T'><xs:group ref='G'/></xs:complexType>",
            "`a` has no type; write `type=\"xs:anyType\"`",
        ),
        (
            "<xs:include schemaLocation='other.xsd'/>",
            "in several files, and `include` is not followed",
        ),
        (
            "<xs:import namespace='urn:o'/>",
            "in several files, and `import` is not followed",
        ),
        (
            "<xs:redefine schemaLocation='other.xsd'/>",
            "in several files, and `redefine` is not followed",
        ),
        (
            "<xs:complexType name='T'><xs:assert test='@a'/></xs:complexType>",
            "assert",
        ),
        (
            "<xs:complexType name='T'><xs:openContent/></xs:complexType>",
            "openContent",
        ),
        (
            "<xs:complexType name='T'><xs:sequense/></xs:complexType>",
            "sequense",
        ),
        (
            "<xs:complexType name='T'><xs:sequence><xs:element name='a' maxOccurs='many'/></xs:sequence></xs:complexType>",
            "many",
        ),
        ("", "T"),
        (
            "<xs:complexType name='T'><xs:sequence><xs:group ref='G'/></xs:sequence></xs:complexType>",
            "G",
        ),
        (
            "<xs:simpleType name='T'><xs:restriction base='xs:string'><xs:pattern value='('/></xs:restriction></xs:simpleType>",
            "(",
        ),
        (
            "<xs:simpleType name='T'><xs:restriction base='xs:string'><xs:pattern value='[a-z-[aeiou]]'/></xs:restriction></xs:simpleType>",
            "the pattern `[a-z-[aeiou]]` takes letters away",
        ),
        (
            "<xs:simpleType name='T'><xs:restriction base='xs:string'><xs:pattern value='\\p{IsNowhere}'/></xs:restriction></xs:simpleType>",
            "IsNowhere",
        ),
        (
            "<xs:simpleType name='T'><xs:restriction base='T'/></xs:simpleType>",
            "T",
        ),
        (
            "<xs:complexType name='T'><xs:complexContent><xs:extension base='T'/></xs:complexContent></xs:complexType>",
            "T",
        ),
        (
            "<xs:group name='G'><xs:sequence><xs:group ref='G'/></xs:sequence></xs:group><xs:complexType name='T'><xs:group ref='G'/></xs:complexType>",
            "G",
        ),
        (
            "<xs:complexType name='T'><xs:attribute name='a' type='xs:flaot'/></xs:complexType>",
            "flaot",
        ),
        (
            "<xs:complexType name='T'><xs:choice><xs:element name='a'/><xs:element name='a'/></xs:choice></xs:complexType>",
            "UPA",
        ),
    ] {
        let text = of_namespace(&format!("{element}\n{declarations}"));
        let error = match read(&text) {
            Ok(_) => panic!("{declarations} is accepted"),
            Err(error) => error,
        };
        let message = error.to_string();
        assert!(
            message.starts_with("this schema cannot be used: "),
            "{message}"
        );
        assert!(message.contains(expected), "{declarations}: {message}");
        let span = error.span().unwrap();
        assert!(
            text.get(span.start as usize..span.end as usize)
                .is_some_and(|at| !at.is_empty()),
            "{message}"
        );
        assert!(error.help().is_some());
    }
    let not_one = read("<Lems/>").err().unwrap().to_string();
    assert_eq!(
        not_one,
        "this schema cannot be used: it begins with `Lems`, not with `xs:schema`"
    );
    assert!(matches!(read("<xs:schema"), Err(SchemaError::Document(_))));
}

#[test]
fn hostile_schemas_and_files_end_soon() {
    let nested = |count: usize| {
        let (open, close) = (
            "<xs:sequence>".repeat(count),
            "</xs:sequence>".repeat(count),
        );
        of_namespace(&format!(
            "<xs:element name='r'><xs:complexType>{open}<xs:element name='a'/>{close}</xs:complexType></xs:element>"
        ))
    };
    assert!(read(&nested(20)).is_ok());
    assert!(read(&nested(5000)).is_err());
    // A long chain of types that extend one another.
    let row: String = (1..3000)
        .map(|n| {
            format!(
                "<xs:complexType name='t{n}'><xs:complexContent><xs:extension base='t{}'/></xs:complexContent></xs:complexType>",
                n - 1
            )
        })
        .collect();
    let row = of_namespace(&format!(
        "<xs:element name='r' type='t2999'/><xs:complexType name='t0'/>{row}"
    ));
    let _ = read(&row).map(|schema| found(&schema, &file("<a/>")));
    // A content model that could have very many states.
    let many = of_namespace(
        "<xs:element name='r'><xs:complexType><xs:sequence minOccurs='0' maxOccurs='100000'>\
         <xs:element name='a' minOccurs='2' maxOccurs='100000'/><xs:element name='b'/></xs:sequence></xs:complexType></xs:element>",
    );
    let many = read(&many).unwrap();
    assert!(found(&many, &file(&("<a/>".repeat(20_000) + "<b/>"))).is_empty());
    assert_eq!(found(&many, &file(&"<a/>".repeat(20_000))).len(), 1);
    // More violations than are reported, and deeply nested elements.
    let plain = read(&of_namespace("<xs:element name='r' type='xs:string'/>")).unwrap();
    assert!(found(&plain, &file(&"<a/>".repeat(100_000))).len() <= 1000);
    let deep = "<a>".repeat(20_000) + &"</a>".repeat(20_000);
    let deep = source("deep.xml", &file(&deep));
    let _ = plain.violations(SourceId(0), &deep, &Limits::default());
}

#[test]
fn a_table_says_what_a_schema_says() {
    let table = "\
namespace urn:t
root farm Farm
pattern Name [a-z]+
words Kind xs:string cow | big goat
value Size xs:double > 0 <= 9
quantity Weight kg g
type Named
  @name Name !
type Farm : Named
  sequence
    choice *
      &Animals
      barn Named
    plan Plan ?
  @weight Weight
  @fixed xs:string = a & b
type Plan
  sequence
    ... *
type Animal
  @kind Kind !
  @size Size
group Animals
  sequence
    animal Animal +
";
    let schema = Schema::of_table(table, &Limits::default()).unwrap();
    let farm = |inside: &str, attributes: &str| {
        let file = format!("<farm xmlns=\"urn:t\" name=\"f\" {attributes}>{inside}</farm>");
        found(&schema, &file)
    };
    let fits = "<animal kind=\"cow\" size=\"9\"/><animal kind=\"big goat\"/><barn name=\"b\"/>\
                <animal kind=\"cow\"/><plan><x xmlns=\"urn:u\"/></plan>";
    assert_eq!(farm(fits, "weight=\"1.5 kg\" fixed=\"a &amp; b\""), []);
    assert_eq!(farm("", "weight=\"-2e3g\""), []);
    for (inside, attributes, expected) in [
        ("<animal/>", "", "`animal` needs the attribute `kind`"),
        (
            "<animal kind=\"goat\"/>",
            "",
            "`goat` is no value for `kind`",
        ),
        (
            "<animal kind=\"cow\" size=\"0\"/>",
            "",
            "`0` is no value for `size`",
        ),
        (
            "<animal kind=\"cow\" size=\"9.1\"/>",
            "",
            "`9.1` is no value for `size`",
        ),
        ("<barn name=\"B\"/>", "", "`B` is no value for `name`"),
        ("", "weight=\"1 kgg\"", "`1 kgg` is no value for `weight`"),
        ("", "fixed=\"c\"", "`c` is no value for `fixed`"),
        ("<plan/><plan/>", "", "`plan` is not allowed here in `farm`"),
        (
            "<plan/><barn name=\"b\"/>",
            "",
            "`barn` is not allowed here in `farm`",
        ),
    ] {
        let found = farm(inside, attributes);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, expected);
    }

    for wrong in [
        "wish cow",
        "type A\n  wish",
        "type A\n  b Missing",
        "value A xs:double ~ 1",
    ] {
        assert!(
            Schema::of_table(wrong, &Limits::default()).is_err(),
            "{wrong}"
        );
    }
}

/// The message about a schema with these declarations, empty if it is accepted.
fn refused(declarations: &str) -> String {
    match read(&of_namespace(declarations)) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn content_that_is_too_large_when_it_is_written_out_is_refused() {
    let nested = |levels: usize, times: &str| {
        let open = format!("<xs:sequence maxOccurs='{times}'>").repeat(levels);
        let close = "</xs:sequence>".repeat(levels);
        refused(&format!(
            "<xs:element name='r'><xs:complexType>{open}<xs:element name='a' type='xs:string'/>{close}\
             </xs:complexType></xs:element>"
        ))
    };
    assert_eq!(nested(2, "10"), "");
    assert_eq!(nested(9, "unbounded"), "");
    assert!(nested(9, "10").contains("this has more than 3000 parts"));
    assert_eq!(nested(9, "4000000000"), "");
    // Each group contains the previous one twice.
    let groups = |count: usize| {
        let group = |number: usize| {
            let twice = match number {
                0 => "<xs:element name='a' type='xs:string'/>".to_owned(),
                _ => format!("<xs:group ref='g{}'/>", number - 1).repeat(2),
            };
            format!("<xs:group name='g{number}'><xs:sequence>{twice}</xs:sequence></xs:group>")
        };
        refused(&(0..count).map(group).collect::<String>())
    };
    assert_eq!(groups(4), "");
    assert!(groups(40).contains("this has more than 3000 parts"));
    // Each type extends the previous one.
    let types = |count: usize| {
        let part =
            |number| format!("<xs:element name='a{number}' type='xs:string' maxOccurs='16'/>");
        let part = |number: usize| (0..6).map(|one| part(6 * number + one)).collect::<String>();
        let of = |number: usize| match number {
            0 => format!("<xs:sequence>{}</xs:sequence>", part(0)),
            _ => format!(
                "<xs:complexContent><xs:extension base='t{}'><xs:sequence>{}</xs:sequence>\
                 </xs:extension></xs:complexContent>",
                number - 1,
                part(number)
            ),
        };
        let one = |number| {
            format!(
                "<xs:complexType name='t{number}'>{}</xs:complexType>",
                of(number)
            )
        };
        refused(&(0..count).map(one).collect::<String>())
    };
    assert_eq!(types(5), "");
    assert!(types(30).contains("its types have more than 30000 parts"));
    assert!(types(60).contains("more than 30000 parts"));
}

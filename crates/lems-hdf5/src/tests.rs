//! Tests of groups, tables and attributes, and of files that are damaged or unusual.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use hdf5_pure::{AttrValue, FileBuilder, FinishedGroup};
use proptest::prelude::*;

use crate::{HEADING, Hdf5Error, SIGNATURE};

/// Written by h5py; groups have checksums, tables have none.
const BY_H5PY: &[u8] = include_bytes!("../../../tests/models/hdf5-older-layout/older.nml.h5");
/// Written by libNeuroML, with compressed tables and without checksums.
const BY_LIBNEUROML: &[u8] = include_bytes!("../../../tests/models/hdf5-network/wiring.net.nml.h5");

const MOST: usize = 1 << 20;

/// The text as a whole.
fn network_as_xml(bytes: Vec<u8>, most: usize) -> Result<String, Hdf5Error> {
    let mut text = String::new();
    let result = crate::network_as_xml(Cursor::new(bytes), most, &mut |piece| {
        text.push_str(piece);
    });
    assert!(text.len() <= most, "more than allowed was given");
    result.map(|()| text)
}

/// A group to write.
#[derive(Clone, Default)]
struct Node {
    name: &'static str,
    attributes: Vec<(&'static str, AttrValue)>,
    groups: Vec<Node>,
    tables: Vec<Rows>,
}

/// A table to write: names of columns, and rows in single precision.
#[derive(Clone)]
struct Rows {
    columns: &'static [&'static str],
    width: u64,
    numbers: Vec<f32>,
    /// Rows and columns that are compressed together.
    chunk: Option<[u64; 2]>,
}

fn rows<const W: usize>(columns: &'static [&'static str], rows: &[[f32; W]]) -> Rows {
    Rows {
        columns,
        width: W as u64,
        numbers: rows.concat(),
        chunk: None,
    }
}

impl Node {
    fn new(name: &'static str, attributes: &[(&'static str, &str)]) -> Node {
        let text = |value: &str| AttrValue::String(value.to_owned());
        let attributes = attributes.iter();
        Node {
            name,
            attributes: attributes
                .map(|(name, value)| (*name, text(value)))
                .collect(),
            ..Node::default()
        }
    }

    fn number(mut self, name: &'static str, value: i64) -> Node {
        self.attributes.push((name, AttrValue::I64(value)));
        self
    }

    fn table(mut self, table: Rows) -> Node {
        self.tables.push(table);
        self
    }

    fn group(mut self, group: Node) -> Node {
        self.groups.push(group);
        self
    }

    fn finish(self) -> FinishedGroup {
        let mut builder = FileBuilder::new().create_group(self.name);
        for (name, value) in self.attributes {
            builder.set_attr(name, value);
        }
        for group in self.groups {
            builder.add_group(group.finish());
        }
        for (number, table) in self.tables.iter().enumerate() {
            let name = match number {
                0 => "table".to_owned(),
                number => format!("table_{number}"),
            };
            let data = builder.create_dataset(&name).with_f32_data(&table.numbers);
            data.with_shape(&[table.numbers.len() as u64 / table.width, table.width]);
            if let Some(chunk) = table.chunk {
                data.with_chunks(&chunk).with_deflate(1);
            }
            for (place, name) in table.columns.iter().enumerate() {
                let name = AttrValue::AsciiString((*name).to_owned());
                data.set_attr(&format!("column_{place}"), name);
            }
        }
        builder.finish()
    }

    /// The bytes of a file with this group.
    fn file(self) -> Vec<u8> {
        let mut builder = FileBuilder::new();
        builder.add_group(self.finish());
        builder.finish().unwrap()
    }
}

fn population(name: &'static str, id: &str) -> Node {
    Node::new(name, &[("id", id), ("component", "cell")])
}

fn projection(name: &'static str, kind: &str, pre: &str, post: &str) -> Node {
    let by = [
        ("synapse", "s"),
        ("preComponent", "a"),
        ("postComponent", "b"),
    ];
    let mut node = Node::new(name, &[("id", name), ("type", kind)]);
    let ends = [
        ("presynapticPopulation", pre),
        ("postsynapticPopulation", post),
    ];
    let more = Node::new("", &[by.as_slice(), &ends].concat());
    node.attributes.extend(more.attributes);
    node
}

/// A file with a network of these groups.
fn network(groups: &[Node]) -> Vec<u8> {
    let mut network = Node::new("network", &[("id", "net")]);
    network.groups.extend(groups.iter().cloned());
    Node::new("neuroml", &[("id", "doc")]).group(network).file()
}

/// The content of the network element, without indentation.
fn inside(bytes: Vec<u8>) -> String {
    let text = network_as_xml(bytes, MOST).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let [
        heading,
        document,
        network,
        inside @ ..,
        "</network>",
        "</neuroml>",
    ] = &*lines
    else {
        unreachable!("{text}")
    };
    assert_eq!(*heading, HEADING.trim());
    let namespace = "http://www.neuroml.org/schema/neuroml2";
    assert_eq!(
        *document,
        format!("<neuroml xmlns=\"{namespace}\" id=\"doc\">")
    );
    assert_eq!(*network, "<network id=\"net\">");
    inside.join("\n")
}

fn error(bytes: Vec<u8>) -> String {
    network_as_xml(bytes, MOST).unwrap_err().to_string()
}

#[test]
fn populations_with_and_without_instances() {
    let plain = population("population_p", "p").number("size", 3);
    let mut text = population("population_t", "t");
    let size = AttrValue::AsciiString("2".to_owned());
    text.attributes.push(("size", size));
    let named = population("population_n", "n")
        .number("size", 2)
        .table(rows(
            &["z", "y", "x"],
            &[[1.0, 0.1, -3.5], [4e10, 5.0, 1e-5]],
        ));
    let old = population("population_o", "o").table(rows(&[], &[[7.0, 1.0, 2.0, 3.0]]));
    let mut colored = population("population_c", "c").number("size", 1);
    let text_of = |value: &str| AttrValue::String(value.to_owned());
    colored.attributes.push(("property:radius", text_of("5")));
    colored
        .attributes
        .push(("property:color", text_of("\"1\" & <2>")));
    let expected = "\
<population id=\"c\" component=\"cell\" size=\"1\">
<property tag=\"color\" value=\"&quot;1&quot; &amp; &lt;2&gt;\"/>
<property tag=\"radius\" value=\"5\"/>
</population>
<population id=\"n\" component=\"cell\" size=\"2\" type=\"populationList\">
<instance id=\"0\">
<location x=\"-3.5\" y=\"0.1\" z=\"1.0\"/>
</instance>
<instance id=\"1\">
<location x=\"1.0E-5\" y=\"5.0\" z=\"4.0E10\"/>
</instance>
</population>
<population id=\"o\" component=\"cell\" size=\"1\" type=\"populationList\">
<instance id=\"0\">
<location x=\"1.0\" y=\"2.0\" z=\"3.0\"/>
</instance>
</population>
<population id=\"p\" component=\"cell\" size=\"3\">
</population>
<population id=\"t\" component=\"cell\" size=\"2\">
</population>";
    assert_eq!(
        inside(network(&[text, plain, old, named, colored])),
        expected
    );
}

#[test]
fn connections_without_weights_come_first() {
    let cells = population("population_p", "p").number("size", 2);
    let columns = &["pre_cell_id", "post_cell_id", "weight", "delay"];
    let table = [
        [0.0, 1.0, 0.1, 0.3],
        [1.0, 0.0, 1.0, 0.0],
        [1.0, 1.0, 1.0, 2.0],
    ];
    let links = projection("projection_l", "projection", "p", "p").table(rows(columns, &table));
    let middle = |cell: u8, side: &str| format!("{side}CellId=\"../p/{cell}/cell\"");
    let ends = |pre, post| format!("{} {}", middle(pre, "pre"), middle(post, "post"));
    let expected = format!(
        "\
<population id=\"p\" component=\"cell\" size=\"2\">
</population>
<projection id=\"projection_l\" presynapticPopulation=\"p\" postsynapticPopulation=\"p\" synapse=\"s\">
<connection id=\"1\" {}/>
<connectionWD id=\"0\" {} weight=\"0.1\" delay=\"0.3 ms\"/>
<connectionWD id=\"2\" {} weight=\"1.0\" delay=\"2.0 ms\"/>
</projection>",
        ends(1, 0),
        ends(0, 1),
        ends(1, 1)
    );
    assert_eq!(inside(network(&[links, cells])), expected);
}

#[test]
fn a_projection_without_a_type_or_a_table_is_one_of_synapses() {
    let cells = population("population_p", "p").number("size", 2);
    let mut links = projection("projection_l", "projection", "p", "p");
    links.attributes.retain(|(name, _)| *name != "type");
    let text = inside(network(&[cells, links]));
    let expected = "<projection id=\"projection_l\" presynapticPopulation=\"p\" \
                    postsynapticPopulation=\"p\" synapse=\"s\">\n</projection>";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn other_projections_are_by_index_unless_a_population_is_a_list() {
    let cells = population("population_p", "p").number("size", 2);
    let places = rows(&["x", "y", "z"], &[[0.0, 0.0, 0.0]]);
    let list = population("population_q", "q")
        .number("size", 1)
        .table(places);
    let columns = &[
        "id",
        "pre_cell_id",
        "post_cell_id",
        "pre_segment_id",
        "post_segment_id",
        "pre_fraction_along",
        "post_fraction_along",
        "weight",
    ];
    let table = [
        [4.0, 0.0, 0.0, 2.0, 3.0, 0.25, 0.75, 2.5],
        [5.0, 1.0, 0.0, 0.0, 0.0, 0.5, 0.5, 1.0],
    ];
    let groups = [
        projection("projection_a", "continuousProjection", "p", "p"),
        projection("projection_b", "electricalProjection", "p", "p"),
        projection("projection_c", "continuousProjection", "p", "q"),
        projection("projection_d", "electricalProjection", "q", "p"),
    ];
    let mut groups = groups
        .map(|group| group.table(rows(columns, &table)))
        .to_vec();
    groups.extend([cells, list]);
    let text = inside(network(&groups));
    let lines: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.contains("Projection"))
        .collect();
    let places = |pre: &str, post: &str| {
        format!(
            "preCell=\"{pre}\" preSegment=\"2\" preFractionAlong=\"0.25\" postCell=\"{post}\" \
             postSegment=\"3\" postFractionAlong=\"0.75\""
        )
    };
    let by_index = places("0", "0");
    let by_path = [
        places("../p/0/cell", "../q/0/cell"),
        places("../q/0/cell", "../p/0/cell"),
    ];
    let parts = "preComponent=\"a\" postComponent=\"b\"";
    assert_eq!(lines.len(), 16, "{text}");
    let starts = |line: usize, start: &str| assert!(lines[line].starts_with(start), "{text}");
    starts(0, "<electricalProjection id=\"projection_b\"");
    starts(
        1,
        &format!("<electricalConnection id=\"4\" {by_index} synapse=\"s\"/>"),
    );
    starts(2, "<electricalConnection id=\"5\"");
    starts(4, "<electricalProjection id=\"projection_d\"");
    starts(5, "<electricalConnectionInstance id=\"5\"");
    let weighted = format!("id=\"4\" {} synapse=\"s\" weight=\"2.5\"/>", by_path[1]);
    starts(6, &format!("<electricalConnectionInstanceW {weighted}"));
    starts(8, "<continuousProjection id=\"projection_a\"");
    starts(
        9,
        &format!("<continuousConnection id=\"4\" {by_index} {parts}/>"),
    );
    starts(12, "<continuousProjection id=\"projection_c\"");
    starts(13, "<continuousConnectionInstance id=\"5\"");
    let weighted = format!("id=\"4\" {} {parts} weight=\"2.5\"/>", by_path[0]);
    starts(14, &format!("<continuousConnectionInstanceW {weighted}"));
}

#[test]
fn input_lists_of_old_and_new_names() {
    let cells = population("population_p", "p").number("size", 2);
    let list = |name: &'static str| {
        Node::new(
            name,
            &[("id", name), ("component", "pulse"), ("population", "p")],
        )
    };
    let old = list("input_list_b").table(rows(&["target_cell_id"], &[[1.0], [0.0]]));
    let columns = &[
        "id",
        "target_cell_id",
        "segment_id",
        "fraction_along",
        "weight",
    ];
    let new = list("inputList_c").table(rows(columns, &[[9.0, 1.0, 3.0, 0.25, 0.1]]));
    let text = inside(network(&[old, cells, new]));
    let expected = "\
<inputList id=\"inputList_c\" population=\"p\" component=\"pulse\">
<inputW id=\"9\" target=\"../p/1/cell\" destination=\"synapses\" segmentId=\"3\" \
                    fractionAlong=\"0.25\" weight=\"0.1\"/>
</inputList>
<inputList id=\"input_list_b\" population=\"p\" component=\"pulse\">
<input id=\"0\" target=\"../p/1/cell\" destination=\"synapses\"/>
<input id=\"1\" target=\"../p/0/cell\" destination=\"synapses\"/>
</inputList>";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn temperature_notes_and_what_is_none_in_python() {
    let cells = population("population_p", "p").number("size", 2);
    let about = [
        ("id", "warm"),
        ("temperature", "32degC"),
        ("notes", "a\nb"),
        ("other", "N."),
    ];
    let warm = Node::new("network", &about).group(cells);
    let text = network_as_xml(
        Node::new("neuroml", &[("notes", "N.")]).group(warm).file(),
        MOST,
    );
    let text = text.unwrap();
    let network = "<network id=\"warm\" type=\"networkWithTemperature\" temperature=\"32degC\">";
    assert!(text.contains(network), "{text}");
    assert!(text.contains("<notes>a&#10;b</notes>"), "{text}");
    let nameless = Node::new("network", &[("id", "N.")]);
    let file = Node::new("neuroml", &[]).group(nameless).file();
    assert_eq!(
        error(file),
        "the group `/neuroml/network` has no attribute `id`"
    );
}

#[test]
fn a_document_that_comes_along_is_kept_around_the_network() {
    let around = |document: &str| {
        let network = Node::new("network", &[("id", "net")]);
        let top = Node::new("neuroml", &[("neuroml_top_level", document)]);
        network_as_xml(top.group(network).file(), MOST)
    };
    let network = "    <network id=\"net\">\n    </network>\n";
    for (document, expected) in [
        (
            "<?xml version=\"1.0\"?>\n<neuroml id=\"d\">\n  <x/>\n</neuroml>\n",
            format!("<neuroml id=\"d\">\n  <x/>\n{network}</neuroml>\n"),
        ),
        (
            "<n:neuroml\n id=\"d\" />",
            format!("<n:neuroml\n id=\"d\">\n{network}</n:neuroml>\n"),
        ),
    ] {
        assert_eq!(around(document).unwrap(), format!("{HEADING}{expected}"));
    }
    for document in [
        "",
        "text",
        "<Lems></Lems>",
        "<neuroml>",
        "<a/>",
        "</",
        "/>",
        "<neuroml></neuroml",
    ] {
        assert_eq!(around(document), Err(Hdf5Error::NoTopLevel), "{document}");
    }
    let alone = Node::new("neuroml", &[("neuroml_top_level", "<neuroml/>")]).file();
    let expected = format!("{HEADING}<neuroml>\n</neuroml>\n");
    assert_eq!(network_as_xml(alone, MOST), Ok(expected));
}

#[test]
fn files_of_something_else() {
    assert!(error(b"<neuroml/>".to_vec()).starts_with("it is no HDF5 file"));
    assert!(error(Vec::new()).starts_with("it is no HDF5 file"));
    assert!(error(SIGNATURE.to_vec()).starts_with("its HDF5 is broken"));
    let data = Node::new("data", &[]).table(rows(&[], &[[1.0]])).file();
    assert!(error(data).contains("holds no network of NeuroML: there is no group `/neuroml` "));
    let empty = Node::new("neuroml", &[("id", "d")]).file();
    assert!(error(empty).contains("there is no group `/neuroml/network` "));
}

#[test]
fn what_is_missing_is_named() {
    let cells = population("population_p", "p").number("size", 2);
    let links = |table| {
        let links = projection("projection_l", "projection", "p", "p").table(table);
        error(network(&[cells.clone(), links]))
    };
    let group = "/neuroml/network/projection_l";
    assert_eq!(
        links(rows(&["pre_cell_id"], &[[0.0, 0.0]])),
        format!("the table `{group}/table` has no column `post_cell_id`")
    );
    // The table has fewer columns than needed.
    assert_eq!(
        links(rows(&["pre_cell_id", "post_cell_id"], &[[0.0]])),
        format!("the table `{group}/table` has no column `post_cell_id`")
    );
    assert_eq!(
        error(network(&[projection(
            "projection_l",
            "projection",
            "p",
            "p"
        )])),
        format!("the group `{group}` is about `p`, which is no population of the network")
    );
    let kind = error(network(&[
        cells.clone(),
        projection("projection_l", "k", "p", "p"),
    ]));
    assert!(kind.starts_with(&format!(
        "the attribute `type` of the group `{group}` is `k`"
    )));
    let group = "/neuroml/network/population_p";
    assert_eq!(
        error(network(&[population("population_p", "p")])),
        format!("the group `{group}` has no attribute `size`")
    );
    let size = error(network(&[
        population("population_p", "p").number("size", -1)
    ]));
    assert!(size.contains("is `-1`, not a number of cells"), "{size}");
    let narrow = population("population_p", "p").table(rows(&[], &[[0.0, 1.0]]));
    assert_eq!(
        error(network(&[narrow])),
        format!("the table `{group}/table` has no column `y`")
    );
    let mut broken = cells;
    broken.attributes =
        Node::new("", &[("id", "\u{1}"), ("component", "c"), ("size", "1")]).attributes;
    assert!(error(network(&[broken])).contains("a character that XML does not allow"));
}

#[test]
fn the_text_has_a_limit() {
    let whole = network_as_xml(BY_H5PY.to_vec(), MOST).unwrap();
    assert_eq!(
        network_as_xml(BY_H5PY.to_vec(), whole.len()).unwrap(),
        whole
    );
    for limit in [0, 1, 100, whole.len() / 2, whole.len() - 1] {
        let error = network_as_xml(BY_H5PY.to_vec(), limit);
        assert_eq!(error, Err(Hdf5Error::TooLarge { limit }));
    }
}

/// The file declares its number of rows, but memory is allocated only for rows that it can hold.
#[test]
fn a_table_is_not_larger_than_its_file() {
    let shape: Vec<u8> = [3_u64, 8].map(u64::to_le_bytes).concat();
    let place = BY_H5PY
        .windows(shape.len())
        .position(|window| window == shape);
    let mut bytes = BY_H5PY.to_vec();
    bytes[place.unwrap()..][..8].copy_from_slice(&(1_u64 << 40).to_le_bytes());
    let table = "/neuroml/network/projection_links/links".to_owned();
    assert_eq!(
        network_as_xml(bytes.clone(), usize::MAX),
        Err(Hdf5Error::Inflated { table })
    );
    let too_large = Hdf5Error::TooLarge { limit: MOST };
    assert_eq!(network_as_xml(bytes, MOST), Err(too_large));
}

#[test]
fn a_file_that_ends_too_early_is_an_error() {
    for file in [BY_H5PY, BY_LIBNEUROML] {
        for length in (SIGNATURE.len()..file.len()).step_by(file.len() / 40) {
            let cut = network_as_xml(file[..length].to_vec(), MOST);
            assert!(cut.is_err(), "{length} bytes");
        }
    }
}

/// The ends and the weight of a connection in a large table.
fn link(index: u32) -> [u16; 3] {
    let end = |many| u16::try_from(index % many).unwrap();
    [
        end(1000),
        end(7),
        if index.is_multiple_of(3) { 2 } else { 1 },
    ]
}

#[test]
fn large_tables_are_read_and_given_on_in_parts() {
    let count = 200_000;
    let line = |index: u32, name: &str, weight: &str| {
        let [pre, post, _] = link(index);
        let ends = format!("preCellId=\"../p/{pre}/cell\" postCellId=\"../p/{post}/cell\"");
        format!("<{name} id=\"{index}\" {ends}{weight}/>\n")
    };
    let is_weighted = |index: &u32| index.is_multiple_of(3);
    let plain = (0..count).filter(|index| !is_weighted(index));
    let plain = plain.map(|index| line(index, "connection", ""));
    let weight = " weight=\"2.0\" delay=\"0.0 ms\"";
    let weighted = (0..count).filter(is_weighted);
    let weighted = weighted.map(|index| line(index, "connectionWD", weight));
    let expected: String = plain.chain(weighted).collect();
    // Chunks that are smaller and larger than what is read together, and that have only some of the columns.
    for chunk in [None, Some([7000, 3]), Some([50_000, 2]), Some([150_000, 3])] {
        let mut links = projection("projection_l", "projection", "p", "p");
        links.tables.push(Rows {
            columns: &["pre_cell_id", "post_cell_id", "weight"],
            width: 3,
            numbers: (0..count).flat_map(link).map(f32::from).collect(),
            chunk,
        });
        let cells = population("population_p", "p").number("size", 1000);
        let bytes = network(&[cells, links]);
        let (mut text, mut longest) = (String::new(), 0);
        let result = crate::network_as_xml(Cursor::new(bytes), usize::MAX, &mut |piece| {
            text.push_str(piece);
            longest = piece.len().max(longest);
        });
        assert_eq!(result, Ok(()));
        assert!(longest < 1 << 17, "{longest}");
        let lines = text.lines().map(|line| line.trim().to_owned() + "\n");
        assert!(lines.collect::<String>().contains(&expected), "{chunk:?}");
    }
}

#[test]
fn weighted_connections_of_all_tables_come_last() {
    let cells = population("population_p", "p").number("size", 2);
    let columns = &["pre_cell_id", "post_cell_id", "weight"];
    let mut links = projection("projection_l", "projection", "p", "p");
    for table in [
        [[0.0, 0.0, 2.0], [0.0, 1.0, 1.0]],
        [[1.0, 0.0, 3.0], [1.0, 1.0, 1.0]],
    ] {
        links.tables.push(rows(columns, &table));
    }
    let text = inside(network(&[cells, links]));
    let names = text.lines().filter_map(|line| line.split(' ').next());
    let names: Vec<&str> = names.filter(|name| name.starts_with("<conn")).collect();
    assert_eq!(
        names,
        [
            "<connection",
            "<connection",
            "<connectionWD",
            "<connectionWD"
        ]
    );
    let weights = text
        .match_indices("weight=")
        .map(|(at, _)| &text[at..at + 12]);
    assert_eq!(
        weights.collect::<Vec<_>>(),
        ["weight=\"2.0\"", "weight=\"3.0\""]
    );
}

/// A file on a disk that fails after some bytes were read.
struct Failing {
    bytes: Cursor<Vec<u8>>,
    left: usize,
}

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        match self.left.checked_sub(read) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other("the disk is broken")),
        }
        Ok(read)
    }
}

impl Seek for Failing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

#[test]
fn a_disk_that_fails_is_not_a_broken_file() {
    for left in [0, 8, 100, 1000] {
        let bytes = Cursor::new(BY_H5PY.to_vec());
        let result = crate::network_as_xml(Failing { bytes, left }, MOST, &mut |_| ());
        let error = result.unwrap_err();
        assert_eq!(
            error,
            Hdf5Error::NotReadable("the disk is broken".to_owned()),
            "{left}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// With a few bytes changed, there is either a text within the limit or an error.
    #[test]
    fn changed_bytes_do_no_harm(
        by_h5py in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = if by_h5py { BY_H5PY } else { BY_LIBNEUROML }.to_vec();
        for (index, value) in changes {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        if let Ok(text) = network_as_xml(bytes, MOST) {
            prop_assert!(text.len() <= MOST);
        }
    }
}

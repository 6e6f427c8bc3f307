#!/usr/bin/env python3
"""Compare `jlems-rs validate --schema` with xmllint, on files and on broken variations of them.

    apt-get install libxml2-utils
    cargo build --release
    python3 tests/schema.py NeuroML_v2.3.1.xsd [FOLDER ...] [--program PROGRAM] [--each 10] [--seed 1]

The script takes every file below the FOLDERs (by default the models and examples of this repository) whose outermost
element the schema declares, in the namespace of the schema. It makes `--each` variations of it, with one kind of
breakage after the other. A variation that happens to be valid is as good a test as an invalid one. For every kind the
script prints how many files are valid and invalid according to xmllint, and how often the program disagrees. Every
disagreement is kept in the folder `--keep`. The status is 1 if there is any.
"""
import argparse
import collections
import copy
import itertools
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET

XS = "{http://www.w3.org/2001/XMLSchema}"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
ROOT = pathlib.Path(__file__).resolve().parent.parent
SCHEMA_CODES = re.compile(r"E07\d\d")
BATCH = 200


class Skip(Exception):
    """This kind of variation is not possible in this file."""


class Model:
    """A file as a tree, with a random choice of places in it."""

    def __init__(self, root, words, rng):
        self.root, self.words, self.rng = root, words, rng
        self.namespace = root.tag.split("}")[0] + "}" if root.tag.startswith("{") else ""

    def elements(self, test=lambda element: True):
        return [element for element in self.root.iter() if test(element)]

    def element(self, test=lambda element: True):
        return self.choose(self.elements(test))

    def choose(self, things):
        things = list(things)
        if not things:
            raise Skip
        return self.rng.choice(things)

    def parent_and_child(self, test=lambda parent, child: True):
        return self.choose((parent, child) for parent in self.root.iter() for child in parent if test(parent, child))

    def attribute(self, test=lambda name, value: True):
        return self.choose((element, name, value) for element in self.root.iter()
                           for name, value in element.attrib.items() if test(name, value))


def renamed(element, old, new):
    items = [(new if name == old else name, value) for name, value in element.attrib.items()]
    element.attrib.clear()
    element.attrib.update(items)


def misspelt(rng, word):
    at = rng.randrange(len(word))
    return rng.choice([word[:at] + word[at + 1:] or "x", word[:at] + word[at] + word[at:], word.swapcase(), word + "s"])


def attribute_unknown(m):
    m.element().set("undeclared", "1")


def attribute_misspelt(m):
    element, name, _ = m.attribute(lambda name, _: "}" not in name)
    renamed(element, name, misspelt(m.rng, name))


def attribute_missing(m):
    element, name, _ = m.attribute()
    del element.attrib[name]


def attribute_of_another(m):
    _, name, value = m.attribute(lambda name, _: "}" not in name)
    m.element().set(name, value)


def attribute_of_the_schema(m):
    m.element().set(m.choose(m.words["attributes"]), m.rng.choice(["1", "x", "10 mV", "a b"]))


def attribute_foreign(m):
    m.element().set("{http://example.org/other}note", "x")


def attribute_of_schema_instance(m):
    name = m.rng.choice(["schemaLocation", "noNamespaceSchemaLocation", "nil", "type", "other"])
    value = {"schemaLocation": f"{m.namespace[1:-1]} any.xsd", "nil": m.rng.choice(["true", "false"])}
    m.element().set(f"{{{XSI}}}{name}", value.get(name, "any.xsd"))


def text_in_element(m):
    m.element().text = m.rng.choice(["stray", "0", " , ", "\u00a0"])


def text_after_element(m):
    m.parent_and_child()[1].tail = "stray"


def space_in_element(m):
    m.element(lambda element: not len(element)).text = m.rng.choice([" ", "\n\t"])


def element_unknown(m):
    parent = m.element()
    parent.insert(m.rng.randint(0, len(parent)), ET.Element(m.namespace + "undeclared"))


def element_foreign(m):
    parent = m.element()
    parent.insert(m.rng.randint(0, len(parent)), ET.Element("{http://example.org/other}thing"))


def element_misspelt(m):
    element = m.element()
    name = element.tag.split("}")[-1]
    element.tag = m.namespace + misspelt(m.rng, name)


def element_renamed(m):
    m.element().tag = m.namespace + m.choose(m.words["elements"])


def element_of_the_schema(m):
    parent = m.element()
    parent.insert(m.rng.randint(0, len(parent)), ET.Element(m.namespace + m.choose(m.words["elements"])))


def element_missing(m):
    parent, child = m.parent_and_child()
    parent.remove(child)


def element_emptied(m):
    element = m.element(lambda element: len(element))
    for child in list(element):
        element.remove(child)


def element_doubled(m):
    parent, child = m.parent_and_child()
    parent.insert(list(parent).index(child), copy.deepcopy(child))


def element_moved(m):
    parent, child = m.parent_and_child()
    inside = set(child.iter())
    target = m.element(lambda element: element not in inside)
    parent.remove(child)
    target.insert(m.rng.randint(0, len(target)), child)


def element_copied(m):
    _, child = m.parent_and_child()
    copied = copy.deepcopy(child)
    target = m.element()
    target.insert(m.rng.randint(0, len(target)), copied)


def neighbours_swapped(m):
    parent = m.element(lambda element: any(a.tag != b.tag for a, b in zip(element, list(element)[1:])))
    at = m.choose(at for at in range(len(parent) - 1) if parent[at].tag != parent[at + 1].tag)
    child = parent[at]
    parent.remove(child)
    parent.insert(at + 1, child)


def children_shuffled(m):
    parent = m.element(lambda element: len({child.tag for child in element}) > 1)
    children = list(parent)
    m.rng.shuffle(children)
    parent[:] = children


def child_first(m):
    parent, child = m.parent_and_child(lambda parent, child: parent[0].tag != child.tag)
    parent.remove(child)
    parent.insert(0, child)


VALUES = ["", " ", "!?", "x y", "-1", "0", "1", "1.5", "1e3", "1e400", "NaN", "INF", "-INF", "+7", "1_0", "1_000", "0x10", ".5",
          "5.", "true", "10 mV", "10mV", "1.5e-3 nS", "10 parsec", "\u00e9t\u00e9", "\u0663", "../a/0/b", "a[3]", "3a",
          "12345678901234567890123", "-0", "00", "1\t2", " 1 ", " mV", "mV"]


def value_other(m):
    element, name, _ = m.attribute()
    element.set(name, m.rng.choice(VALUES))


def value_edited(m):
    element, name, value = m.attribute(lambda _, value: value)
    at = m.rng.randrange(len(value))
    element.set(name, m.rng.choice([value[:at] + value[at + 1:], value[:at] + "%" + value[at:], value + " ", " " + value,
                                    value + value, value.upper(), value.replace(" ", ""), value[:at] + " " + value[at:]]))


def value_of_another(m):
    element, name, _ = m.attribute()
    element.set(name, m.attribute()[2])


def value_of_the_schema(m):
    element, name, _ = m.attribute()
    element.set(name, m.choose(m.words["values"]))


def id_twice(m):
    names = [element for element in m.root.iter() if "name" in element.attrib or "id" in element.attrib]
    one, other = m.choose(names), m.choose(names)
    for name in ("name", "id"):
        if name in one.attrib:
            other.set(name, one.get(name))


def root_other(m):
    m.root.tag = m.choose([m.namespace + "undeclared", "{http://example.org/other}" + m.root.tag.split("}")[-1]])


def harmless(m):
    """Adds comments and instructions, which have no effect."""
    parent = m.element()
    parent.insert(m.rng.randint(0, len(parent)), m.rng.choice([ET.Comment(" note "), ET.ProcessingInstruction("x", "y")]))


KINDS = [attribute_unknown, attribute_misspelt, attribute_missing, attribute_of_another, attribute_of_the_schema,
         attribute_foreign, attribute_of_schema_instance, text_in_element, text_after_element,
         space_in_element, element_unknown, element_foreign, element_misspelt, element_renamed, element_of_the_schema,
         element_missing, element_emptied, element_doubled, element_moved, element_copied, neighbours_swapped,
         children_shuffled, child_first, value_other, value_edited, value_of_another, value_of_the_schema, id_twice,
         root_other, harmless]


def broken(tree, kinds, number, words, rng):
    """A variation of a tree, and its kind: the next kind that is possible in it, after at most `number` attempts."""
    for kind in itertools.islice(kinds, number):
        changed = copy.deepcopy(tree)
        try:
            kind(Model(changed.getroot(), words, rng))
        except Skip:
            continue
        return changed, kind.__name__.replace("_", " ")
    return None, None


class Schema:
    def __init__(self, path):
        root = ET.parse(path).getroot()
        self.path = path
        self.namespace = root.get("targetNamespace", "")
        self.roots = {element.get("name") for element in root.findall(XS + "element")}
        named = lambda kind: sorted({element.get("name") for element in root.iter(XS + kind) if element.get("name")})
        self.words = {"elements": named("element"), "attributes": named("attribute"),
                      "values": sorted({element.get("value") for element in root.iter(XS + "enumeration")})}

    def tree(self, path):
        """The tree of a file that the schema is for. A file without a namespace gets that of the schema."""
        try:
            tree = ET.parse(path)
        except (ET.ParseError, UnicodeDecodeError):
            return None
        root = tree.getroot()
        if root.tag.split("}")[-1] not in self.roots:
            return None
        given = root.tag.split("}")[0] + "}" if "}" in root.tag else ""
        for element in root.iter():
            if given and element.tag.startswith(given):
                element.tag = element.tag[len(given):]
            if "}" not in element.tag and self.namespace:
                element.tag = f"{{{self.namespace}}}{element.tag}"
        return tree


def by_xmllint(schema, files):
    """Whether xmllint finds each file valid."""
    done = subprocess.run(["xmllint", "--noout", "--schema", schema, *files], text=True, capture_output=True)
    verdicts = dict(re.findall(r"^(.*) (validates|fails to validate)$", done.stderr, re.M))
    return {file: verdicts[file] == "validates" for file in files if file in verdicts}


def by_program(program):
    def judge(schema, files):
        done = subprocess.run([program, "validate", "--json", "--schema", schema, *files], text=True,
                              capture_output=True)
        if done.returncode not in (0, 1):
            raise SystemExit(f"{program}: status {done.returncode}\n{done.stderr}")
        told = {one["file"]: one["messages"] for one in json.loads(done.stdout)}
        return {file: not any(SCHEMA_CODES.fullmatch(message["code"]) for message in told[file]) for file in files}
    return judge


def verdicts(judge, schema, files):
    found, started = {}, time.monotonic()
    for at in range(0, len(files), BATCH):
        found.update(judge(schema, files[at:at + BATCH]))
    return found, time.monotonic() - started


def variations(schema, sources, each, seed, folder):
    """Writes the files and their variations; returns the kind of each by its path."""
    rng = random.Random(seed)
    ET.register_namespace("", schema.namespace)
    ET.register_namespace("xsi", XSI)
    kinds, every = {}, itertools.cycle(KINDS)

    def write(tree, kind, name):
        path = folder / f"{len(kinds):05}_{name}"
        tree.write(path, encoding="utf-8", xml_declaration=True)
        kinds[str(path)] = kind

    for source in sources:
        tree = schema.tree(source)
        if tree is None:
            continue
        write(tree, "as they are", source.name)
        for _ in range(each):
            changed, kind = broken(tree, every, len(KINDS), schema.words, rng)
            if kind:
                write(changed, kind, source.name)
    return kinds


def compared(schema, kinds, judge, keep):
    files = sorted(kinds)
    expected, _ = verdicts(by_xmllint, schema.path, files)
    got, seconds = verdicts(judge, schema.path, sorted(expected))
    rows = collections.defaultdict(collections.Counter)
    for file, valid in expected.items():
        row = rows[kinds[file]]
        row["valid" if valid else "invalid"] += 1
        if got[file] != valid:
            row["refused" if valid else "missed"] += 1
            keep.mkdir(parents=True, exist_ok=True)
            pathlib.Path(keep, pathlib.Path(file).name).write_bytes(pathlib.Path(file).read_bytes())
            print(f"{'refused' if valid else 'missed'}: {pathlib.Path(file).name} ({kinds[file]})")
    return rows, seconds


def table(rows):
    columns = ("valid", "refused", "invalid", "missed")
    total = collections.Counter()
    print(f"{'':32}" + "".join(f"{column:>9}" for column in columns))
    for kind, row in [*rows.items(), ("together", total)]:
        print(f"{kind:32}" + "".join(f"{row[column]:9}" for column in columns))
        total.update(row)
    return total["refused"] + total["missed"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("schema")
    parser.add_argument("folders", nargs="*", type=pathlib.Path, default=[ROOT / "tests/models", ROOT / "examples"])
    parser.add_argument("--program", default=str(ROOT / "target/release/jlems-rs"))
    parser.add_argument("--each", type=int, default=10, help="variations of each file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path, default=ROOT / "target/schema-disagreements")
    arguments = parser.parse_args()
    schema = Schema(arguments.schema)
    sources = sorted(path for folder in arguments.folders for path in folder.rglob("*")
                     if path.suffix in (".nml", ".xml"))
    with tempfile.TemporaryDirectory() as folder:
        kinds = variations(schema, sources, arguments.each, arguments.seed, pathlib.Path(folder))
        rows, seconds = compared(schema, kinds, by_program(arguments.program), arguments.keep)
    wrong = table(rows)
    number = sum(row["valid"] + row["invalid"] for row in rows.values())
    print(f"{number} files, {seconds * 1000 / max(number, 1):.1f} ms each, {wrong} disagreements")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

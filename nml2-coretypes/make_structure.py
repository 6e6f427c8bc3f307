#!/usr/bin/env python3
"""Write what a NeuroML file may contain, by its XML Schema, as a table of a line for each fact.

    python3 nml2-coretypes/make_structure.py NeuroML_v2.3.1.xsd > nml2-coretypes/structure.txt

The form of the table is described in crates/lems-schema/src/table.rs. Documentation and default values of the schema,
which no verdict depends on, are left out. A construct that the table has no line for ends the program.
"""
import re
import sys
import xml.etree.ElementTree as ET

XS = "{http://www.w3.org/2001/XMLSchema}"
IGNORED = {XS + "annotation"}
NUMBER = r"-?([0-9]*(\.[0-9]+)?)([eE]-?[0-9]+)?"
QUANTITY = re.compile(re.escape(NUMBER + r"[\s]*") + r"\(([\w|]+)\)")
BOUNDS = {"minInclusive": ">=", "minExclusive": ">", "maxInclusive": "<=", "maxExclusive": "<"}
PARTICLES = {"sequence", "choice", "all"}


def children(element):
    return [(child.tag[len(XS):], child) for child in element if isinstance(child.tag, str) and child.tag not in IGNORED]


def only(element, *allowed):
    for name in element.attrib:
        if name not in allowed:
            sys.exit(f"no line for the attribute {name} of {element.tag}")


def occurrence(element):
    least, most = element.get("minOccurs", "1"), element.get("maxOccurs", "1")
    known = {("1", "1"): "", ("0", "1"): " ?", ("0", "unbounded"): " *", ("1", "unbounded"): " +"}
    if (least, most) not in known:
        sys.exit(f"no sign for {least} to {most} times")
    return known[least, most]


def value_type(element):
    name = element.get("name")
    [(_, restriction)] = children(element)
    base, facets = restriction.get("base"), children(restriction)
    kinds = {kind for kind, _ in facets}
    values = [facet.get("value") for _, facet in facets]
    if kinds == {"pattern"} and base == "xs:string":
        quantity = QUANTITY.fullmatch(values[0])
        if quantity:
            yield f"quantity {name} {' '.join(quantity[1].split('|'))}"
        else:
            yield f"pattern {name} {values[0]}"
    elif kinds == {"enumeration"}:
        yield f"words {name} {base} {' | '.join(values)}"
    elif kinds <= set(BOUNDS):
        bounds = [f" {BOUNDS[kind]} {facet.get('value')}" for kind, facet in facets]
        yield f"value {name} {base}{''.join(bounds)}"
    else:
        sys.exit(f"no line for the type {name}")


def particle(kind, element, indent):
    """What may be inside, each level two spaces further in."""
    space = "  " * indent
    if kind == "element":
        only(element, "name", "type", "minOccurs", "maxOccurs")
        yield f"{space}{element.get('name')} {element.get('type')}{occurrence(element)}"
    elif kind == "group":
        yield f"{space}&{element.get('ref')}{occurrence(element)}"
    elif kind == "any":
        assert element.get("processContents") == "skip"
        yield f"{space}...{occurrence(element)}"
    elif kind in PARTICLES:
        yield f"{space}{kind}{occurrence(element)}"
        for inner, child in children(element):
            yield from particle(inner, child, indent + 1)
    else:
        sys.exit(f"no line for {kind}")


def attribute(element):
    only(element, "name", "type", "use", "default", "fixed")
    sign = " !" if element.get("use") == "required" else ""
    fixed = f" = {element.get('fixed')}" if element.get("fixed") else ""
    return f"  @{element.get('name')} {element.get('type', 'xs:string')}{sign}{fixed}"


def content(element):
    for kind, child in children(element):
        if kind == "attribute":
            yield attribute(child)
        else:
            yield from particle(kind, child, 1)


def complex_type(element):
    only(element, "name")
    inner = children(element)
    if [kind for kind, _ in inner] == ["complexContent"]:
        [(kind, extension)] = children(inner[0][1])
        assert kind == "extension"
        yield f"type {element.get('name')} : {extension.get('base')}"
        yield from content(extension)
    else:
        yield f"type {element.get('name')}"
        yield from content(element)


def lines(root):
    yield f"namespace {root.get('targetNamespace')}"
    for kind, element in children(root):
        if kind == "element":
            yield f"root {element.get('name')} {element.get('type')}"
        elif kind == "simpleType":
            yield from value_type(element)
        elif kind == "complexType":
            yield from complex_type(element)
        elif kind == "group":
            yield f"group {element.get('name')}"
            yield from content(element)
        else:
            sys.exit(f"no line for {kind}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print("\n".join(lines(ET.parse(sys.argv[1]).getroot())))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Write the HDF5 networks of tests/models from the XML files beside them.

    pip install libneuroml==0.6.7 tables==3.11.1 h5py==3.16.0
    python tests/goldens/make_hdf5.py

Two files never have the same bytes, because HDF5 stores when it was written; what they say
is the same. Make the goldens with make_goldens.py afterwards.
"""
import pathlib

import h5py
import neuroml.loaders
import neuroml.writers
import numpy

MODELS = pathlib.Path(__file__).resolve().parents[1] / "models"


def as_libneuroml_writes(xml):
    document = neuroml.loaders.NeuroMLLoader.load(str(xml))
    neuroml.writers.NeuroMLHdf5Writer.write(document, str(xml) + ".h5")


def older_layout(path):
    """As older writers laid a network out: tables with an id in each row, whose columns may have
    no names, `input_list_` groups, sizes as text, and groups in the order of creation."""

    def text(value):
        return numpy.bytes_(value)

    def group(parent, name, **attributes):
        made = parent.create_group(name, track_order=True)
        for key, value in attributes.items():
            made.attrs[key] = text(value)
        return made

    def table(parent, name, rows, columns=()):
        made = parent.create_dataset(name, data=numpy.array(rows, dtype=">f4"))
        for place, column in enumerate(columns):
            made.attrs[f"column_{place}"] = text(column)

    with h5py.File(path, "w", track_order=True) as file:
        document = group(file, "neuroml", id="older")
        network = group(document, "network", id="pair", notes="an older file")
        second = group(network, "population_second", id="second", component="leaky", size="2")
        table(second, "second", [[0, 10, 0, 0], [1, 20, 0, 0]])
        first = group(network, "population_first", id="first", component="leaky", size="2")
        table(first, "first", [[5, 0, 0, 0], [9, 1, 0, 0]], ["id", "x", "y", "z"])
        links = group(network, "projection_links", id="links", type="projection", synapse="quick",
                      presynapticPopulation="first", postsynapticPopulation="second")
        names = ["id", "pre_cell_id", "post_cell_id", "pre_segment_id", "pre_fraction_along",
                 "post_segment_id", "post_fraction_along", "weight"]
        table(links, "links", [[3, 5, 0, 0, 0.5, 0, 0.5, 1], [4, 9, 1, 0, 0.5, 0, 0.5, 1.9],
                               [6, 5, 1, 0, 0.5, 0, 0.5, 1]], names)
        drive = group(network, "input_list_drive", id="drive", component="push", population="first")
        table(drive, "drive", [[5], [9]], ["target_cell_id"])


if __name__ == "__main__":
    as_libneuroml_writes(MODELS / "hdf5-network" / "wiring.net.nml")
    for case in ("hdf5-older-layout", "better-hdf5-href"):
        older_layout(MODELS / case / "older.nml.h5")

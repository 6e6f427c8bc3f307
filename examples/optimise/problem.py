"""What the optimisers look for: the densities of two channels, from the potential of a cell."""

from pathlib import Path

import numpy as np

import jlems

MODEL = Path(__file__).resolve().parents[1] / "hodgkin-huxley" / "LEMS_hodgkin_huxley.xml"
MEMBRANE = "squidAxon/biophysics/membraneProperties"

# The parameters with the unit of their numbers, the numbers that the model has, and where to look.
PARAMETERS = {
    f"{MEMBRANE}/sodiumChannels/condDensity": "mS_per_cm2",
    f"{MEMBRANE}/potassiumChannels/condDensity": "mS_per_cm2",
}
TRUE = np.array([120.0, 36.0])
LOWER, UPPER = np.array([60.0, 20.0]), np.array([180.0, 60.0])

# Parameters that are free need no new machine code.
simulation = jlems.load(MODEL, length="65 ms").simulation(record="axons[0]/v", free=list(PARAMETERS))


def features(result):
    """The highest, the lowest and the mean potential in mV: of a rest, and of the spike at its end."""
    potential = result["axons[0]/v"].to("mV")
    return [potential.max(), potential.min(), potential.mean()]


TARGET = np.array(features(simulation.run()))


def errors(candidates):
    """For each candidate the error of each feature. All candidates run side by side on all processors."""
    sweep = simulation.sweep(candidates, parameters=PARAMETERS)
    return np.abs(np.array(sweep.run(reduce=features).values) - TARGET)


def costs(candidates):
    """For each candidate one number."""
    return errors(candidates).sum(axis=1)


def report(found, runs):
    """Prints what was found beside what was looked for."""
    print(f"found {found[0]:.2f} and {found[1]:.2f} mS/cm2 in {runs} runs; the cell has {TRUE[0]:g} and {TRUE[1]:g}")

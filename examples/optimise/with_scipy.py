"""Differential evolution of scipy: `vectorized` gives it all candidates of a generation at once."""

from problem import LOWER, UPPER, costs, report
from scipy.optimize import differential_evolution

# Candidates of a generation for each parameter.
CANDIDATES = 10

found = differential_evolution(
    lambda columns: costs(columns.T),
    bounds=list(zip(LOWER, UPPER)),
    vectorized=True,
    updating="deferred",
    popsize=CANDIDATES,
    maxiter=25,
    polish=False,
    rng=1,
)
# A vectorized evaluation is a generation.
report(found.x, found.nfev * CANDIDATES * len(LOWER))

"""Differential evolution of nevergrad: as many candidates are asked for as are run side by side."""

import nevergrad as ng
from problem import LOWER, UPPER, costs, report

TOGETHER, BUDGET = 20, 400

space = ng.p.Array(init=(LOWER + UPPER) / 2).set_bounds(LOWER, UPPER)
space.random_state.seed(1)
optimiser = ng.optimizers.TwoPointsDE(parametrization=space, budget=BUDGET, num_workers=TOGETHER)
for _ in range(BUDGET // TOGETHER):
    candidates = [optimiser.ask() for _ in range(TOGETHER)]
    for candidate, cost in zip(candidates, costs([one.value for one in candidates])):
        optimiser.tell(candidate, cost)
report(optimiser.recommend().value, optimiser.num_ask)

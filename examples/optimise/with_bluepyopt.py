"""BluePyOpt: an evaluator of its own, and `map_function`, which gets all individuals of a generation."""

import bluepyopt
from problem import LOWER, PARAMETERS, UPPER, errors, report


class Evaluator(bluepyopt.evaluators.Evaluator):
    """Errors of the highest, the lowest and the mean potential."""

    def __init__(self):
        names = ["highest", "lowest", "mean"]
        params = [bluepyopt.parameters.Parameter(name, bounds=bounds) for name, *bounds in zip(PARAMETERS, LOWER, UPPER)]
        super().__init__([bluepyopt.objectives.Objective(name) for name in names], params)

    def init_simulator_and_evaluate_with_lists(self, values):
        return errors([values])[0].tolist()

    evaluate_with_lists = init_simulator_and_evaluate_with_lists


optimiser = bluepyopt.deapext.optimisations.IBEADEAPOptimisation(
    evaluator=Evaluator(),
    offspring_size=20,
    seed=1,
    map_function=lambda _, individuals: errors(list(individuals)).tolist(),
)
_, best, log, _ = optimiser.run(max_ngen=20)
report(best[0], sum(log.select("nevals")))

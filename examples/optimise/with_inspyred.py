"""A particle swarm of inspyred: its evaluator gets all candidates of a generation."""

from random import Random

from inspyred import ec, swarm
from problem import LOWER, UPPER, costs, report


def generator(random, args):
    return [random.uniform(low, high) for low, high in zip(LOWER, UPPER)]


optimiser = swarm.PSO(Random(1))
optimiser.terminator = ec.terminators.evaluation_termination
final = optimiser.evolve(
    generator=generator,
    evaluator=lambda candidates, args: costs(candidates).tolist(),
    pop_size=16,
    maximize=False,
    bounder=ec.Bounder(LOWER.tolist(), UPPER.tolist()),
    max_evaluations=400,
)
report(min(final, key=lambda one: one.fitness).candidate, optimiser.num_evaluations)

"""The multiple-gradient descent algorithm: the shortest convex combination of the tasks' gradients.

Désidéri, "Multiple-gradient descent algorithm (MGDA) for multiobjective optimization", Comptes Rendus Mathématique
2012; for networks, Sener and Koltun, "Multi-Task Learning as Multi-Objective Optimization", NeurIPS 2018.
"""

from __future__ import annotations

from torch import Tensor

from agents.aggregators.aggregator import Parameters
from agents.aggregators.quadratic import cosines_and_norms, nonnegative_minimum, present
from agents.aggregators.weighing import GradientWeighing

START = 1e3  # of the solver: the shorter the combination, the larger the solution


class MGDA(GradientWeighing):
    """The point of least norm in the convex hull of the tasks' gradients; it is zero where they cancel out."""

    def weights(self, gram: Tensor, parameters: Parameters) -> Tensor:
        """Return the weights of the gradients with the inner products ``gram``."""
        return shortest(gram)


def shortest(gram: Tensor) -> Tensor:
    """Inner products (T, T) -> weights (T,) >= 0 with sum 1; 0 for gradients that are zero.

    They are the direction of the minimiser of v G v / 2 - sum(v) over v >= 0, whose minimum along a ray is
    -1 / (2 w G w).
    """
    cosines, norms = cosines_and_norms(gram)
    counted = present(gram)
    found = counted * nonnegative_minimum(cosines, (counted * norms.mean() / norms)[None], start=START)[0] / norms
    return found / found.sum()

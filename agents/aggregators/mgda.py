"""The multiple-gradient descent algorithm: the shortest convex combination of the tasks' gradients.

Désidéri, "Multiple-gradient descent algorithm (MGDA) for multiobjective optimization", Comptes Rendus Mathématique
2012; for networks, Sener and Koltun, "Multi-Task Learning as Multi-Objective Optimization", NeurIPS 2018.
"""

from __future__ import annotations

from torch import Tensor

from agents.aggregators.aggregator import Parameters
from agents.aggregators.quadratic import cosines_and_norms, nonnegative_minimum
from agents.aggregators.weighing import GradientWeighing

LARGE = 1e3  # of what is solved for: the shorter the combination, the larger it is


class MGDA(GradientWeighing):
    """The point of least norm in the convex hull of the tasks' gradients; it goes to zero where they oppose."""

    def weights(self, gram: Tensor, parameters: Parameters) -> Tensor:
        """Return the weights of the gradients with the inner products ``gram``."""
        return shortest(gram)


def shortest(gram: Tensor) -> Tensor:
    """Inner products (T, T) -> weights (T,) >= 0 with sum 1.

    They are the direction of the least v G v / 2 - sum(v) over v >= 0: along a ray its least value is -1 / (2 w G w).
    """
    cosines, norms = cosines_and_norms(gram)
    found = nonnegative_minimum(cosines, (norms.mean() / norms)[None], start=LARGE)[0] / norms
    return found / found.sum()

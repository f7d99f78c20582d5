"""Conflict-averse gradient: near the mean gradient, the one along which the worst task gains most.

Liu, Liu, Jin, Stone and Liu, "Conflict-Averse Gradient Descent for Multi-task Learning", NeurIPS 2021, algorithm 1.
"""

from __future__ import annotations

from torch import Tensor

from agents.aggregators.aggregator import Parameters
from agents.aggregators.quadratic import cosines_and_norms, nonnegative_of_length, present
from agents.aggregators.weighing import GradientWeighing


class CAGrad(GradientWeighing):
    """The mean gradient, moved by ``cagrad_radius`` of its length towards the least improved tasks."""

    def weights(self, gram: Tensor, parameters: Parameters) -> Tensor:
        """Return the weights of the gradients with the inner products ``gram``."""
        return conflict_averse(gram, self.settings.cagrad_radius)


def conflict_averse(gram: Tensor, radius: float) -> Tensor:
    """Inner products (T, T) -> weights (T,): those of g_0 + c |g_0| g_w / |g_w|, where c is ``radius``.

    g_0 is the mean, g_w the convex combination that minimises g_w g_0 + c |g_0| |g_w|. In v = c |g_0| w / |g_w|, whose
    length is known, its optimality conditions are those of a quadratic problem.
    """
    cosines, norms = cosines_and_norms(gram)
    norms = norms / norms.mean()
    products = cosines * norms[:, None] * norms
    reach = radius * products.mean().clamp_min(0.0).sqrt()
    found = nonnegative_of_length(cosines, products.mean(dim=0) / norms, 1.0 / norms, reach)
    return 1.0 / len(gram) + present(gram) * found / norms

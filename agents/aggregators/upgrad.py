"""Unconflicting projection: each task's gradient is projected onto what hurts no task, then they are averaged.

Quinton and Rey, "Jacobian Descent for Multi-Objective Optimization", 2024, section 3.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agents.aggregators.aggregator import Parameters
from agents.aggregators.quadratic import cosines_and_norms, nonnegative_minimum, present
from agents.aggregators.weighing import GradientWeighing


class UPGrad(GradientWeighing):
    """The mean of the tasks' gradients, each projected onto the cone of directions that conflict with none."""

    def weights(self, gram: Tensor, parameters: Parameters) -> Tensor:
        """Return the weights of the gradients with the inner products ``gram``."""
        return unconflicting(gram)


def unconflicting(gram: Tensor) -> Tensor:
    """Inner products (T, T) -> weights (T,).

    The projection of g_i is g_i plus the combination w >= 0 of gradients that minimises |g_i + w g|, the dual problem.
    """
    cosines, norms = cosines_and_norms(gram)
    added = present(gram) * nonnegative_minimum(cosines, -cosines) * norms[:, None] / norms
    return (torch.eye(len(gram), dtype=added.dtype, device=gram.device) + added).mean(dim=0)

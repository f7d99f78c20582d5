"""Gradient surgery: where two tasks' gradients conflict, each loses its component along the other.

Yu, Kumar, Gupta, Levine, Hausman and Finn, "Gradient Surgery for Multi-Task Learning", NeurIPS 2020, algorithm 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agents.aggregators.aggregator import Parameters
from agents.aggregators.weighing import GradientWeighing


class PCGrad(GradientWeighing):
    """The sum of the tasks' projected gradients."""

    def weights(self, gram: Tensor, parameters: Parameters) -> Tensor:
        """Return the weights of the gradients with the inner products ``gram``, for an order drawn at random."""
        return projected(gram, random_orders(gram, parameters.generator)).sum(dim=0)


def random_orders(gram: Tensor, generator: torch.Generator) -> Tensor:
    """Draw for each task the order in which it meets the others, and itself: (T, T), a permutation in each row."""
    return torch.rand(gram.shape, generator=generator, device=gram.device).argsort(dim=1)


def projected(gram: Tensor, order: Tensor) -> Tensor:
    """Return the projected gradients as combinations of the tasks' gradients, (T, T): row i is task i's.

    ``gram`` (T, T) holds the gradients' inner products, and row i of ``order`` (T, T) the order in which task i meets
    the tasks. All tasks are projected side by side: that task i's gradient is a row of coefficients c_i makes its inner
    product with g_j the product c_i . gram_j, so nothing as long as a gradient is touched.
    """
    tasks = len(gram)
    rows = torch.arange(tasks, device=gram.device)
    square = gram.diagonal().clamp_min(torch.finfo(gram.dtype).tiny)
    coefficients = torch.eye(tasks, dtype=gram.dtype, device=gram.device)
    for other in order.T:
        inner = (coefficients * gram.index_select(0, other)).sum(dim=1)
        step = inner.clamp(max=0.0) / square.index_select(0, other)
        step = torch.where(other == rows, torch.zeros_like(step), step)
        coefficients = coefficients.index_put((rows, other), -step, accumulate=True)
    return coefficients

"""Gradient vaccine: tasks' gradients are rotated until they are as similar as they have been on average.

Wang, Tsvetkov, Firat and Cao, "Gradient Vaccine: Investigating and Improving Multi-task Optimization in Massively
Multilingual Models", ICLR 2021, algorithm 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agents.aggregators.aggregator import Parameters
from agents.aggregators.pcgrad import random_orders
from agents.aggregators.weighing import ROLES, GradientWeighing, with_row
from agents.base import PieceShape


class GradVac(GradientWeighing):
    """The sum of the rotated gradients; with average cosines of zero, as at the start, it is gradient surgery.

    Of the paper's ways to group weights, it uses no groups: all shared weights are one vector.
    """

    cosines: Tensor

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        self.register_buffer("cosines", torch.zeros(len(ROLES), shape.tasks, shape.tasks))

    def weights(self, gram: Tensor, parameters: Parameters) -> Tensor:
        """Return the weights of the gradients with the inner products ``gram``, for an order drawn at random."""
        row = ROLES.index(parameters.role)
        tasks = torch.arange(self.tasks, device=gram.device) if parameters.task is None else parameters.task
        member = (tasks[:, None] == torch.arange(self.tasks, device=gram.device)).to(gram.dtype)  # (T', T)
        target = member @ self.cosines[row] @ member.T
        coefficients, seen = vaccinated(gram, target, random_orders(gram, parameters.generator))
        moved = target + self.settings.gradvac_rate * (seen - target)
        count = member.sum(dim=0)[:, None] * member.sum(dim=0)
        mean = member.T @ moved @ member / count.clamp_min(1.0)
        self.cosines = with_row(self.cosines, row, torch.where(count > 0, mean, self.cosines[row]))
        return coefficients.sum(dim=0)


def vaccinated(gram: Tensor, target: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rotated gradients as combinations of the tasks' gradients, and the cosines met, (T, T) each.

    Where the cosine of task i's gradient with g_j is below ``target[i, j]``, the multiple of g_j is added that raises
    it to that; row i of ``order`` is the order in which task i meets the others.
    """
    tasks = len(gram)
    rows = torch.arange(tasks, device=gram.device)
    tiny = torch.finfo(gram.dtype).tiny
    length = gram.diagonal().clamp_min(tiny).sqrt()
    coefficients, seen = torch.eye(tasks, dtype=gram.dtype, device=gram.device), target
    for other in order.T:
        products = coefficients @ gram
        inner = products.gather(1, other[:, None])[:, 0]
        norm = (products * coefficients).sum(dim=1).clamp_min(tiny).sqrt()
        aim = target[rows, other]
        cosine = torch.where(other == rows, aim, (inner / (norm * length[other])).clamp(-1.0, 1.0))
        sine = (1.0 - aim.square()).clamp_min(1e-6).sqrt()
        step = norm * (aim * (1.0 - cosine.square()).sqrt() - cosine * sine) / (sine * length[other])
        step = torch.where(cosine >= aim, torch.zeros_like(step), step)
        coefficients = coefficients.index_put((rows, other), step, accumulate=True)
        seen = seen.index_put((rows, other), cosine)
    return coefficients, seen

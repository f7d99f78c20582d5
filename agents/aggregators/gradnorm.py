"""GradNorm: weights that balance the norms of tasks' gradients by how fast the tasks train.

Chen, Badrinarayanan, Lee and Rabinovich, "GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep
Multitask Networks", ICML 2018.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agents.aggregators.aggregator import Parameters
from agents.aggregators.quadratic import present
from agents.aggregators.weighing import ROLES, GradientWeighing, of_tasks, put, with_row
from agents.base import PieceShape

TINY_LOSS = 1e-12


class GradNorm(GradientWeighing):
    """The mean of weighted gradients, whose norms approach their mean times r_i^alpha (equation 1).

    r_i is the ratio of task i's critic loss to its first one, relative to the others in the batch. The weights have
    mean 1; their logarithms move towards the target by ``gradnorm_rate`` of the distance, which has the fixed point of
    the paper's L1 loss and never makes a weight negative. A task without a gradient, as a masked one, does not move,
    and its loss is no loss yet.
    """

    log_weights: Tensor
    first: Tensor
    rates: Tensor

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        self.register_buffer("log_weights", torch.zeros(len(ROLES), shape.tasks))
        self.register_buffer("first", torch.zeros(shape.tasks))  # losses; 0: none yet
        self.register_buffer("rates", torch.ones(shape.tasks))

    def forward(self, losses: Tensor, parameters: Parameters) -> None:
        """Write the gradients."""
        if parameters.role == "critic":  # an actor's losses may be negative
            seen, masked = losses.detach().abs().clamp_min(TINY_LOSS), parameters.left_out(losses)
            first = put(self.first, torch.where(masked, torch.zeros_like(seen), seen), parameters)
            self.first = torch.where(self.first > 0, self.first, first)
            rates = seen / of_tasks(self.first, parameters).clamp_min(TINY_LOSS)
            self.rates = put(self.rates, torch.where(masked, of_tasks(self.rates, parameters), rates), parameters)
        super().forward(losses, parameters)

    def weights(self, gram: Tensor, parameters: Parameters) -> Tensor:
        """Return the weights of the gradients with the inner products ``gram``."""
        row = ROLES.index(parameters.role)
        rates = of_tasks(self.rates, parameters)
        rates = rates / rates.mean()
        old = of_tasks(self.log_weights[row], parameters)
        length = old.exp() * gram.diagonal().clamp_min(torch.finfo(gram.dtype).tiny).sqrt()
        counted = present(gram).to(length.dtype)
        mean = length.mean() * (len(gram) / counted.sum())  # of those that have a gradient
        gap = (length / (mean * rates**self.settings.gradnorm_alpha)).log().clamp(-1.0, 1.0)
        moved = put(self.log_weights[row], old - self.settings.gradnorm_rate * gap * counted, parameters)
        moved = moved - moved.exp().mean().log()
        self.log_weights = with_row(self.log_weights, row, moved)
        return of_tasks(moved, parameters).exp() / len(gram)

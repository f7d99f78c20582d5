"""Weights by each task's learned noise.

Kendall, Gal and Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry and Semantics", CVPR
2018, equation 7.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.aggregators.aggregator import Parameters
from agents.aggregators.weighing import Weighing, of_tasks
from agents.base import PieceShape


class Uncertainty(Weighing):
    """The mean of exp(-s_i) L_i + s_i over tasks, s_i a task's log-variance, learned with the networks.

    A task whose rewards are noise keeps a large critic loss and loses weight. The actor's losses are not likelihoods,
    so they get the plain mean.
    """

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        self.log_variance = nn.Parameter(torch.zeros(shape.tasks))

    def forward(self, losses: Tensor, parameters: Parameters) -> None:
        """Write the gradients, including those of the log-variances."""
        if parameters.role == "actor":
            self.record(torch.ones_like(losses), parameters)
            losses.mean().backward(inputs=list(parameters.all))
            return
        log_variance = of_tasks(self.log_variance, parameters)
        weights = torch.exp(-log_variance)
        self.record(weights, parameters)
        # A masked task's loss says nothing of its noise.
        log_variance = torch.where(parameters.left_out(losses), log_variance.detach(), log_variance)
        (weights * losses + log_variance).mean().backward(inputs=[*parameters.all, self.log_variance])

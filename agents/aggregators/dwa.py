"""Dynamic weight average: tasks whose loss falls more slowly than before weigh more.

Liu, Johns and Davison, "End-to-End Multi-Task Learning with Attention", CVPR 2019, equation 7.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agents.aggregators.aggregator import Parameters
from agents.aggregators.weighing import LossWeighing, of_tasks
from agents.base import PieceShape


class DWA(LossWeighing):
    """The mean of the losses times T softmax(r / temperature), r_i the ratio of task i's last two mean critic losses.

    Means are over ``dwa_every`` updates, the paper's epochs; the weights are 1 until two of them are over. The actor
    has the critics' weights, since ratios of its losses, which may be negative, mean nothing.
    """

    averages: Tensor
    total: Tensor
    count: Tensor
    updates: Tensor

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        self.register_buffer("averages", torch.zeros(2, shape.tasks))  # of the last two epochs, the latest first
        self.register_buffer("total", torch.zeros(shape.tasks))
        self.register_buffer("count", torch.zeros(shape.tasks))
        self.register_buffer("updates", torch.zeros(()))

    def weights(self, losses: Tensor, parameters: Parameters) -> Tensor:
        """Return the tasks' weights, after recording the critics' losses."""
        if parameters.role == "critic":
            self._observe(losses, parameters)
        latest, before = self.averages
        ratio = torch.where(before > 0, latest / before.clamp_min(1e-12), torch.ones_like(latest))
        weights = self.tasks * torch.softmax(ratio / self.settings.dwa_temperature, dim=0)
        return of_tasks(weights, parameters)

    def _observe(self, losses: Tensor, parameters: Parameters) -> None:
        """Accumulate losses; at the end of an epoch, take their means. A task that was not in it keeps its ratio.

        A masked task's loss is not counted.
        """
        tasks = torch.arange(self.tasks, device=losses.device) if parameters.task is None else parameters.task
        counted = (~parameters.left_out(losses)).to(self.count.dtype)
        total = self.total.index_add(0, tasks, counted * losses.to(self.total.dtype))
        count = self.count.index_add(0, tasks, counted)
        over = self.updates + 1 >= self.settings.dwa_every
        means = torch.stack([total / count.clamp_min(1.0), self.averages[0]])
        self.averages = torch.where(over & (count > 0), means, self.averages)
        self.total, self.count = (torch.where(over, torch.zeros_like(part), part) for part in (total, count))
        self.updates = torch.where(over, torch.zeros_like(self.updates), self.updates + 1)

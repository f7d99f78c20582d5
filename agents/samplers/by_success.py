"""Tasks drawn by how far they are from being solved."""

from __future__ import annotations

import torch
from torch import Tensor

from agents.base import PieceShape
from agents.samplers.proportional import Proportional, with_floor


class InverseSuccess(Proportional):
    """Shares inversely proportional to success: 1 / (success + ``success_offset``), at the latest evaluation."""

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        self.learned = {"success": torch.zeros(shape.tasks, device=shape.device)}

    def observe_scores(self, scores: Tensor) -> None:
        """Take the success rates, (T,)."""
        self.learned["success"] = scores.to(self.device, torch.float32)

    def shares(self) -> Tensor:
        """Return the shares: even until the first evaluation."""
        return with_floor(1.0 / (self.learned["success"] + self.settings.success_offset), 0.0)


class HardFirst(InverseSuccess):
    """Shares by rank: 1 / (1 + the number of tasks with less success), equal for equal success.

    After rank-based prioritisation of transitions (Schaul et al. 2016, "Prioritized Experience Replay"), by tasks; it
    does not depend on the differences between success rates. ``hard_floor`` of the rows are spread evenly.
    """

    def shares(self) -> Tensor:
        """Return the shares: even until the first evaluation."""
        success = self.learned["success"]
        ahead = (success[None, :] < success[:, None]).sum(dim=1)
        return with_floor(1.0 / (1.0 + ahead), self.settings.hard_floor)

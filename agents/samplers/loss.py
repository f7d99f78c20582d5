"""Tasks drawn by how large their critic loss is.

Schaul, Quan, Antonoglou and Silver, "Prioritized Experience Replay", ICLR 2016, proportional variant: by tasks in place
of transitions. A task's temporal-difference error is what a step on it has to gain, and its gradient is longer with it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agents.base import PieceShape
from agents.samplers.proportional import Proportional, with_floor

MEMORY = 0.99  # of the moving average of losses


class ByLoss(Proportional):
    """Shares proportional to a moving average of the critic loss to the power ``loss_exponent``.

    Tasks with larger rewards have larger losses: --reward-scale return makes them comparable. ``loss_floor`` of the
    rows are spread evenly.
    """

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        self.learned = {"loss": torch.zeros(shape.tasks, device=shape.device)}

    def observe_losses(self, losses: Tensor) -> None:
        """Average the latest losses, (T,), into those before."""
        before = self.learned["loss"]
        self.learned["loss"] = torch.where(before > 0, MEMORY * before + (1.0 - MEMORY) * losses, losses)

    def shares(self) -> Tensor:
        """Return the shares: even until there are losses."""
        losses = self.learned["loss"].clamp_min(0.0)
        weights = (losses / losses.max().clamp_min(1e-12)) ** self.settings.loss_exponent
        return with_floor(weights, self.settings.loss_floor)

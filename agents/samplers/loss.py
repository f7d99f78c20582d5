"""Tasks drawn by their critic loss.

Schaul, Quan, Antonoglou and Silver, "Prioritized Experience Replay", ICLR 2016, proportional variant: by tasks in place
of transitions. The larger a task's temporal-difference error, the more a step on it can gain.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agents.base import PieceShape
from agents.samplers.proportional import Proportional, averaged, by_power


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
        self.learned["loss"] = averaged(self.learned["loss"], losses)

    def shares(self) -> Tensor:
        """Return the shares: even until there are losses."""
        return by_power(self.learned["loss"], self.settings.loss_exponent, self.settings.loss_floor)

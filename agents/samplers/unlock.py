"""A curriculum over tasks: one after another is unlocked, as those before it are learned."""

from __future__ import annotations

import torch
from torch import Tensor

from agents.base import PieceShape
from agents.samplers.proportional import Proportional, with_floor


class Unlock(Proportional):
    """Draws evenly from the unlocked tasks: the first ``unlock_first`` of the suite, then one more at each evaluation
    where all that are unlocked have a success of at least ``unlock_at``.

    Unlocked tasks stay unlocked. The environments of the other tasks are stepped meanwhile, so that they have
    transitions to learn from when they are unlocked.
    """

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        first = min(shape.settings.unlock_first, shape.tasks)
        self.learned = {"unlocked": torch.tensor(float(first), device=shape.device)}

    def observe_scores(self, scores: Tensor) -> None:
        """Unlock the next task if the success rates, (T,), allow it."""
        unlocked = self.learned["unlocked"]
        enough = scores.to(self.device) >= self.settings.unlock_at
        learned = (enough | ~self._open(unlocked)).all()
        self.learned["unlocked"] = (unlocked + learned).clamp(max=self.tasks)

    def shares(self) -> Tensor:
        """Return the shares: equal for all unlocked tasks."""
        return with_floor(self._open(self.learned["unlocked"]).float(), 0.0)

    def _open(self, unlocked: Tensor) -> Tensor:
        return torch.arange(self.tasks, device=self.device) < unlocked

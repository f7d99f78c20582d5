"""Tasks drawn by how fast their score changes, up or down.

Absolute learning progress: Portelas, Colas, Hofmann and Oudeyer, "Teacher algorithms for curriculum learning of Deep RL
in continuously parameterized environments", CoRL 2019; with two moving averages as Kanitscheider et al., "Multi-task
curriculum learning in a complex, visual, hard-exploration domain: Minecraft", 2021.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agents.base import PieceShape
from agents.samplers.proportional import Proportional, with_floor

FAST, SLOW = 0.5, 0.2  # weights of an evaluation in the two moving averages


class LearningProgress(Proportional):
    """Shares proportional to how far a faster moving average of the score is from a slower one.

    Scores are divided by the range of the task's scores so far if that is above 1, so that returns of any size are
    comparable and success rates are unscaled. ``progress_floor`` of the rows are spread evenly.
    """

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        zeros = torch.zeros(shape.tasks, device=shape.device)
        self.learned = {name: zeros.clone() for name in ("fast", "slow", "least", "most")}
        self.learned["evaluations"] = torch.zeros((), device=shape.device)

    def observe_scores(self, scores: Tensor) -> None:
        """Take the scores, (T,), of any size."""
        scores, now = scores.to(self.device, torch.float32), self.learned
        first = now["evaluations"] == 0
        self.learned = {
            "fast": torch.where(first, scores, now["fast"].lerp(scores, FAST)),
            "slow": torch.where(first, scores, now["slow"].lerp(scores, SLOW)),
            "least": torch.where(first, scores, torch.minimum(now["least"], scores)),
            "most": torch.where(first, scores, torch.maximum(now["most"], scores)),
            "evaluations": now["evaluations"] + 1,
        }

    def shares(self) -> Tensor:
        """Return the shares: even where no task makes progress."""
        now = self.learned
        progress = (now["fast"] - now["slow"]).abs() / (now["most"] - now["least"]).clamp_min(1.0)
        return with_floor(progress, self.settings.progress_floor)

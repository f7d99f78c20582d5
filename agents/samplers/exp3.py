"""A bandit over tasks that is rewarded by how much their losses fall.

Auer, Cesa-Bianchi, Freund and Schapire, "The Nonstochastic Multiarmed Bandit Problem", SIAM Journal on Computing 2002:
EXP3.S; on tasks, Graves, Bellemare, Menick, Munos and Kavukcuoglu, "Automated Curriculum Learning for Neural Networks",
ICML 2017.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agents.base import PieceShape
from agents.samplers.proportional import Proportional, with_floor

MEMORY = 0.99  # of the moving averages of log-losses and of the size of rewards
MIXED_SHARE = 1e-3  # of the weights, spread evenly at each update


class EXP3(Proportional):
    """Shares are (1 - ``bandit_floor``) softmax(w) + ``bandit_floor`` / T; w grows by importance-weighted rewards.

    A drawn task is rewarded, once per occurrence in the batch, by how far its log-loss is below its moving average, in
    units of the average size of such rewards, between -1 and 1. At each update a little of the weights is spread
    evenly, so that a task that becomes rewarding late is found.
    """

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        zeros = torch.zeros(shape.tasks, device=shape.device)
        self.learned = {
            "log_weights": zeros,
            "loss": zeros.clone(),  # moving average of log-losses
            "known": zeros.clone(),
            "scale": torch.zeros((), device=shape.device),
            "drawn": zeros.clone(),
        }

    def draw(self, rows_per_task: int) -> tuple[Tensor | None, int]:
        """Return T tasks, and record how often each of them was drawn."""
        drawn, rows = super().draw(rows_per_task)
        assert drawn is not None
        counts = torch.zeros_like(self.learned["drawn"]).index_add(0, drawn, torch.ones_like(self.learned["drawn"]))
        self.learned["drawn"] = counts
        return drawn, rows

    def observe_losses(self, losses: Tensor) -> None:
        """Reward the tasks that were drawn by their latest losses, (T,)."""
        now, shares = self.learned, self.shares()
        log_losses = losses.clamp_min(1e-8).log()
        drawn = (now["drawn"] > 0).float()
        rewarded = drawn * now["known"]
        reward = rewarded * (now["loss"] - log_losses)
        size = reward.abs().sum() / rewarded.sum().clamp_min(1.0)
        scale = torch.where(now["scale"] > 0, now["scale"].lerp(size, 1.0 - MEMORY), size)
        # A task is drawn T times its share on average; divided by that, its gain does not depend on its share.
        gain = now["drawn"] * (reward / scale.clamp_min(1e-8)).clamp(-1.0, 1.0) / (self.tasks * shares)
        policy = torch.softmax(now["log_weights"] + self.settings.bandit_rate * gain, dim=0)
        average = torch.where(now["known"] > 0, now["loss"].lerp(log_losses, 1.0 - MEMORY), log_losses)
        self.learned = {
            "log_weights": ((1.0 - MIXED_SHARE) * policy + MIXED_SHARE / self.tasks).log(),
            "loss": torch.where(drawn > 0, average, now["loss"]),
            "known": torch.maximum(now["known"], drawn),
            "scale": scale,
            "drawn": now["drawn"],
        }

    def shares(self) -> Tensor:
        """Return the shares: even at first."""
        return with_floor(torch.softmax(self.learned["log_weights"], dim=0), self.settings.bandit_floor)

"""Tasks drawn by the norms of their gradients.

Zhao and Zhang, "Stochastic Optimization with Importance Sampling for Regularized Loss Minimization", ICML 2015:
drawing examples in proportion to the norms of their gradients minimises the variance. Here by tasks, and without the
importance weights that would undo it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agents.base import PieceShape
from agents.samplers.proportional import Proportional, averaged, by_power


class ByGradientNorm(Proportional):
    """Shares proportional to a moving average of the gradient's norm to the power ``gradient_exponent``.

    The norm is that of the critic loss's gradient with respect to shared weights. It grows with a task's rewards:
    --reward-scale return makes tasks comparable. ``gradient_floor`` of the rows are spread evenly.
    """

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        self.learned = {"norm": torch.zeros(shape.tasks, device=shape.device)}

    def observe_gradients(self, norms: Tensor) -> None:
        """Average the latest norms, (T,), into those before."""
        self.learned["norm"] = averaged(self.learned["norm"], norms)

    def shares(self) -> Tensor:
        """Return the shares: even until there are norms."""
        return by_power(self.learned["norm"], self.settings.gradient_exponent, self.settings.gradient_floor)

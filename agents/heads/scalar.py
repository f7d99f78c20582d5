"""A critic that predicts one number."""

from __future__ import annotations

from torch import Tensor

from agents.base import PieceShape
from agents.heads.head import COMBINE, Combine


class ScalarHead:
    """The mean return, by squared error. ``combine`` reduces the ensemble by its minimum or its mean."""

    size = 1

    def __init__(self, combine: Combine = "min") -> None:
        self._combine = COMBINE[combine]

    def value(self, out: Tensor) -> Tensor:
        """(E, T, N, 1) -> (T, N)."""
        return self._combine(out.squeeze(-1))

    def target(self, next_out: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
        """Return targets (T, N)."""
        return shift + scale * self.value(next_out)

    def losses(self, out: Tensor, target: Tensor) -> Tensor:
        """(E, T, N, 1), (T, N) -> (T,)."""
        return (out.squeeze(-1) - target).square().mean(dim=2).sum(dim=0)


def scalar(shape: PieceShape) -> ScalarHead:
    """Make the scalar head."""
    return ScalarHead(shape.settings.critic_reduction)

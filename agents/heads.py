"""What a critic's output means: one number, or a distribution over the return.

The target of a critic is an affine map of the successor's value, shift + scale * Z, where scale is the discount (0
after an end) and shift the reward and the entropy's part. That is all a head has to know of the Bellman equation.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

Combine = Literal["min", "mean"]


class ValueHead(Protocol):
    """Reads a critic ensemble's output (E, T, N, size)."""

    size: int

    def value(self, out: Tensor) -> Tensor:
        """-> the ensemble's value (T, N), as the actor is to believe it."""

    def target(self, next_out: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
        """-> what every critic is to say, from what the target critics say of the successor; shift, scale (T, N)."""

    def losses(self, out: Tensor, target: Tensor) -> Tensor:
        """-> a loss per task, (T,), summed over the ensemble."""


class ScalarHead:
    """The return's mean, by squared error. ``combine`` says whether the ensemble's least or mean counts."""

    size = 1

    def __init__(self, combine: Combine = "min") -> None:
        self._combine = _COMBINE[combine]

    def value(self, out: Tensor) -> Tensor:
        """(E, T, N, 1) -> (T, N)."""
        return self._combine(out.squeeze(-1))

    def target(self, next_out: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
        """-> (T, N)."""
        return shift + scale * self.value(next_out)

    def losses(self, out: Tensor, target: Tensor) -> Tensor:
        """(E, T, N, 1), (T, N) -> (T,)."""
        return (out.squeeze(-1) - target).square().mean(dim=2).sum(dim=0)


class CategoricalHead:
    """The return's distribution over ``bins`` fixed values in [-reach, reach] (Bellemare et al. 2017, C51).

    As in BRC (Nauman et al. 2025), the target is the ensemble's mean distribution, mapped and projected onto the bins,
    and the loss the cross-entropy. Returns beyond the reach count as the outermost bin: scale the rewards.
    """

    def __init__(self, bins: int, reach: float, device: torch.device, combine: Combine = "mean") -> None:
        self.size, self._reach = bins, reach
        self._combine = _COMBINE[combine]
        self._support = torch.linspace(-reach, reach, bins, device=device)

    def value(self, out: Tensor) -> Tensor:
        """(E, T, N, bins) -> (T, N)."""
        return self._combine(out.float().softmax(dim=-1) @ self._support)

    def target(self, next_out: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
        """-> probabilities (T, N, bins)."""
        probabilities = next_out.float().softmax(dim=-1).mean(dim=0)
        moved = shift[..., None] + scale[..., None] * self._support
        return project(probabilities, moved, self._reach)

    def losses(self, out: Tensor, target: Tensor) -> Tensor:
        """(E, T, N, bins), (T, N, bins) -> (T,)."""
        return -(target * F.log_softmax(out.float(), dim=-1)).sum(dim=-1).mean(dim=2).sum(dim=0)


def project(probabilities: Tensor, values: Tensor, reach: float) -> Tensor:
    """Share each value's probability between the two bins around it: (..., K), (..., K) -> (..., K).

    Bellemare et al. 2017, algorithm 1.
    """
    bins = values.shape[-1]
    position = (values.clamp(-reach, reach) + reach) * ((bins - 1) / (2.0 * reach))
    low = position.floor().clamp(max=bins - 2)
    upper = position - low
    index = low.long()
    out = torch.zeros_like(probabilities)
    out.scatter_add_(-1, index, probabilities * (1.0 - upper))
    out.scatter_add_(-1, index + 1, probabilities * upper)
    return out


def _least(values: Tensor) -> Tensor:
    return values.amin(dim=0)


def _mean(values: Tensor) -> Tensor:
    return values.mean(dim=0)


_COMBINE: dict[str, Any] = {"min": _least, "mean": _mean}

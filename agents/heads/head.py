"""The interface of heads, which interpret the critics' output and make their targets.

The target of a critic is an affine map of the successor's value, shift + scale * Z, where scale is the discount (0
after an end) and shift the reward and the entropy's part. A head needs to know no more of the Bellman equation.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

from torch import Tensor

Combine = Literal["min", "mean"]


class ValueHead(Protocol):
    """Reads a critic ensemble's output (E, T, N, size)."""

    size: int

    def value(self, out: Tensor) -> Tensor:
        """Return the ensemble's value (T, N), which the actor maximises."""

    def target(self, next_out: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
        """Return every critic's target, from the target critics' output at the successor; shift, scale (T, N)."""

    def losses(self, out: Tensor, target: Tensor) -> Tensor:
        """Return a loss per task, (T,), summed over the ensemble."""


def _least(values: Tensor) -> Tensor:
    return values.amin(dim=0)


def _mean(values: Tensor) -> Tensor:
    return values.mean(dim=0)


COMBINE: dict[str, Any] = {"min": _least, "mean": _mean}

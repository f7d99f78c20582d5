"""A critic that predicts a distribution over the return."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from agents.base import PieceShape
from agents.heads.head import COMBINE, Combine

BINS, V_MAX = 101, 10.0  # those of BRC (Nauman et al. 2025)
SPREAD = 0.75  # of the Gaussian, in widths of a bin: the value that Farebrother et al. recommend


class CategoricalHead:
    """The return as a classification into ``bins`` values of [-v_max, v_max]: HL-Gauss (Farebrother et al. 2024).

    The target is a narrow Gaussian around the scalar target, and the loss the cross-entropy, so that tasks with large
    and with small errors have equal influence. (Mapping the whole distribution, as C51 does, would keep the spread that
    it was initialised with for some hundred backups where no episode terminates.) Returns beyond v_max are clipped:
    scale the rewards.
    """

    def __init__(self, bins: int, v_max: float, device: torch.device, combine: Combine = "mean") -> None:
        self.size = bins
        self._combine = COMBINE[combine]
        self._support = torch.linspace(-v_max, v_max, bins, device=device)
        width = 2.0 * v_max / (bins - 1)
        self._edges = torch.linspace(-v_max - width / 2.0, v_max + width / 2.0, bins + 1, device=device)
        self._v_max, self._spread = v_max, SPREAD * width

    def value(self, out: Tensor) -> Tensor:
        """(E, T, N, bins) -> (T, N)."""
        # Not a matrix product: reduced precision would round it to three digits, and advantages are smaller than that.
        return self._combine((out.float().softmax(dim=-1) * self._support).sum(dim=-1))

    def target(self, next_out: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
        """Return probabilities (T, N, bins)."""
        value = (shift + scale * self.value(next_out)).clamp(-self._v_max, self._v_max)
        below = torch.erf((self._edges - value[..., None]) / (self._spread * math.sqrt(2.0)))
        mass = below.diff(dim=-1)
        return mass / mass.sum(dim=-1, keepdim=True)

    def losses(self, out: Tensor, target: Tensor) -> Tensor:
        """(E, T, N, bins), (T, N, bins) -> (T,)."""
        return -(target * F.log_softmax(out.float(), dim=-1)).sum(dim=-1).mean(dim=2).sum(dim=0)


def categorical(shape: PieceShape) -> CategoricalHead:
    """Make the categorical head."""
    return CategoricalHead(BINS, V_MAX, shape.device, shape.settings.critic_reduction)

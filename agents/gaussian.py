"""The squashed Gaussian policy: sampling, its log-probability, and dimensions that do not count."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

LOG_STD_RANGE = (-5.0, 2.0)


def split_head(out: Tensor) -> tuple[Tensor, Tensor]:
    """Split a head's output (..., 2 A) into mean and log standard deviation, the latter squashed into its range."""
    mean, raw = out.chunk(2, dim=-1)
    low, high = LOG_STD_RANGE
    return mean, low + 0.5 * (high - low) * (torch.tanh(raw) + 1.0)


def squash(mean: Tensor, log_std: Tensor, noise: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the action tanh(mean + std * noise), (..., A), and its log-probability, (...).

    Where ``mask`` (..., A) is 0 the action is 0 and the dimension does not count. The change of variables is
    Haarnoja et al. 2018, equation 21, in the form log(1 - tanh(u)^2) = 2 (log 2 - u - softplus(-2 u)).
    """
    u = mean + log_std.exp() * noise
    gaussian = -0.5 * noise.square() - log_std - 0.5 * math.log(2.0 * math.pi)
    correction = 2.0 * (math.log(2.0) - u - F.softplus(-2.0 * u))
    return torch.tanh(u) * mask, ((gaussian - correction) * mask).sum(dim=-1)

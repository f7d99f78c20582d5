"""The optimiser of all learned parameters, and a cheaper way to clear their gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from agents.registry.settings import SACSettings


def adam(parameters: Sequence[nn.Parameter], settings: SACSettings) -> torch.optim.Adam:
    """Return AdamW with these settings; with a weight decay of 0 it is plain Adam."""
    return torch.optim.AdamW(
        parameters, settings.learning_rate, eps=settings.adam_epsilon, weight_decay=settings.weight_decay, fused=True
    )


def clear_gradients(optimizer: torch.optim.Optimizer) -> None:
    """Do what ``zero_grad`` does, without its wrapper for profilers, which takes longer than the rest."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = None

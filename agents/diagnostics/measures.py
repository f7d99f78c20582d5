"""Measures of what sharing does to tasks: pure functions of gradients, hidden units, attention and returns.

Nothing here reads a number back from the device. Undefined values are NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

TAU = 0.025  # below this share of its layer's mean activity a unit counts as dormant (Sokar et al. 2023)


def per_task_gradients(
    loss_of: Callable[[int], Tensor], tasks: int, parameters: Sequence[nn.Parameter]
) -> tuple[Tensor, Tensor]:
    """Differentiate ``loss_of(task)``, 0-d, task by task; return losses (T,), gradients (T, P). Writes no ``.grad``.

    Each task has a forward pass of its own rows: T backward passes through one joint graph would cost T times as much.
    """
    losses, gradients = [], []
    for task in range(tasks):
        loss = loss_of(task)
        parts = torch.autograd.grad(loss, list(parameters), allow_unused=True, materialize_grads=True)
        losses.append(loss.detach())
        gradients.append(torch.cat([part.flatten() for part in parts]))
    return torch.stack(losses), torch.stack(gradients)


def cosines(vectors: Tensor) -> Tensor:
    """(T, P) -> the cosine of every pair, (T, T); NaN for a vector of zeros, which has no direction."""
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    return (unit @ unit.T).clamp(-1.0, 1.0)


def conflict_rate(cosine: Tensor) -> Tensor:
    """Cosines of gradients (T, T) -> for each task the share of the others that it conflicts with, (T,).

    Two tasks conflict if the cosine is negative (Yu et al. 2020, gradient surgery, definition 1).
    """
    own = torch.eye(len(cosine), dtype=torch.bool, device=cosine.device)
    known = ~(own | cosine.isnan())
    return ((cosine < 0) & known).sum(dim=1) / known.sum(dim=1)


def mutual_information(weights: Tensor) -> Tensor:
    """Return the mutual information of encoder and task: distributions (T, K) -> 0-d, nats, tasks equally likely.

    0 if all tasks weigh the encoders equally, and log T if each has its own encoders.
    """
    ratio = weights / weights.mean(dim=0)
    return (weights * ratio.clamp_min(1e-12).log()).nansum(dim=1).mean()


def dormant(units: Tensor, tau: float = TAU) -> Tensor:
    """Return which units of a layer are hardly ever active: outputs (G, R, H) of G networks on R rows -> (G, H) bool.

    A unit's score is its mean absolute output over that of its layer's units (Sokar et al. 2023, equation 1).
    """
    activity = units.abs().mean(dim=1)
    return activity <= tau * activity.mean(dim=1, keepdim=True)


def effective_rank(features: Tensor) -> Tensor:
    """Return how many directions features (G, R, H) fill: (G,), from 1 to min(R, H); NaN where one is not finite.

    exp of the entropy of the singular values as shares of their sum (Roy and Vetterli 2007, definition 1).
    """
    finite = features.isfinite().flatten(1).all(dim=1)
    values = torch.linalg.svdvals(torch.nan_to_num(features, posinf=0.0, neginf=0.0))
    shares = values / values.sum(dim=1, keepdim=True)
    rank = torch.special.entr(shares).nansum(dim=1).exp()
    return torch.where(finite, rank, torch.nan)


def soft_returns(
    reward: Tensor, bonus: Tensor, terminated: Tensor, followed: Tensor, value: Tensor, discount: float
) -> Tensor:
    """Return discounted returns of W consecutive steps, counted to the episode's end, all (..., W).

    ``bonus`` and ``value`` are those of a step's successor: the value of the policy's entropy there, and the critics'
    prediction. ``followed`` is 1 where the next step starts from that successor; elsewhere, since the episode was
    truncated there or the steps end, the rest is worth ``value``.
    """
    total = torch.zeros_like(reward[..., 0])
    totals = []
    for step in range(reward.shape[-1] - 1, -1, -1):
        rest = torch.where(followed[..., step] > 0, total, value[..., step]) + bonus[..., step]
        total = reward[..., step] + discount * (1.0 - terminated[..., step]) * rest
        totals.append(total)
    return torch.stack(totals[::-1], dim=-1)

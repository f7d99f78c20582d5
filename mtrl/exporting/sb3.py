"""Stable-Baselines3's actors of all tasks as one exportable module: only tensors, no branches."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from stable_baselines3.sac.policies import Actor
from torch import Tensor, nn
from torch.nn.functional import pad


class SB3Actor(nn.Module):
    """T actors of the same widths, stacked: weights (T, out, in) and biases (T, out) of each layer.

    Weights of missing observation and action dimensions are zero, so missing actions are zero, since tanh(0) = 0.
    """

    def __init__(self, actors: Sequence[Actor]) -> None:
        super().__init__()
        layers = [_linear(actor) for actor in actors]
        self.obs_size = max(own[0].in_features for own in layers)
        self.action_size = max(own[-1].out_features for own in layers)
        same_depth = list(zip(*layers, strict=True))
        self.weights = nn.ParameterList([_stacked([layer.weight for layer in at]) for at in same_depth])
        self.biases = nn.ParameterList([_stacked([layer.bias for layer in at]) for at in same_depth])

    def act(self, obs: Tensor, task: Tensor, explore: bool = False) -> Tensor:
        """(1, N, obs) and the task's number (1,) -> its most likely actions (1, N, action) in [-1, 1]."""
        features = obs
        for depth, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            features = torch.relu(features) if depth else features
            weight, bias = weights.index_select(0, task), biases.index_select(0, task)
            features = torch.baddbmm(bias[:, None], features, weight.mT)
        return torch.tanh(features)


def _linear(actor: Actor) -> list[nn.Linear]:
    """Return an actor's layers from observations to mean actions; there are ReLUs between them."""
    return [layer for layer in (*actor.latent_pi, actor.mu) if isinstance(layer, nn.Linear)]


def _stacked(tensors: Sequence[Tensor]) -> Tensor:
    """Stack tensors of one rank, zero-padded to the largest."""
    sizes = [max(own) for own in zip(*(tensor.shape for tensor in tensors), strict=True)]
    return torch.stack([_padded(tensor, sizes) for tensor in tensors])


def _padded(tensor: Tensor, sizes: Sequence[int]) -> Tensor:
    missing = [size - own for own, size in zip(tensor.shape, sizes, strict=True)]
    return pad(tensor.detach(), [side for more in reversed(missing) for side in (0, more)])

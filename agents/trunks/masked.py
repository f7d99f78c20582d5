"""Hard masks: every task uses some of the units of one network.

The binary masks of T3S, Yu et al., "T3S: Improving Multi-Task Reinforcement Learning with Task-Specific Feature
Selector and Scheduler", 2024, with a score per task and unit in place of its network over the task's code; the gradient
goes straight through the threshold (Bengio, Leonard and Courville 2013).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from agents.base import rows_of
from agents.networks import StackedLinear, hidden_activation
from agents.trunks.layered import normal, on_rows
from agents.trunks.trunk import Trunk, TrunkShape, members

INITIAL_MEAN_SCORE = 1.0  # in standard deviations: about five units of six are in use at the start


class MaskedTrunk(Trunk):
    """A perceptron whose hidden units are masked, task by task; a unit whose score is negative is off."""

    def __init__(self, shape: TrunkShape, generator: torch.Generator) -> None:
        super().__init__()
        self.ensemble, self.tasks, self.layer_norm = shape.ensemble, shape.tasks, shape.layer_norm
        sizes = pairwise([shape.size_in, *shape.hidden, shape.size_out])
        self.layers = nn.ModuleList(StackedLinear(shape.ensemble, a, b, generator) for a, b in sizes)
        self.scores = nn.ParameterList(
            normal(shape.ensemble * shape.tasks, 1, width, std=1.0, generator=generator) for width in shape.hidden
        )
        with torch.no_grad():
            for scores in self.scores:
                scores.add_(INITIAL_MEAN_SCORE)

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, in) -> (E, T, N, out)."""
        chosen = members(task, self.ensemble, self.tasks)
        x = x.expand(self.ensemble, *x.shape)
        for layer, scores in zip(self.layers, self.scores, strict=False):
            mask = straight_through(rows_of(scores, chosen)).unflatten(0, x.shape[:2])
            x = hidden_activation(on_rows(layer, x), self.layer_norm) * mask
        return on_rows(self.layers[-1], x)

    def inspect(self, x: Tensor) -> dict[str, Tensor]:
        """Return the share of the units of each hidden layer that a task uses, ``units_in_use``: (T, layers)."""
        used = [(scores > 0).float().mean(dim=(1, 2)).view(self.ensemble, -1).mean(dim=0) for scores in self.scores]
        return {"units_in_use": torch.stack(used, dim=1)}

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the layers' parameters."""
        return [*self.layers.parameters()]

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the scores."""
        return [*self.scores]

    def probed_layers(self) -> list[nn.Module]:
        """Return all layers but the first."""
        return [*self.layers[1:]]


def straight_through(scores: Tensor) -> Tensor:
    """Return 1 where a score is positive, else 0, with the gradient of its sigmoid."""
    soft = torch.sigmoid(scores)
    return (scores > 0).to(soft.dtype) + (soft - soft.detach())

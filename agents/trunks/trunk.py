"""The interface of trunks, the networks of actor and critics: (T, N, in) -> (E, T, N, out)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from agents.networks import Network, StackedMLP


@dataclass(frozen=True)
class TrunkShape:
    """What a trunk is constructed with, besides a generator.

    Args:
        tasks: T, the number of tasks.
        ensemble: E, the number of members: 1 for the actor, 2 for the twin critics.
        size_in: Size of the input: features, for a critic with the action appended.
        hidden: Widths of the hidden layers.
        size_out: Size of the output.
        layer_norm: Whether hidden layers have layer normalisation.
        network: Makes G networks of equal shape side by side, such as ``StackedMLP``.
        context: (T, d), a vector per task, as for encoders.
        settings: The agent's settings, which include those of the trunk.

    Example:
        >>> shape = mtrl.TrunkShape(10, 2, 64, (128, 128), 1, layer_norm=True, context=torch.zeros(10, 0))
        >>> shape.stack(2, torch.Generator())(torch.zeros(2, 5, 64)).shape
        torch.Size([2, 5, 1])
    """

    tasks: int
    ensemble: int
    size_in: int
    hidden: tuple[int, ...]
    size_out: int
    layer_norm: bool
    network: Callable[..., Network] = StackedMLP
    _: KW_ONLY
    context: Tensor
    settings: Any = None

    def stack(self, groups: int, generator: torch.Generator) -> Network:
        """Make ``groups`` networks of this shape: (groups, R, in) -> (groups, R, out)."""
        return self.network(groups, self.size_in, self.hidden, self.size_out, generator, self.layer_norm)


class Trunk(nn.Module):
    """Base class of trunks, the networks of the actor and of the critics.

    A subclass is constructed as ``Mine(shape, generator)`` and draws its weights from ``generator``, on the CPU.
    Its ``forward(x, task)`` maps (T', N, size_in) to (E, T', N, size_out), where ``task``, (T',) int64, gives the tasks
    of the leading axis and None stands for all of them, in order. All other methods are optional; without them,
    diagnoses skip the trunk.

    Example:
        >>> class Shared(mtrl.Trunk):
        ...     def __init__(self, shape: mtrl.TrunkShape, generator: torch.Generator) -> None:
        ...         super().__init__()
        ...         self.ensemble, self.network = shape.ensemble, shape.stack(shape.ensemble, generator)
        ...
        ...     def forward(self, x: torch.Tensor, task: torch.Tensor | None = None) -> torch.Tensor:
        ...         rows = x.flatten(0, 1).expand(self.ensemble, -1, -1)
        ...         return self.network(rows).unflatten(1, x.shape[:2])
        ...
        ...     def shared_parameters(self) -> list[torch.nn.Parameter]:
        ...         return [*self.parameters()]
        >>> shape = mtrl.TrunkShape(3, 2, 64, (32,), 1, layer_norm=True, context=torch.zeros(3, 0))
        >>> Shared(shape, torch.Generator()).forward(torch.zeros(3, 8, 64)).shape
        torch.Size([2, 3, 8, 1])
    """

    def inspect(self, x: Tensor) -> dict[str, Tensor]:
        """Return quantities to visualise on ``x`` (T, N, in): name -> (T, K). Default: none."""
        return {}

    def set_progress(self, fraction: float) -> None:
        """Set the fraction of the run that is done, in [0, 1]. Default: nothing depends on it."""

    def follow(self, trained: Trunk) -> None:
        """As a target network, copy from ``trained`` what averaging its weights does not cover. Default: nothing."""

    def begin(self) -> None:
        """Forget the progress of the run whose weights were loaded, for a new run. Default: nothing."""

    def masked(self, losses: Tensor, task: Tensor | None = None) -> Tensor:
        """Return the losses (T',) to learn from, 0 for a task to be left out. Default: unchanged."""
        return losses

    def after_step(self, generator: torch.Generator) -> None:
        """Called after each optimiser step on the losses that ``masked`` returned last. Default: does nothing."""

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that all tasks train, for diagnoses and aggregators. Default: none."""
        return []

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the task-specific parameters, each stacked (E * T, ...), task fastest. Default: none."""
        return []

    def probed_layers(self) -> list[nn.Module]:
        """Return the layers that read hidden units, the last one those of the last hidden layer. Default: none."""
        return []


MakeTrunk = Callable[[TrunkShape, torch.Generator], Trunk]


def members(task: Tensor | None, ensemble: int, tasks: int) -> Tensor | None:
    """Return which of the ensemble x tasks stacked networks serve ``task``; None is all of them."""
    if task is None:
        return None
    starts = torch.arange(ensemble, device=task.device) * tasks
    return (starts[:, None] + task[None, :]).flatten()

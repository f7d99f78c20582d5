"""The interface of encoders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class EncoderShape:
    """What an encoder is constructed with, besides a generator.

    Args:
        obs: Size of an observation.
        tasks: T, the number of tasks.
        context: (T, d), a vector per task such as an embedding of its sentence, of about unit norm; d is 0 if the suite
            provides none.
        learned_context: Whether to learn a vector per task in addition.
        settings: The agent's settings, which include those of the encoder.

    Example:
        >>> shape = mtrl.EncoderShape(15, 10, torch.zeros(10, 384), learned_context=False, settings=None)
        >>> shape.context.shape[1]
        384
    """

    obs: int
    tasks: int
    context: Tensor
    learned_context: bool
    settings: Any


class Encoder(nn.Module):
    """Base class of encoders, which turn observations into the features that actor and critics read.

    A subclass is constructed as ``Mine(shape, generator)`` and draws its weights from ``generator``, on the CPU.
    Its ``forward(obs, task)`` maps (T', N, obs) to (T', N, size), where ``task``, (T',) int64, gives the tasks of the
    leading axis and None stands for all of them, in order. It is trained by the critics' loss. All other methods are
    optional.

    Args:
        size: Size of the features.

    Example:
        >>> class Linear(mtrl.Encoder):
        ...     def __init__(self, shape: mtrl.EncoderShape, generator: torch.Generator) -> None:
        ...         super().__init__(size=64)
        ...         weight = torch.randn(shape.obs, 64, generator=generator) / shape.obs**0.5
        ...         self.weight = torch.nn.Parameter(weight)
        ...
        ...     def forward(self, obs: torch.Tensor, task: torch.Tensor | None = None) -> torch.Tensor:
        ...         return torch.relu(obs @ self.weight)
        ...
        ...     def shared_parameters(self) -> list[torch.nn.Parameter]:
        ...         return [self.weight]
        >>> shape = mtrl.EncoderShape(15, 2, torch.zeros(2, 0), learned_context=True, settings=None)
        >>> Linear(shape, torch.Generator()).forward(torch.zeros(2, 8, 15)).shape
        torch.Size([2, 8, 64])
    """

    num_experts = 1  # of a mixture; 1 for other encoders
    generator: torch.Generator | None = None  # the agent's, on its device, for an encoder that draws random numbers

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def inspect(self, obs: Tensor) -> dict[str, Tensor]:
        """Return quantities to visualise on ``obs`` (T, N, obs): name -> (T, K). Default: none."""
        return {}

    def set_progress(self, fraction: float) -> None:
        """Set the fraction of the run that is done, in [0, 1]. Default: nothing depends on it."""

    def auxiliary_loss(self) -> Tensor | None:
        """Return what the last forward pass with gradients adds to every task's critic loss, 0-d, or None: nothing."""
        return None

    def contexts(self) -> Tensor | None:
        """Return the task embeddings, (T, d), or None if the encoder has none."""
        return None

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that all tasks train, for diagnoses and aggregators. Default: none."""
        return []

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the task-specific parameters, each stacked (T, ...). Default: none."""
        return []

    def probed_layers(self) -> list[nn.Module]:
        """Return the layers whose inputs are hidden units, for diagnoses of capacity. Default: none."""
        return []

    def mask_expert(self, expert: int | None) -> None:
        """Mask one expert of the mixture; None unmasks. Raises ``ValueError`` if the encoder is not a mixture."""
        raise ValueError("its encoder is not a mixture")

    def describe(self, context: Tensor) -> None:
        """Describe the same tasks by other contexts (T, d). Raises ``ValueError`` if it reads no context."""
        raise ValueError("it reads no context, so other descriptions change nothing")

    def set_tasks(self, context: Tensor) -> None:
        """Replace the tasks by new ones, given their contexts (T', d). Raises ``ValueError`` if it reads no context."""
        raise ValueError("it reads no context, so it cannot distinguish new tasks")


MakeEncoder = Callable[[EncoderShape, torch.Generator], Encoder]

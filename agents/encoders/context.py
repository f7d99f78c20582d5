"""The context that networks read: a vector for each task, computed from what is known of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from agents.base import rows_of
from agents.encoders.encoder import Encoder, EncoderShape
from agents.networks import StackedMLP


class ContextNetwork(nn.Module):
    """The task's context: a network over what is known of it, plus, if ``learned``, a row per task.

    ``known`` is (T, d): sentence vectors, numbers. The learned row starts at zero, so that a task that was never
    trained still has a context. If nothing is known (d = 0), the network reads a learned row, drawn at random.
    """

    known: Tensor

    def __init__(
        self, known: Tensor, learned: bool, hidden: Sequence[int], size: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        tasks, width = known.shape
        if not width:
            known = torch.empty(tasks, size).normal_(generator=generator)
        # Unit vectors of d numbers are scaled to unit variance, which is what the layers' initialisation expects.
        scaled = known * math.sqrt(width) if width else known
        if width:
            self.register_buffer("known", scaled)
        else:
            self.known = nn.Parameter(scaled)
        self.network = StackedMLP(1, scaled.shape[1], hidden, size, generator, layer_norm=False)
        self.own = nn.Parameter(torch.zeros(tasks, size)) if learned and width else None

    def forward(self, task: Tensor | None = None) -> Tensor:
        """Return the contexts of ``task``, (T, context)."""
        out = self.network(rows_of(self.known, task)[None])[0]
        return out if self.own is None else out + rows_of(self.own, task)

    def describe(self, known: Tensor) -> None:
        """Describe the same tasks by other rows, (T, d). Raises ``ValueError`` if the context is learned per task."""
        if isinstance(self.known, nn.Parameter):
            raise ValueError("its context is learned per task, so it has none for new tasks")
        width = known.shape[1]
        self.known = (known * math.sqrt(width)).to(self.known.device)

    def set_tasks(self, known: Tensor) -> None:
        """Replace the tasks by new ones, given (T', d). Raises ``ValueError`` if the context is learned per task."""
        self.describe(known)
        if self.own is not None:
            self.own = nn.Parameter(torch.zeros(len(known), self.own.shape[1], device=self.own.device))

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the learned row of each task, if there is one."""
        if isinstance(self.known, nn.Parameter):
            return [self.known]
        return [] if self.own is None else [self.own]


class ContextEncoder(Encoder):
    """An encoder that distinguishes tasks by their context; a subclass sets ``context``."""

    context: ContextNetwork

    def contexts(self) -> Tensor:
        """Return the contexts, (T, context)."""
        return self.context()

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the learned part of each task's context, if there is one."""
        return self.context.own_parameters()

    def describe(self, context: Tensor) -> None:
        """Describe the same tasks by other contexts (T, d)."""
        self.context.describe(context)

    def set_tasks(self, context: Tensor) -> None:
        """Replace the tasks by new ones, given their contexts (T', d)."""
        self.context.set_tasks(context)


def context_network(shape: EncoderShape, generator: torch.Generator) -> ContextNetwork:
    """Make the context network that the settings describe: ``context_hidden``, ``context_size``."""
    settings = shape.settings
    return ContextNetwork(
        shape.context, shape.learned_context, settings.context_hidden, settings.context_size, generator
    )

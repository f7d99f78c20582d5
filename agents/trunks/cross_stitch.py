"""Cross-stitch units between a task's own network and the shared one.

Misra, Shrivastava, Gupta and Hebert, "Cross-Stitch Networks for Multi-Task Learning", CVPR 2016, with two columns as in
the private and shared subspaces of Ruder, Bingel, Augenstein and Soegaard, "Latent Multi-Task Architecture Learning",
AAAI 2019 (sluice networks). A column for each of the other tasks would need T networks on every row.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from agents.base import rows_of
from agents.networks import StackedLinear, hidden_activation, in_float32
from agents.trunks.layered import on_rows
from agents.trunks.trunk import Trunk, TrunkShape, members

INITIAL_SELF_WEIGHT = 0.9  # of a column in its own mixture, the rest being the other column: best in Misra et al.


class CrossStitchTrunk(Trunk):
    """A network per task beside one for all of them; before every layer a task mixes its two columns.

    ``stitches``, (E * T, 2, 2) for each layer after the first, are the weights of the own (0) and the shared column (1)
    in each column's next input; the output layer has one row of them.
    """

    def __init__(self, shape: TrunkShape, generator: torch.Generator) -> None:
        super().__init__()
        self.ensemble, self.tasks, self.layer_norm = shape.ensemble, shape.tasks, shape.layer_norm
        stacked = shape.ensemble * shape.tasks
        sizes = [*pairwise([shape.size_in, *shape.hidden, shape.size_out])]
        self.own = nn.ModuleList(StackedLinear(stacked, a, b, generator) for a, b in sizes)
        self.shared = nn.ModuleList(StackedLinear(shape.ensemble, a, b, generator) for a, b in sizes)
        self_weight, other_weight = INITIAL_SELF_WEIGHT, 1.0 - INITIAL_SELF_WEIGHT
        start = torch.tensor([[self_weight, other_weight], [other_weight, self_weight]])
        self.stitches = nn.ParameterList(start.repeat(stacked, 1, 1) for _ in shape.hidden)
        self.output = nn.Parameter(torch.full((stacked, 2), 0.5))

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, in) -> (E, T, N, out)."""
        chosen = members(task, self.ensemble, self.tasks)
        x = x.expand(self.ensemble, *x.shape)
        columns = self._columns(0, x, x, chosen)
        for level, stitches in enumerate(self.stitches, start=1):
            active = hidden_activation(columns, self.layer_norm)
            stitch = rows_of(stitches, chosen).unflatten(0, x.shape[:2])
            mixed = torch.einsum("etij,jetnd->ietnd", stitch, active)
            columns = self._columns(level, mixed[0], mixed[1], chosen)
        share = rows_of(self.output, chosen).unflatten(0, x.shape[:2])
        return in_float32(partial(torch.einsum, "etj,jetnd->etnd"), share, columns)

    def inspect(self, x: Tensor) -> dict[str, Tensor]:
        """Return the weight of the shared column in a task's own one before each layer, ``stitched``: (T, layers)."""
        taken = [stitches[:, 0, 1] for stitches in self.stitches] + [self.output[:, 1]]
        return {"stitched": torch.stack([one.view(self.ensemble, -1).mean(dim=0) for one in taken], dim=1)}

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the shared column's parameters."""
        return [*self.shared.parameters()]

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the tasks' columns and stitches."""
        return [*self.own.parameters(), *self.stitches, self.output]

    def _columns(self, level: int, own: Tensor, shared: Tensor, chosen: Tensor | None) -> Tensor:
        """Apply a layer of each column to (E, T, N, in) -> (2, E, T, N, out)."""
        mine = self.own[level](own.flatten(0, 1), chosen).unflatten(0, own.shape[:2])
        return torch.stack([mine, on_rows(self.shared[level], shared)])

"""MOORE: a mixture of experts whose representations are orthogonal at every state.

Hendawy, Peters and D'Eramo, "Multi-Task Reinforcement Learning with Mixture of Orthogonal Experts", ICLR 2024,
algorithm 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.base import rows_of
from agents.networks import StackedLinear, StackedMLP
from agents.trunks.layered import normal
from agents.trunks.trunk import Trunk, TrunkShape, members


class MOORETrunk(Trunk):
    """``experts`` shared networks, made orthonormal and mixed by each task's weights, and a head per task."""

    def __init__(self, shape: TrunkShape, generator: torch.Generator) -> None:
        super().__init__()
        self.ensemble, self.tasks, self.count = shape.ensemble, shape.tasks, shape.settings.experts
        *hidden, last = shape.hidden
        stacked = shape.ensemble * shape.tasks
        self.experts = StackedMLP(shape.ensemble * self.count, shape.size_in, hidden, last, generator, shape.layer_norm)
        self.mix = normal(stacked, self.count, std=1.0, generator=generator)
        self.heads = StackedLinear(stacked, last, shape.size_out, generator)

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, in) -> (E, T, N, out)."""
        chosen = members(task, self.ensemble, self.tasks)
        weights = rows_of(self.mix, chosen).unflatten(0, (self.ensemble, -1))
        mixed = torch.tanh(torch.einsum("etk,ektnd->etnd", weights, self.representations(x)))
        return self.heads(mixed.flatten(0, 1), chosen).unflatten(0, mixed.shape[:2])

    def representations(self, x: Tensor) -> Tensor:
        """(T, N, in) -> the experts' orthogonal representations (E, K, T, N, d), each of norm sqrt(d)."""
        rows = x.flatten(0, 1).expand(self.ensemble * self.count, -1, -1)
        found = self.experts(rows).unflatten(0, (self.ensemble, self.count))
        # Numbers of about unit size, as after a layer norm, are what the heads' initialisation expects.
        return orthonormal(found).unflatten(2, x.shape[:2]) * found.shape[-1] ** 0.5

    def inspect(self, x: Tensor) -> dict[str, Tensor]:
        """Each task's weights of the experts, ``expert_weights``, averaged over the ensemble: (T, K)."""
        return {"expert_weights": self.mix.unflatten(0, (self.ensemble, -1)).mean(dim=0)}

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the experts'."""
        return [*self.experts.parameters()]

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the tasks' weights and heads."""
        return [self.mix, *self.heads.parameters()]

    def probed_layers(self) -> list[nn.Module]:
        """Return the experts' and the heads."""
        return [*self.experts.probed_layers(), self.heads]


def orthonormal(vectors: Tensor) -> Tensor:
    """(E, K, R, d) -> the same spans, orthonormal over K in every row: Gram-Schmidt, each direction twice.

    In float32 one projection leaves .001 between vectors that were nearly parallel; a second one leaves less than 1e-5.
    """
    basis: list[Tensor] = []
    for vector in vectors.float().unbind(dim=1):
        for _ in range(2):
            for direction in basis:
                vector = vector - (vector * direction).sum(dim=-1, keepdim=True) * direction
            vector = vector / vector.norm(dim=-1, keepdim=True).clamp_min(1e-6)
        basis.append(vector)
    return torch.stack(basis, dim=1)

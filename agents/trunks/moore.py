"""MOORE: a mixture of experts whose representations are orthogonal at every state.

Hendawy, Peters and D'Eramo, "Multi-Task Reinforcement Learning with Mixture of Orthogonal Experts", ICLR 2024,
algorithm 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.base import rows_of
from agents.networks import StackedLinear, StackedMLP, in_float32
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
        features = self.expert_features(x)
        weights = rows_of(self.mix, chosen).unflatten(0, (self.ensemble, -1))
        mixed = torch.tanh(in_float32(self.mixture, weights, features))  # rounded, experts would not be orthogonal
        return self.heads(mixed.flatten(0, 1), chosen).unflatten(0, mixed.shape[:2])

    def mixture(self, weights: Tensor, features: Tensor) -> Tensor:
        """Weights (E, T, K), experts' outputs (E, K, T, N, d) -> the weighted orthogonal vectors' sum, (E, T, N, d)."""
        # Weights of the experts themselves, so that their orthogonal combinations need not be written out.
        on_experts = torch.einsum("etk,etnkj->etnj", weights, self.orthogonal_combinations(features))
        return torch.einsum("etnj,ejtnd->etnd", on_experts, features)

    def expert_features(self, x: Tensor) -> Tensor:
        """(T, N, in) -> the experts' outputs (E, K, T, N, d)."""
        rows = x.flatten(0, 1).expand(self.ensemble * self.count, -1, -1)
        return self.experts(rows).unflatten(0, (self.ensemble, self.count)).unflatten(2, x.shape[:2]).float()

    def orthogonal_combinations(self, features: Tensor) -> Tensor:
        """(E, K, T, N, d) -> coefficients (E, T, N, K, K) that make experts orthogonal vectors of norm sqrt(d)."""
        vectors = features.permute(0, 2, 3, 1, 4).double()
        # The heads' initialisation expects numbers of about unit size, as after a layer norm.
        return (orthonormal(vectors @ vectors.mT) * features.shape[-1] ** 0.5).float()

    def inspect(self, x: Tensor) -> dict[str, Tensor]:
        """Return each task's weights of the experts, ``expert_weights``, averaged over the ensemble: (T, K)."""
        return {"expert_weights": self.mix.unflatten(0, (self.ensemble, -1)).mean(dim=0)}

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the experts' parameters."""
        return [*self.experts.parameters()]

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the tasks' weights and heads."""
        return [self.mix, *self.heads.parameters()]

    def probed_layers(self) -> list[nn.Module]:
        """Return the experts' probed layers and the heads."""
        return [*self.experts.probed_layers(), self.heads]


def orthonormal(gram: Tensor) -> Tensor:
    """Inner products (..., K, K) of K vectors -> their orthonormal combinations, (..., K, K), a row for each.

    Gram-Schmidt on coefficients, so that vectors themselves are not touched. With products in float64, vectors that
    were parallel up to a thousandth end with inner products below 1e-4.
    """
    units = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    basis: list[Tensor] = []
    products: list[Tensor] = []  # of each vector of the basis with all K vectors, (..., K)
    for k, unit in enumerate(units.unbind()):
        row = unit.expand(gram.shape[:-1])
        for other, product in zip(basis, products, strict=True):
            row = row - product[..., k : k + 1] * other
        product = (row.unsqueeze(-1) * gram).sum(dim=-2)  # faster than a product of matrices this small
        scale = (product * row).sum(dim=-1, keepdim=True).clamp_min(1e-12).rsqrt()
        basis.append(row * scale)
        products.append(product * scale)
    return torch.stack(basis, dim=-2)

"""PaCo: every task's weights are a combination of a few sets of weights that all tasks share.

Sun, Zhang, Xu and Tomizuka, "PaCo: Parameter-Compositional Multi-Task Reinforcement Learning", NeurIPS 2022: theta_t =
Phi w_t. Where a task's loss explodes it is left out, and its vector redrawn between those of the others (the paper's
loss maskout and re-initialisation).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.base import rows_of
from agents.networks import StackedLinear
from agents.trunks.layered import LayeredTrunk, TaskLayer
from agents.trunks.trunk import TrunkShape, members


class Composition(nn.Module):
    """Each task's vector w_t, (E * T, K), which all layers of a trunk read: unit vectors at the start."""

    def __init__(self, shape: TrunkShape, sets: int, generator: torch.Generator) -> None:
        super().__init__()
        self.ensemble, self.tasks = shape.ensemble, shape.tasks
        drawn = torch.empty(shape.ensemble * shape.tasks, sets).normal_(generator=generator)
        self.weights = nn.Parameter(drawn / drawn.norm(dim=1, keepdim=True))

    def forward(self, task: Tensor | None) -> Tensor:
        """Return the vectors of ``task``, (E, T, K)."""
        chosen = rows_of(self.weights, members(task, self.ensemble, self.tasks))
        return chosen.unflatten(0, (self.ensemble, -1))

    @torch.no_grad()
    def redraw(self, tasks: Tensor, generator: torch.Generator) -> None:
        """Replace the vectors of ``tasks``, (T,) bool, by convex combinations of the others', drawn uniformly."""
        drawn = torch.empty(self.tasks, self.tasks, device=tasks.device).exponential_(generator=generator) * ~tasks
        shares = drawn / drawn.sum(dim=1, keepdim=True).clamp_min(torch.finfo(drawn.dtype).tiny)
        old = self.weights.unflatten(0, (self.ensemble, -1))
        new = torch.einsum("ts,esk->etk", shares, old)
        self.weights.copy_(torch.where(tasks[:, None], new, old).flatten(0, 1))


class CompositionalLayer(TaskLayer):
    """``sets`` linear layers; a task's layer is their sum, weighted by the task's vector in ``composition``."""

    def __init__(
        self,
        composition: Composition,
        ensemble: int,
        size_in: int,
        size_out: int,
        sets: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.sets = StackedLinear(ensemble * sets, size_in, size_out, generator)
        self.composition = composition

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(E, T, N, in) -> (E, T, N, out)."""
        mix = self.composition(task)
        weight, bias = (
            torch.einsum("etk,ekio->etio", mix, part.unflatten(0, (x.shape[0], -1)))
            for part in (self.sets.weight, self.sets.bias)
        )
        out = torch.baddbmm(bias.flatten(0, 1), x.flatten(0, 1), weight.flatten(0, 1))
        return out.unflatten(0, x.shape[:2])

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the sets."""
        return [*self.sets.parameters()]

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the tasks' vectors."""
        return [self.composition.weights]


class PaCoTrunk(LayeredTrunk):
    """A perceptron of ``parameter_sets`` sets of weights. Actor and critics have separate vectors.

    A loss explodes if its absolute value exceeds ``loss_limit``, unless the losses of all tasks in the batch do. The
    critics' losses decide on their vectors, the actor's on its own.
    """

    def __init__(self, shape: TrunkShape, generator: torch.Generator) -> None:
        sets, self.limit = shape.settings.parameter_sets, shape.settings.loss_limit
        composition = Composition(shape, sets, generator)

        def layer(size_in: int, size_out: int) -> TaskLayer:
            return CompositionalLayer(composition, shape.ensemble, size_in, size_out, sets, generator)

        super().__init__(shape, layer)
        self.exploded: Tensor | None = None  # (T,) bool, of the latest losses

    def masked(self, losses: Tensor, task: Tensor | None = None) -> Tensor:
        """Return the losses (T',), with 0 for those that exploded."""
        beyond = losses.detach().abs() > self.limit
        exploded, drawn, tasks = beyond, torch.ones_like(beyond), self._composition().tasks
        if task is not None:
            counts = torch.zeros(2, tasks, device=losses.device)
            exploded, drawn = counts.index_add(1, task, torch.stack([beyond, torch.ones_like(beyond)]).float()) > 0
        self.exploded = exploded & ~(exploded | ~drawn).all()
        return torch.where(rows_of(self.exploded, task), torch.zeros_like(losses), losses)

    def after_step(self, generator: torch.Generator) -> None:
        """Redraw the vectors of tasks whose loss exploded."""
        if self.exploded is not None:
            self._composition().redraw(self.exploded, generator)

    def inspect(self, x: Tensor) -> dict[str, Tensor]:
        """Return each task's ``composition``, averaged over the ensemble: (T, K)."""
        return {"composition": self._composition()(None).mean(dim=0)}

    def _composition(self) -> Composition:
        (first, *_) = self.layers
        assert isinstance(first, CompositionalLayer)
        return first.composition

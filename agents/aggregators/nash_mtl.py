"""Nash-MTL: tasks bargain for the update, each gaining by its own measure.

Navon, Shamsian, Achituve, Maron, Kawaguchi, Chechik and Fetaya, "Multi-Task Learning as a Bargaining Game", ICML 2022.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agents.aggregators.aggregator import Parameters
from agents.aggregators.quadratic import cosines_and_norms, present
from agents.aggregators.weighing import ROLES, GradientWeighing, of_tasks, put, with_row
from agents.base import PieceShape

NEWTON_STEPS = 20


class NashMTL(GradientWeighing):
    """The Nash bargaining solution, solved again every ``nash_every`` updates; in between its weights are kept.

    It is solved for gradients of mean norm 1 and multiplied by their mean norm; TorchJD's and the authors' code clip
    the combination to a given norm instead. A task whose gradient is zero, as a masked one's, keeps its weight.
    """

    bargained: Tensor

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        self.register_buffer("bargained", torch.ones(len(ROLES), shape.tasks))
        self._updates = dict.fromkeys(ROLES, 0)

    def weights(self, gram: Tensor, parameters: Parameters) -> Tensor:
        """Return the weights of the gradients with the inner products ``gram``."""
        row = ROLES.index(parameters.role)
        if self._updates[parameters.role] % self.settings.nash_every == 0:
            before = of_tasks(self.bargained[row], parameters)
            found = torch.where(present(gram) > 0, bargain(gram).to(before.dtype), before)
            self.bargained = with_row(self.bargained, row, put(self.bargained[row], found, parameters))
        self._updates[parameters.role] += 1
        return of_tasks(self.bargained[row], parameters)

    def get_extra_state(self) -> Tensor:
        """Return the number of updates so far, for the critics and for the actor, with the weights."""
        return torch.tensor([self._updates[role] for role in ROLES])

    def set_extra_state(self, state: Tensor) -> None:
        """Continue from ``get_extra_state``."""
        self._updates = dict(zip(ROLES, state.tolist(), strict=True))


def bargain(gram: Tensor) -> Tensor:
    """Inner products (T, T) -> weights (T,) > 0 with G w proportional to 1 / w, for gradients of mean norm 1.

    In cosines C and v, the weights times the norms, C v = 1 / v: the minimiser of v C v / 2 - sum(log v). That function
    is self-concordant, so Newton's method with steps of 1 / (1 + decrement) needs no line search.
    """
    cosines, norms = cosines_and_norms(gram)
    found = torch.ones_like(norms)
    for _ in range(NEWTON_STEPS):
        slope = cosines @ found - 1.0 / found
        step = torch.linalg.solve_ex(cosines + torch.diag(found.square().reciprocal()), slope).result
        decrement = (slope @ step).clamp_min(0.0).sqrt()
        found = found - step / (1.0 + decrement)
    return found * norms.mean() / norms

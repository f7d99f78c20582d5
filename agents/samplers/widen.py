"""A curriculum over a range of numbers: from one task outwards, as the outermost ones are learned.

Automatic domain randomization: Akkaya et al., "Solving Rubik's Cube with a Robot Hand", 2019, on the tasks of a suite
in place of a continuous range; both ends are measured at every evaluation.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agents.base import PieceShape
from agents.registry.spec import RegistryError
from agents.samplers.proportional import Proportional, with_floor


class Widen(Proportional):
    """Draws evenly from the unlocked tasks, which are neighbours by their number: at first the one nearest to
    ``widen_from``, by default the middle one. At each evaluation, each outermost task with a success of at least
    ``widen_at`` unlocks its neighbour.

    Unlocked tasks stay unlocked. Raises ``RegistryError`` if the tasks have no numbers.
    """

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        if shape.numbers is None:
            raise RegistryError(
                "samplers that widen order tasks by the one number in which they differ, as in a family, and these "
                "differ in none or in several; use --sampler unlock, which takes the suite's order"
            )
        self.enough = self.threshold()
        numbers = torch.tensor(shape.numbers, dtype=torch.float64)
        order = numbers.argsort(stable=True)
        self._rank = order.argsort().to(shape.device)
        first = self.settings.widen_from
        start = (shape.tasks - 1) // 2 if first is None else int((numbers[order] - first).abs().argmin())
        ends = {"lowest": start, "highest": start}
        self.learned = {name: torch.tensor(rank, device=shape.device) for name, rank in ends.items()}

    def threshold(self) -> float:
        """Return the score at which a task counts as learned."""
        return float(self.settings.widen_at)

    def observe_scores(self, scores: Tensor) -> None:
        """Widen if the outermost unlocked tasks' scores, among (T,), allow it."""
        lowest, highest = self.learned["lowest"], self.learned["highest"]
        learned = scores.to(self.device) >= self.enough
        self.learned = {
            "lowest": (lowest - (learned & (self._rank == lowest)).any().long()).clamp(min=0),
            "highest": (highest + (learned & (self._rank == highest)).any().long()).clamp(max=self.tasks - 1),
        }

    def shares(self) -> Tensor:
        """Return the shares: equal for all unlocked tasks."""
        unlocked = (self._rank >= self.learned["lowest"]) & (self._rank <= self.learned["highest"])
        return with_floor(unlocked.float(), 0.0)


class WidenByReturn(Widen):
    """Uses returns, as for tasks that report no success: an outermost task must reach ``widen_return``.

    Raises ``RegistryError`` without it.
    """

    def threshold(self) -> float:
        """Return the return at which a task counts as learned."""
        if self.settings.widen_return is None:
            raise RegistryError(
                "sampler 'widen-by-return' needs the return at which a task counts as learned; give it, as in "
                "--widen-return -200"
            )
        return float(self.settings.widen_return)

    def observe_scores(self, scores: Tensor) -> None:
        """Ignore them: they are success rates where tasks report success."""

    def observe_returns(self, returns: Tensor) -> None:
        """Widen if the outermost unlocked tasks' returns, among (T,), allow it."""
        super().observe_scores(returns)

"""Detects at once that training has become non-finite, and keeps the last finite weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from agents.base import Agent
from mtrl.errors import RunError
from mtrl.training.moment import Moment

ADVICE = "so training has diverged; scale the rewards to a few units per step, or lower --learning-rate"


class Diverged(RunError):
    """Training became non-finite; the message names the first quantity that did."""


class FiniteGuard:
    """Watches an agent while it learns; ``weights`` are the last ones known to be finite, of ``step``.

    On the CPU every update's metrics and every action are looked at, so that weights which are not finite are noticed
    before an environment or the next update meets them; the weights themselves, when they are kept. On an accelerator
    the host would wait, so there it happens with each line of the log, and for actions that go to the host anyway.
    """

    def __init__(self, agent: Agent, device: torch.device) -> None:
        self._agent = agent
        self._at_once = device.type == "cpu"
        self.weights: dict[str, Tensor] = {}
        self.keep(0)

    def action(self, action: Tensor, step: int, on_host: bool) -> None:
        """Check actions (T, N, A) before they are passed to an environment. Raises ``Diverged``."""
        if (self._at_once or on_host) and not _finite(action):
            self._check_weights(step)
            raise Diverged(f"the policy's action is not finite after {step:,} steps per task, {ADVICE}")

    def update(self, metrics: dict[str, Tensor], step: int) -> None:
        """Check an update's metrics, unless the host would have to wait for the device. Raises ``Diverged``."""
        if self._at_once:
            self.check(metrics, step)

    def check(self, metrics: dict[str, Tensor], step: int) -> None:
        """Check an update's metrics. Raises ``Diverged``."""
        if metrics and not _finite(torch.cat([metric.detach().flatten() for metric in metrics.values()])):
            name, numbers = next((n, m.flatten().tolist()) for n, m in metrics.items() if not bool(m.isfinite().all()))
            raise Diverged(f"train/{name} is {numbers} after {step:,} steps per task, {ADVICE}")

    def keep(self, step: int) -> None:
        """Keep the weights as they are now. Raises ``Diverged`` where they are not finite."""
        self._check_weights(step)
        self.weights = {name: weight.detach().clone() for name, weight in self._agent.state_dict().items()}
        self.step = step

    def __call__(self, now: Moment) -> None:
        """Keep the weights as they are now, unless something is not finite. Raises ``Diverged`` then."""
        self.check(now.metrics, now.span.step)
        self.keep(now.span.step)

    def _check_weights(self, step: int) -> None:
        weights = {name: w for name, w in self._agent.state_dict().items() if w.is_floating_point()}
        finite = torch.stack([weight.isfinite().all() for weight in weights.values()])
        if not bool(finite.all()):
            name = [*weights][finite.tolist().index(False)]
            raise Diverged(f"weight {name} is not finite after {step:,} steps per task, {ADVICE}")


def _finite(numbers: Tensor) -> bool:
    """Return whether all are finite. Summing is the fastest test, and conclusive whenever the sum is finite."""
    return math.isfinite(numbers.sum().item()) or bool(numbers.isfinite().all())

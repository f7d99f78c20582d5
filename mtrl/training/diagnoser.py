"""When a run's agent is diagnosed, on which rows, and under which tags the findings are logged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from agents.base import Agent, Batch, restore_generator, seeded_generator
from agents.replay import Replay
from mtrl.config import TrainConfig
from mtrl.errors import UsageError
from mtrl.pictures.heat_maps import COSINES
from mtrl.tracking.run_log import RunLog, per_task
from mtrl.training.moment import Moment
from mtrl.training.schedule import multiples_of

GROUP = "train_diagnostics"
ROWS = 256  # of each task: more than an update has, since noise pulls cosines to 0
COPIES = 2  # of each task whose last steps are followed
NEGLIGIBLE = 0.05  # what the last of the steps that a value is compared with counts for, at most
MAX_STEPS = 1_000  # followed at most, where the discount would ask for more
SEED = 700_000_000  # apart from training's and the scores'
DRAWN = 5  # one diagnosis in so many is drawn too, and the last: drawing costs more than measuring
SHARES = ("loss_share",)  # of which the mean over tasks says nothing


class Diagnoser:
    """A callback that diagnoses an agent; it is ``due`` every ``config.diagnose_every`` steps per task, and at the end.

    Nothing of its training is changed: batches and noise are drawn from a generator of its own. One copy to the host a
    diagnosis. An agent without a method ``diagnose`` is not diagnosed.
    """

    def __init__(
        self,
        config: TrainConfig[Any],
        names: Sequence[str],
        agent: Agent,
        replay: Replay,
        log: RunLog,
        device: torch.device,
    ) -> None:
        every = config.eval_every if config.diagnose_every is None else config.diagnose_every
        self.due = multiples_of(every if hasattr(agent, "diagnose") else 0, at_end=True)
        self._config, self._names = config, (*names,)
        self._agent, self._replay, self._log = agent, replay, log
        self._generator = seeded_generator(config.seed + SEED, device)
        self._steps = steps_followed(config.settings.discount)
        self._count = 0

    def __call__(self, now: Moment) -> None:
        """Diagnose the agent as it is now, once it has begun to learn."""
        if not now.learned:
            return
        step = now.span.step
        batch = self._replay.sample(ROWS, self._generator)
        found = self._agent.diagnose(batch, self._history(step), self._generator)
        self.write(step, found, drawn=now.span.last or self._count % DRAWN == 0)
        self._count += 1

    def state_dict(self) -> dict[str, Any]:
        """Return the state that decides which rows the next diagnosis draws, and whether it is drawn as a picture."""
        return {"generator": self._generator.get_state(), "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what ``state_dict`` returned."""
        restore_generator(self._generator, state["generator"])
        self._count = state["count"]

    def write(self, step: int, found: dict[str, Tensor], drawn: bool) -> None:
        """Write numbers as scalars, (T,) per task and as their mean, and (T, T), in [-1, 1], as tables, some drawn."""
        values: dict[str, float] = {}
        for name, array in on_host(found).items():
            tag = f"{GROUP}/{name}"
            if array.dim() == 2:
                self._log.matrix(step, name, array.numpy(), self._names, self._names, COSINES, drawn)
                continue
            if name not in SHARES:
                values[tag] = float(array.nanmean())
            if array.dim() == 1:
                values |= per_task(tag, self._names, array.tolist())
        self._log.scalars(step, {tag: value for tag, value in values.items() if math.isfinite(value)})

    def _history(self, step: int) -> Batch | None:
        """Return the latest steps, once the agent itself has taken enough; its critics know nothing of random play."""
        copies, steps = self._config.envs_per_task, 2 * self._steps
        own = (step - self._config.random_steps) // copies
        if steps > min(own, self._replay.size // copies):
            return None
        return self._replay.history(steps, copies, min(copies, COPIES))


def check_diagnosable(config: TrainConfig[Any], agent: Agent) -> None:
    """Raise ``UsageError`` if diagnoses are requested of an agent that has none."""
    if config.diagnose_every and not hasattr(agent, "diagnose"):
        raise UsageError(f"agent {config.agent!r} has no method diagnose; leave out --diagnose-every")


def steps_followed(discount: float) -> int:
    """Return the number of steps after which a reward is discounted to ``NEGLIGIBLE``, at most ``MAX_STEPS``."""
    return MAX_STEPS if discount >= 1.0 else min(MAX_STEPS, math.ceil(math.log(NEGLIGIBLE) / math.log(discount)))


def on_host(found: dict[str, Tensor]) -> dict[str, Tensor]:
    """Bring tensors to the host in one copy."""
    flat = torch.cat([tensor.detach().flatten().float() for tensor in found.values()]).cpu()
    parts = flat.split([tensor.numel() for tensor in found.values()])
    return {name: part.view(tensor.shape) for (name, tensor), part in zip(found.items(), parts, strict=True)}

"""Learns some of an agent's tasks, while the others are rehearsed from their kept transitions.

Experience replay against forgetting (Rolnick, Ahuja, Schwarz, Lillicrap and Wayne, "Experience Replay for Continual
Learning", NeurIPS 2019), without their behavioural cloning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from agents.base import Batch, restore_generator, seeded_generator
from agents.replay import Replay


class Rehearsal:
    """Wraps an agent so that the loop steps only the new tasks: every update has as many rows of each kept task.

    ``kept`` (T_kept rings) and ``new`` are tasks' numbers in the agent; together they are all of its tasks. Rows of
    the new tasks may be shorter than the agent's ``sizes``, (obs, action), and are padded with zeros; their
    environments take ``actions`` numbers. Metrics and diagnoses cover all of the agent's tasks.
    """

    def __init__(
        self,
        agent: Any,
        replay: Replay,
        kept: Sequence[int],
        new: Sequence[int],
        sizes: tuple[int, int],
        actions: int,
        seed: int,
    ) -> None:
        """``agent`` is an ``agents.sac.SAC``."""
        self.agent, self._replay, self._sizes, self._actions = agent, replay, sizes, actions
        device = replay.device
        self._new = torch.tensor([*new], device=device)
        self._order = torch.argsort(torch.tensor([*kept, *new], device=device))
        self._generator = seeded_generator(seed, device)

    def act(self, obs: Tensor, task: Tensor | None = None, *, explore: bool) -> Tensor:
        """Return actions (T', N, A) for the new tasks' ``obs`` (T', N, obs)."""
        numbers = self._new if task is None else self._new.index_select(0, task)
        return self.agent.act(self._obs(obs), numbers, explore=explore)[..., : self._actions]

    def observe(self, obs: Tensor, reward: Tensor, ended: Tensor) -> None:
        """Update running statistics with a step of the new tasks' environments."""
        self.agent.observe(self._obs(obs), reward, ended, self._new)

    def break_off(self) -> None:
        """Forget what running statistics know of running episodes, which will not be continued."""
        self.agent.break_off()

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Take a gradient step on a batch of the new tasks, and as many rows of each kept one."""
        return self.agent.update(self._joined(batch, self._replay.sample(batch.obs.shape[1], self._generator)))

    def set_progress(self, fraction: float) -> None:
        """Set the fraction of the run that is done."""
        self.agent.set_progress(fraction)

    def inspect(self, obs: Tensor) -> dict[str, Tensor]:
        """Return quantities to visualise for all tasks: new ones on ``obs``, the others on kept observations."""
        kept = self._replay.sample(obs.shape[1], torch.Generator(obs.device).manual_seed(0)).obs
        return self.agent.inspect(self._all(self._obs(obs), kept))

    def diagnose(self, batch: Batch, history: Batch | None, generator: torch.Generator) -> dict[str, Tensor]:
        """Diagnose the agent on a batch of all tasks, without a history, since kept tasks have none."""
        kept = self._replay.sample(batch.obs.shape[1], generator)
        return self.agent.diagnose(self._joined(batch, kept), None, generator)

    def state_dict(self) -> dict[str, Any]:
        """Return the agent's weights by name."""
        return self.agent.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Load the agent's weights by name."""
        return self.agent.load_state_dict(state_dict)

    def training_state(self) -> dict[str, Any]:
        """Return the agent's state, and that of the generator that draws kept rows."""
        return {"agent": self.agent.training_state(), "rehearsed": self._generator.get_state()}

    def load_training_state(self, state: dict[str, Any]) -> None:
        """Restore what ``training_state`` returned."""
        self.agent.load_training_state(state["agent"])
        restore_generator(self._generator, state["rehearsed"])

    def _obs(self, obs: Tensor) -> Tensor:
        return pad(obs, (0, self._sizes[0] - obs.shape[-1]))

    def _all(self, new: Tensor, kept: Tensor) -> Tensor:
        """Put (T, N, ...) of new and kept tasks into the agent's order."""
        return torch.cat([kept, new]).index_select(0, self._order)

    def _joined(self, batch: Batch, kept: Batch) -> Batch:
        action = pad(batch.action, (0, self._sizes[1] - batch.action.shape[-1]))
        padded = batch._replace(obs=self._obs(batch.obs), next_obs=self._obs(batch.next_obs), action=action)
        return Batch(*(self._all(new, old) for new, old in zip(padded[:5], kept[:5], strict=True)))

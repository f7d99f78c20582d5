"""The training loop: act, step, store, learn. Everything else is done by callbacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from agents.base import Agent
from agents.replay import Replay
from agents.samplers import Sampler
from mtrl.config import TrainConfig
from mtrl.finite import FiniteGuard
from mtrl.tensor_env import TensorEnv, Transition
from mtrl.training.moment import Moment
from mtrl.training.schedule import Scheduled, Span, notify


class Training:
    """An agent on its way through a run: ``step``, environment steps per task, and ``updates`` say how far it is."""

    def __init__(
        self,
        config: TrainConfig[Any],
        env: TensorEnv,
        agent: Agent,
        replay: Replay,
        sampler: Sampler,
        guard: FiniteGuard,
    ) -> None:
        self._config, self._env, self._agent = config, env, agent
        self._replay, self._sampler, self._guard = replay, sampler, guard
        self._generator = np.random.default_rng(config.seed)
        self._metrics: dict[str, Tensor] = {}
        self._obs: Tensor | None = None
        self.step, self.updates = 0, 0

    @property
    def env_steps(self) -> int:
        """Environment steps so far, over all tasks."""
        return self.step * self._env.tasks

    def run(self, callbacks: Sequence[Scheduled]) -> None:
        """Train to the end of the budget, or until a callback returns False.

        Raises ``Diverged`` where what is learned is no longer finite.
        """
        while self.step < self._config.steps_per_task:
            if not notify(callbacks, self.advance()):
                break
        self._guard.keep(self.step)

    def advance(self) -> Moment:
        """Take one step in every copy of every task, and learn from it."""
        config, agent, env = self._config, self._agent, self._env
        obs = env.reset(config.seed) if self._obs is None else self._obs
        warm = self.step < config.random_steps
        action = env.random_action(self._generator) if warm else agent.act(obs, explore=True)
        self._guard.action(action, self.step, env.steps_on_host)
        transition = env.step(action)
        self._remember(obs, action, transition)
        span = Span(self.step, self.step + env.copies, config.steps_per_task)
        self._obs, self.step = transition.obs, span.step
        agent.set_progress(min(span.step / span.total, 1.0))
        learned = not warm and self._replay.size > 0
        if learned:
            self._learn()
        return Moment(span, self.env_steps, self.updates, learned, self._metrics, transition)

    def _remember(self, obs: Tensor, action: Tensor, transition: Transition) -> None:
        kept = transition.kept
        reward, terminated = transition.reward[:, kept], transition.terminated[:, kept]
        self._replay.add(obs[:, kept], action[:, kept], reward, terminated, transition.final_obs[:, kept])
        self._agent.observe(obs[:, kept], transition.reward, transition.ended)

    def _learn(self) -> None:
        for _ in range(self._config.updates_per_step):
            task, rows = self._sampler.draw(self._config.batch_per_task)
            self._metrics = self._agent.update(self._replay.sample(rows, task=task))
            self._guard.update(self._metrics, self.step)
            if "critic_loss" in self._metrics:
                self._sampler.observe_losses(self._metrics["critic_loss"])
        self.updates += self._config.updates_per_step

    def state_dict(self, replay_rows: bool = True) -> dict[str, Any]:
        """Return everything that decides how the training goes on, of agent, replay, sampler and environments.

        The transitions themselves, the bulk of it, can be left to somebody else to keep.
        """
        return {
            "step": self.step,
            "updates": self.updates,
            "obs": None if self._obs is None else self._obs.cpu(),
            "generator": self._generator.bit_generator.state,
            "env": self._env.state_dict(),
            "agent": self._agent.training_state(),
            "replay": self._replay.state_dict(replay_rows),
            "sampler": self._sampler.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what ``state_dict`` returned.

        The numbers are those that would have followed, but for environments that cannot be put back to where they
        were: these begin their next episodes.
        """
        self.step, self.updates = state["step"], state["updates"]
        self._generator.bit_generator.state = state["generator"]
        obs = self._env.load_state_dict(state["env"])
        self._obs = None if state["obs"] is None else obs
        self._agent.load_training_state(state["agent"])
        self._replay.load_state_dict(state["replay"])
        self._sampler.load_state_dict(state["sampler"])

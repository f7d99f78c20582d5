"""The training loop: act, step, store, learn. Everything else is done by callbacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from torch import Tensor

from agents.base import Agent
from agents.graph import CaptureFailed, GraphedUpdates
from agents.replay import Replay
from agents.samplers import Sampler
from envs.stepping.vector import broken_off
from mtrl.config import TrainConfig
from mtrl.errors import RunError
from mtrl.rollout.tensor_env import TensorEnv, Transition
from mtrl.training.finite import FiniteGuard
from mtrl.training.moment import Moment
from mtrl.training.schedule import Scheduled, Span


class Training:
    """An agent in training; ``step`` counts environment steps per task, ``updates`` the updates so far."""

    def __init__(
        self,
        config: TrainConfig[Any],
        env: TensorEnv,
        agent: Agent,
        replay: Replay,
        sampler: Sampler,
        guard: FiniteGuard,
        breakable: Callable[[], AbstractContextManager[None]] = nullcontext,
        trained: bool = False,
        graph: GraphedUpdates | None = None,
    ) -> None:
        """``breakable`` returns a context manager for a step of the environments, which may take long.

        A ``trained`` agent acts by its own policy from the first step on, where another acts at random. With a
        ``graph`` its updates replace the agent's own, with equally many rows of each task.
        """
        self._trained, self._graph = trained, graph
        self._config, self._env, self._agent = config, env, agent
        self._replay, self._sampler, self._guard, self._breakable = replay, sampler, guard, breakable
        self._generator = np.random.default_rng(config.seed)
        self._metrics: dict[str, Tensor] = {}
        self._sampler_metrics: Callable[[], dict[str, Tensor]] = getattr(sampler, "metrics", dict)
        self._observe_gradients: Callable[[Tensor], Any] | None = getattr(sampler, "observe_gradients", None)
        self._obs: Tensor | None = None
        self._learned, self._called = False, 0  # called: how many callbacks since the latest step
        self.step, self.updates = 0, 0

    @property
    def env_steps(self) -> int:
        """Environment steps so far, over all tasks."""
        return self.step * self._env.tasks

    def run(self, callbacks: Sequence[Scheduled]) -> None:
        """Train to the end of the budget, or until a callback returns False.

        Raises ``Diverged`` where what is learned is no longer finite.
        """
        going = not self._called or self._notify(callbacks, self._moment(self._null_transition()))
        while going and self.step < self._config.steps_per_task:
            going = self._notify(callbacks, self.advance())
        self._guard.keep(self.step)

    def advance(self) -> Moment:
        """Take one step in every copy of every task, and learn from it."""
        config, agent, env = self._config, self._agent, self._env
        obs = env.reset(config.seed) if self._obs is None else self._obs
        warm = self.step < config.random_steps
        random = warm and not self._trained
        action = env.random_action(self._generator) if random else agent.act(obs, explore=True)
        self._guard.action(action, self.step, env.steps_on_host)
        with self._breakable():
            transition = env.step(action)
        self._store(obs, action, transition)
        self._obs, self.step = transition.obs, self.step + env.copies
        agent.set_progress(min(self.step / config.steps_per_task, 1.0))
        self._learned = not warm and self._replay.size > 0
        if self._learned:
            self._learn()
        return self._moment(transition)

    def _notify(self, callbacks: Sequence[Scheduled], now: Moment) -> bool:
        """Call the callbacks that have not been called since the latest step; return whether training continues."""
        going = True
        for callback in callbacks[self._called :]:
            going = callback(now) and going
            self._called += 1
        self._called = 0
        return going

    def _moment(self, transition: Transition) -> Moment:
        span = Span(self.step - self._env.copies, self.step, self._config.steps_per_task)
        return Moment(span, self.env_steps, self.updates, self._learned, self._metrics, transition)

    def _null_transition(self) -> Transition:
        """Return a step without effect: of the one before a checkpoint only the observations are known."""
        assert self._obs is not None
        nothing = self._obs.new_zeros(self._obs.shape[:2])
        return Transition(self._obs, self._obs, nothing, nothing > 0, nothing > 0)

    def _store(self, obs: Tensor, action: Tensor, transition: Transition) -> None:
        kept = transition.kept
        reward, terminated = transition.reward[:, kept], transition.terminated[:, kept]
        self._replay.add(obs[:, kept], action[:, kept], reward, terminated, transition.final_obs[:, kept])
        self._agent.observe(obs[:, kept], transition.reward, transition.ended)

    def _learn(self) -> None:
        if self._graph is not None:
            self._learn_by(self._graph)
            return
        for _ in range(self._config.updates_per_step):
            task, rows = self._sampler.draw(self._config.batch_per_task)
            self._metrics = self._agent.update(self._replay.sample(rows, task=task))
            self._guard.update(self._metrics, self.step)
            if "critic_loss" in self._metrics:
                self._sampler.observe_losses(self._metrics["critic_loss"])
            if self._observe_gradients and "critic_gradient_norm" in self._metrics:
                self._observe_gradients(self._metrics["critic_gradient_norm"])
        self._metrics = {**self._metrics, **self._sampler_metrics()}
        self.updates += self._config.updates_per_step

    def _learn_by(self, graph: GraphedUpdates) -> None:
        for _ in range(self._config.updates_per_step // graph.updates):
            try:
                self._metrics = graph()
            except CaptureFailed as error:
                raise RunError(str(error)) from error
            self._guard.update(self._metrics, self.step)
        self.updates += self._config.updates_per_step

    def state_dict(self) -> dict[str, Any]:
        """Return the state of training: of agent, replay, sampler and environments.

        The replay's transitions, by far the largest part, are saved by the replay's owner.
        """
        return {
            "step": self.step,
            "updates": self.updates,
            "learned": self._learned,
            "told": self._called,
            "obs": None if self._obs is None else self._obs.cpu(),
            "generator": self._generator.bit_generator.state,
            "env": self._env.state_dict(),
            "agent": self._agent.training_state(),
            "replay": self._replay.state_dict(rows=False),
            "sampler": self._sampler.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what ``state_dict`` returned.

        The replay must hold its transitions again. The numbers are those that would have followed, except that
        environments whose state cannot be restored start their next episodes.
        """
        self.step, self.updates = state["step"], state["updates"]
        self._learned, self._called = state["learned"], state["told"]
        self._generator.bit_generator.state = state["generator"]
        obs = self._env.load_state_dict(state["env"])
        self._obs = None if state["obs"] is None else obs
        self._agent.load_training_state(state["agent"])
        if broken_off(state["env"]) and hasattr(self._agent, "break_off"):
            self._agent.break_off()
        self._replay.load_state_dict(state["replay"])
        self._sampler.load_state_dict(state["sampler"])
        if self._graph is not None:
            self._graph.reset()

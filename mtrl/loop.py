"""The training loop: act, step, remember, learn, and now and then write down and evaluate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.base import Agent
from agents.replay import Replay
from agents.samplers import Sampler, Uniform
from mtrl.assemble import greedy
from mtrl.callbacks import Watcher
from mtrl.camera import Camera
from mtrl.config import TrainConfig
from mtrl.episodes import EpisodeTracker
from mtrl.finite import FiniteGuard
from mtrl.reporter import Reporter
from mtrl.scores import Scorer
from mtrl.tensor_env import TensorEnv


@dataclass(frozen=True)
class Progress:
    """How far a run came."""

    step: int  # environment steps per task
    env_steps: int  # over all tasks
    updates: int


def train(
    config: TrainConfig[Any],
    env: TensorEnv,
    agent: Agent,
    replay: Replay,
    scorer: Scorer,
    report: Reporter,
    watcher: Watcher,
    stop: Callable[[], bool],
    guard: FiniteGuard,
    diagnose: Callable[[int], None] | None = None,
    camera: Camera | None = None,
    sampler: Sampler | None = None,
) -> Progress:
    """Train ``agent`` for ``config.steps_per_task`` steps in each task, or until ``stop()``.

    ``watcher`` hears at every line of the log and every evaluation how far it is. ``diagnose`` is told of every step
    that was learned from; ``camera`` films the policy; ``sampler`` chooses the tasks of each batch, all alike where
    there is none. Raises ``Diverged`` where ``guard`` finds that what is learned is no longer finite.
    """
    sampler = sampler or Uniform()
    generator = np.random.default_rng(config.seed)
    episodes = EpisodeTracker(env.tasks, env.copies)
    metrics: dict[str, Tensor] = {}
    updates, step = 0, 0
    obs = env.reset(config.seed)
    while step < config.steps_per_task and not stop():
        warm = step < config.random_steps
        action = env.random_action(generator) if warm else agent.act(obs, explore=True)
        guard.action(action, step, env.steps_on_host)
        transition = env.step(action)
        kept = transition.kept
        reward, terminated = transition.reward[:, kept], transition.terminated[:, kept]
        replay.add(obs[:, kept], action[:, kept], reward, terminated, transition.final_obs[:, kept])
        agent.see(obs[:, kept], transition.reward, transition.ended)
        obs, before, step = transition.obs, step, step + env.copies
        report.episodes(episodes.step(transition), episodes.lost)
        agent.progress(min(step / config.steps_per_task, 1.0))
        log_due = _passes(before, step, config.log_every)
        eval_due = _passes(before, step, config.eval_every) or step >= config.steps_per_task
        if not warm and replay.size:
            for _ in range(config.updates_per_step):
                task, rows = sampler.draw(config.batch_per_task)
                metrics = agent.update(replay.sample(rows, task=task))
                guard.update(metrics, step, log_due or eval_due)
                if "critic_loss" in metrics:
                    sampler.observe_losses(metrics["critic_loss"])
            updates += config.updates_per_step
            if diagnose is not None:
                diagnose(step)
        if log_due:
            guard.keep(step)
            report.training(step, step * env.tasks, updates, metrics)
        if eval_due:
            scores = scorer.score(greedy(agent))
            sampler.observe_scores(torch.tensor([score.value for score in scores.values()]))
            watcher.evaluated(report.evaluation(step, scores, agent.inspect(obs)))
        if camera and (_passes(before, step, config.record_every) or step >= config.steps_per_task):
            report.film(step, camera.film(greedy(agent)))
        if log_due or eval_due or (warm and step >= config.random_steps):  # the last: learning begins here
            watcher.update(step, step * env.tasks, updates)
    guard.keep(step)
    return Progress(step, step * env.tasks, updates)


def _passes(before: int, after: int, every: int) -> bool:
    """Whether a multiple of ``every`` lies in (before, after]."""
    return after // every > before // every

"""What a run logs, and under which tags."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from envs.suite import TaskSuite
from mtrl.pictures.heat_maps import COSINES, SHARES
from mtrl.rollout.episodes import Episode, success_rate
from mtrl.scoring.many_tasks import groups_of
from mtrl.scoring.scores import TaskScore, mean_score
from mtrl.tracking.run_log import RunLog, per_task
from mtrl.tracking.tabs import layout, spread
from mtrl.tracking.tags import GROUP_SUCCESS, task_tag
from mtrl.training.moment import Moment
from mtrl.video.camera import Gif


class MetricsWriter:
    """Turns episodes, metrics and scores into tagged scalars; where Stable-Baselines3 has a tag, it is used."""

    def __init__(self, suite: TaskSuite, log: RunLog) -> None:
        self._names, self._log, self._groups = suite.task_names, log, groups_of(suite)
        self._suite_name, self._laid_out = suite.name, False
        self._recent: list[Episode] = []
        self._lost = 0

    def episodes(self, finished: Sequence[Episode], lost: int = 0) -> None:
        """Keep finished training episodes until the next log entry; ``lost`` more were dropped."""
        self._lost += lost
        self._recent.extend(finished)

    def step(self, now: Moment) -> None:
        """Record the episodes that a step ended."""
        self.episodes(now.transition.episodes, now.transition.lost_rows)

    def log(self, now: Moment) -> None:
        """Write a log entry."""
        self.training(now.span.step, now.env_steps, now.updates, now.metrics)

    def training(self, step: int, env_steps: int, updates: int, metrics: dict[str, Tensor]) -> None:
        """Log training since the last call; this moves the metrics to the CPU."""
        seconds = max(self._log.seconds, 1e-9)
        values = {
            "time/fps": env_steps / seconds,
            "time/total_timesteps": float(env_steps),
            "time/time_elapsed": seconds,
            "train/n_updates": float(updates),
        }
        if self._lost:
            values["time/lost_episodes"] = float(self._lost)
        if self._recent:
            values["rollout/ep_rew_mean"] = float(np.mean([e.total for e in self._recent]))
            values["rollout/ep_len_mean"] = float(np.mean([e.length for e in self._recent]))
            rates = [
                success_rate([e.success_any for e in self._recent if e.task == task])
                for task in sorted({e.task for e in self._recent})
            ]
            known = [rate for rate in rates if not math.isnan(rate)]
            if known:
                values["rollout/success_rate"] = float(np.mean(known))
            self._recent = []
        for name, metric in metrics.items():
            numbers = metric.cpu().flatten().tolist()
            values[f"train/{name}"] = float(np.mean(numbers))
            if metric.dim() == 1:
                values |= per_task(f"train/{name}", self._names, numbers)
        self._log.scalars(step, values)

    def evaluation(self, step: int, scores: dict[str, TaskScore], tables: dict[str, Tensor]) -> dict[str, float | None]:
        """Log an evaluation's scores and ``tables`` of the agent's weights; return the scores' means over tasks."""
        for name, weights in tables.items():
            self._attention(step, name, weights)
        rows = list(scores.values())
        means = mean_score(scores)
        tags = {
            "success_any": "eval/success_rate",
            "success_last": "eval/success_last",
            "return": "eval/return",
        }
        values = {tags[name]: value for name, value in means.items() if value is not None}
        for name, column in (
            ("success_any", [r.success_any for r in rows]),
            ("success_last", [r.success_last for r in rows]),
            ("return", [r.mean_return for r in rows]),
        ):
            values |= per_task(tags[name], self._names, column)
        self._log.scalars(step, values | self._group_success(scores) | spread(rows))
        if not self._laid_out:  # only now is it known which tasks report success
            self._log.layout(layout(self._suite_name, scores, self._groups))
            self._laid_out = True
        return means

    def _group_success(self, scores: dict[str, TaskScore]) -> dict[str, float]:
        """Return the mean success of each group's tasks, and the mean over groups, which TensorBoard shows first."""
        means = {
            group: mean_score({name: scores[name] for name in names})["success_any"]
            for group, names in self._groups.items()
        }
        known = {task_tag(GROUP_SUCCESS, group): success for group, success in means.items() if success is not None}
        return {GROUP_SUCCESS: float(np.mean([*known.values()])), **known} if known else {}

    def video(self, step: int, gif: Gif | None) -> None:
        """Log a video of the policy on every task, if there is one."""
        if gif is not None:
            self._log.video(step, "viz/policy", *gif)

    def state_dict(self) -> dict[str, Any]:
        """Return the episodes since the last log entry, and what is logged only once."""
        return {"recent": [tuple(e) for e in self._recent], "lost": self._lost, "laid_out": self._laid_out}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what ``state_dict`` returned."""
        self._recent = [Episode(*numbers) for numbers in state["recent"]]
        self._lost, self._laid_out = state["lost"], state["laid_out"]

    def _attention(self, step: int, name: str, weights: Tensor) -> None:
        """Log weights (T, K) as a heat map; for distributions also the entropy in nats, per task and on average."""
        weights = weights.cpu()
        if bool((weights >= 0).all()) and bool(((weights.sum(dim=-1) - 1.0).abs() < 1e-3).all()):
            entropy = torch.special.entr(weights).sum(dim=-1)
            tag = f"train_{name}/entropy"
            self._log.scalars(step, {tag: float(entropy.mean())} | per_task(tag, self._names, entropy.tolist()))
        kind = "enc " if name == "attention" else ""
        columns = [f"{kind}{k + 1}" for k in range(weights.shape[1])]
        colours = SHARES if bool((weights >= 0).all()) else COSINES
        self._log.matrix(step, name, weights.numpy(), self._names, columns, colours)

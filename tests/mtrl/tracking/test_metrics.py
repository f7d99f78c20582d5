"""What of a run is written down: means of finished episodes, of metrics and of scores, and the entropy of attention."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from envs.suite import Task, TaskSuite
from mtrl.rollout.episodes import Episode
from mtrl.scoring.scorer import Scorer
from mtrl.scoring.scores import TaskScore
from mtrl.tracking.metrics import MetricsWriter
from mtrl.tracking.run_log import RunLog
from mtrl.tracking.tags import GROUP_SUCCESS
from mtrl.training.assemble import greedy
from tests.mtrl.conftest import Scripted, metrics, scripted_suite, zeros

SUITE = scripted_suite(
    a=partial(Scripted, (1.0, 2.0), success=(1.0, 0.0)),
    b=partial(Scripted, (4.0,)),
)


class Attentive:
    """An agent that stands still and shows the same attention whatever it sees."""

    def act(self, obs: Tensor, *, explore: bool) -> Tensor:
        assert not explore
        return zeros(obs)

    def inspect(self, obs: Tensor) -> dict[str, Tensor]:
        return {"attention": torch.tensor([[0.5, 0.5], [1.0, 0.0]])}


def written(path: Path) -> dict[tuple[int, str], float]:
    return {(step, tag): value for step, tag, value in metrics(path)}


def test_training_episodes_are_averaged_since_the_last_line(tmp_path: Path) -> None:
    with RunLog(tmp_path) as log:
        report = MetricsWriter(SUITE, log)
        report.episodes([Episode(0, 0, 3.0, 10, 1.0, 0.0), Episode(1, 0, 5.0, 20, math.nan, math.nan)])
        report.episodes([Episode(0, 1, 1.0, 30, 0.0, 0.0)])
        report.training(100, 200, 7, {})
        report.training(200, 400, 8, {})
        report.episodes([Episode(1, 0, 5.0, 20, math.nan, math.nan)])
        report.training(300, 600, 9, {})
    values = written(tmp_path)
    assert values[100, "rollout/ep_rew_mean"] == 3.0
    assert values[100, "rollout/ep_len_mean"] == 20.0
    assert values[100, "rollout/success_rate"] == 0.5  # of the two that say it
    assert (values[100, "train/n_updates"], values[100, "time/total_timesteps"]) == (7, 200)
    assert (200, "rollout/ep_rew_mean") not in values  # none has ended since
    assert values[300, "rollout/ep_rew_mean"] == 5.0
    assert (300, "rollout/success_rate") not in values


def test_a_metric_with_a_number_per_task_is_written_for_each_and_as_their_mean(tmp_path: Path) -> None:
    with RunLog(tmp_path) as log:
        metric = {"ent_coef": torch.tensor([0.25, 0.75]), "actor_loss": torch.tensor(-3.0)}
        MetricsWriter(SUITE, log).training(5, 10, 1, metric)
    values = written(tmp_path)
    assert [values[5, f"train/ent_coef{task}"] for task in ("", "/a", "/b")] == [0.5, 0.25, 0.75]
    assert values[5, "train/actor_loss"] == -3.0
    assert (5, "train/actor_loss/a") not in values


def test_an_evaluation_is_written_per_task_and_on_average_and_returned(tmp_path: Path) -> None:
    """Task a: return 3, success at the first of two steps; task b: return 4 and no word of success."""
    with RunLog(tmp_path) as log:
        report = MetricsWriter(SUITE, log)
        agent: Any = Attentive()
        scores = Scorer(SUITE, 2, 0, torch.device("cpu")).score(greedy(agent))
        assert report.evaluation(40, scores, agent.inspect(torch.zeros(2, 1, 1))) == {
            "success_any": 1.0,
            "success_last": 0.0,
            "return": 3.5,
        }
    values = written(tmp_path)
    assert [values[40, f"eval/return{task}"] for task in ("", "/a", "/b")] == [3.5, 3.0, 4.0]
    assert [values[40, f"eval/success_rate{task}"] for task in ("", "/a")] == [1.0, 1.0]
    assert [values[40, f"eval/success_last{task}"] for task in ("", "/a")] == [0.0, 0.0]
    assert [tag for _, tag in values if "success" in tag and tag.endswith("/b")] == []
    # Even weights on two encoders have an entropy of log 2, all weight on one has none.
    entropy = [values[40, f"train_attention/entropy{task}"] for task in ("", "/a", "/b")]
    assert entropy == pytest.approx([math.log(2) / 2, math.log(2), 0.0], abs=1e-5)


def test_a_suite_where_no_task_says_success_has_no_mean_of_it(tmp_path: Path) -> None:
    with RunLog(tmp_path) as log:
        scores = {"a": TaskScore(math.nan, math.nan, 1.0, 2), "b": TaskScore(math.nan, math.nan, 2.0, 2)}
        assert MetricsWriter(SUITE, log).evaluation(1, scores, {})["return"] == 1.5
    margins = {"eval/return_worst", "eval/return_best"}
    assert {tag for _, tag in written(tmp_path)} == {"eval/return", "eval/return/a", "eval/return/b", *margins}


def test_the_success_of_each_group_of_many_tasks_is_written_beside_each_tasks(tmp_path: Path) -> None:
    """Of 30 tasks in three groups in turn, some of ``some`` say success, none of ``silent`` does."""
    rates = [(1.0, 0.5 if k % 2 else math.nan, math.nan)[k % 3] for k in range(30)]
    tasks = [Task(f"t{k}", Scripted, "Do it.", group=("all", "some", "silent")[k % 3]) for k in range(30)]
    scores = {task.name: TaskScore(rate, rate, 1.0, 2) for task, rate in zip(tasks, rates, strict=True)}
    with RunLog(tmp_path) as log:
        MetricsWriter(TaskSuite("many", tasks), log).evaluation(7, scores, {})
    values = written(tmp_path)
    found = {tag: value for (_, tag), value in values.items() if tag.startswith(GROUP_SUCCESS)}
    assert found == {GROUP_SUCCESS: 0.75, f"{GROUP_SUCCESS}/all": 1.0, f"{GROUP_SUCCESS}/some": 0.5}
    assert sum(tag.startswith("eval/return/") for _, tag in values) == 30


def test_an_evaluation_has_margins_of_what_its_tasks_came_to(tmp_path: Path) -> None:
    """8 of 10 and 2 of 10 episodes solved: Wilson's interval of 10 of 20, with z = 1.96, is below."""
    with RunLog(tmp_path) as log:
        scores = {"a": TaskScore(0.8, 0.8, -3.0, 10), "b": TaskScore(0.2, 0.2, 5.0, 10)}
        report = MetricsWriter(SUITE, log)
        report.evaluation(1, scores, {})
    values = written(tmp_path)
    assert (values[1, "eval/success_worst"], values[1, "eval/success_best"]) == (0.2, 0.8)
    assert (values[1, "eval/return_worst"], values[1, "eval/return_best"]) == (-3.0, 5.0)
    half = 1.959964 * math.sqrt(0.25 / 20 + 1.959964**2 / (4 * 20**2)) / (1 + 1.959964**2 / 20)
    assert values[1, "eval/success_low"] == pytest.approx(0.5 - half, abs=1e-6)
    assert values[1, "eval/success_high"] == pytest.approx(0.5 + half, abs=1e-6)

"""Stable-Baselines3 gets the same environments, budget and networks, and hands back a run like any other."""

from __future__ import annotations

import dataclasses
import json
from functools import partial

import numpy as np
import pytest

from mtrl import evaluate
from mtrl.defaults import default_config
from mtrl.sb3 import SB3VecEnv, make_model
from tests.envs.scripted import CALM, Scripted, suite_of
from tests.mtrl.conftest import Run


@pytest.mark.parametrize(
    ("terminated", "truncated", "cut"), [(True, False, False), (False, True, True), (True, True, False)]
)
def test_an_episodes_end_is_told_in_stable_baselines3s_way(terminated: bool, truncated: bool, cut: bool) -> None:
    env = SB3VecEnv(suite_of(partial(Scripted, [CALM, (2.0, terminated, truncated)])), 1, 0)
    assert env.reset()[0, :2].tolist() == [0, 0]
    obs, reward, done, infos = env.step(np.zeros((1, 1)))
    assert (obs[0, :2].tolist(), reward[0], done[0], infos) == ([0, 1], 0.5, False, [{}])
    obs, reward, done, infos = env.step(np.zeros((1, 1)))
    assert (obs[0, :2].tolist(), reward[0], done[0]) == ([1, 0], 2.0, True)
    assert infos[0]["terminal_observation"][:2].tolist() == [0, 2]
    assert infos[0]["TimeLimit.truncated"] == cut
    assert (infos[0]["episode"]["r"], infos[0]["episode"]["l"], infos[0]["is_success"]) == (2.5, 2, True)


def test_the_model_has_the_runs_networks_and_schedule() -> None:
    config = default_config("tabletop", "sb3")
    settings = dataclasses.replace(config.settings, hidden=(24, 12), learning_rate=1e-2, final_learning_rate=1e-3)
    config = dataclasses.replace(config, settings=settings, batch_per_task=32, random_steps=50)
    model = make_model(config, SB3VecEnv(suite_of(partial(Scripted, [CALM] * 9)), 2, 0), 0)
    widths = [layer.out_features for layer in model.actor.latent_pi if hasattr(layer, "out_features")]
    assert widths == [24, 12]
    assert (model.batch_size, model.gamma, model.tau, model.learning_starts) == (32, 0.97, 0.01, 50)
    assert [model.lr_schedule(left) for left in (1.0, 0.5, 0.0)] == pytest.approx([1e-2, 5.5e-3, 1e-3])


def test_a_run_of_one_model_per_task_is_like_any_other_run(tiny_run: Run) -> None:
    path = tiny_run("--agent", "sb3", "--baseline", "none", "--jobs", "2") / "tabletop/sb3/seed0"
    result = json.loads((path / "result.json").read_text())
    assert (result["agent"], result["steps_per_task"], result["env_steps"]) == ("sb3", 240, 480)
    assert list(result["tasks"]) == ["reach", "push"]
    assert result["updates"] == 40
    lines = (path / "metrics.csv").read_text().splitlines()
    steps = [line.split(",")[0] for line in lines if ",eval/success_rate," in line]
    assert steps == ["80", "160", "240"]
    assert any(",train/ent_coef/push," in line for line in lines)
    assert evaluate.main([str(path), "--episodes", "2"]) == 0
    assert json.loads((path / "evaluation.json").read_text())["tasks"]["push"]["episodes"] == 2

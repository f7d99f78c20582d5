"""Meta-World as the commands see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

pytest.importorskip("metaworld")
pytest.importorskip("envpool")

from metaworld.sawyer_xyz_env import SawyerXYZEnv

from envs.metaworld import suite
from mtrl import evaluate, train
from mtrl.rollout.tensor_env import TensorEnv

TWO = ("reach-v3", "drawer-close-v3")


def test_it_takes_the_learners_tensors_and_steps_alike() -> None:
    """On a GPU a suite's simulator is handed tensors; this one lives on the host whatever it is handed."""
    seen = []
    for in_torch in (False, True):
        env = TensorEnv(suite("some", TWO, engine="envpool"), 2, torch.device("cpu"), in_torch=in_torch)
        env.reset(0)
        seen.append(env.step(torch.full((2, 2, 4), 0.5)))
        env.close()
    assert torch.equal(seen[0].obs, seen[1].obs)
    assert torch.equal(seen[0].reward, seen[1].reward)


@pytest.mark.parametrize("episode", [25, pytest.param(500, marks=pytest.mark.slow)])
def test_a_run_trains_on_the_pool_and_is_scored_on_each_official_start_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, episode: int
) -> None:
    """One task, a few updates; the score is the protocol's: 50 episodes, and what they depend on is written down.

    Official episodes are cut short unless there is time for them: there are 150 of 500 steps.
    """
    monkeypatch.setattr(SawyerXYZEnv, "max_path_length", episode)
    line = "--suite metaworld/MT1:reach --engine envpool --recipe laptop --baseline none --steps-per-task 64"
    small = "--random-steps 32 --batch-per-task 4 --envs-per-task 2 --hidden 8 8 --eval-every 64 --eval-episodes 1"
    assert train.main([*line.split(), *small.split(), "--workers", "0", "--runs-dir", str(tmp_path)]) == 0
    run = tmp_path / "metaworld" / "MT1-reach-v3" / "care" / "seed0"
    result = json.loads((run / "result.json").read_text())
    assert result["tasks"]["reach-v3"]["episodes"] == 50
    protocol = result["protocol"]
    expected = {"reward_version": "v2", "horizon": 500, "goals_per_task": 50, "goal_seed": 0, "episodes": 50}
    assert {name: protocol[name] for name in expected} == expected
    assert (protocol["training_engines"], protocol["scoring_engine"]) == ({"reach-v3": "envpool"}, "farama")
    assert {"metaworld", "mujoco", "envpool"} <= set(protocol["versions"])
    assert evaluate.main([str(run), "--episodes", "1"]) == 0

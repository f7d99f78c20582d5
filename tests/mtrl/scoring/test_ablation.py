"""Playing without single encoders: by hand on a scripted suite, as a command, and refused where there is no mixture."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from rich.console import Console

from envs.suite import Task, TaskSuite
from mtrl import evaluate, train
from mtrl.reporting.insight_page import read_ablation
from mtrl.scoring.ablation import ablation, ablation_table
from tests.mtrl.conftest import Scripted, read_json, retold, scripted_suite, tiny

CPU = torch.device("cpu")


class Paid(gym.Env[np.ndarray, np.ndarray]):
    """Two steps, each paid with the action, scaled; it never says success unless asked to."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (1,))
    action_space = gym.spaces.Box(-1.0, 1.0, (1,))

    def __init__(self, scale: float, says: bool = False) -> None:
        self.scale, self.says = scale, says

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict]:
        self.t = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.t += 1
        info = {"success": float(action[0] > 0.5)} if self.says else {}
        return np.zeros(1, np.float32), self.scale * float(action[0]), False, self.t == 2, info


def always(value: float) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda obs: torch.full((*obs.shape[:2], 1), value)


def paid_suite(*says: bool) -> TaskSuite:
    return TaskSuite("paid", [Task(f"t{k}", partial(Paid, 1.0 + k, s), "Pay.") for k, s in enumerate(says)])


def test_the_table_is_tasks_by_encoders_of_what_is_left_without_each() -> None:
    """Actions 1, .5 and -1 for two steps, paid once and twice."""
    result = ablation(paid_suite(False, False), [always(1.0), always(0.5), always(-1.0)], [1, 2], 0, CPU)
    assert result == {
        "measure": "return",
        "seed": 0,
        "episodes": [1, 2],
        "tasks": ["t0", "t1"],
        "encoders": ["enc 1", "enc 2"],
        "whole": [2.0, 4.0],
        "without": [[1.0, -2.0], [2.0, -4.0]],
    }
    console = Console(width=200, record=True, file=None, quiet=False)
    with console.capture() as said:
        console.print(ablation_table(result))
    lines = [line.replace("│", " ").split() for line in said.get().splitlines()]
    assert ["t1", "4.0", "-2.0", "-8.0"] in lines
    assert ["mean", "3.0", "-1.5", "-6.0"] in lines


def test_success_counts_where_every_task_says_it_and_the_return_where_one_does_not() -> None:
    policies = [always(1.0), always(0.0)]
    said = ablation(paid_suite(True, True), policies, [1, 1], 0, CPU)
    assert (said["measure"], said["whole"], said["without"]) == ("success_any", [1.0, 1.0], [[0.0], [0.0]])
    assert ablation(paid_suite(True, False), policies, [1, 1], 0, CPU)["measure"] == "return"


def test_every_policy_plays_the_same_starts() -> None:
    """Scripted observations count episodes from the last seeded reset; a policy that keeps them sees the same."""
    seen: list[list[float]] = [[], []]

    def keeping(mine: list[float]) -> Callable[[torch.Tensor], torch.Tensor]:
        def act(obs: torch.Tensor) -> torch.Tensor:
            mine.extend(obs.flatten().tolist())
            return torch.zeros(*obs.shape[:2], 1)

        return act

    suite = scripted_suite(a=partial(Scripted, (1.0, 2.0)))
    ablation(suite, [keeping(mine) for mine in seen], [3], 0, CPU)
    assert seen[0] == seen[1]


def test_a_run_is_played_without_each_of_its_encoders(care_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (care_run / "weights.safetensors").read_bytes()
    assert evaluate.main([str(care_run), "--episodes", "2", "--ablate-encoders"]) == 0
    found, whole = read_json(care_run / "ablation.json"), read_json(care_run / "evaluation.json")
    assert (found["measure"], found["tasks"]) == ("success_any", ["reach", "push"])
    assert found["whole"] == [whole["tasks"][name]["success_any"] for name in found["tasks"]]
    assert found["encoders"] == ["enc 1", "enc 2", "enc 3", "enc 4"]
    assert np.asarray(found["without"]).shape == (2, 4)
    assert "the difference without each encoder" in capsys.readouterr().out
    assert (care_run / "weights.safetensors").read_bytes() == before


def test_a_single_task_of_a_run_is_played_alone(care_run: Path) -> None:
    assert evaluate.main([str(care_run), "--episodes", "1", "--ablate-encoders", "--tasks", "push"]) == 0
    assert read_json(care_run / "ablation.json")["tasks"] == ["push"]


def test_tasks_that_are_not_ablated_keep_their_rows(care_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def ablated(*more: str) -> dict:
        assert evaluate.main([str(care_run), "--ablate-encoders", *more]) == 0
        return read_json(care_run / "ablation.json")

    both, again = ablated("--episodes", "2"), ablated("--episodes", "1", "--tasks", "push")
    assert (again["tasks"], again["episodes"]) == (["reach", "push"], [2, 1])
    assert (again["whole"][0], again["without"][0]) == (both["whole"][0], both["without"][0])
    assert np.asarray(again["without"]).shape == (2, 4)
    assert read_ablation(care_run) is not None
    assert ablated("--episodes", "1", "--tasks", "reach", "--seed", "3")["tasks"] == ["reach"]
    assert "had results of push, played differently" in capsys.readouterr().err


def test_an_ablation_of_earlier_weights_is_not_reported(care_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main([str(care_run), "--episodes", "1", "--ablate-encoders"]) == 0
    retold(care_run / "ablation.json", weights_sha256="0" * 64)
    assert read_ablation(care_run) is None
    assert "is about earlier weights" in capsys.readouterr().err


def test_without_the_flag_nothing_is_left_out(care_run: Path) -> None:
    assert evaluate.main([str(care_run), "--episodes", "1"]) == 0
    assert not (care_run / "ablation.json").exists()


def test_an_agent_without_a_mixture_is_refused(refused: Callable[..., str], finished: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished / "tabletop" / "single-task" / "seed0", tmp_path / "run"))
    line = refused(evaluate.main, run, "--ablate-encoders")
    assert "'single-task'" in line
    assert "--agent care" in line
    assert not (run / "evaluation.json").exists()


def test_one_encoder_is_no_mixture(refused: Callable[..., str], tmp_path: Path) -> None:
    assert train.main(tiny(tmp_path, "--encoders", "1", "--baseline", "none")) == 0
    line = refused(evaluate.main, tmp_path / "tabletop" / "care" / "seed0", "--ablate-encoders")
    assert "it has only one encoder" in line


def test_tasks_that_are_new_to_a_run_are_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    arguments = [
        "--suite",
        "pendulum-gravity",
        "--steps-per-task",
        "16",
        "--random-steps",
        "8",
        "--batch-per-task",
        "2",
    ]
    more = ["--baseline", "none", "--eval-every", "16", "--eval-episodes", "1", "--hidden", "8", "--workers", "0"]
    assert train.main([*arguments, *more, "--runs-dir", str(tmp_path)]) == 0
    run = tmp_path / "pendulum-gravity" / "care" / "seed0"
    line = refused(evaluate.main, run, "--ablate-encoders", "--tasks", "held-out", "--episodes", "1")
    assert "held-out" in line
    assert "--tasks" in line

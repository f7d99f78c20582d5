"""Tasks that cannot draw: named with what to add, and trained and scored all the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs import errors
from envs.registry import make_suite
from envs.stepping.vector import MultiTaskVectorEnv
from mtrl import evaluate, train
from mtrl.errors import UsageError
from mtrl.video.drawing import drawing_env
from tests.mtrl.conftest import Said, Scripted, scripted_suite, tiny


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (Scripted, "unexpected keyword argument 'render_mode'"),
        (lambda render_mode: Scripted(), "render() failed"),
    ],
)
def test_a_task_that_cannot_draw_is_named_with_the_flag(make: Any, part: str) -> None:
    with pytest.raises(UsageError, match="--record needs environments that can render: task 'a'") as error:
        drawing_env(scripted_suite(a=make), "--record")
    assert part in str(error.value)
    for what in ("add a method render()", "render_mode='rgb_array'", "metadata['render_modes']"):
        assert what in str(error.value)


class Blind:
    """A simulator without a method render()."""

    obs_size, action_size, action_mask = 1, 1, np.ones((1, 1), dtype=bool)

    def reset(self, rows: np.ndarray, seeds: Any) -> np.ndarray:
        return np.zeros((len(rows), 1), np.float32)

    def close(self) -> None:
        pass


class Dark(Blind):
    """A simulator whose renderer does not start."""

    def render(self, rows: Any) -> list[np.ndarray]:
        raise RuntimeError("no OpenGL context")


@pytest.mark.parametrize(("simulator", "words"), [(Blind, "AttributeError"), (Dark, "RuntimeError: no OpenGL context")])
def test_a_simulator_that_cannot_draw_is_named_with_what_to_add(simulator: type[Blind], words: str) -> None:
    suite = dataclasses.replace(scripted_suite(a=Scripted), simulator=lambda *_: simulator())
    with pytest.raises(UsageError, match=rf"suite 'scripted': {words}.*add a method render\(\)"):
        drawing_env(suite, "--record")


def test_a_pendulum_that_lacks_its_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors.importlib.util, "find_spec", lambda _: None)
    suite = make_suite("pendulum-length").only(["length-1"])
    with pytest.raises(UsageError) as error:
        drawing_env(suite, "--record")
    line = "--record needs environments that can render: pygame is not installed: pip install -e '.[classic]'"
    assert str(error.value) == line
    MultiTaskVectorEnv(suite, 1).reset(seed=0)  # to be trained on it needs nothing


BLIND = """
from mtrl import Task, TaskSuite
from tests.mtrl.conftest import Scripted
suite = TaskSuite("blind", [Task("a", lambda **kwargs: Scripted((1.0, 1.0), success=(0.0, 1.0)), "Do a.")])
"""


def test_tasks_that_cannot_draw_are_trained_and_scored_all_the_same_and_one_line_says_what_to_add(
    call: Callable[..., Said], plug_in: Callable[..., str], tmp_path: Path
) -> None:
    plug_in(BLIND)
    chosen = ("--suite", "my_suite:suite", "--tasks", "a", "--baseline", "none", "--workers", "0")
    said = call(train.main, *tiny(tmp_path / "runs", *chosen, "--record-every", "32"))
    assert said.code == 0
    warning = "warning: no videos are recorded, training continues: --record-every needs environments that can render"
    assert [line.startswith(warning) for line in said.err.splitlines()] == [True]
    run = tmp_path / "runs" / "blind" / "care" / "seed0"
    assert (run / "result.json").exists()

    said = call(evaluate.main, run, "--suite", "my_suite:suite", "--record", tmp_path / "x.gif")
    assert said.code == 2
    assert "blind: success over 50 episodes" in " ".join(said.out.split())
    assert (run / "evaluation.json").exists()
    (line,) = said.err.splitlines()
    assert line.startswith("error: --record needs environments that can render")
    assert "add a method render()" in said.err
    assert not (tmp_path / "x.gif").exists()

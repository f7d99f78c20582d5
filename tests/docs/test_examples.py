"""All Python on the README and the pages runs: files are imported and checked, programs are run, cut short."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import mtrl
from agents.base import PieceShape
from mtrl import train
from tests.docs.conftest import BLOCKS, FILES
from tests.mtrl.conftest import read_json, tiny

SMALL = {
    "steps_per_task": 64,
    "random_steps": 32,
    "envs_per_task": 2,
    "batch_per_task": 4,
    "eval_every": 64,
    "eval_episodes": 1,
    "hidden": [8],
    "threads": 1,
}
NUMBER = r"-?\d+\.\d+"
# What each program prints, by its page and its place there.
PRINTED = {
    ("docs/howto/python.md", 0): rf"{NUMBER} {NUMBER}\n",
    ("docs/howto/python.md", 1): rf"-{NUMBER}\n",
    ("docs/howto/python.md", 2): rf"{NUMBER}\n",
    ("docs/howto/python.md", 3): r"\(10, 2, \d+\) \(20,\)\n",
    ("docs/suites.md", 0): rf"{NUMBER} 0\.0\n",
}
PROGRAMS: dict[tuple[str, int], str] = {}
for _block in BLOCKS:
    if _block.language == "python" and not _block.title:
        PROGRAMS[_block.page, sum(page == _block.page for page, _ in PROGRAMS)] = _block.text


def test_no_program_is_left_out() -> None:
    assert set(PROGRAMS) == set(PRINTED)


@pytest.mark.parametrize("where", PRINTED, ids=lambda where: f"{where[0]}:{where[1]}")
def test_a_program_prints_what_it_is_to_print(
    where: tuple[str, int], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    learn = mtrl.learn
    monkeypatch.setattr(mtrl, "learn", lambda *given, **settings: learn(*given, **{**settings, **SMALL}))
    ran: dict[str, Any] = {"__name__": "__main__"}
    exec(PROGRAMS[where], ran)
    assert re.fullmatch(PRINTED[where], capsys.readouterr().out)
    if "action" in ran:
        assert (ran["result"].path, ran["action"].shape) == (Path("runs/tabletop/care/seed1"), (3,))


def test_a_file_that_stands_on_several_pages_is_the_same_everywhere() -> None:
    titled = [block for block in BLOCKS if block.title]
    assert [block.page for block in titled if block.text != FILES[block.title]] == []


@pytest.mark.parametrize("name", [name.removesuffix(".py") for name in FILES if name.endswith(".py")])
@pytest.mark.usefixtures("folder")
def test_suites_and_agents_of_a_file_are_sound(name: str) -> None:
    made = list(vars(importlib.import_module(name)).values())
    suites = [mtrl.check_suite(one) for one in made if isinstance(one, mtrl.TaskSuite)]
    agents = [mtrl.check_agent(one) for one in made if isinstance(one, mtrl.AgentSpec)]
    assert suites or agents
    assert [problem for reports in suites for report in reports for problem in report.problems] == []
    assert [problem for report in agents for problem in report.problems] == []


@pytest.mark.usefixtures("folder")
def test_the_file_without_code_is_a_sound_suite() -> None:
    suite = mtrl.make_suite("tasks.toml")
    assert suite.task_names == ("light", "car")
    assert [problem for report in mtrl.check_suite(suite) for problem in report.problems] == []


def test_the_sampler_takes_the_weakest_tasks_more_often_and_goes_on_where_it_was(folder: Path) -> None:
    make = importlib.import_module("my_sampler").Weakest
    shape = PieceShape(3, torch.device("cpu"), None)
    sampler, other = make(shape), make(shape)
    sampler.observe_scores(torch.tensor([1.0, 1.0, 0.0]))
    drawn = np.concatenate([sampler.draw(8)[0].numpy() for _ in range(200)])
    assert np.bincount(drawn, minlength=3).argmax() == 2
    other.load_state_dict(sampler.state_dict())
    assert torch.equal(other.draw(8)[0], sampler.draw(8)[0])
    assert train.main(tiny(folder / "runs", "--agent", "my_sampler:weakest", "--baseline", "none")) == 0
    assert read_json(folder / "runs/tabletop/my_sampler_weakest/seed0/result.json")["updates"] > 0


def test_the_task_that_is_held_out_lies_between_those_that_are_trained(folder: Path) -> None:
    suite = importlib.import_module("my_robot").suite
    goals = [task.parameters["goal"] for task in suite.tasks]
    assert min(goals) < suite.held_out[0].parameters["goal"] < max(goals)

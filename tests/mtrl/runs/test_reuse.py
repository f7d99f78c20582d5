"""A run that is there already is found again, and taken for no other."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from mtrl.config import TrainConfig
from mtrl.config.defaults import default_config
from mtrl.runs import folder
from mtrl.runs.checksums import CHECKSUMS
from mtrl.runs.folder import agent_folder, new_run_folder, write_config, write_result
from mtrl.runs.reuse import find_finished
from tests.mtrl.conftest import CLEAN, read_json, retold
from tests.mtrl.made_runs import result_of

RESULT = result_of({"reach": 0.5}, suite="tabletop", agent="single-task", seed=1)
BASE = dataclasses.replace(default_config("tabletop", "single-task"), baseline="none", seed=1)


@pytest.fixture
def finished_run(tmp_path: Path, clean_checkout: None) -> Path:
    """A run of BASE that came to its end, where the kit would have put it."""
    path = new_run_folder(tmp_path, "tabletop", "single-task", BASE.seed)
    write_config(path, BASE)
    write_result(path, RESULT)
    return path


def twin_of(tmp_path: Path, config: TrainConfig[Any]) -> dict[str, Any] | None:
    return find_finished(agent_folder(tmp_path, "tabletop", "single-task"), config, ["reach"])


def test_an_equal_finished_run_is_found_and_its_result_returned_with_its_path(
    tmp_path: Path, finished_run: Path
) -> None:
    assert twin_of(tmp_path, BASE) == {**RESULT, "path": str(finished_run)}


@pytest.mark.parametrize(
    "changes", [{"runs_dir": Path("elsewhere")}, {"threads": 3}, {"jobs": 2}, {"baseline": "sb3"}], ids=str
)
def test_what_does_not_change_a_runs_numbers_does_not_keep_it_from_being_found(
    tmp_path: Path, finished_run: Path, changes: dict[str, Any]
) -> None:
    found = twin_of(tmp_path, dataclasses.replace(BASE, **changes))
    assert found is not None
    assert found["path"] == str(finished_run)


def test_tasks_named_in_another_order_are_the_same_run(tmp_path: Path, clean_checkout: None) -> None:
    folder = new_run_folder(tmp_path, "tabletop", "single-task", 1)
    write_config(folder, dataclasses.replace(BASE, tasks=("reach", "push")))
    write_result(folder, RESULT)
    assert twin_of(tmp_path, dataclasses.replace(BASE, tasks=("push", "reach"))) is not None


def test_a_twin_is_found_behind_runs_that_are_unfinished_or_damaged(tmp_path: Path, finished_run: Path) -> None:
    """finished_run is moved behind two others of its seed: one damaged, one without a result."""
    finished_run.rename(finished_run.with_name("seed1-3"))
    damaged, unfinished = (new_run_folder(tmp_path, "tabletop", "single-task", 1) for _ in range(2))
    (damaged / "config.json").write_text("{")
    write_result(damaged, RESULT)
    write_config(unfinished, BASE)
    found = twin_of(tmp_path, BASE)
    assert found is not None
    assert found["path"].endswith("seed1-3")


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 0},
        {"seed": 10},
        {"steps_per_task": BASE.steps_per_task + 1},
        {"tasks": ("reach",)},
        {"eval_episodes": BASE.eval_episodes + 1},
        {"settings": dataclasses.replace(BASE.settings, hidden=(7,))},
        {"suite": "my_module:suite"},
    ],
    ids=str,
)
@pytest.mark.usefixtures("finished_run")
def test_a_run_that_was_told_something_else_is_no_twin(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert twin_of(tmp_path, dataclasses.replace(BASE, **changes)) is None


def test_a_seed_whose_digits_begin_alike_is_no_twin(tmp_path: Path, clean_checkout: None) -> None:
    path = new_run_folder(tmp_path, "tabletop", "single-task", 10)
    write_config(path, dataclasses.replace(BASE, seed=10))
    write_result(path, RESULT)
    assert twin_of(tmp_path, BASE) is None
    assert twin_of(tmp_path, dataclasses.replace(BASE, seed=10)) is not None


@pytest.mark.parametrize(
    "state", [{"commit": "c0ffee", "changed": True}, {"commit": "another", "changed": False}, None], ids=str
)
@pytest.mark.usefixtures("finished_run")
def test_other_code_has_no_twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: dict[str, Any] | None) -> None:
    monkeypatch.setattr(folder, "git_state", lambda: state)
    assert twin_of(tmp_path, BASE) is None


def test_a_run_from_a_changed_checkout_has_no_twin_since_its_files_may_have_changed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "git_state", lambda: {**CLEAN, "changed": True})
    path = new_run_folder(tmp_path, "tabletop", "single-task", BASE.seed)
    write_config(path, BASE)
    write_result(path, RESULT)
    assert twin_of(tmp_path, BASE) is None


def test_a_suite_of_the_users_own_has_no_twin_since_its_code_may_have_changed(
    tmp_path: Path, clean_checkout: None
) -> None:
    config = dataclasses.replace(BASE, suite="my_module:suite")
    path = new_run_folder(tmp_path, "tabletop", "single-task", 1)
    write_config(path, config)
    write_result(path, RESULT)
    assert twin_of(tmp_path, config) is None


def test_a_run_without_a_result_and_one_of_another_version_are_no_twins(tmp_path: Path, finished_run: Path) -> None:
    values = read_json(finished_run / "config.json")
    values["versions"]["mtrl"] = "0.0.1"
    retold(finished_run / "config.json", **values)
    assert twin_of(tmp_path, BASE) is None
    write_config(finished_run, BASE)
    (finished_run / "result.json").unlink()
    assert twin_of(tmp_path, BASE) is None


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "[" * 100_000, '{"tasks": {}}', json.dumps({**RESULT, "tasks": {"push": RESULT["tasks"]["reach"]}})],
    ids=["cut", "a list", "nested", "no tasks", "other tasks"],
)
def test_a_run_whose_result_is_damaged_or_of_other_tasks_is_no_twin(
    tmp_path: Path, finished_run: Path, text: str
) -> None:
    (finished_run / "result.json").write_text(text)
    (finished_run / CHECKSUMS).unlink()
    assert twin_of(tmp_path, BASE) is None

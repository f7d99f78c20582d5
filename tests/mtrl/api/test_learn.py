"""``mtrl.learn``: the command's runs from a program, watched and ended by callbacks."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import mtrl
from mtrl import train
from mtrl.api.learn import config_of_settings
from mtrl.gathering.run import load_run
from mtrl.runs.folder import read_run
from mtrl.runs.reuse import find_finished
from tests.mtrl.conftest import Scripted, read_json, same_weights, scripted_suite, tiny

TINY = {
    "tasks": ["reach", "push"],
    "steps_per_task": 64,
    "random_steps": 32,
    "envs_per_task": 2,
    "batch_per_task": 4,
    "eval_every": 32,
    "eval_episodes": 2,
    "log_every": 16,
    "hidden": [16],
    "threads": 1,
}


def test_a_call_is_the_run_of_the_command_and_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = mtrl.learn("tabletop", agent="mtsac", runs_dir=tmp_path / "call", **TINY)
    assert capsys.readouterr() == ("", "")
    assert train.main(tiny(tmp_path / "command", "--agent", "mtsac", "--baseline", "none")) == 0
    other = tmp_path / "command" / "tabletop" / "mtsac" / "seed0"
    assert result.path == tmp_path / "call" / "tabletop" / "mtsac" / "seed0"
    assert same_weights(result.path, other)
    told = read_json(other / "result.json")
    assert (result.step, result.env_steps, result.updates, result.stopped) == (64, 128, told["updates"], False)
    assert {name: score.to_json() for name, score in result.scores.items()} == {
        name: {key: entry[key] for key in ("success_any", "success_last", "return", "episodes")}
        for name, entry in told["tasks"].items()
    }


def test_a_console_is_written_to(tmp_path: Path) -> None:
    console = Console(record=True, width=200, file=io.StringIO())
    mtrl.learn("tabletop", "mtsac", console=console, runs_dir=tmp_path, **TINY)
    assert "mtsac on 2 tasks" in console.export_text()


def test_a_callback_hears_where_training_is_and_ends_it(tmp_path: Path) -> None:
    heard: list[mtrl.TrainingStatus] = []

    def mine(status: mtrl.TrainingStatus) -> bool:
        heard.append(status)
        return status.step < 48

    result = mtrl.learn("tabletop", "mtsac", callbacks=[heard.append, mine], runs_dir=tmp_path, **TINY)
    assert [status.step for status in heard[::2]] == [16, 32, 48]
    assert [status.env_steps for status in heard[::2]] == [32, 64, 96]
    assert heard[0].evaluation == {}
    assert set(heard[-1].evaluation) == {"success_any", "success_last", "return"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        heard[0].step = 1  # type: ignore[misc]
    assert (result.stopped, result.step) == (True, 48)
    assert set(result.scores) == {"reach", "push"}
    assert mtrl.load(result.path).tasks == ("reach", "push")


def test_a_callback_may_have_an_interval_of_its_own(tmp_path: Path) -> None:
    heard: list[int] = []
    mine = mtrl.every(24, lambda status: heard.append(status.step))
    result = mtrl.learn("tabletop", "mtsac", callbacks=[mine], runs_dir=tmp_path, **TINY)
    assert (heard, result.stopped) == ([24, 48, 64], False)
    with pytest.raises(ValueError, match="steps is 0; it must be at least 1"):
        mtrl.every(0, print)


@pytest.mark.usefixtures("clean_checkout")
def test_a_run_that_was_stopped_is_no_run_of_the_whole_budget(tmp_path: Path) -> None:
    result = mtrl.learn("tabletop", "mtsac", callbacks=[lambda status: False], runs_dir=tmp_path, **TINY)
    with pytest.raises(mtrl.UsageError, match="was stopped early, after 16 of 64 steps per task"):
        load_run(result.path)
    assert find_finished(result.path.parent, read_run(result.path)[0], [*result.scores]) is None


def test_a_suite_made_in_the_program_is_trained_on_and_has_to_be_handed_over_again(tmp_path: Path) -> None:
    suite = scripted_suite(a=lambda: Scripted([1.0] * 4), b=lambda: Scripted([2.0] * 4, obs_size=2))
    few = {**TINY, "tasks": (), "diagnose_every": 0, "workers": 0}
    result = mtrl.learn(suite, "single-task", runs_dir=tmp_path, **few)
    assert result.path == tmp_path / "scripted" / "single-task" / "seed0"
    assert result.scores["b"].mean_return == 8.0
    assert mtrl.load(result.path, suite=suite).tasks == ("a", "b")
    with pytest.raises(mtrl.SuiteError, match="'scripted' was passed to mtrl.learn as an object; .* mtrl.load"):
        mtrl.load(result.path)


def test_a_suite_that_cannot_be_sent_to_a_process_is_refused_for_sb3(tmp_path: Path) -> None:
    few = {name: value for name, value in TINY.items() if name != "tasks"}
    with pytest.raises(mtrl.UsageError, match="'scripted' cannot be sent there"):
        mtrl.learn(scripted_suite(a=lambda: Scripted()), "sb3", runs_dir=tmp_path, **few)
    assert list(tmp_path.iterdir()) == []


def test_sb3_hears_callbacks_and_says_what_a_stop_leaves(tmp_path: Path) -> None:
    heard: list[Any] = []

    def mine(status: mtrl.TrainingStatus) -> bool:
        heard.append(status)
        return False

    with pytest.raises(RuntimeError, match="a callback stopped sb3 before every task had a model"):
        mtrl.learn("tabletop", "sb3", callbacks=[mine], jobs=1, runs_dir=tmp_path, **TINY)
    assert heard


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hiden": (3,)}, "unknown setting 'hiden' of care; .* Did you mean 'hidden'"),
        ({"hidden": 3}, "--hidden is 3; it must be a list, each a whole number"),
        ({"steps_per_task": 0}, "--steps-per-task is 0; it must be at least 1"),
        ({"steps_per_task": "many"}, "--steps-per-task is 'many'; it must be a number"),
        ({"network": "mpl"}, "--network is 'mpl'; it may be mlp or residual"),
        ({"baseline": "sb3"}, "unknown setting 'baseline'"),
    ],
)
def test_a_setting_that_cannot_be_is_named(settings: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(mtrl.UsageError, match=words):
        mtrl.learn("tabletop", runs_dir=tmp_path, **settings)
    assert list(tmp_path.iterdir()) == []


OWN = """
from dataclasses import dataclass
from mtrl import Spec, preset, setting

@dataclass(frozen=True)
class Settings:
    boost: float = setting(1.0, gt=0)
    \"\"\"Times each task's loss.\"\"\"

def weigh(losses, parameters):
    losses.mean().backward(inputs=list(parameters.all))

boosted = Spec("aggregator", "boosted", "losses times a number", weigh, Settings)
mine = preset("boosted", aggregator="my_method:boosted")
"""


def test_a_setting_of_ones_own_is_held_to_the_range_that_stands_at_it(
    plug_in: Callable[..., str], refused: Callable[..., str], tmp_path: Path
) -> None:
    plug_in(OWN, "my_method")
    words = "--boost is 0.0; it must be a number above 0"
    assert words in refused(train.main, *tiny(tmp_path / "runs", "--agent", "my_method:mine", "--boost", "0"))
    for agent in ({"agent": "my_method:mine"}, {"agent": "mtsac", "aggregator": "my_method:boosted"}):
        with pytest.raises(mtrl.UsageError, match=words):
            mtrl.learn("tabletop", **agent, boost=0.0, runs_dir=tmp_path / "runs")
        with pytest.raises(mtrl.UsageError, match="--boost is 'much'; it must be a number"):
            mtrl.learn("tabletop", **agent, boost="much", runs_dir=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_piece_given_in_a_call_brings_its_settings(tmp_path: Path) -> None:
    config = config_of_settings("tabletop", "care", {"encoder": "film", "film_size": 8})
    assert (config.settings.encoder, config.settings.film_size) == ("film", 8)
    with pytest.raises(mtrl.UsageError, match="unknown encoder 'flim'; .* Did you mean 'film'"):
        mtrl.learn("tabletop", encoder="flim", runs_dir=tmp_path)


def test_an_unknown_agent_and_an_unknown_suite_are_named(tmp_path: Path, call: Callable[..., Any]) -> None:
    with pytest.raises(mtrl.UsageError, match="unknown agent 'cair'"):
        mtrl.learn("tabletop", "cair", runs_dir=tmp_path)
    with pytest.raises(mtrl.SuiteError, match="unknown suite 'tabeltop'"):
        mtrl.learn("tabeltop", runs_dir=tmp_path)
    for wrong in (3, Path("tasks.toml"), [mtrl.make_suite("tabletop").tasks[0]]):
        with pytest.raises(mtrl.SuiteError, match="the suite is .*; give a TaskSuite, or its name as a string"):
            mtrl.learn(wrong, runs_dir=tmp_path)  # type: ignore[arg-type]


def test_a_numpy_false_ends_training_and_one_callback_needs_no_list(tmp_path: Path) -> None:
    result = mtrl.learn("tabletop", "mtsac", callbacks=lambda status: np.bool_(False), runs_dir=tmp_path, **TINY)
    assert result.stopped


def test_numbers_of_numpy_are_numbers() -> None:
    config = config_of_settings("tabletop", "mtsac", {"seed": np.int64(3), "learning_rate": np.float32(0.5)})
    assert (config.seed, config.settings.learning_rate) == (3, 0.5)


def test_a_run_to_start_from_gives_its_settings(tmp_path: Path) -> None:
    few = {**TINY, "encoder_hidden": [8], "context_hidden": [8]}
    source = mtrl.learn("tabletop", "care", runs_dir=tmp_path, **few)
    new = mtrl.learn("tabletop", "care", from_run=source.path, tasks=["reach"], runs_dir=tmp_path / "new")
    config = read_run(new.path)[0]
    assert (config.steps_per_task, config.settings.encoder_hidden, config.tasks) == (64, (8,), ("reach",))
    with pytest.raises(mtrl.UsageError, match="a run of agent 'care'; give agent='care'"):
        mtrl.learn("tabletop", "mtsac", from_run=source.path)


def test_a_run_to_start_from_gives_suite_agent_and_tasks_too(tmp_path: Path) -> None:
    source = mtrl.learn("tabletop", "mtmhsac", runs_dir=tmp_path, keep_checkpoint=True, **TINY)
    config = config_of_settings(None, None, {"from_run": source.path})
    assert (config.suite, config.agent, config.tasks) == ("tabletop", "mtmhsac", ("reach", "push"))
    added = config_of_settings(None, None, {"from_run": source.path, "add_task": ["drawer-close"]})
    assert added.tasks == ("reach", "push", "drawer-close")
    with pytest.raises(mtrl.UsageError, match="leave out --tasks"):
        config_of_settings(None, None, {"from_run": source.path, "add_task": ["reach"], "tasks": ["reach"]})
    assert config_of_settings(None, None, {}).suite == "tabletop-50"

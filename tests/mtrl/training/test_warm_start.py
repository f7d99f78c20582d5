"""A run begins from a finished one: on new tasks, or beside its own; what it takes along, and what it says of both."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mtrl import evaluate, train
from mtrl.runs.context_reference import reference_of
from mtrl.runs.folder import read_run
from tests.mtrl.conftest import Said, metrics, read_json, retold, same_weights, weights
from tests.mtrl.holding import HOLDING, SMALL, hold, trained

Refused = Callable[..., str]
Call = Callable[..., Said]
SUITE = ("--suite", "holding_suite:suite")
TRAINED = ["hold-0.5", "hold0.25", "hold0.5"]
HELD_OUT = ["hold0.0", "hold0.9"]


@pytest.fixture(autouse=True)
def _suites(plug_in: Callable[..., str]) -> None:
    plug_in(HOLDING, "holding_suite")


@pytest.fixture
def run(kept: Path, tmp_path: Path) -> Path:
    """A copy of a finished CARE run with its replay, on a suite with two held-out tasks."""
    if not kept.exists():
        more = ("--context", "text+numbers", "--keep-checkpoint", "--learning-rate", "1e-3")
        shutil.copytree(trained(tmp_path / "runs", *SMALL, *more), kept)
    return Path(shutil.copytree(kept, tmp_path / "run"))


def begun(run: Path, *more: str) -> Path:
    """Train from a run -> the new one."""
    runs = run.parent / "new"
    assert train.main(["--from", str(run), *SUITE, "--runs-dir", str(runs), *more]) == 0
    return next(path for path in sorted((runs / "holding" / "care").iterdir(), reverse=True))


def test_a_new_task_begins_with_what_the_run_makes_of_it_unseen(call: Call, run: Path) -> None:
    assert evaluate.main([str(run), "--trust", "--tasks", "hold0.9", "--episodes", "2", "--seed", "500000002"]) == 0
    unseen = read_json(run / "evaluation-held-out.json")["tasks"]["hold0.9"]
    said = call(train.main, "--from", run, *SUITE, "--tasks", "hold0.9", "--runs-dir", run.parent / "new")
    assert (said.code, said.err) == (0, "")
    assert "what changed since" in " ".join(said.out.split())
    new = run.parent / "new" / "holding" / "care" / "seed0"
    result = read_json(new / "result.json")
    assert list(result["tasks"]) == ["hold0.9"]
    before = result["before"]["tasks"]["hold0.9"]
    assert before["new"] is True
    assert before["return"] == pytest.approx(unseen["return"], rel=1e-5)
    config, _ = read_run(new)
    assert (config.from_run, config.tasks, config.keep_checkpoint) == (run, ("hold0.9",), False)
    assert config.settings.encoder_hidden == (8,)
    assert not same_weights(run, new) if weights(run).keys() == weights(new).keys() else True


def test_a_learning_rate_of_almost_nothing_leaves_the_run_as_it_was(run: Path) -> None:
    tiny = ("--learning-rate", "1e-12", "--final-learning-rate", "1e-12", "--polyak", "1e-12")
    new = begun(run, "--tasks", "hold0.5", *tiny)
    mine, theirs = weights(new), weights(run)
    assert torch.allclose(mine["actor.mlp.layers.0.weight"], theirs["actor.mlp.layers.0.weight"])
    assert torch.allclose(mine["log_temperature"], theirs["log_temperature"][2:])
    result = read_json(new / "result.json")
    assert result["before"]["tasks"]["hold0.5"]["new"] is False
    assert result["tasks"]["hold0.5"]["return"] == pytest.approx(result["before"]["tasks"]["hold0.5"]["return"])


def test_the_agent_acts_itself_from_the_first_step_on(run: Path) -> None:
    """Before it learns, where a new agent would draw its actions: one that learns nothing gets what it gets in all."""
    new = begun(run, "--tasks", "hold0.9", "--steps-per-task", "20", "--random-steps", "19", "--log-every", "20")
    assert not any(tag == "train/critic_loss" for _, tag, _ in metrics(new))
    assert read_json(new / "result.json")["tasks"]["hold0.9"]["return"] == pytest.approx(
        read_json(new / "result.json")["before"]["tasks"]["hold0.9"]["return"]
    )


def test_the_context_is_centred_over_the_first_runs_tasks_in_every_generation(run: Path) -> None:
    first = begun(run, "--tasks", "hold0.9")
    second = begun(first, "--tasks", "hold0.0", "hold0.5")
    for path in (first, second):
        frame = reference_of(read_run(path)[1], path)
        assert frame is not None
        assert [task.name for task in frame] == TRAINED
        assert [dict(task.parameters) for task in frame] == [{"aim": -0.5}, {"aim": 0.25}, {"aim": 0.5}]
    assert torch.equal(weights(second)["encoder.context.known"][0], weights(run)["encoder.context.known"][2])
    assert evaluate.main([str(second), "--trust", "--tasks", "held-out", "--episodes", "1"]) == 0
    assert list(read_json(second / "evaluation-held-out.json")["tasks"]) == ["hold0.9"]


def test_added_tasks_are_learned_beside_the_runs_own_and_forgetting_is_told(call: Call, run: Path) -> None:
    said = call(train.main, "--from", run, *SUITE, "--add-task", "hold0.9", "--runs-dir", run.parent / "new")
    assert (said.code, said.err) == (0, "")
    new = run.parent / "new" / "holding" / "care" / "seed0"
    result = read_json(new / "result.json")
    assert [*result["tasks"]] == [*TRAINED, "hold0.9"]
    assert {name: own["new"] for name, own in result["before"]["tasks"].items()} == {
        **dict.fromkeys(TRAINED, False),
        "hold0.9": True,
    }
    assert result["env_steps"] == 64  # in the new task alone
    for name in TRAINED:
        own, first = result["before"]["tasks"][name], read_json(run / "result.json")["tasks"][name]
        assert own["return"] == pytest.approx(first["return"], rel=1e-5)
    words = " ".join(said.out.split())
    for part in ("known", "mean known", "mean new", "after", "before", "difference"):
        assert part in words
    evaluated = {tag for _, tag, _ in metrics(new) if tag.startswith("eval/return/")}
    assert evaluated == {f"eval/return/{name}" for name in result["tasks"]}
    config, _ = read_run(new)
    assert (config.tasks, config.add_task, config.baseline) == ((*TRAINED, "hold0.9"), ("hold0.9",), "none")
    assert evaluate.main([str(new), "--trust", "--episodes", "1"]) == 0


def test_added_tasks_may_be_named_in_any_order(run: Path) -> None:
    in_order, reversed_order = (begun(run, "--add-task", *names) for names in (HELD_OUT, HELD_OUT[::-1]))
    assert same_weights(in_order, reversed_order)
    tasks = [read_json(path / "result.json")["tasks"] for path in (in_order, reversed_order)]
    assert tasks[0] == tasks[1]


@pytest.mark.parametrize("how", ["--tasks", "--add-task"])
def test_a_run_that_began_from_another_goes_on_to_the_same_numbers(run: Path, how: str) -> None:
    """The folder that it is resumed in is the first one's, cut back to what it had after half of its steps."""
    whole = begun(run, how, "hold0.9", "--steps-per-task", "64", "--random-steps", "31")
    half = begun(run, how, "hold0.9", "--steps-per-task", "32", "--random-steps", "31", "--keep-checkpoint")
    before = read_json(half / "result.json")["before"]
    assert train.main(["--resume", str(half), *SUITE, "--steps-per-task", "64"]) == 0
    assert read_json(half / "result.json")["before"] == before == read_json(whole / "result.json")["before"]
    steady = [name for name in weights(whole) if name.endswith("context.known")]
    assert all(torch.equal(weights(whole)[name], weights(half)[name]) for name in steady)
    assert read_json(half / "result.json")["steps_per_task"] == 64


def test_one_hot_networks_are_refused_and_kept_heads_are_not(refused: Refused, tmp_path: Path) -> None:
    own = trained(tmp_path / "runs", agent="mtsac")
    line = refused(train.main, "--from", own, *SUITE, "--tasks", "hold0.9", "--runs-dir", tmp_path / "new")
    for part in (str(own), "an input for each task", "--agent care", "--encoder context"):
        assert part in line
    heads = trained(tmp_path / "runs", agent="mtmhsac")
    assert train.main(["--from", str(heads), *SUITE, "--tasks", "hold0.9", "--runs-dir", str(tmp_path / "new")]) == 0
    alone = trained(tmp_path / "runs", agent="single-task")
    line = refused(train.main, "--from", alone, *SUITE, "--tasks", "hold0.9", "--runs-dir", tmp_path / "new2")
    assert "'single-task' shares nothing between tasks" in line
    assert not (tmp_path / "new2").exists()


def test_what_does_not_fit_is_refused_before_anything_is_written(refused: Refused, run: Path, tmp_path: Path) -> None:
    new = ("--runs-dir", tmp_path / "new")
    for more, parts in (
        (("--tasks", "hold0.9", "--hidden", "8"), ("is of shape", "leave the settings as they were")),
        (("--tasks", "hold0.0"), ("is of shape", "observations and actions")),  # its observation is shorter
        (("--tasks", "hold0.9", "--no-layer-norm"), ("trained with layer_norm True", "leave it as it was")),
        (("--agent", "care"), ("remove --agent",)),
        (("--encoder", "film"), ("remove --encoder",)),
        (("--tasks", "hold0.8"), ("unknown task 'hold0.8'", "held out: hold0.0, hold0.9", "Did you mean")),
        (("--add-task", "held-out"), ("which stands for several", "names of tasks")),
        (
            ("--steps-per-task", "64", "--baseline", "single-task"),
            ("the baseline's single-task: --random-steps is 1000",),
        ),
        (("--tasks",), ("--tasks names no task", "leave it out for the run's own tasks")),
        (("--add-task", "hold0.5"), ("'hold0.5' is one of the run's tasks already",)),
        (("--add-task", "hold0.9", "--tasks", "hold0.5"), ("leave out --tasks",)),
        (("--add-task", "hold0.9", "--sampler", "loss"), ("remove --sampler",)),
        (("--resume", str(run)), ("remove --from",)),
    ):
        line = refused(train.main, "--from", run, *SUITE, *more, *new)
        assert [part for part in parts if part not in line] == [], line
    assert not (tmp_path / "new").exists()


def test_a_run_without_a_replay_or_not_finished_is_refused(refused: Refused, run: Path, tmp_path: Path) -> None:
    new = ("--runs-dir", tmp_path / "none")
    added = begun(run, "--add-task", "hold0.9", "--keep-checkpoint")
    line = refused(train.main, "--from", added, *SUITE, "--add-task", "hold0.0", *new)
    assert "holds hold0.9 alone" in line
    shutil.rmtree(run / "checkpoints")
    line = refused(train.main, "--from", run, *SUITE, "--add-task", "hold0.9", *new)
    assert "train it with --keep-checkpoint" in line
    retold(run / "config.json", context_frame={"hold0.5": {"sentence": 5, "parameters": {}}})
    assert "context_frame" in refused(train.main, "--from", run, *SUITE, "--tasks", "hold0.9", *new)
    (run / "result.json").unlink()
    assert "is unfinished" in refused(train.main, "--from", run, *SUITE, "--tasks", "hold0.9", *new)
    assert not (tmp_path / "none").exists()


def test_held_out_tasks_can_be_trained_from_scratch_too(tmp_path: Path) -> None:
    given = hold(tmp_path / "runs", *SMALL)
    assert train.main([*given, "--tasks", "held-out", "hold0.5"]) == 0
    result = read_json(tmp_path / "runs" / "holding" / "care" / "seed0" / "result.json")
    assert [*result["tasks"]] == ["hold0.5", "hold0.0", "hold0.9"]
    assert "before" not in result

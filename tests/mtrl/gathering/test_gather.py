"""Runs are found, unfinished ones left out, groups labelled, and what may not stand in one table refused."""

from __future__ import annotations

import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtrl.errors import UsageError
from mtrl.gathering.curves import Curve, area_under_curve, mean_curve, read_curves, steps_to, thinned
from mtrl.gathering.gather import Gathered, gather
from tests.mtrl.made_runs import PROTOCOL, make_run


def labels(gathered: Gathered) -> dict[str, tuple[int, ...]]:
    return {group.label: group.seeds for group in gathered.groups}


@pytest.mark.parametrize("pattern", ["", "tabletop", "tabletop/*", "tabletop/*/*", "tabletop/*/seed[01]"])
def test_folders_above_runs_and_patterns_mean_the_same(tmp_path: Path, pattern: str) -> None:
    for agent in ("care", "mtsac"):
        for seed in (1, 0):
            make_run(tmp_path, agent, seed)
    (tmp_path / "tabletop" / "compare.csv").write_text("beside the runs\n")
    found = gather([tmp_path / pattern, tmp_path / "tabletop/care/seed0"])
    assert labels(found) == {"care": (0, 1), "mtsac": (0, 1)}
    assert (found.suite, found.tasks, found.steps_per_task) == ("tabletop", ("reach", "push"), 4000)
    assert found.warnings == ()


def test_curves_hold_evaluations_only_and_the_last_of_those_written_twice(tmp_path: Path) -> None:
    path = make_run(tmp_path, scores={"a,b": 0.5}, curves={"a,b": [0.1, 0.2, 0.3, 0.4]}) / "metrics.csv"
    with path.open("a") as file:
        file.write('2000,9.0,"eval/success_rate/a,b",0.7\n')
    curves = read_curves(path)
    assert list(curves) == ["eval/success_rate/a,b"]
    assert curves["eval/success_rate/a,b"].steps.tolist() == [1000, 2000, 3000, 4000]
    assert curves["eval/success_rate/a,b"].values.tolist() == [0.1, 0.7, 0.3, 0.4]


@pytest.mark.parametrize(
    ("every", "steps"), [(1, [4, 8, 12, 16, 18]), (5, [8, 12, 16, 18]), (10, [12, 18]), (99, [18])]
)
def test_of_a_curve_the_evaluations_of_a_coarser_one_are_kept(every: int, steps: list[int]) -> None:
    """The first at or after each multiple, as steps are taken several at a time, and the last."""
    points = np.array([4, 8, 12, 16, 18])
    kept = thinned(Curve(points, points / 20), every)
    assert kept.steps.tolist() == steps
    assert kept.values.tolist() == [step / 20 for step in steps]


def test_the_area_is_that_of_trapezoids_from_the_start_and_flat_at_the_end() -> None:
    curve = Curve(np.array([2, 4]), np.array([1.0, 0.5]))
    # 0..2: 1; 2..4: 1.5; 4..10: 3; of 10 steps.
    assert area_under_curve(curve, 10) == pytest.approx(0.55)
    assert area_under_curve(curve, 10, start=None) == pytest.approx(0.65)
    assert area_under_curve(curve, 10, start=-1.0) == pytest.approx(0.45)
    assert area_under_curve(Curve(np.array([10]), np.array([1.0])), 10) == pytest.approx(0.5)


def test_a_threshold_is_reached_at_the_first_evaluation_that_is_no_lower() -> None:
    curve = Curve(np.array([2, 4, 6]), np.array([0.1, 0.3 - 1e-12, 0.2]))
    assert [steps_to(curve, k) for k in (0.05, 0.3, 0.31)] == [2, 4, None]
    assert [steps_to(curve, k, start=0.2) for k in (0.2, 0.3, 0.31)] == [0, 4, None]


def test_curves_of_other_steps_are_averaged_on_all_of_them() -> None:
    mean = mean_curve([Curve(np.array([2, 4]), np.array([0.0, 1.0])), Curve(np.array([3]), np.array([1.0]))])
    assert (mean.steps.tolist(), mean.values.tolist()) == ([2, 3, 4], [0.5, 0.75, 1.0])


def drop(name: str) -> Any:
    return lambda path: (path / name).unlink()


def put(name: str, text: str) -> Any:
    return lambda path: (path / name).write_text(text)


def told(name: str, **values: Any) -> Any:
    return lambda path: (path / name).write_text(json.dumps({**json.loads((path / name).read_text()), **values}))


def pipe(name: str) -> Any:
    def spoil(path: Path) -> None:
        (path / name).unlink()
        os.mkfifo(path / name)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (drop("result.json"), "is unfinished, after an unknown number of 4,000 steps per task: it has no result.json"),
        (drop("metrics.csv"), "is damaged: it has no metrics.csv"),
        (put("result.json", "{"), "is damaged"),
        (put("result.json", "[]"), "is damaged (it is not a JSON object)"),
        (put("result.json", "[" * 100_000), "is damaged (its values are nested too deeply)"),
        (put("config.json", "[" * 100_000), "is damaged (its values are nested too deeply)"),
        (told("result.json", protocol=[1]), "is damaged (protocol is [1], which is not a table)"),
        (told("result.json", protocol={"versions": [1]}), "is damaged (the protocol's versions are [1])"),
        (told("result.json", tasks={"reach": 1}), "is damaged (the scores of 'reach' are 1)"),
        (told("result.json", tasks={"a\x1b[1m": {}}), r"is damaged (a task is named 'a\x1b[1m')"),
        (told("result.json", tasks={"reach": {"return": math.nan}}), "is damaged (it contains NaN"),
        (told("result.json", before=3), "is damaged (before is 3, which has no table of tasks)"),
        (told("result.json", before={"tasks": [1]}), "is damaged (before is {'tasks': [1]}, which has no table"),
        (told("result.json", before={"tasks": {"reach": 1}}), "is damaged (the scores of 'reach' are 1)"),
        (told("result.json", seed=True), "is damaged (seed is True, not a number)"),
        (told("config.json", seed=10**40), "--seed is 1"),
        (told("config.json", versions=[1]), "is damaged (versions is [1])"),
        (told("config.json", git={"commit": 3}), "is damaged (git is {'commit': 3})"),
        (pipe("config.json"), "is damaged (it is not a regular file)"),
        (pipe("result.json"), "is damaged (it is not a regular file)"),
        (pipe("metrics.csv"), "is damaged (it is not a regular file)"),
        (put("result.json", json.dumps({"seed": 0})), "is damaged (it has no 'env_steps')"),
        (put("config.json", "{"), "is damaged"),
        (put("metrics.csv", "step,seconds,tag,value\n1,2,eval/return\n"), "a line holds 3 values"),
        (put("metrics.csv", "step,seconds,tag,value\n1,2,eval/return,nan\n"), "eval/return is nan at step 1"),
        (put("metrics.csv", ""), "its first line is None"),
    ],
)
def test_an_unfinished_or_damaged_run_is_left_out_with_a_line_and_refused_alone(
    tmp_path: Path, spoil: Any, said: str
) -> None:
    make_run(tmp_path, seed=0)
    bad = make_run(tmp_path, seed=1)
    spoil(bad)
    found = gather([tmp_path])
    assert labels(found) == {"care": (0,)}
    (line,) = found.warnings
    assert said in line
    assert str(bad) in line
    shutil.rmtree(tmp_path / "tabletop/care/seed0")
    with pytest.raises(UsageError, match="none of the given runs is finished") as refused:
        gather([tmp_path])
    assert said in str(refused.value)


def test_what_names_no_run_is_refused(tmp_path: Path) -> None:
    make_run(tmp_path / "runs")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    for patterns, said in (
        ([tmp_path / "runs", tmp_path / "empty"], "is not a run and contains none"),
        ([tmp_path / "runs", tmp_path / "nothing*"], "nor a pattern that matches one"),
        ([tmp_path / "file"], "is a file"),
        ([], "none was given"),
    ):
        with pytest.raises(UsageError, match=said):
            gather(patterns)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"suite": "pendulum-gravity"}, "suite is tabletop in one, pendulum-gravity in the other"),
        ({"scores": {"reach": 0.5}}, "tasks is push, reach in one, reach in the other"),
        ({"suite": "pendulum-gravity", "steps_per_task": 8000}, "suite is tabletop in one, pendulum-gravity"),
        ({"protocol": {**PROTOCOL, "episodes": 50}}, "the protocol's episodes is 10 in one, 50 in the other"),
        (
            {"protocol": {**PROTOCOL, "reward_version": "v1"}},
            "the protocol's reward_version is not recorded in one, v1",
        ),
        ({"protocol": {**PROTOCOL, "horizon": 500}}, "the protocol's horizon is not recorded in one, 500"),
        ({"protocol": {**PROTOCOL, "scored_in": "farama"}}, "the protocol's scored_in is s in one, farama"),
        ({"chance": {"reach": 0.0}}, "the score of reach is success in one, return in the other"),
    ],
)
def test_runs_that_were_scored_otherwise_are_named_and_never_mixed(
    tmp_path: Path, other: dict[str, Any], said: str
) -> None:
    first, second = make_run(tmp_path / "1"), make_run(tmp_path / "2", "mtsac", **other)
    with pytest.raises(UsageError) as refused:
        gather([first, second])
    assert said in str(refused.value)
    assert repr(str(first)) in str(refused.value)
    assert repr(str(second)) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_runs_of_another_budget_are_set_aside_by_name(tmp_path: Path) -> None:
    for seed in (0, 1):
        make_run(tmp_path, seed=seed)
    short = make_run(tmp_path, seed=2, steps_per_task=1000)
    long = make_run(tmp_path, "mtsac", steps_per_task=80_000)
    found = gather([tmp_path])
    assert (labels(found), found.steps_per_task) == ({"care": (0, 1)}, 4000)
    assert sorted(found.warnings) == [
        f"set aside: 1,000 steps per task rather than 4,000, in {str(short)!r}; --steps-per-task 1000 takes it instead",
        f"set aside: 80,000 steps per task rather than 4,000, in {str(long)!r}; "
        "--steps-per-task 80000 takes it instead",
    ]
    asked = gather([tmp_path], 80_000)
    assert (labels(asked), asked.steps_per_task, asked.warnings) == ({"mtsac": (0,)}, 80_000, ())
    with pytest.raises(UsageError, match=r"no run has; budgets \(and runs\): 1,000 \(1\), 4,000 \(2\), 80,000 \(1\)"):
        gather([tmp_path], 5000)


def test_of_budgets_that_as_many_runs_have_the_largest_is_taken(tmp_path: Path) -> None:
    make_run(tmp_path, seed=0, steps_per_task=1000)
    make_run(tmp_path, seed=1, steps_per_task=9000)
    make_run(tmp_path, seed=2, steps_per_task=3000)
    assert labels(gather([tmp_path])) == {"care": (1,)}


def test_with_a_budget_asked_for_runs_of_others_may_be_of_any_protocol(tmp_path: Path) -> None:
    make_run(tmp_path, seed=0)
    make_run(tmp_path, seed=1, steps_per_task=1000, protocol={**PROTOCOL, "episodes": 3})
    with pytest.raises(UsageError, match="the protocol's episodes"):
        gather([tmp_path])
    assert labels(gather([tmp_path], 1000)) == {"care": (1,)}


def test_an_engine_by_name_and_goals_by_seed_are_no_other_protocol(tmp_path: Path) -> None:
    facts = {**PROTOCOL, "training_engines": {"reach": "envpool"}}
    make_run(tmp_path, seed=0, protocol={**facts, "goal_seed": 0})
    make_run(tmp_path, seed=1, protocol={**facts, "goal_seed": 1, "engine": "envpool"})
    assert labels(gather([tmp_path])) == {"care": (0, 1)}
    make_run(tmp_path, seed=2, protocol={**facts, "training_engines": {"reach": "farama"}})
    with pytest.raises(UsageError, match="the protocol's training_engines"):
        gather([tmp_path])


def test_other_versions_code_and_rhythm_are_allowed_and_said(tmp_path: Path) -> None:
    make_run(tmp_path, seed=0, protocol={**PROTOCOL, "versions": {"mujoco": "3.1"}})
    facts = {"versions": {"torch": "2.1"}, "git": {"commit": "d" * 40}}
    make_run(tmp_path, seed=1, protocol={**PROTOCOL, "versions": {"mujoco": "3.2"}}, facts=facts, eval_every=500)
    lines = gather([tmp_path]).warnings
    for said in (
        "the version of mujoco differs between runs: 3.1",
        "the version of torch differs between runs: 2.0",
        "the kit's commit differs between runs: ccccccccc",
        "--eval-every differs between runs: 4000",
    ):
        assert [line for line in lines if line.startswith(said)], (said, lines)
    assert len(lines) == 4


def test_settings_set_groups_of_an_agent_apart_and_are_in_their_labels(tmp_path: Path) -> None:
    make_run(tmp_path, seed=0)
    make_run(tmp_path, seed=1, threads=3, log_every=7, workers=2)  # none of which makes another agent
    make_run(tmp_path, seed=0, name="a", settings={"encoders": 6})
    make_run(tmp_path, seed=0, name="b", settings={"encoders": 6, "hidden": (64, 64)}, batch_per_task=32)
    make_run(tmp_path, "mtsac", 0, settings={"hidden": (32,)})  # the only one of its agent
    assert labels(gather([tmp_path])) == {
        "care": (0, 1),
        "care (encoders=6)": (0,),
        "care (batch_per_task=32, hidden=64x64, encoders=6)": (0,),
        "mtsac": (0,),
    }


def test_of_the_same_seed_twice_the_newest_is_taken(tmp_path: Path) -> None:
    old, new = make_run(tmp_path, scores={"reach": 0.1}), make_run(tmp_path, scores={"reach": 0.2}, name="seed0-2")
    os.utime(new / "result.json", (1, 1))
    for path, age in ((old, 100), (new, 200)):
        os.utime(path / "result.json", (age, age))
    for order in ([old, new], [new, old]):
        found = gather(order)
        assert [run.path for run in found.runs] == [new]
        assert found.warnings == (f"left out: {str(old)!r} has the settings and seed of {str(new)!r}, which is newer",)

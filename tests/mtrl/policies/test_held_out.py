"""A run meets tasks that it was not trained on: told by their context, scored apart, or refused in one line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from envs.registry import make_suite
from mtrl import evaluate, train
from mtrl.policies.held_out import policy_for_new
from mtrl.runs.folder import read_run
from tests.mtrl.conftest import Said, read_json, retold
from tests.mtrl.holding import HOLDING, SMALL, hold, trained

Refused = Callable[..., str]
Call = Callable[..., Said]


@pytest.fixture(autouse=True)
def _suites(plug_in: Callable[..., str]) -> None:
    plug_in(HOLDING, "holding_suite")


@pytest.fixture
def run(kept: Path, tmp_path: Path) -> Path:
    """A copy of a CARE run on the suite with two held-out tasks."""
    if not kept.exists():
        shutil.copytree(trained(tmp_path / "runs", *SMALL), kept)
    return Path(shutil.copytree(kept, tmp_path / "run"))


def test_held_out_tasks_are_scored_apart_and_show_their_side_of_the_range(call: Call, run: Path) -> None:
    said = call(evaluate.main, run, "--trust", "--tasks", "held-out", "--episodes", "3")
    assert (said.code, said.err) == (0, "")
    assert "holding, held-out tasks" in " ".join(said.out.split())
    rows = {line.split("│")[1].strip(): line.split("│")[2].strip() for line in said.out.splitlines() if "│" in line}
    assert rows == {"hold0.0": "inside", "hold0.9": "outside", "mean": "", "mean inside": "", "mean outside": ""}
    result = read_json(run / "evaluation-held-out.json")
    assert not (run / "evaluation.json").exists()
    assert result["held_out"] is True
    assert {name: (entry["episodes"], entry["range"]) for name, entry in result["tasks"].items()} == {
        "hold0.0": (3, "inside"),
        "hold0.9": (3, "outside"),
    }
    assert all(np.isfinite(entry["random_return"]) for entry in result["tasks"].values())
    assert result["protocol"]["episodes"] == 3


def test_a_trained_task_scores_the_same_when_it_is_met_as_a_new_one(tmp_path: Path) -> None:
    """Without learned rows a task is known by its context alone, so it may as well be held out under its own name."""
    own = trained(tmp_path / "runs", *SMALL, "--context", "text+numbers")
    assert evaluate.main([str(own), "--trust", "--episodes", "4", "--tasks", "hold0.5"]) == 0
    retold(own / "config.json", suite="holding_suite:twins")
    assert evaluate.main([str(own), "--trust", "--episodes", "4", "--tasks", "hold0.5"]) == 0
    old, new = (read_json(own / f"evaluation{part}.json")["tasks"]["hold0.5"] for part in ("", "-held-out"))
    assert new["return"] == pytest.approx(old["return"], rel=1e-5)
    assert evaluate.main([str(own), "--trust", "--episodes", "4", "--tasks", "hold0.25"]) == 0
    assert read_json(own / "evaluation.json")["tasks"]["hold0.25"]["return"] != pytest.approx(old["return"], rel=1e-2)


def test_tasks_by_name_are_scored_alone_and_by_the_same_policy(run: Path) -> None:
    assert evaluate.main([str(run), "--trust", "--episodes", "4"]) == 0
    every = read_json(run / "evaluation.json")["tasks"]
    assert list(every) == ["hold-0.5", "hold0.25", "hold0.5"]
    assert evaluate.main([str(run), "--trust", "--episodes", "4", "--tasks", "hold0.5", "hold0.25"]) == 0
    some = read_json(run / "evaluation.json")["tasks"]
    assert list(some) == list(every)  # that of the third is kept
    assert (
        evaluate.main([str(run), "--trust", "--episodes", "4", "--tasks", "hold0.25"]) == 0
    )  # of a shorter observation
    alone = read_json(run / "evaluation.json")["tasks"]
    for part in (some, alone):
        for name, entry in part.items():
            assert entry["return"] == pytest.approx(every[name]["return"], rel=1e-5)


def test_a_held_out_task_is_told_by_its_own_context_whichever_others_are_played(run: Path) -> None:
    scores = []
    for names in (["held-out"], ["hold0.9"]):
        assert evaluate.main([str(run), "--trust", "--episodes", "4", "--tasks", *names]) == 0
        scores.append(read_json(run / "evaluation-held-out.json")["tasks"])
    assert [list(tasks) for tasks in scores] == [["hold0.0", "hold0.9"]] * 2  # the first is kept
    assert scores[1]["hold0.0"] == scores[0]["hold0.0"]
    assert scores[1]["hold0.9"]["return"] == pytest.approx(scores[0]["hold0.9"]["return"], rel=1e-5)


def test_trained_and_held_out_names_go_to_a_file_each(run: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.gif"
    names = ["hold0.9", "hold-0.5"]
    assert evaluate.main([str(run), "--trust", "--episodes", "2", "--tasks", *names, "--record", str(film)]) == 0
    assert list(read_json(run / "evaluation.json")["tasks"]) == ["hold-0.5"]
    assert list(read_json(run / "evaluation-held-out.json")["tasks"]) == ["hold0.9"]
    for path in (film, tmp_path / "film-held-out.gif"):
        with Image.open(path) as pictures:
            assert pictures.n_frames == 6  # the start and five steps; the fifth ends it, and its picture stays


def test_a_recording_of_held_out_tasks_bears_the_name_it_was_given(run: Path, tmp_path: Path) -> None:
    assert (
        evaluate.main(
            [str(run), "--trust", "--episodes", "1", "--tasks", "held-out", "--record", str(tmp_path / "f.gif")]
        )
        == 0
    )
    with Image.open(tmp_path / "f.gif") as pictures:
        assert pictures.n_frames == 6


@pytest.mark.parametrize(
    ("agent", "more", "why"),
    [
        ("mtsac", (), "reads no context"),
        ("mtmhsac", (), "reads no context"),
        ("single-task", (), "reads no context"),
        ("mtmhsac", ("--encoder", "context"), "its trunk has task-specific weights"),
        ("care", ("--context", "onehot"), "--context onehot does not describe new tasks"),
        ("care", ("--context", "learned"), "--context learned does not describe new tasks"),
    ],
)
def test_an_agent_that_cannot_tell_a_new_task_refuses_and_names_care(
    refused: Refused, tmp_path: Path, agent: str, more: tuple[str, ...], why: str
) -> None:
    path = trained(tmp_path / "runs", *more, agent=agent)
    line = refused(evaluate.main, path, "--trust", "--tasks", "hold0.5", "held-out")
    assert f"agent {agent!r} cannot play held-out tasks" in line
    assert why in line
    assert "--agent care" in line
    assert not list(path.glob("evaluation*"))


@pytest.mark.parametrize("wanted", ["text", "numbers", "text+numbers", "hashing"])
def test_a_plain_network_that_is_given_the_context_plays_new_tasks_too(call: Call, tmp_path: Path, wanted: str) -> None:
    path = trained(tmp_path / "runs", "--encoder", "context", "--context", wanted, agent="mtsac")
    assert call(evaluate.main, path, "--trust", "--tasks", "held-out", "--episodes", "2").code == 0
    assert list(read_json(path / "evaluation-held-out.json")["tasks"]) == ["hold0.0", "hold0.9"]


def test_stable_baselines3_refuses_before_its_models_are_read(refused: Refused, run: Path) -> None:
    retold(run / "config.json", agent="sb3", settings={})
    line = refused(evaluate.main, run, "--trust", "--tasks", "held-out")
    assert "agent 'sb3' cannot play held-out tasks: it trains a separate model per task" in line


def test_returns_are_shown_beside_what_random_actions_and_the_task_alone_come_to(call: Call, tmp_path: Path) -> None:
    given = [word if word != "none" else "single-task" for word in hold(tmp_path / "runs", *SMALL[:4])]
    said = call(train.main, *given)
    assert said.code == 0
    assert "normalised" in said.out
    care, alone = (
        read_json(tmp_path / "runs" / "holding" / agent / "seed0" / "result.json")["tasks"]
        for agent in ("care", "single-task")
    )
    for name, entry in care.items():
        assert entry["random_return"] == alone[name]["random_return"]


def test_a_suite_that_holds_nothing_out_says_so(refused: Refused, run: Path) -> None:
    retold(run / "config.json", suite="holding_suite:none")
    assert "suite 'holding' has no held-out tasks" in refused(evaluate.main, run, "--trust", "--tasks", "held-out")


def test_fixed_starts_are_played_once_each_unless_episodes_are_given(tmp_path: Path) -> None:
    path = trained(tmp_path / "runs", "--eval-episodes", "3", agent="mtsac", suite="fixed")

    def episodes(file: str) -> list[int]:
        return [entry["episodes"] for entry in read_json(path / file)["tasks"].values()]

    assert episodes("result.json") == [3, 7]
    assert evaluate.main([str(path), "--trust"]) == 0
    assert episodes("evaluation.json") == [50, 7]
    assert evaluate.main([str(path), "--trust", "--episodes", "2"]) == 0
    assert episodes("evaluation.json") == [2, 2]
    for file in ("result.json", "evaluation.json"):
        protocol = read_json(path / file)["protocol"]
        assert (protocol["reward"], protocol["starts"]) == ("v2", "fixed where a task has such")


def test_an_unknown_task_is_named_with_those_that_are_known(refused: Refused, run: Path) -> None:
    line = refused(evaluate.main, run, "--trust", "--tasks", "hold0.55")
    for part in (
        "unknown task 'hold0.55'",
        "hold-0.5, hold0.25, hold0.5",
        "held out: hold0.0, hold0.9",
        "Did you mean",
    ):
        assert part in line


def test_held_out_tasks_larger_than_those_trained_on_are_refused(refused: Refused, run: Path) -> None:
    retold(run / "config.json", suite="holding_suite:wide")
    line = refused(evaluate.main, run, "--trust", "--tasks", "held-out")
    for part in ("hold0.0", "observations of up to 3 numbers and actions of up to 2", "at most 2 and 1"):
        assert part in line


def test_smaller_ones_are_padded_and_their_actions_cut(tmp_path: Path) -> None:
    path = trained(tmp_path / "runs", *SMALL, suite="threes")
    config, facts = read_run(path)
    suite = make_suite("holding_suite:threes")
    action = policy_for_new(path, config, suite, suite.held_out_suite(), facts["context_source"])(torch.ones(2, 4, 1))
    assert action.shape == (2, 4, 2)
    assert action[0].all()
    assert action[1, :, 0].all()
    assert not action[1, :, 1].any()


@pytest.mark.parametrize("source", ["shipped", "none", None])
def test_sentence_vectors_of_another_source_do_not_mix(refused: Refused, run: Path, source: str | None) -> None:
    retold(run / "config.json", context_source=source)
    line = refused(evaluate.main, run, "--trust", "--tasks", "held-out")
    assert f"source {source!r}" in line
    assert "train the run again" in line
    assert evaluate.main([str(run), "--trust", "--episodes", "1"]) == 0  # the tasks it was trained on read none


def test_a_changed_sentence_is_said_once_with_the_tasks_name(call: Call, run: Path) -> None:
    retold(run / "config.json", suite="holding_suite:other")
    said = call(evaluate.main, run, "--trust", "--episodes", "1")
    assert said.code == 0
    assert said.err.count("\n") == 1
    assert said.err.startswith("warning: ")
    assert "hold0.5" in said.err
    assert "hold0.25" not in said.err
    for values in ({"suite": "holding_suite:suite"}, {"suite": "holding_suite:other", "task_sentences": None}):
        retold(run / "config.json", **values)
        assert call(evaluate.main, run, "--trust", "--episodes", "1").err == ""


def test_an_agent_that_reads_no_sentence_minds_no_change(call: Call, tmp_path: Path) -> None:
    for k, (agent, more) in enumerate((("mtsac", ()), ("care", ("--context", "numbers")))):
        path = trained(tmp_path / f"runs{k}", *more, agent=agent)
        retold(path / "config.json", suite="holding_suite:other")
        assert call(evaluate.main, path, "--trust", "--episodes", "1").err == ""

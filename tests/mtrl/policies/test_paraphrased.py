"""A run's own tasks described by paraphrases: scored separately with the same weights, or refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mtrl import evaluate, play
from tests.mtrl.conftest import Said, read_json, retold
from tests.mtrl.holding import HOLDING, SMALL, trained

Refused = Callable[..., str]
Call = Callable[..., Said]
# The same tasks with paraphrases: in their own words, in others; one has none.
TOLD = (
    HOLDING
    + """
    from dataclasses import replace
    same = TaskSuite("holding", [replace(task, paraphrase=task.description) for task in trained])
    told = TaskSuite("holding", [replace(trained[0], paraphrase="Stay below."), trained[1],
                                 replace(trained[2], paraphrase="Stay above.")])
"""
)


@pytest.fixture(autouse=True)
def _suites(plug_in: Callable[..., str]) -> None:
    plug_in(TOLD, "holding_suite")


def scores(run: Path, *tasks: str) -> dict[str, float]:
    """The returns of a run on those tasks, by name."""
    assert evaluate.main([str(run), "--trust", "--episodes", "4", "--tasks", *tasks]) == 0
    file = "evaluation-paraphrased.json" if tasks == ("paraphrased",) else "evaluation.json"
    return {name: own["return"] for name, own in read_json(run / file)["tasks"].items()}


@pytest.mark.parametrize(
    ("agent", "more"),
    [("care", ()), ("mtsac", ("--encoder", "context", "--context", "hashing")), ("mtmhsac", ("--encoder", "context"))],
)
def test_a_task_in_its_own_words_scores_the_same(tmp_path: Path, agent: str, more: tuple[str, ...]) -> None:
    """Learned rows and heads stay: it is the same task."""
    run = trained(tmp_path / "runs", *(SMALL if agent == "care" else ()), *more, agent=agent, suite="same")
    own = scores(run, "hold-0.5", "hold0.25", "hold0.5")
    assert scores(run, "paraphrased") == pytest.approx(own, rel=1e-5)


def test_other_words_are_scored_apart_for_the_tasks_that_have_some(call: Call, tmp_path: Path) -> None:
    run = trained(tmp_path / "runs", *SMALL, suite="told")
    said = call(evaluate.main, run, "--trust", "--tasks", "paraphrased", "--episodes", "4")
    assert (said.code, said.err) == (0, "")
    assert "holding, paraphrased tasks" in " ".join(said.out.split())
    result = read_json(run / "evaluation-paraphrased.json")
    assert result["paraphrased"] is True
    assert [*result["tasks"]] == ["hold-0.5", "hold0.5"]
    own = scores(run, "hold-0.5", "hold0.5")
    assert scores(run, "paraphrased") != pytest.approx(own, rel=1e-3)


@pytest.mark.parametrize(
    ("agent", "more", "why"),
    [
        ("mtsac", (), "it reads no sentence"),
        ("single-task", (), "it reads no sentence"),
        ("care", ("--context", "numbers"), "it reads no sentence"),
    ],
)
def test_an_agent_that_reads_no_sentence_is_refused_with_one_that_does(
    refused: Refused, tmp_path: Path, agent: str, more: tuple[str, ...], why: str
) -> None:
    run = trained(tmp_path / "runs", *more, agent=agent, suite="told")
    line = refused(evaluate.main, run, "--trust", "--tasks", "paraphrased")
    for part in (why, f"agent {agent!r}", "--agent care", "--context text"):
        assert part in line
    assert not list(run.glob("evaluation*"))


def test_missing_paraphrases_and_other_sources_are_reported(refused: Refused, tmp_path: Path) -> None:
    run = trained(tmp_path / "runs", *SMALL)
    assert "has no paraphrases" in refused(evaluate.main, run, "--trust", "--tasks", "paraphrased")
    retold(run / "config.json", suite="holding_suite:told", context_source="shipped")
    line = refused(evaluate.main, run, "--trust", "--tasks", "paraphrased")
    assert "source 'shipped'" in line
    assert "those of the paraphrases" in line
    assert "several tasks" in refused(play.main, run, "--trust", "--task", "paraphrased")

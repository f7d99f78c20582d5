"""Score against cost: the front, and one clock for all agents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mtrl.comparison.compare import compare
from mtrl.comparison.cost import PROCESSOR, WALL, clock_of, costs_of, front, front_in_words, scores_of, seconds_of
from mtrl.comparison.outcomes import Comparison
from mtrl.errors import UsageError
from mtrl.gathering.gather import gather
from mtrl.runs.result import read_result
from tests.mtrl.made_runs import make_run

CPU = {"device": "cpu", "cpu_seconds": 10.0}


def compared(root: Path, **agents: tuple[float, int, dict[str, Any]]) -> Comparison:
    """Compare agents of one seed each, by name: its score on both tasks, its parameters, what its result holds."""
    for name, (score, parameters, facts) in agents.items():
        scores = {"reach": score, "push": score}
        make_run(root, name.replace("_", "-"), scores=scores, parameters=parameters, result_facts=facts)
    return compare(gather([root]))


@pytest.mark.parametrize(
    ("points", "ahead"),
    [
        ([(1, 0.1)], [0]),
        ([(1, 0.1), (2, 0.2), (3, 0.15)], [0, 1]),
        ([(2, 0.2), (1, 0.2)], [1]),  # as good at less cost
        ([(1, 0.1), (1, 0.2)], [1]),  # better at the same cost
        ([(1, 0.2), (1, 0.2), (2, 0.1)], [0, 1]),  # equal in both: neither beats the other
        ([(3, 0.3), (2, 0.2), (1, 0.1)], [0, 1, 2]),
    ],
)
def test_on_the_front_is_whom_no_other_beats_in_both(points: list[tuple[float, float]], ahead: list[int]) -> None:
    costs, scores = zip(*points, strict=True)
    assert front(costs, scores) == ahead


def test_agents_are_told_by_the_processors_time_where_all_runs_have_it(tmp_path: Path) -> None:
    make_run(tmp_path, "care", 1, result_facts={"device": "cpu", "cpu_seconds": 30.0})
    comparison = compared(tmp_path, care=(0.5, 1000, CPU), mtsac=(0.4, 900, CPU))
    assert clock_of(comparison) == PROCESSOR
    assert [seconds_of(one, PROCESSOR) for one in comparison.agents] == [20.0, 10.0]
    assert costs_of(comparison)[0].values == (20.0, 10.0)
    assert {(row.agent, row.seed, row.cpu_seconds) for row in comparison.rows} == {
        ("care", 0, 10.0),
        ("care", 1, 30.0),
        ("mtsac", 0, 10.0),
    }


@pytest.mark.parametrize("facts", [{"device": "cpu"}, {"device": "cuda", "cpu_seconds": 10.0}, {"cpu_seconds": 10.0}])
def test_one_run_without_processor_time_or_on_a_gpu_has_all_told_by_the_walls(
    tmp_path: Path, facts: dict[str, Any]
) -> None:
    make_run(tmp_path, "mtsac", 1, result_facts=CPU)
    comparison = compared(tmp_path, care=(0.5, 1000, CPU), mtsac=(0.4, 900, facts))
    assert clock_of(comparison) == WALL
    assert [one.cpu_seconds for one in comparison.agents] == [10.0, None]
    assert costs_of(comparison)[0].values == (60.0, 60.5)  # those of seed 0, and of seeds 0 and 1


def test_the_fronts_are_named_the_cheapest_first(tmp_path: Path) -> None:
    def took(seconds: float) -> dict[str, Any]:
        return {"device": "cpu", "cpu_seconds": seconds}

    comparison = compared(
        tmp_path,
        care=(0.8, 500, took(9)),
        film=(0.6, 3000, took(5)),
        mtsac=(0.4, 1000, took(2)),
        moore=(0.5, 2000, took(7)),
    )
    assert [cost.front for cost in costs_of(comparison)] == [("mtsac", "film", "care"), ("care",)]
    assert front_in_words(comparison) == (
        "No agent scores higher in fewer processor seconds of training than mtsac, film or care, and none with fewer "
        "parameters than care, by the mean area under the learning curve."
    )


def test_equal_fronts_are_named_once_and_one_agent_has_none(tmp_path: Path) -> None:
    alone = compared(tmp_path / "one", care=(0.5, 1000, {}))
    assert front_in_words(alone) == ""
    both = compared(tmp_path / "two", care=(0.5, 1000, CPU), mtsac=(0.4, 900, {**CPU, "cpu_seconds": 5.0}))
    assert front_in_words(both) == (
        "No agent scores higher in fewer processor seconds of training, or with fewer parameters, than mtsac or care, "
        "by the mean area under the learning curve."
    )


def test_without_curves_of_all_agents_the_score_is_the_final_one(tmp_path: Path) -> None:
    comparison = compared(tmp_path, care=(0.6, 1000, {}), mtsac=(0.3, 1000, {}))
    care, mtsac = comparison.agents
    words, scores = scores_of(comparison)
    # Curves are flat but for a start from 0, which costs half of the first quarter.
    assert (words, [one.value for one in scores]) == ("area under the learning curve", pytest.approx([0.525, 0.2625]))
    words, scores = scores_of(replace(comparison, agents=(care, replace(mtsac, auc=None))))
    assert (words, [one.value for one in scores]) == ("mean final score", pytest.approx([0.6, 0.3]))


@pytest.mark.parametrize("value", ["10", None, True])
def test_a_result_whose_processor_time_is_no_number_is_refused(tmp_path: Path, value: object) -> None:
    run = make_run(tmp_path, result_facts={"cpu_seconds": value})
    with pytest.raises(ValueError, match="cpu_seconds is .*, not a number"):
        read_result(run)
    with pytest.raises(UsageError):
        gather([run])

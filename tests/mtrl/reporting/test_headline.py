"""The three answers of a report follow from the figures: who is ahead, which tasks gained, whether it is enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtrl.comparison.compare import compare
from mtrl.comparison.outcomes import AHEAD, SAME
from mtrl.gathering.gather import gather
from mtrl.reporting.headline import answers, leads_with_area
from mtrl.reporting.sizes import size_matched
from tests.mtrl.made_runs import make_run

SEEDS = 5


def said(root: Path) -> list[tuple[str, str]]:
    """Each answer, and the sentences behind it in one."""
    return [(answer.short, " ".join(answer.details)) for answer in answers(compare(gather([root])))]


def runs(root: Path, agent: str, reach: float, push: float, seeds: int = SEEDS, parameters: int = 1000) -> None:
    """Seeds that differ a little, in turn above and below."""
    for seed in range(seeds):
        shift = 0.01 * (seed % 2)
        scores = {"reach": reach + shift, "push": push - shift}
        make_run(root, agent, seed, scores, parameters=parameters)


def test_an_agent_that_no_seed_of_another_beats_is_ahead(tmp_path: Path) -> None:
    runs(tmp_path, "care", 0.9, 0.8)
    runs(tmp_path, "mtsac", 0.2, 0.1)
    best, _, _ = said(tmp_path)
    assert best[0] == "care is ahead of all others."
    assert "care 0.85" in best[1]
    assert best[1].index("care") < best[1].index("mtsac")
    assert "rewards learning speed: care 0." in best[1]


def test_equal_agents_do_not_differ_and_the_one_behind_is_named(tmp_path: Path) -> None:
    runs(tmp_path, "care", 0.9, 0.8)
    runs(tmp_path, "mtsac", 0.9, 0.8)
    runs(tmp_path, "mtmhsac", 0.2, 0.1)
    best = said(tmp_path)[0]
    assert best[0] == "care and mtsac do not differ significantly."
    assert best[1].startswith("mtmhsac is behind care.")


def test_at_the_ceiling_the_agent_that_fails_on_fewer_tasks_is_first(tmp_path: Path) -> None:
    for agent, last in (("care", 0.2), ("mtsac", 0.9)):
        for seed in range(SEEDS):
            scores = {f"task-{k}": 1.0 for k in range(9)} | {"hard": last + 0.01 * seed}
            make_run(tmp_path, agent, seed, scores)
    best = said(tmp_path)[0]
    assert best[0] == "mtsac is ahead of all others."
    assert "2 of 2 agents end at the ceiling" in said(tmp_path)[2][1]
    assert best[1].startswith("Interquartile mean of success: mtsac 1.00 (0.99 to 1.00); care 1.00")


def test_two_seeds_decide_nothing_on_any_card(tmp_path: Path) -> None:
    """They once said "care is ahead of all others" on the first card and "Hardly" on the third."""
    runs(tmp_path, "care", 0.9, 0.8, seeds=2)
    for agent in ("mtsac", "single-task"):
        runs(tmp_path, agent, 0.2, 0.1, seeds=2)
    best, sharing, evidence = said(tmp_path)
    assert best[0] == "Not known: two seeds are too few."
    assert best[1].startswith("care scored highest.")
    assert sharing[0] == "Not known: two seeds are too few to tell."
    assert evidence[0] == "No: 2 seeds per agent are too few."
    (sizes,) = size_matched(compare(gather([tmp_path])))
    assert "parameters): two seeds are too few to tell." in sizes


def test_agents_of_too_few_seeds_are_left_out_of_the_ranking_and_named(tmp_path: Path) -> None:
    runs(tmp_path, "care", 0.9, 0.8)
    runs(tmp_path, "mtsac", 0.2, 0.1)
    runs(tmp_path, "mtmhsac", 0.95, 0.9, seeds=2)
    best = said(tmp_path)[0]
    assert best[0] == "care is ahead of mtsac."
    assert best[1].startswith("mtmhsac has too few seeds to be judged.")


def test_agents_that_differ_from_each_other_are_not_said_to_be_alike(tmp_path: Path) -> None:
    """The seeds of the first vary so much that it differs from none, while the second is ahead of the third."""
    for agent, levels in (("care", (0.1, 0.9, 1.0, 1.0, 1.0)), ("mtsac", (0.7,) * 5), ("mtmhsac", (0.5,) * 5)):
        for seed, level in enumerate(levels):
            make_run(tmp_path, agent, seed, {"reach": level, "push": level})
    comparison = compare(gather([tmp_path]))
    assert comparison.pair("mtsac", "mtmhsac").verdict == AHEAD
    assert answers(comparison)[0].short == (
        "No difference to care, which is highest, is significant for mtsac and mtmhsac."
    )


@pytest.mark.parametrize(("seeds", "why"), [((1, 2), "one seed proves"), ((2, 2), "two seeds are too few")])
def test_agents_of_too_few_seeds_have_no_verdict_whatever_their_numbers(
    tmp_path: Path, seeds: tuple[int, int], why: str
) -> None:
    """With one seed of one agent and two of another, it was "No significant difference on any of 2 tasks."."""
    runs(tmp_path, "single-task", 0.2, 0.1)
    for agent, count in zip(("care", "mtsac"), seeds, strict=True):
        runs(tmp_path, agent, 0.9, 0.8, seeds=count)
    assert said(tmp_path)[1][0].startswith(f"Not known: {why}")


def test_tasks_are_counted_for_the_agents_that_can_be_judged(tmp_path: Path) -> None:
    runs(tmp_path, "care", 0.9, 0.8)
    runs(tmp_path, "mtsac", 0.9, 0.8, seeds=1)
    runs(tmp_path, "single-task", 0.2, 0.1)
    sharing = said(tmp_path)[1]
    assert sharing[0] == "care: helped on 2, hurt on none of 2 tasks."
    assert "mtsac: not known, since one seed proves nothing." in sharing[1]


def test_against_a_baseline_that_shares_no_task_is_said_to_be_learned_alone(tmp_path: Path) -> None:
    runs(tmp_path, "care", 0.9, 0.8)
    runs(tmp_path, "mtsac", 0.2, 0.1)
    evidence = answers(compare(gather([tmp_path]), "mtsac"))[2]
    assert evidence.details[0] == "2 of 2 comparisons with mtsac on a task are significant."


def test_every_card_and_note_has_the_same_verdicts(tmp_path: Path) -> None:
    """Every task is one more vote for mtsac, but a run moves all its tasks: three such runs per side prove nothing."""
    tasks = [f"task-{k}" for k in range(10)]
    for agent, levels in (("mtsac", (0.5, 0.6, 0.9)), ("care", (0.3, 0.4, 0.55)), ("single-task", (0.3, 0.4, 0.55))):
        for seed, level in enumerate(levels):
            make_run(tmp_path, agent, seed, {task: level + 0.002 * k for k, task in enumerate(tasks)})
    comparison = compare(gather([tmp_path]))
    best, sharing, _ = answers(comparison)
    assert {pair.verdict for pair in comparison.pairs} == {effect.verdict for effect in comparison.overall} == {SAME}
    assert best.short == "mtsac, care and single-task do not differ significantly."
    assert "ahead" not in " ".join(size_matched(comparison)).replace("neither is ahead", "")
    assert sharing.short == "No significant difference on any of 10 tasks."
    assert "no significant difference over all tasks together" in " ".join(sharing.details)


def test_tasks_that_gained_and_lost_are_named_and_counted(tmp_path: Path) -> None:
    runs(tmp_path, "care", 0.9, 0.2)
    runs(tmp_path, "single-task", 0.3, 0.7, parameters=4000)
    _, sharing, evidence = said(tmp_path)
    assert sharing[0] == "care: helped on 1, hurt on 1 of 2 tasks."
    assert "care: helped on 1 of 2 tasks (reach), hurt on 1 of 2 tasks (push), " in sharing[1]
    assert evidence[0].startswith("For large differences: 5 seeds")
    assert sharing[1].startswith("Judged task by task by the area under the learning curve, against single-task. care")
    assert evidence[1].startswith("2 of 2 comparisons")
    assert "ceiling" not in evidence[1]
    assert "single-task has 4.0 times" in evidence[1]


def test_equal_agents_have_no_significant_difference(tmp_path: Path) -> None:
    runs(tmp_path, "care", 0.5, 0.5)
    runs(tmp_path, "single-task", 0.5, 0.5)
    sharing = said(tmp_path)[1]
    assert sharing[0] == "No significant difference on any of 2 tasks."
    assert sharing[1].endswith(
        "care: no significant difference on any task, no significant difference over all tasks together."
    )


def test_of_several_agents_that_share_the_card_says_from_how_many_tasks_to_how_many(tmp_path: Path) -> None:
    runs(tmp_path, "single-task", 0.5, 0.5)
    runs(tmp_path, "care", 0.9, 0.2)
    runs(tmp_path, "mtsac", 0.2, 0.1)
    short, details = said(tmp_path)[1]
    assert short == "Helped on 0 to 1, hurt on 1 to 2 of 2 tasks, depending on the agent."
    assert "mtsac: hurt on all 2 tasks, " in details


def test_a_card_says_one_thing_in_a_line_whatever_there_is_to_say(tmp_path: Path) -> None:
    for place, agent in enumerate(("care", "mtsac", "mtmhsac", "single-task", "sb3")):
        runs(tmp_path, agent, 0.5 + 0.1 * (place % 2), 0.4, seeds=2 if agent == "sb3" else SEEDS)
    for short, details in said(tmp_path):
        assert len(short) <= 80, short
        assert (short.count("."), short.count(";")) == (1, 0), short
        assert short not in details


def test_where_scores_are_at_the_ceiling_agents_are_shown_by_area(tmp_path: Path) -> None:
    for agent, early in (("care", 0.5), ("mtsac", 0.8)):
        for seed in range(SEEDS):
            curve = [early, 1.0, 1.0, 1.0]
            make_run(tmp_path / "high", agent, seed, {"reach": 1.0}, {"reach": curve})
            make_run(tmp_path / "low", agent, seed, {"reach": 0.9}, {"reach": curve})
    assert leads_with_area(compare(gather([tmp_path / "high"])))
    assert not leads_with_area(compare(gather([tmp_path / "low"])))


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [
        (1, "No: one seed proves nothing."),
        (2, "No: 2 seeds of some agents are too few."),
        (3, "Hardly: 3 seeds of some agents show only large differences."),
        (5, "For large differences: at least 5 seeds per agent."),
        (10, "Yes, for the differences reported as significant: 10 seeds per agent."),
    ],
)
def test_the_evidence_is_judged_by_the_fewest_seeds(tmp_path: Path, seeds: int, expected: str) -> None:
    runs(tmp_path, "care", 0.9, 0.8, seeds)
    runs(tmp_path, "single-task", 0.2, 0.1, 10)
    assert said(tmp_path)[2][0] == expected


def test_one_seed_crowns_nobody_and_helps_nobody(tmp_path: Path) -> None:
    runs(tmp_path, "care", 0.9, 0.8, 1)
    runs(tmp_path, "single-task", 0.2, 0.1, 1)
    best, sharing, _ = said(tmp_path)
    assert best[0].startswith("Not known")
    assert sharing[0] == "Not known: one seed proves nothing."


def test_without_a_task_alone_the_way_to_one_is_told(tmp_path: Path) -> None:
    runs(tmp_path, "care", 0.9, 0.8)
    _, sharing, _ = said(tmp_path)
    assert sharing[0].startswith("Not known")
    assert "--agents single-task" in sharing[1]


def test_agents_that_all_learn_alone_or_share_beside_another_baseline_are_told_apart(tmp_path: Path) -> None:
    """All of them were once said to include no agent that learns each task alone."""
    runs(tmp_path / "alone", "single-task", 0.9, 0.8)
    runs(tmp_path / "alone", "sb3", 0.9, 0.8)
    assert said(tmp_path / "alone")[1][0] == "Not known: no agent here learns tasks together."
    runs(tmp_path / "beside", "care", 0.9, 0.8)
    runs(tmp_path / "beside", "sb3", 0.9, 0.8)
    short, details = said(tmp_path / "beside")[1]
    assert short == "Not known: sb3 is not the baseline."
    assert "--baseline sb3" in details


def test_a_probability_reads_the_same_from_either_side(tmp_path: Path) -> None:
    runs(tmp_path, "care", 0.9, 0.5)
    runs(tmp_path, "mtsac", 0.2, 0.5)
    comparison = compare(gather([tmp_path]))
    one, other = (comparison.pair(*pair).probability for pair in (("care", "mtsac"), ("mtsac", "care")))
    assert one.value == pytest.approx(0.75)
    assert other.value == pytest.approx(0.25)
    assert (one.low, one.high) == pytest.approx((1 - (other.high or 0), 1 - (other.low or 0)))

"""The one rule about intervals, and who is called in which order."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from mtrl.config.defaults import default_config
from mtrl.training.schedule import Rule, Scheduled, Span, always, either, multiples_of, notify, passing, rules_of


class Now(NamedTuple):
    span: Span
    env_steps: int = 0
    updates: int = 0


def due(rule: Rule, steps: list[int], total: int = 60) -> list[int]:
    """The steps at which a rule holds, asked at each of ``steps``."""
    pairs = zip([0, *steps], steps, strict=False)
    return [step for before, step in pairs if rule(Span(before, step, total))]


STEPS = [8, 20, 30, 44, 58, 61]


@pytest.mark.parametrize(("every", "steps"), [(20, [20, 44, 61]), (30, [30, 61]), (1, STEPS), (100, []), (0, [])])
def test_a_rule_holds_where_a_multiple_is_passed(every: int, steps: list[int]) -> None:
    assert due(multiples_of(every), STEPS) == steps


@pytest.mark.parametrize(("every", "steps"), [(40, [44, 61]), (100, [61]), (0, [])])
def test_the_end_counts_where_it_is_asked_for_but_not_of_what_is_never_done(every: int, steps: list[int]) -> None:
    assert due(multiples_of(every, at_end=True), STEPS) == steps


def test_a_step_is_passed_once() -> None:
    assert due(passing(20), STEPS) == [20]
    assert due(passing(21), STEPS) == [30]
    assert due(passing(0), STEPS) == []


def test_rules_are_joined() -> None:
    assert due(either(passing(8), multiples_of(30)), STEPS) == [8, 30, 61]
    assert due(either(), STEPS) == []
    assert due(always, STEPS) == STEPS


def test_progress_is_told_with_the_log_with_evaluations_and_where_learning_begins() -> None:
    config = default_config("tabletop", "care")
    rules = rules_of(config)
    spans = [Span(step - 4, step, config.steps_per_task) for step in range(4, config.steps_per_task + 4, 4)]
    logged, evaluated, told = ([span.step for span in spans if rule(span)] for rule in rules)
    assert evaluated[-1] == config.steps_per_task
    assert set(told) == {*logged, *evaluated, config.random_steps}


def test_callbacks_are_called_in_order_and_all_of_them_even_when_one_ends_the_run() -> None:
    heard: list[str] = []

    def named(name: str, answer: bool | None) -> Scheduled:
        return Scheduled(lambda now: (heard.append(name), answer)[1], multiples_of(10))

    callbacks = [named("first", None), named("ends", False), named("last", True)]
    assert notify(callbacks, Now(Span(0, 4, 60)))
    assert heard == []
    assert not notify(callbacks, Now(Span(8, 12, 60)))
    assert heard == ["first", "ends", "last"]
    assert notify([named("says nothing", None)], Now(Span(8, 12, 60)))

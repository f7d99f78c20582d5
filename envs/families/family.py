"""A family of tasks that differ in one number, and its suite of training and held-out tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gymnasium as gym

from envs.errors import SuiteError
from envs.suite import Task, TaskSuite


def _itself(name: str, value: float) -> dict[str, float]:
    return {name: value}


@dataclass(frozen=True)
class Family:
    """One number, the values it takes, and how a value becomes a task.

    ``make(value, **kwargs)`` builds the environment; it must be a module-level function, so that tasks can be
    pickled. ``sentence`` contains ``{value}``. ``numbers(parameter, value)`` returns what an agent may read, by default
    the value itself. A user's own values must lie in [minimum, maximum], in ``unit``, where the simulator is stable.
    """

    name: str
    parameter: str
    unit: str
    minimum: float
    maximum: float
    training: tuple[float, ...]
    held_out: tuple[float, ...]
    sentence: str
    make: Callable[..., gym.Env[Any, Any]]
    numbers: Callable[[str, float], Mapping[str, float]] = _itself

    def suite(self, argument: str = "") -> TaskSuite:
        """Return the suite of the family's training values, or of those in ``argument``, as in ``2,5,8``.

        Its held-out tasks are those of the family's held-out values that are not trained on, tagged ``inside`` or
        ``outside`` the range of the training values. Raises ``SuiteError`` for a value that is not a number, is out of
        range, or is given twice.
        """
        training = self._parsed(argument) if argument.strip() else self.training
        name = f"{self.name}-{'+'.join(map(_plain, training))}" if argument.strip() else self.name
        held_out = [value for value in self.held_out if value not in training]
        return TaskSuite(
            name,
            [self._task(value) for value in training],
            held_out=[self._task(value, _side(value, training)) for value in held_out],
        )

    def _task(self, value: float, *tags: str) -> Task:
        return Task(
            f"{self.parameter}-{_plain(value)}",
            partial(self.make, value),
            self.sentence.format(value=_plain(value)),
            tags,
            parameters=self.numbers(self.parameter, value),
        )

    def _parsed(self, argument: str) -> tuple[float, ...]:
        values: list[float] = []
        allowed = f"it may be from {_plain(self.minimum)} to {_plain(self.maximum)} {self.unit}".rstrip()
        way_out = f"write {self.name}:{','.join(map(_plain, self.training))} for the default ones"
        for text in argument.split(","):
            where = f"suite {self.name!r}: {self.parameter} {text.strip()!r}"
            try:
                value = float(text) + 0.0  # no negative zero
            except ValueError:
                raise SuiteError(f"{where} is not a number; {allowed}; {way_out}") from None
            if not self.minimum <= value <= self.maximum:
                raise SuiteError(f"{where} is out of range; {allowed}; {way_out}")
            if _plain(value) in map(_plain, values):
                raise SuiteError(f"{where} is given twice; remove one of them")
            values.append(value)
        return tuple(values)


def _side(value: float, training: Sequence[float]) -> str:
    return "inside" if min(training) <= value <= max(training) else "outside"


def _plain(value: float) -> str:
    return f"{value:.10g}"

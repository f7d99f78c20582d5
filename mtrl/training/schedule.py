"""When things happen during a run: one kind of rule for log, evaluation, diagnosis, video and the user's callbacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from mtrl.config import TrainConfig


class Span(NamedTuple):
    """The environment steps per task since a rule was last evaluated: ``before`` < ... <= ``step``."""

    before: int
    step: int
    total: int  # of the whole run

    @property
    def last(self) -> bool:
        """Whether the run is over."""
        return self.step >= self.total


Rule = Callable[[Span], bool]


def multiples_of(steps: int, *, at_end: bool = False) -> Rule:
    """Return the rule that holds whenever a multiple of ``steps`` is passed (0: never), and perhaps ``at_end``."""
    return lambda span: steps > 0 and (span.step // steps > span.before // steps or (at_end and span.last))


def passing(step: int) -> Rule:
    """Return the rule that holds once, when ``step`` is reached."""
    return lambda span: span.before < step <= span.step


def either(*rules: Rule) -> Rule:
    """Return the rule that holds where one of ``rules`` does."""
    return lambda span: any(rule(span) for rule in rules)


def always(span: Span) -> bool:
    """Hold at every step."""
    return True


class Counts(Protocol):
    """How far a run is: what every callback receives; most receive more."""

    @property
    def span(self) -> Span:
        """The environment steps per task since the callbacks were last called."""

    @property
    def env_steps(self) -> int:
        """Environment steps so far, over all tasks."""

    @property
    def updates(self) -> int:
        """Updates so far."""


@dataclass(frozen=True)
class Scheduled:
    """A callback and the rule by which it is called. It ends the run by returning False."""

    call: Callable[[Any], Any]
    due: Rule = always

    def __call__(self, now: Counts) -> bool:
        """Call it if it is due; return whether the run continues."""
        answer = self.call(now) if self.due(now.span) else None
        return not (isinstance(answer, bool | np.bool_) and not answer)


class Rules(NamedTuple):
    """When every run logs, evaluates and reports its progress."""

    log: Rule
    evaluation: Rule
    progress: Rule


def rules_of(config: TrainConfig[Any]) -> Rules:
    """Return a run's rules; progress is reported with each log entry, each evaluation, and when learning starts."""
    log, evaluation = multiples_of(config.log_every), multiples_of(config.eval_every, at_end=True)
    return Rules(log, evaluation, either(log, evaluation, passing(config.random_steps)))


def notify(callbacks: Sequence[Scheduled], now: Counts) -> bool:
    """Call all that are due, in order; return whether the run continues."""
    answers = [callback(now) for callback in callbacks]
    return all(answers)

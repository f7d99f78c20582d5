"""The data of a comparison of runs: agents, pairs of agents, tasks against the task learned alone, curves, runs.

All classes are frozen and have plain values. Scores are success, or returns on the scale named by
``Comparison.measure``; steps are environment steps per task.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from mtrl.comparison.statistics import Estimate

THRESHOLDS = (0.5, 0.8, 0.95)
MAX_RATIO = 1.5  # agents with more than this times the parameters of the smallest are marked
AHEAD, BEHIND = "ahead", "behind"  # of another agent
HELPED, HURT = "helped", "hurt"  # by sharing
BETTER, WORSE = "better", "worse"  # than a baseline that does not differ in sharing
SAME = "no difference at this number of seeds"
ONE_SEED, FEW_SEEDS = "one seed proves nothing", "two seeds are too few to tell"
JUDGED = {"area": "the area under the learning curve", "final": "the final score"}


@dataclass(frozen=True)
class Reached:
    """The median over seeds of the first evaluation at which the mean over tasks was at least ``threshold``.

    A seed that never reached it counts as later than all others; ``steps`` is None if the median is such a seed.
    ``seeds`` is how many out of ``of`` seeds reached it.
    """

    threshold: float
    steps: int | None
    seeds: int
    of: int


@dataclass(frozen=True)
class AgentSummary:
    """The results of an agent's runs; ``label`` is its name, with the settings that distinguish it from its namesakes.

    ``iqm``, ``mean`` and ``auc`` are over seeds and tasks, with intervals over whole runs; ``worst_task`` has the
    lowest mean over seeds, ``worst_score``. ``auc`` is None without evaluations, ``reached`` empty if thresholds are
    meaningless (raw returns). ``env_steps``, ``updates``, ``wall_seconds`` and ``cpu_seconds`` are means over seeds;
    ``cpu_seconds`` is None if a run lacks it or used a GPU, since it is then not the whole cost. ``size_ratio`` is its
    number of parameters over the smallest one in the table; ``larger`` marks more than ``MAX_RATIO``.
    """

    label: str
    agent: str
    settings: dict[str, Any]
    seeds: tuple[int, ...]
    iqm: Estimate
    mean: Estimate
    worst_task: str
    worst_score: float
    auc: Estimate | None
    reached: tuple[Reached, ...]
    env_steps: float
    updates: float
    wall_seconds: float
    cpu_seconds: float | None
    parameters: int
    size_ratio: float
    larger: bool


@dataclass(frozen=True)
class Gap:
    """A difference of means over seeds, its 95 % interval, and p before and after adjustment for multiple tests.

    By ``statistics.welch`` and ``statistics.pairwise``. All but ``value`` are None if a side has one seed.
    """

    value: float
    low: float | None
    high: float | None
    p: float | None
    adjusted: float | None

    def turned(self) -> Gap:
        """Return the gap as seen from the other side."""
        low, high = (None if end is None else -end for end in (self.high, self.low))
        return Gap(-self.value, low, high, self.p, self.adjusted)

    def within(self, share: bool) -> Gap:
        """Return the gap with its interval clipped to [-1, 1] if it is a difference of shares."""
        if not share or self.low is None or self.high is None:
            return self
        return dataclasses.replace(self, low=max(self.low, -1.0), high=min(self.high, 1.0))


@dataclass(frozen=True)
class Pair:
    """Two agents: the probability that one improves on the other, and whether they differ significantly.

    ``probability`` is that of a run of ``first`` having a higher final score on a task than one of ``second``; ties
    count half. ``final`` is the difference of their mean final scores over tasks, ``area`` that of the areas under the
    curves (None without curves of all agents), with p adjusted over all pairs. ``verdict``, by ``verdicts.verdict`` on
    the gap named by ``judged_by``, is ``AHEAD`` or ``BEHIND`` (of ``first`` relative to ``second``), ``SAME``,
    ``FEW_SEEDS`` or ``ONE_SEED``.
    """

    first: str
    second: str
    probability: Estimate
    final: Gap
    area: Gap | None
    judged_by: Literal["area", "final"]
    verdict: str

    def turned(self) -> Pair:
        """Return the pair as seen from ``second``."""
        p = self.probability
        low, high = (None if end is None else 1 - end for end in (p.high, p.low))
        area = None if self.area is None else self.area.turned()
        verdict = {AHEAD: BEHIND, BEHIND: AHEAD}.get(self.verdict, self.verdict)
        share = Estimate(1 - p.value, low, high)
        return Pair(self.second, self.first, share, self.final.turned(), area, self.judged_by, verdict)


def pair_of(pairs: Iterable[Pair], first: str, second: str) -> Pair:
    """Return two agents' pair as seen from ``first``. Raises ``KeyError`` for unknown labels."""
    for pair in pairs:
        if (pair.first, pair.second) == (first, second):
            return pair
        if (pair.first, pair.second) == (second, first):
            return pair.turned()
    raise KeyError((first, second))


@dataclass(frozen=True)
class TaskEffect:
    """The effect of learning ``task`` together with the others on an agent's score, against the baseline.

    ``score`` and ``baseline_score`` are means over seeds of the final weights' score, ``final`` their difference;
    ``area`` is that of the areas under the curves, None if a side has no curve. ``transfer`` is
    (AUC - AUC_baseline) / (1 - AUC_baseline), the forward transfer of Wolczyk et al. 2021 (Continual World, eq. 2),
    with the interval of ``area`` divided in the same way; None for raw returns and if AUC_baseline is 1.

    ``verdict`` is ``HELPED`` or ``HURT`` if the adjusted p of ``area`` (of ``final`` without it: ``judged_by``) is
    below .05, else ``SAME``; with two seeds on a side ``FEW_SEEDS``, with one ``ONE_SEED``. If the agent learns each
    task alone too (sb3), or the baseline does not, sharing is not what is judged, and it is ``BETTER`` or ``WORSE``.
    The area is judged rather than the final score because transfer is defined by it, and because the final score of a
    task that both sides learn shows no difference. ``task`` is None for the mean over tasks of each seed: then gaps and
    verdict are those of the agent's ``Pair`` with the baseline.
    """

    agent: str
    task: str | None
    measure: str
    score: float
    baseline_score: float
    final: Gap
    area: Gap | None
    transfer: Estimate | None
    judged_by: Literal["area", "final"]
    verdict: str


@dataclass(frozen=True)
class Band:
    """A learning curve: mean over seeds at ``steps``, with its 95 % interval over runs (None with one seed).

    ``task`` is None for the mean over tasks.
    """

    agent: str
    task: str | None
    measure: str
    steps: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...] | None
    high: tuple[float, ...] | None


@dataclass(frozen=True)
class RunTaskRow:
    """One run's outcome on one task; ``score`` is in ``measure``, and the last five fields are those of the run."""

    agent: str
    seed: int
    task: str
    measure: str
    score: float
    success_any: float | None
    success_last: float | None
    episode_return: float
    random_return: float | None
    auc: float | None
    steps_to_50: int | None
    steps_to_80: int | None
    steps_to_95: int | None
    parameters: int
    env_steps: int
    updates: int
    wall_seconds: float
    cpu_seconds: float | None
    run: str


@dataclass(frozen=True)
class Comparison:
    """The comparison of a suite's agents.

    ``measure`` is the score used for means over tasks (``success``, ``normalised return`` or ``return``), and
    ``measure_words`` describes it; tasks with another measure are left out of those means. ``baseline`` is the label of
    the agent that tasks are compared with; without one, ``effects`` (per agent and task) and ``overall`` (per agent)
    are empty. ``pairs`` has each two agents once. ``notes`` are sentences that accompany the tables, ``warnings`` state
    what was left out or differs between runs.
    """

    suite: str
    tasks: tuple[str, ...]
    steps_per_task: int
    protocol: dict[str, Any]
    measure: str
    measure_words: str
    baseline: str | None
    agents: tuple[AgentSummary, ...]
    pairs: tuple[Pair, ...]
    effects: tuple[TaskEffect, ...]
    overall: tuple[TaskEffect, ...]
    bands: tuple[Band, ...]
    rows: tuple[RunTaskRow, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    def pair(self, first: str, second: str) -> Pair:
        """Return two agents' pair as seen from ``first``. Raises ``KeyError`` for unknown labels."""
        return pair_of(self.pairs, first, second)

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return dataclasses.asdict(self)

"""The three questions that bring people to a report, answered from a comparison in a sentence each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from mtrl.comparison.measures import RETURN, SUCCESS
from mtrl.comparison.outcomes import BETTER, HELPED, HURT, ONE_SEED, SAME, WORSE, AgentSummary, Comparison
from mtrl.comparison.statistics import Estimate
from mtrl.tables import ALONE

CLEAR = (HELPED, BETTER, HURT, WORSE)
CEILING = 0.99
SAME_SIZE = 1.1  # parameters of the larger over those of the smaller, at most
FEW, ENOUGH = 5, 10  # seeds an agent: below the first only large differences show, from the second on a claim holds


@dataclass(frozen=True)
class Answer:
    """A question, its answer in a sentence, and what stands behind it."""

    question: str
    short: str
    detail: str


def answers(comparison: Comparison) -> list[Answer]:
    """Answer which agent is best, whether sharing helped, and whether the evidence is enough."""
    return [_best(comparison), _sharing(comparison), _evidence(comparison)]


def number(value: float, measure: str) -> str:
    """Write a score: shares with two places, returns with as many as their size asks for."""
    return f"{value:,.1f}" if measure == RETURN else f"{value:.2f}"


def with_interval(estimate: Estimate, measure: str) -> str:
    """Write a score and its interval, where it has one."""
    text = number(estimate.value, measure)
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text} ({number(estimate.low, measure)} to {number(estimate.high, measure)})"


def sharing_agents(comparison: Comparison) -> list[str]:
    """Return the labels of the agents that learn tasks together and are compared with a baseline, in their order."""
    compared = {effect.agent for effect in comparison.effects}
    return [one.label for one in comparison.agents if one.label in compared and one.agent not in ALONE]


def probability(comparison: Comparison, first: str, second: str) -> Estimate:
    """Return how probable it is that ``first`` improves on ``second``, whichever way round the table has it."""
    for pair in comparison.pairs:
        if (pair.first, pair.second) == (first, second):
            return pair.probability
        if (pair.first, pair.second) == (second, first):
            low, high = pair.probability.high, pair.probability.low
            return Estimate(
                1 - pair.probability.value, None if low is None else 1 - low, None if high is None else 1 - high
            )
    raise KeyError((first, second))


def size_matched(comparison: Comparison) -> list[str]:
    """Say of agents that learn together and have about the same size which of two is better, if either is."""
    told = []
    sharing = [one for one in comparison.agents if one.agent not in ALONE]
    for first, second in combinations(sharing, 2):
        small, large = sorted((first.parameters, second.parameters))
        if first.agent != second.agent and large <= SAME_SIZE * small:
            share = probability(comparison, first.label, second.label)
            told.append(
                f"{first.label} and {second.label} have about the same size ({first.parameters:,} and "
                f"{second.parameters:,} parameters): {_which(first.label, second.label, share)} The probability that "
                f"{first.label} scores higher is {with_interval(share, SUCCESS)}."
            )
    return told


def _which(first: str, second: str, share: Estimate) -> str:
    if share.low is None or share.high is None:
        return "one seed proves nothing."
    if share.low > 0.5:
        return f"{first} is ahead."
    return f"{second} is ahead." if share.high < 0.5 else "neither is ahead."


def _best(comparison: Comparison) -> Answer:
    question = "Which agent is best?"
    # Interquartile means tie at the ceiling, where the mean still says who fails on some task.
    ranked = sorted(comparison.agents, key=lambda one: (round(one.iqm.value, 4), one.mean.value), reverse=True)
    scores = "; ".join(f"{one.label} {with_interval(one.iqm, comparison.measure)}" for one in ranked)
    detail = f"Interquartile mean of {comparison.measure}: {scores}.{_by_area(comparison)}"
    top = ranked[0]
    if len(ranked) == 1:
        return Answer(question, f"There is only {top.label}.", detail)
    level = [other.label for other in ranked[1:] if not _ahead(comparison, top, other)]
    if min(len(one.seeds) for one in ranked) == 1:
        return Answer(question, f"Not known: {top.label} scored highest, and one seed proves nothing.", detail)
    if not level:
        return Answer(question, f"{top.label} is ahead of all others.", detail)
    behind = [one.label for one in ranked[1:] if one.label not in level]
    rest = f"; {_listed(behind)} {'is' if len(behind) == 1 else 'are'} behind {top.label}" if behind else ""
    return Answer(question, f"{_listed([top.label, *level])} cannot be told apart{rest}.", detail)


def _by_area(comparison: Comparison) -> str:
    """Rank agents by the area under their curves, which tells them apart where all come to the same in the end."""
    known = [(one.label, one.auc) for one in comparison.agents if one.auc is not None]
    if len(known) < 2:
        return ""
    ranked = sorted(known, key=lambda pair: pair[1].value, reverse=True)
    areas = "; ".join(f"{label} {number(area.value, comparison.measure)}" for label, area in ranked)
    return f" Area under the learning curve, in which speed counts: {areas}."


def _ahead(comparison: Comparison, top: AgentSummary, other: AgentSummary) -> bool:
    low = probability(comparison, top.label, other.label).low
    return low is not None and low > 0.5


def _sharing(comparison: Comparison) -> Answer:
    question = "Did learning together help?"
    names = sharing_agents(comparison)
    if not names:
        return Answer(question, "Not known: nothing here learns alone to compare with.", _joined(comparison.notes))
    lines = [_told(name, comparison) for name in names]
    judged = {effect.judged_by for effect in comparison.effects if effect.agent in names}
    what = "the area under the learning curve" if judged == {"area"} else "the final score"
    how = f"Judged task by task by {what}, against {comparison.baseline}."
    return Answer(question, lines[0], " ".join([how, *lines[1:]]))


def _told(agent: str, comparison: Comparison) -> str:
    """Say on which tasks an agent gained and lost against the baseline, and whether in all."""
    effects = [effect for effect in comparison.effects if effect.agent == agent]
    if all(effect.verdict == ONE_SEED for effect in effects):
        return f"{agent}: not known, since one seed proves nothing."
    parts, rest = [], len(effects)
    for verdict in CLEAR:
        if names := [str(effect.task) for effect in effects if effect.verdict == verdict]:
            parts.append(f"{verdict} on {len(names)} of {len(effects)} tasks ({_listed(names)})")
            rest -= len(names)
    if rest:
        parts.append(f"no difference shows on {rest}" if parts else "no difference shows on any task")
    overall = next((effect.verdict for effect in comparison.overall if effect.agent == agent), SAME)
    parts.append(f"{'no difference' if overall == SAME else overall} over all tasks together")
    return f"{agent}: {', '.join(parts)}."


def _evidence(comparison: Comparison) -> Answer:
    question = "Is the evidence enough?"
    fewest = min(len(one.seeds) for one in comparison.agents)
    seeds = "one seed" if fewest == 1 else f"{fewest} seeds"
    if fewest == 1:
        short = "No: one seed proves nothing."
    elif fewest < FEW:
        short = f"Hardly: {seeds} an agent show only large differences."
    elif fewest < ENOUGH:
        short = f"For large differences: {seeds} an agent; small ones need {ENOUGH} or more."
    else:
        short = f"Yes, for what is called a difference here: {seeds} an agent."
    shared = set(sharing_agents(comparison))
    judged = [effect for effect in comparison.effects if effect.agent in shared and effect.verdict != ONE_SEED]
    clear = sum(effect.verdict in CLEAR for effect in judged)
    counted = [f"{clear} of {len(judged)} comparisons with a task learned alone are clear."] if judged else []
    larger = [f"{one.label} {one.size_ratio:.1f} times" for one in comparison.agents if one.larger]
    sizes = [f"Sizes differ: {_listed(larger)} the parameters of the smallest."] if larger else []
    return Answer(question, short, " ".join([*counted, *_ceiling(comparison), *sizes]))


def _ceiling(comparison: Comparison) -> list[str]:
    """Say where final scores cannot tell agents apart because most have nothing left to gain."""
    high = sum(one.iqm.value >= CEILING for one in comparison.agents)
    if comparison.measure != SUCCESS or len(comparison.agents) < 2 or 2 * high < len(comparison.agents):
        return []
    return [f"{high} of {len(comparison.agents)} agents end at the ceiling: the learning curves tell more."]


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _joined(sentences: Sequence[str]) -> str:
    """Make sentences of notes."""
    ended = [sentence if sentence.endswith(".") else f"{sentence}." for sentence in sentences]
    return " ".join(sentence[:1].upper() + sentence[1:] for sentence in ended)

"""The three main questions of a report, each answered from a comparison in one line, with details."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from agents.registry.lookup import learned_alone
from mtrl.comparison.cost import front_in_words
from mtrl.comparison.measures import RETURN, SUCCESS
from mtrl.comparison.outcomes import (
    AHEAD,
    BEHIND,
    BETTER,
    FEW_SEEDS,
    HELPED,
    HURT,
    JUDGED,
    ONE_SEED,
    SAME,
    WORSE,
    AgentSummary,
    Comparison,
)
from mtrl.comparison.statistics import LEAST_SEEDS, Estimate
from mtrl.scoring import many_tasks

CLEAR = (HELPED, BETTER, HURT, WORSE)
CEILING = 0.99
MAX_NAMED = 3  # agents or tasks listed by name
FEW, ENOUGH = 5, 10  # seeds per agent: below the first only large differences show, from the second on it is enough


@dataclass(frozen=True)
class Answer:
    """A question, its answer in one line, and sentences with the details."""

    question: str
    short: str
    details: tuple[str, ...]


def answers(comparison: Comparison) -> list[Answer]:
    """Answer which agent is best, whether sharing helped, and whether the evidence is enough."""
    return [_best(comparison), _sharing(comparison), _evidence(comparison)]


def number(value: float, measure: str, signed: bool = False) -> str:
    """Format a score with two decimals, a return with one; a difference is ``signed``, to distinguish it."""
    return f"{value:{'+' if signed else ''}{',.1f' if measure == RETURN else '.2f'}}"


def with_interval(estimate: Estimate, measure: str, signed: bool = False) -> str:
    """Format a score or a difference with its interval, if any."""
    text = number(estimate.value, measure, signed)
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text} ({number(estimate.low, measure, signed)} to {number(estimate.high, measure, signed)})"


def sharing_agents(comparison: Comparison) -> list[str]:
    """Return the labels of the agents that learn tasks together and are compared with a baseline, in order."""
    compared = {effect.agent for effect in comparison.effects}
    return [one.label for one in comparison.agents if one.label in compared and not learned_alone(one.agent)]


def _best(comparison: Comparison) -> Answer:
    question = "Which agent is best?"
    by_area = all(pair.judged_by == "area" for pair in comparison.pairs)
    ranked = sorted(comparison.agents, key=lambda one: _standing(one, by_area), reverse=True)
    scores = "; ".join(f"{one.label} {with_interval(one.iqm, comparison.measure)}" for one in ranked)
    details = [f"Interquartile mean of {comparison.measure}: {scores}.", *_by_area(comparison)]
    details += [sentence] if (sentence := front_in_words(comparison)) else []
    if len(ranked) == 1:
        return Answer(question, f"There is only {ranked[0].label}.", (*details,))
    enough = [one.label for one in ranked if len(one.seeds) >= LEAST_SEEDS]
    few = [one.label for one in ranked if len(one.seeds) < LEAST_SEEDS]
    if len(enough) < 2:
        why = "one seed proves nothing" if min(len(one.seeds) for one in ranked) == 1 else "two seeds are too few"
        return Answer(question, f"Not known: {why}.", (f"{ranked[0].label} scored highest.", *details))
    judged = JUDGED["area" if by_area else "final"]
    method = f"Compared by {judged}, mean over tasks (Welch's t-test over runs, Holm-corrected over all pairs)."
    short, *rest = _standings(comparison, enough, few)
    return Answer(question, short, (*rest, *details, method))


def _standing(one: AgentSummary, by_area: bool) -> float:
    """Return the value by which agents are ranked: the mean by which their pairs are judged."""
    return one.auc.value if by_area and one.auc is not None else one.mean.value


def _standings(comparison: Comparison, ranked: Sequence[str], few: Sequence[str]) -> list[str]:
    """State which of the agents with enough seeds is ahead, which are behind, and which have too few seeds."""
    top, *others = ranked
    behind = [other for other in others if comparison.pair(top, other).verdict == AHEAD]
    level = [other for other in others if other not in behind]
    left = [f"{listed(few)} {_has(few)} too few seeds to be judged."] if few else []
    if not level:
        return [f"{top} is ahead of {_named(behind) if few else 'all others'}.", *left]
    rest = [f"{listed(behind)} {_is(behind)} behind {top}."] if behind else []
    apart = any(comparison.pair(*two).verdict in (AHEAD, BEHIND) for two in combinations(level, 2))
    if apart:  # each from another of them, but none from the first, whose seeds may vary more
        return [f"No difference to {top}, which is highest, is significant for {_named(level)}.", *rest, *left]
    return [f"{_named([top, *level])} do not differ significantly.", *rest, *left]


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _has(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _by_area(comparison: Comparison) -> list[str]:
    """Rank agents by the area under their curves, which differs even if all reach the same final score."""
    known = [(one.label, one.auc) for one in comparison.agents if one.auc is not None]
    if len(known) < 2:
        return []
    ranked = sorted(known, key=lambda pair: pair[1].value, reverse=True)
    areas = "; ".join(f"{label} {number(area.value, comparison.measure)}" for label, area in ranked)
    return [f"Area under the learning curve, which rewards learning speed: {areas}."]


def _sharing(comparison: Comparison) -> Answer:
    question = "Did learning together help?"
    names = sharing_agents(comparison)
    if not names:
        return Answer(question, f"Not known: {_why_not_known(comparison)}.", _sentences(comparison.notes))
    judged = {effect.judged_by for effect in comparison.effects if effect.agent in names}
    what = "the area under the learning curve" if judged == {"area"} else "the final score"
    how = f"Judged task by task by {what}, against {comparison.baseline}."
    return Answer(question, _counted(comparison, names), (how, *(_effects_of(name, comparison) for name in names)))


def _why_not_known(comparison: Comparison) -> str:
    """State what is missing for a comparison of learning together with learning alone."""
    alone = [one.label for one in comparison.agents if learned_alone(one.agent)]
    if len(alone) == len(comparison.agents):
        return "no agent here learns tasks together"
    return f"{listed(alone)} {_is(alone)} not the baseline" if alone else "no agent here learns each task alone"


def _counted(comparison: Comparison, names: Sequence[str]) -> str:
    """State in one line on how many tasks sharing helped and hurt, for the agents with enough seeds."""
    every = {name: [effect.verdict for effect in comparison.effects if effect.agent == name] for name in names}
    found = {name: own for name, own in every.items() if not {ONE_SEED, FEW_SEEDS} & {*own}}
    if not found:
        return f"Not known: {ONE_SEED if any(ONE_SEED in own for own in every.values()) else FEW_SEEDS}."
    verdicts = [verdict for own in found.values() for verdict in own]
    tasks = len(comparison.tasks)
    if not any(verdict in CLEAR for verdict in verdicts):
        return f"No significant difference on any of {tasks} tasks."
    up, down = (BETTER, WORSE) if {BETTER, WORSE} & {*verdicts} else (HELPED, HURT)
    counts = {name: (own.count(up), own.count(down)) for name, own in found.items()}
    if len(counts) == 1:
        ((name, (gained, lost)),) = counts.items()
        return f"{name}: {up} on {gained or 'none'}, {down} on {lost or 'none'} of {tasks} tasks."
    gains, losses = zip(*counts.values(), strict=True)
    alike = len({*gains}) == len({*losses}) == 1
    span = f"{up} on {_span(gains)}, {down} on {_span(losses)} of {tasks} tasks"
    return f"{span[:1].upper()}{span[1:]}, {'with every agent' if alike else 'depending on the agent'}."


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low or 'none'}" if low == high else f"{low} to {high}"


def _effects_of(agent: str, comparison: Comparison) -> str:
    """State on which tasks an agent gained and lost against the baseline, and whether it did overall."""
    effects = [effect for effect in comparison.effects if effect.agent == agent]
    for verdict in (ONE_SEED, FEW_SEEDS):
        if all(effect.verdict == verdict for effect in effects):
            return f"{agent}: not known, since {verdict}."
    parts, rest = [], len(effects)
    for verdict in CLEAR:
        if names := [str(effect.task) for effect in effects if effect.verdict == verdict]:
            those = listed(names) if len(effects) <= many_tasks.FEW else _named(names)
            some = f"{len(names)} of {len(effects)} tasks ({those})"
            parts.append(f"{verdict} on {some if len(names) < len(effects) else f'all {len(names)} tasks'}")
            rest -= len(names)
    if rest:
        parts.append(f"no significant difference on {rest}" if parts else "no significant difference on any task")
    overall = next((effect.verdict for effect in comparison.overall if effect.agent == agent), SAME)
    parts.append(f"{'no significant difference' if overall == SAME else overall} over all tasks together")
    return f"{agent}: {', '.join(parts)}."


def _evidence(comparison: Comparison) -> Answer:
    question = "Is the evidence enough?"
    fewest = min(len(one.seeds) for one in comparison.agents)
    alike = all(len(one.seeds) == fewest for one in comparison.agents)
    few = f"{fewest} seeds {'per agent' if alike else 'of some agents'}"
    enough = f"{'' if alike else 'at least '}{fewest} seeds per agent"
    if fewest == 1:
        short = "No: one seed proves nothing."
    elif fewest < LEAST_SEEDS:
        short = f"No: {few} are too few."
    elif fewest < FEW:
        short = f"Hardly: {few} show only large differences."
    elif fewest < ENOUGH:
        short = f"For large differences: {enough}."
    else:
        short = f"Yes, for the differences reported as significant: {enough}."
    shared = set(sharing_agents(comparison))
    judged = [
        effect
        for effect in comparison.effects
        if effect.agent in shared and effect.verdict not in (ONE_SEED, FEW_SEEDS)
    ]
    clear = sum(effect.verdict in CLEAR for effect in judged)
    alone = {one.label: learned_alone(one.agent) for one in comparison.agents}.get(str(comparison.baseline))
    other = "a task learned alone" if alone else f"{comparison.baseline} on a task"
    counted = [f"{clear} of {len(judged)} comparisons with {other} are significant."] if judged else []
    larger = [f"{one.label} has {one.size_ratio:.1f} times" for one in comparison.agents if one.larger]
    sizes = [f"Sizes differ: {listed(larger)} the parameters of the smallest."] if larger else []
    more = [f"Small differences need {ENOUGH} or more seeds per agent."] if fewest < ENOUGH else []
    return Answer(question, short, (*counted, *_ceiling(comparison), *sizes, *more))


def leads_with_area(comparison: Comparison) -> bool:
    """Return whether the area under the curve is shown first, since final scores are at the ceiling."""
    return bool(_ceiling(comparison)) and all(one.auc is not None for one in comparison.agents)


def _ceiling(comparison: Comparison) -> list[str]:
    """State that final scores do not distinguish agents if most have reached the maximum."""
    high = sum(one.iqm.value >= CEILING for one in comparison.agents)
    if comparison.measure != SUCCESS or len(comparison.agents) < 2 or 2 * high < len(comparison.agents):
        return []
    return [f"{high} of {len(comparison.agents)} agents end at the ceiling; their learning curves differ more."]


def listed(names: Sequence[str]) -> str:
    """Join names by commas and "and"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _named(names: Sequence[str]) -> str:
    """List names if they are few, else the first and the number of others."""
    return listed(names) if len(names) <= MAX_NAMED else f"{names[0]} and {len(names) - 1} others"


def _sentences(notes: Sequence[str]) -> tuple[str, ...]:
    ended = [note if note.endswith(".") else f"{note}." for note in notes]
    return tuple(note[:1].upper() + note[1:] for note in ended)

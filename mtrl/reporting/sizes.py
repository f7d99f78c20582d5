"""Each agent against its plain control, so that what sharing did is not taken for what size did."""

from __future__ import annotations

from agents.registry.compose import SLOTS, pieces_of
from agents.registry.lookup import learned_alone
from mtrl.comparison.measures import SUCCESS
from mtrl.comparison.outcomes import AHEAD, BEHIND, JUDGED, SAME, AgentSummary, Comparison, Pair
from mtrl.config import agent_spec
from mtrl.config.control import CONTROL, WITHIN
from mtrl.gathering.grouping import MADE_OF
from mtrl.reporting.headline import listed, with_interval


def size_matched(comparison: Comparison) -> list[str]:
    """Say of each agent that learns together how its control compares, and in the end which agents have none."""
    told, without = [], []
    for agent in comparison.agents:
        if learned_alone(agent.agent) or _is_plain(agent):
            continue
        control = control_among(agent, comparison.agents)
        if control is None:
            without.append(f"{agent.label} ({agent.parameters:,} parameters)")
        else:
            told.append(_compared(agent, control, comparison))
    if without:
        told.append(
            f"No plain control, which is an {CONTROL} of the same settings within {WITHIN:.0%} of the size, is among "
            f"the runs for {listed(without)}: mtrl.sweep --size-matched trains one."
        )
    return told


def control_among(agent: AgentSummary, others: tuple[AgentSummary, ...]) -> AgentSummary | None:
    """Return the plain agent nearest in size, if its settings are the agent's but for the width, or None."""
    found = [
        one
        for one in others
        if _is_plain(one)
        and abs(one.parameters - agent.parameters) <= WITHIN * agent.parameters
        and _settings_agree(one, agent)
    ]
    return min(found, key=lambda one: abs(one.parameters - agent.parameters), default=None)


def _is_plain(agent: AgentSummary) -> bool:
    """Whether an agent is the control's kind: nothing of what it is made of was exchanged."""
    if agent.agent != CONTROL:
        return False
    own = pieces_of(agent_spec(CONTROL))
    return all(agent.settings.get(slot) == own[slot].name for slot in SLOTS if slot in MADE_OF)


def _settings_agree(control: AgentSummary, agent: AgentSummary) -> bool:
    common = {*control.settings} & {*agent.settings} - {*MADE_OF, "hidden"}
    return all(control.settings[name] == agent.settings[name] for name in common)


def _compared(agent: AgentSummary, control: AgentSummary, comparison: Comparison) -> str:
    pair = comparison.pair(agent.label, control.label)
    return (
        f"{agent.label} and {control.label} have about the same size ({agent.parameters:,} and "
        f"{control.parameters:,} parameters): {_which(pair)} The probability that "
        f"{agent.label} scores higher in the end is {with_interval(pair.probability, SUCCESS)}."
    )


def _which(pair: Pair) -> str:
    if pair.verdict in (AHEAD, BEHIND):
        return f"{pair.first if pair.verdict == AHEAD else pair.second} is ahead by {JUDGED[pair.judged_by]}."
    return "neither is ahead." if pair.verdict == SAME else f"{pair.verdict}."

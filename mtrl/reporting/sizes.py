"""Each agent against its plain control, so that effects of size are not attributed to sharing."""

from __future__ import annotations

from agents.registry.compose import SLOTS, pieces_of
from agents.registry.lookup import learned_alone
from mtrl.comparison.measures import SUCCESS
from mtrl.comparison.outcomes import AHEAD, BEHIND, JUDGED, SAME, AgentSummary, Comparison, Pair
from mtrl.config import agent_spec
from mtrl.config.control import CONTROL, MAX_SIZE_DIFFERENCE
from mtrl.gathering.grouping import IDENTITY
from mtrl.reporting.headline import listed, with_interval


def size_matched(comparison: Comparison) -> list[str]:
    """Describe how each agent that shares compares with its control, and finally which agents have none."""
    sentences, without = [], []
    for agent in comparison.agents:
        if learned_alone(agent.agent) or _is_plain(agent):
            continue
        control = control_among(agent, comparison.agents)
        if control is None:
            without.append(f"{agent.label} ({agent.parameters:,} parameters)")
        else:
            sentences.append(_compared(agent, control, comparison))
    if without:
        sentences.append(
            f"The runs include no plain control (an {CONTROL} with the same settings and within "
            f"{MAX_SIZE_DIFFERENCE:.0%} of the size) for {listed(without)}; mtrl.sweep --size-matched trains one."
        )
    return sentences


def control_among(agent: AgentSummary, others: tuple[AgentSummary, ...]) -> AgentSummary | None:
    """Return the plain agent nearest in size whose settings are the agent's except for the width, or None."""
    found = [
        one
        for one in others
        if _is_plain(one)
        and abs(one.parameters - agent.parameters) <= MAX_SIZE_DIFFERENCE * agent.parameters
        and _settings_agree(one, agent)
    ]
    return min(found, key=lambda one: abs(one.parameters - agent.parameters), default=None)


def _is_plain(agent: AgentSummary) -> bool:
    """Return whether an agent is a control: none of its pieces was exchanged."""
    if agent.agent != CONTROL:
        return False
    own = pieces_of(agent_spec(CONTROL))
    return all(agent.settings.get(slot) == own[slot].name for slot in SLOTS if slot in IDENTITY)


def _settings_agree(control: AgentSummary, agent: AgentSummary) -> bool:
    common = {*control.settings} & {*agent.settings} - {*IDENTITY, "hidden"}
    return all(control.settings[name] == agent.settings[name] for name in common)


def _compared(agent: AgentSummary, control: AgentSummary, comparison: Comparison) -> str:
    pair = comparison.pair(agent.label, control.label)
    return (
        f"{agent.label} and {control.label} have about the same size ({agent.parameters:,} and "
        f"{control.parameters:,} parameters): {_which(pair)} The probability that "
        f"{agent.label} has the higher final score is {with_interval(pair.probability, SUCCESS)}."
    )


def _which(pair: Pair) -> str:
    if pair.verdict in (AHEAD, BEHIND):
        return f"{pair.first if pair.verdict == AHEAD else pair.second} is ahead by {JUDGED[pair.judged_by]}."
    return "neither is ahead." if pair.verdict == SAME else f"{pair.verdict}."

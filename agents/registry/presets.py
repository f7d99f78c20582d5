"""The agents that come with the kit: each a choice of pieces. Importing this does not import torch."""

from __future__ import annotations

from agents.registry.settings import SB3_FIXED, SB3Settings
from agents.registry.spec import AgentSpec, preset

PRESETS: dict[str, AgentSpec] = {
    agent.name: agent
    for agent in (
        preset(
            "a mixture of encoders, selected by attention over the task's sentence",
            name="care",
            encoder="care",
        ),
        preset("one network for all tasks, the task as one-hot", name="mtsac", encoder="one-hot"),
        preset("a shared trunk with a head per task", name="mtmhsac", trunk="multi-head"),
        preset(
            "a separate agent per task, all trained at once: the baseline",
            name="single-task",
            trunk="separate",
            aggregator="sum",  # of losses that share no parameter: to each the gradient that it would get alone
            alone=True,
        ),
        AgentSpec(
            "agent",
            "sb3",
            "Stable-Baselines3's SAC, one model per task: the outside reference",
            settings=SB3Settings,
            alone=True,
            trainer="mtrl.baselines.sb3_run:run_sb3",
            policy="mtrl.baselines.sb3_policy:sb3_policy",
            fixed=SB3_FIXED,
        ),
    )
}

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
        preset("one network for all tasks, with the task as one-hot", name="mtsac", encoder="one-hot"),
        preset("a shared trunk with a head per task", name="mtmhsac", trunk="multi-head"),
        preset(
            "a separate agent per task, all trained at once: the baseline",
            name="single-task",
            trunk="separate",
            aggregator="sum",  # losses share no parameter, so each gets the gradient that it would get alone
            single_task=True,
        ),
        preset("one network of modules, routed by task and state", name="softmod", trunk="soft-modules"),
        preset("weights that each task combines from a few shared sets", name="paco", trunk="paco"),
        preset("a mixture of orthogonal experts, and a head per task", name="moore", trunk="moore"),
        preset("one encoder, scaled and shifted by the task's sentence", name="film", encoder="film"),
        preset("one encoder whose first layer the task's sentence generates", name="hyper", encoder="hyper"),
        preset(
            "a network per task, all pulled towards their mean",
            name="soft-sharing",
            trunk="separate",
            aggregator="sum",
            penalty="soft-sharing",
        ),
        preset(
            "CARE's encoders under wide residual networks with a categorical critic (BRC, Nauman et al. 2025)",
            name="care-brc",
            encoder="care",
            critic="categorical",
        ),
        preset("blocks that tasks choose from, layer by layer, by differentiable search", name="nas", trunk="searched"),
        preset("one network for all tasks, with a learned distribution of codes", name="bayes", encoder="bayesian"),
        AgentSpec(
            "agent",
            "sb3",
            "Stable-Baselines3's SAC, one model per task: the outside reference",
            settings=SB3Settings,
            single_task=True,
            trainer="mtrl.baselines.sb3_run:run_sb3",
            policy="mtrl.baselines.sb3_policy:sb3_policy",
            fixed=SB3_FIXED,
        ),
    )
}

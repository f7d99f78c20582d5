"""The pieces that come with the kit, by kind and name. Importing this does not import torch."""

from __future__ import annotations

from agents.registry.settings import CARESettings, FiLMSettings, L2Settings
from agents.registry.spec import Kind, Spec

_ALL: tuple[Spec, ...] = (
    Spec("encoder", "none", "the observation as it is", "agents.encoders.plain:none"),
    Spec(
        "encoder",
        "one-hot",
        "the observation and the task as one-hot (Yu et al. 2019)",
        "agents.encoders.plain:one_hot",
    ),
    Spec(
        "encoder",
        "care",
        "a mixture of encoders, weighted by attention that reads the task's context (Sodhani et al. 2021)",
        "agents.encoders.care:care",
        CARESettings,
        reads_context=True,
        shares=True,
    ),
    Spec(
        "encoder",
        "film",
        "one encoder whose features the task's context scales and shifts (Perez et al. 2018)",
        "agents.encoders.film:film",
        FiLMSettings,
        reads_context=True,
        shares=True,
    ),
    Spec("trunk", "shared", "one network for all tasks", "agents.trunks.shared:SharedTrunk", shares=True),
    Spec(
        "trunk",
        "multi-head",
        "one body for all tasks and a linear head for each (Yu et al. 2019)",
        "agents.trunks.multi_head:MultiHeadTrunk",
        shares=True,
    ),
    Spec("trunk", "separate", "a network of its own for every task", "agents.trunks.separate:SeparateTrunk"),
    Spec("aggregator", "mean", "the gradient of the mean loss", "agents.aggregators.sums:mean"),
    Spec("aggregator", "sum", "the gradient of the summed loss", "agents.aggregators.sums:total"),
    Spec(
        "aggregator",
        "pcgrad",
        "conflicting gradients lose their components along each other (Yu et al. 2020)",
        "agents.aggregators.pcgrad:pcgrad",
    ),
    Spec("sampler", "uniform", "as many rows of every task in every batch", "agents.samplers.uniform:Uniform"),
    Spec("penalty", "none", "nothing is added"),
    Spec("penalty", "l2", "half the sum of squares of the weights", "agents.penalties.l2:L2", L2Settings),
    Spec("head", "scalar", "the return's mean, by squared error", "agents.heads.scalar:scalar"),
    Spec(
        "head",
        "categorical",
        "the return as a distribution over 101 bins, by cross-entropy (Farebrother et al. 2024)",
        "agents.heads.categorical:categorical",
    ),
)

PIECES: dict[Kind, dict[str, Spec]] = {
    kind: {spec.name: spec for spec in _ALL if spec.kind == kind}
    for kind in ("encoder", "trunk", "aggregator", "sampler", "penalty", "head")
}

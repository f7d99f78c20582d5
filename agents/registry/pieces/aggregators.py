"""The aggregators that come with the kit."""

from __future__ import annotations

from agents.registry.spec import Spec
from agents.registry.weighing_settings import (
    CAGradSettings,
    DWASettings,
    FAMOSettings,
    GradNormSettings,
    GradVacSettings,
    NashMTLSettings,
    TaskSizesSettings,
    WeightedSettings,
)

AGGREGATORS: tuple[Spec, ...] = (
    Spec(
        "aggregator",
        "mean",
        "the gradient of the mean loss",
        "agents.aggregators.sums:mean",
        capturable=True,
    ),
    Spec(
        "aggregator",
        "sum",
        "the gradient of the summed loss",
        "agents.aggregators.sums:total",
        capturable=True,
    ),
    Spec(
        "aggregator",
        "weighted",
        "the mean of losses times given weights",
        "agents.aggregators.weighted:Weighted",
        WeightedSettings,
    ),
    Spec(
        "aggregator",
        "inverse-size",
        "weights inverse to each task's amount of data",
        "agents.aggregators.weighted:InverseSize",
        TaskSizesSettings,
    ),
    Spec(
        "aggregator",
        "uncertainty",
        "noisier tasks weigh less, by a learned noise (Kendall et al. 2018)",
        "agents.aggregators.uncertainty:Uncertainty",
    ),
    Spec(
        "aggregator",
        "gradnorm",
        "weights that balance the norms of tasks' gradients (Chen et al. 2018)",
        "agents.aggregators.gradnorm:GradNorm",
        GradNormSettings,
        needs_sharing=True,
    ),
    Spec(
        "aggregator",
        "dwa",
        "tasks whose loss falls more slowly than before weigh more (Liu et al. 2019)",
        "agents.aggregators.dwa:DWA",
        DWASettings,
    ),
    Spec(
        "aggregator",
        "famo",
        "weights that make every task's loss fall at the same rate (Liu et al. 2023)",
        "agents.aggregators.famo:FAMO",
        FAMOSettings,
    ),
    Spec(
        "aggregator",
        "pcgrad",
        "conflicting gradients lose their components along each other (Yu et al. 2020)",
        "agents.aggregators.pcgrad:PCGrad",
        needs_sharing=True,
    ),
    Spec(
        "aggregator",
        "gradvac",
        "gradients are rotated to their average similarity (Wang et al. 2021)",
        "agents.aggregators.gradvac:GradVac",
        GradVacSettings,
        needs_sharing=True,
    ),
    Spec(
        "aggregator",
        "cagrad",
        "near the mean gradient, the one that helps the worst task most (Liu et al. 2021)",
        "agents.aggregators.cagrad:CAGrad",
        CAGradSettings,
        needs_sharing=True,
    ),
    Spec(
        "aggregator",
        "upgrad",
        "the mean of gradients projected onto what hurts no task (Quinton and Rey 2024)",
        "agents.aggregators.upgrad:UPGrad",
        needs_sharing=True,
    ),
    Spec(
        "aggregator",
        "mgda",
        "the shortest convex combination of the tasks' gradients (Sener and Koltun 2018)",
        "agents.aggregators.mgda:MGDA",
        needs_sharing=True,
    ),
    Spec(
        "aggregator",
        "imtl",
        "the combination with equal projections on all tasks' gradients (Liu et al. 2021)",
        "agents.aggregators.imtl:IMTL",
        needs_sharing=True,
    ),
    Spec(
        "aggregator",
        "nash-mtl",
        "the Nash bargaining solution between tasks (Navon et al. 2022)",
        "agents.aggregators.nash_mtl:NashMTL",
        NashMTLSettings,
        needs_sharing=True,
    ),
)

"""The settings that aggregators and samplers add to an agent's. Importing this does not import torch."""

from __future__ import annotations

from dataclasses import dataclass

from agents.registry.facts import setting

MOST = 10**6  # of a weight or a number of updates


@dataclass(frozen=True)
class TaskSizesSettings:
    """Added by the aggregator inverse-size and the sampler size."""

    task_sizes: tuple[float, ...] = setting((), above=0, most=10**12)
    """How much data each task has, in any unit, in the suite's order; equal if not given."""


@dataclass(frozen=True)
class WeightedSettings:
    """Added by the aggregator weighted."""

    task_weights: tuple[float, ...] = setting((), least=0, most=MOST)
    """Weight of each task's loss, in the suite's order; 1 for each if not given."""


@dataclass(frozen=True)
class GradNormSettings:
    """Added by the aggregator gradnorm."""

    gradnorm_alpha: float = setting(0.12, least=0, most=10)
    """How much longer the gradient of a task that trains more slowly is to be; 0: all as long."""
    gradnorm_rate: float = setting(0.025, above=0, most=1)
    """Step of the weights' logarithms in an update, as a fraction of what is missing."""


@dataclass(frozen=True)
class DWASettings:
    """Added by the aggregator dwa."""

    dwa_every: int = setting(500, above=0, most=MOST)
    """Updates over which a task's loss is averaged before its weight changes."""
    dwa_temperature: float = setting(2.0, least=0.01, most=MOST)
    """Temperature of the softmax over tasks; higher is more even."""


@dataclass(frozen=True)
class FAMOSettings:
    """Added by the aggregator famo."""

    famo_decay: float = setting(1e-3, least=0, most=1)
    """Pull of the weights' logits towards zero, where all tasks weigh alike."""


@dataclass(frozen=True)
class CAGradSettings:
    """Added by the aggregator cagrad."""

    cagrad_radius: float = setting(0.4, least=0, most=10)
    """How far the combined gradient may be from the mean one, as a fraction of its length; 0 is the mean."""


@dataclass(frozen=True)
class NashMTLSettings:
    """Added by the aggregator nash-mtl."""

    nash_every: int = setting(1, above=0, most=MOST)
    """Updates after which the bargaining problem is solved again."""


@dataclass(frozen=True)
class GradVacSettings:
    """Added by the aggregator gradvac."""

    gradvac_rate: float = setting(1e-2, above=0, most=1)
    """Weight of an update's cosines in their moving averages."""


@dataclass(frozen=True)
class SizeSettings(TaskSizesSettings):
    """Added by the sampler size."""

    size_temperature: float = setting(1.0, least=0.01, most=MOST)
    """1: tasks are drawn in proportion to their data; higher: more alike."""


@dataclass(frozen=True)
class InverseSuccessSettings:
    """Added by the sampler inverse-success."""

    success_offset: float = setting(0.1, least=0.001, most=MOST)
    """Added to a success rate before it is inverted; at 0.1 an unsolved task gets 11 times a solved one's rows."""


@dataclass(frozen=True)
class HardFirstSettings:
    """Added by the sampler hard-first."""

    hard_floor: float = setting(0.2, least=0, most=1)
    """Fraction of the rows that is spread evenly over all tasks."""


@dataclass(frozen=True)
class LearningProgressSettings:
    """Added by the sampler learning-progress."""

    progress_floor: float = setting(0.2, least=0, most=1)
    """Fraction of the rows that is spread evenly over all tasks."""


@dataclass(frozen=True)
class LossSettings:
    """Added by the sampler loss."""

    loss_exponent: float = setting(0.6, least=0, most=10)
    """Exponent of the losses; 0: all tasks alike, 1: in proportion."""
    loss_floor: float = setting(0.2, least=0, most=1)
    """Fraction of the rows that is spread evenly over all tasks."""


@dataclass(frozen=True)
class GradientNormSettings:
    """Added by the sampler gradient-norm."""

    gradient_exponent: float = setting(1.0, least=0, most=10)
    """Exponent of the gradients' norms; 0: all tasks alike, 1: in proportion."""
    gradient_floor: float = setting(0.2, least=0, most=1)
    """Fraction of the rows that is spread evenly over all tasks."""


@dataclass(frozen=True)
class EXP3Settings:
    """Added by the sampler exp3."""

    bandit_rate: float = setting(0.01, above=0, most=1)
    """Step of the bandit's log-weights for a reward of 1."""
    bandit_floor: float = setting(0.2, above=0, most=1)
    """Fraction of the rows that is spread evenly over all tasks."""


@dataclass(frozen=True)
class UnlockSettings:
    """Added by the sampler unlock."""

    unlock_first: int = setting(1, above=0, most=MOST)
    """How many of the suite's tasks are learned from the start."""
    unlock_at: float = setting(0.8, above=0, most=1)
    """Success that all unlocked tasks need before the next one is unlocked."""


@dataclass(frozen=True)
class WidenFromSettings:
    """Added by both samplers that widen."""

    widen_from: float | None = setting(None, least=-(10**12), most=10**12)
    """Begin with the task whose number is nearest to this; by default, with the middle one."""


@dataclass(frozen=True)
class WidenSettings(WidenFromSettings):
    """Added by the sampler widen."""

    widen_at: float = setting(0.8, above=0, most=1)
    """Success that an outermost unlocked task needs before its neighbour is unlocked."""


@dataclass(frozen=True)
class WidenByReturnSettings(WidenFromSettings):
    """Added by the sampler widen-by-return."""

    widen_return: float | None = setting(None, least=-(10**12), most=10**12)
    """Return that an outermost unlocked task needs before its neighbour is unlocked; to be given."""

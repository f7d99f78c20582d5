"""The settings that aggregators and samplers add to an agent's. Importing this does not import torch."""

from __future__ import annotations

from dataclasses import dataclass

from agents.registry.facts import setting

MAX_VALUE = 10**6  # of weights, temperatures and numbers of updates


@dataclass(frozen=True)
class TaskSizesSettings:
    """Added by the aggregator inverse-size and the sampler size."""

    task_sizes: tuple[float, ...] = setting((), gt=0, le=10**12)
    """Amount of data of each task, in any unit, in the suite's order; equal if not given."""


@dataclass(frozen=True)
class WeightedSettings:
    """Added by the aggregator weighted."""

    task_weights: tuple[float, ...] = setting((), ge=0, le=MAX_VALUE)
    """Weight of each task's loss, in the suite's order; 1 for each if not given."""


@dataclass(frozen=True)
class GradNormSettings:
    """Added by the aggregator gradnorm."""

    gradnorm_alpha: float = setting(0.12, ge=0, le=10)
    """GradNorm's alpha: how strongly slower tasks get larger gradients; 0 makes all gradient norms equal."""
    gradnorm_rate: float = setting(0.025, gt=0, le=1)
    """Step of the log-weights per update, as a fraction of the gap to their targets."""


@dataclass(frozen=True)
class DWASettings:
    """Added by the aggregator dwa."""

    dwa_every: int = setting(500, gt=0, le=MAX_VALUE)
    """Updates over which a task's loss is averaged before its weight changes."""
    dwa_temperature: float = setting(2.0, ge=0.01, le=MAX_VALUE)
    """Temperature of the softmax over tasks; higher values give more even weights."""


@dataclass(frozen=True)
class FAMOSettings:
    """Added by the aggregator famo."""

    famo_decay: float = setting(1e-3, ge=0, le=1)
    """Decay of the weights' logits towards zero, where all weights are equal."""


@dataclass(frozen=True)
class CAGradSettings:
    """Added by the aggregator cagrad."""

    cagrad_radius: float = setting(0.4, ge=0, le=10)
    """Maximum distance from the mean gradient to the combined one, as a fraction of the mean's norm; 0 is the mean."""


@dataclass(frozen=True)
class NashMTLSettings:
    """Added by the aggregator nash-mtl."""

    nash_every: int = setting(1, gt=0, le=MAX_VALUE)
    """Number of updates between solutions of the bargaining problem."""


@dataclass(frozen=True)
class GradVacSettings:
    """Added by the aggregator gradvac."""

    gradvac_rate: float = setting(1e-2, gt=0, le=1)
    """Weight of an update's cosines in their moving averages."""


@dataclass(frozen=True)
class SizeSettings(TaskSizesSettings):
    """Added by the sampler size."""

    size_temperature: float = setting(1.0, ge=0.01, le=MAX_VALUE)
    """1: tasks are drawn in proportion to their data; higher: more evenly."""


@dataclass(frozen=True)
class InverseSuccessSettings:
    """Added by the sampler inverse-success."""

    success_offset: float = setting(0.1, ge=0.001, le=MAX_VALUE)
    """Added to a success rate before it is inverted; at 0.1 an unsolved task gets 11 times a solved one's rows."""


@dataclass(frozen=True)
class HardFirstSettings:
    """Added by the sampler hard-first."""

    hard_floor: float = setting(0.2, ge=0, le=1)
    """Fraction of the rows spread evenly over all tasks."""


@dataclass(frozen=True)
class LearningProgressSettings:
    """Added by the sampler learning-progress."""

    progress_floor: float = setting(0.2, ge=0, le=1)
    """Fraction of the rows spread evenly over all tasks."""


@dataclass(frozen=True)
class LossSettings:
    """Added by the sampler loss."""

    loss_exponent: float = setting(0.6, ge=0, le=10)
    """Exponent of the losses; 0: tasks are drawn evenly, 1: in proportion."""
    loss_floor: float = setting(0.2, ge=0, le=1)
    """Fraction of the rows spread evenly over all tasks."""


@dataclass(frozen=True)
class GradientNormSettings:
    """Added by the sampler gradient-norm."""

    gradient_exponent: float = setting(1.0, ge=0, le=10)
    """Exponent of the gradients' norms; 0: tasks are drawn evenly, 1: in proportion."""
    gradient_floor: float = setting(0.2, ge=0, le=1)
    """Fraction of the rows spread evenly over all tasks."""


@dataclass(frozen=True)
class EXP3Settings:
    """Added by the sampler exp3."""

    bandit_rate: float = setting(0.01, gt=0, le=1)
    """Step of the bandit's log-weights for a reward of 1."""
    bandit_floor: float = setting(0.2, gt=0, le=1)
    """Fraction of the rows spread evenly over all tasks."""


@dataclass(frozen=True)
class UnlockSettings:
    """Added by the sampler unlock."""

    unlock_first: int = setting(1, gt=0, le=MAX_VALUE)
    """Number of the suite's tasks that are learned from the start."""
    unlock_at: float = setting(0.8, gt=0, le=1)
    """Success that all unlocked tasks need before the next one is unlocked."""


@dataclass(frozen=True)
class WidenFromSettings:
    """Added by the samplers widen and widen-by-return."""

    widen_from: float | None = setting(None, ge=-(10**12), le=10**12)
    """Start with the task whose number is nearest to this; by default, with the middle one."""


@dataclass(frozen=True)
class WidenSettings(WidenFromSettings):
    """Added by the sampler widen."""

    widen_at: float = setting(0.8, gt=0, le=1)
    """Success that an outermost unlocked task needs before its neighbour is unlocked."""


@dataclass(frozen=True)
class WidenByReturnSettings(WidenFromSettings):
    """Added by the sampler widen-by-return."""

    widen_return: float | None = setting(None, ge=-(10**12), le=10**12)
    """Return that an outermost unlocked task needs before its neighbour is unlocked; required."""

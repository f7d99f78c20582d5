"""The samplers that come with the kit."""

from __future__ import annotations

from agents.registry.spec import Spec
from agents.registry.weighing_settings import (
    EXP3Settings,
    GradientNormSettings,
    HardFirstSettings,
    InverseSuccessSettings,
    LearningProgressSettings,
    LossSettings,
    SizeSettings,
    UnlockSettings,
    WidenByReturnSettings,
    WidenSettings,
)

SAMPLERS: tuple[Spec, ...] = (
    Spec(
        "sampler",
        "uniform",
        "equally many rows of every task in every batch",
        "agents.samplers.uniform:Uniform",
        capturable=True,
    ),
    Spec(
        "sampler",
        "size",
        "by each task's amount of data, evened out by a temperature (Devlin et al. 2018)",
        "agents.samplers.size:BySize",
        SizeSettings,
    ),
    Spec(
        "sampler",
        "inverse-success",
        "more rows for tasks with lower success rates",
        "agents.samplers.by_success:InverseSuccess",
        InverseSuccessSettings,
        needs_success=True,
    ),
    Spec(
        "sampler",
        "hard-first",
        "more rows for tasks that rank lower by success (after Schaul et al. 2016)",
        "agents.samplers.by_success:HardFirst",
        HardFirstSettings,
        needs_success=True,
    ),
    Spec(
        "sampler",
        "learning-progress",
        "more rows for tasks whose score changes faster (Portelas et al. 2019)",
        "agents.samplers.learning_progress:LearningProgress",
        LearningProgressSettings,
    ),
    Spec(
        "sampler",
        "loss",
        "more rows for tasks with larger critic losses (after Schaul et al. 2016)",
        "agents.samplers.loss:ByLoss",
        LossSettings,
    ),
    Spec(
        "sampler",
        "gradient-norm",
        "more rows for tasks with larger gradient norms (after Zhao and Zhang 2015)",
        "agents.samplers.gradient_norm:ByGradientNorm",
        GradientNormSettings,
        needs_sharing=True,
        needs_gradients=True,
    ),
    Spec(
        "sampler",
        "exp3",
        "a bandit rewarded by how much losses fall (Auer et al. 2002, Graves et al. 2017)",
        "agents.samplers.exp3:EXP3",
        EXP3Settings,
    ),
    Spec(
        "sampler",
        "unlock",
        "a curriculum: the next task when all before it succeed",
        "agents.samplers.unlock:Unlock",
        UnlockSettings,
        needs_success=True,
    ),
    Spec(
        "sampler",
        "widen",
        "a curriculum over a family's number: outwards as the outermost tasks succeed (Akkaya et al. 2019)",
        "agents.samplers.widen:Widen",
        WidenSettings,
        needs_success=True,
    ),
    Spec(
        "sampler",
        "widen-by-return",
        "the same by return, where tasks report no success",
        "agents.samplers.widen:WidenByReturn",
        WidenByReturnSettings,
    ),
)

"""The settings of the agents, without those of their pieces. Importing this does not import torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agents.registry.agent_settings import AgentSettings
from agents.registry.facts import setting

MAX_LAYER_WIDTH = 100_000


@dataclass(frozen=True)
class ActorCriticSettings(AgentSettings):
    """Hyperparameters that this kit's SAC agents and Stable-Baselines3's SAC share."""

    hidden: tuple[int, ...] = setting(
        (256, 256), ge=1, le=MAX_LAYER_WIDTH, unit="widths", non_empty=True, in_table=True
    )
    """Widths of the hidden layers of the actor and of each critic."""
    learning_rate: float = setting(3e-4, gt=0)
    """Initial learning rate (Adam) of everything that is learned."""
    final_learning_rate: float = setting(3e-4, gt=0)
    """The learning rate is annealed linearly to this value over the run."""
    discount: float = setting(0.99, gt=0, le=1)
    """Discount factor (gamma) per environment step."""
    polyak: float = setting(0.005, gt=0, le=1)
    """Target update rate (tau): weight of the online networks in the target networks' moving average."""
    initial_temperature: float = setting(0.1, gt=0)
    """Initial entropy coefficient (alpha) of each task; it is learned. Stable-Baselines3's own default is 1."""
    target_entropy: float = setting(1.0, gt=0)
    """Target entropy, as a multiple of minus the number of action dimensions."""


@dataclass(frozen=True)
class SACSettings(ActorCriticSettings):
    """Settings of every SAC agent: the pieces it is made of, and its hyperparameters."""

    encoder: str = "none"
    """Encoder shared by actor and critics: none, one-hot, care, another that mtrl.list names, or your own."""
    trunk: str = "shared"
    """How tasks share the networks: shared, multi-head, separate, another that mtrl.list names, or your own."""
    aggregator: str = "mean"
    """How per-task losses are turned into gradients: mean, sum, pcgrad, another that mtrl.list names, or your own."""
    sampler: str = "uniform"
    """Which tasks a batch is drawn from: uniform, equally from all, another that mtrl.list names, or your own."""
    penalty: str = "none"
    """Regularisation added to each task's loss: none, l2, another that mtrl.list names, or your own."""
    layer_norm: bool = True
    """Apply layer normalisation after every hidden layer."""
    network: Literal["mlp", "residual"] = "mlp"
    """Network of actor and critics: mlp, or residual (BroNet: a first layer, then a block per hidden width)."""
    critic: str = "scalar"
    """Critic head: scalar (mean return, squared error), categorical (101 bins, HL-Gauss), or your own."""
    critic_reduction: Literal["min", "mean"] = "min"
    """How the twin critics' values are combined: their minimum or their mean."""
    obs_scale: Literal["none", "running"] = "none"
    """running: normalise observations to zero mean and unit variance, per task if tasks share no weights."""
    reward_scale: Literal["none", "return"] = "none"
    """return: divide each task's rewards so that its largest discounted return so far becomes 9."""
    weight_decay: float = setting(0.0, ge=0)
    """Weight decay of AdamW; 0 is plain Adam."""
    adam_epsilon: float = setting(1e-8, gt=0)
    """Epsilon in Adam's denominator."""
    gradient_norm: float = setting(0.0, ge=0)
    """Maximum gradient norm of actor and critics, task-specific weights clipped per task; 0: no clipping."""
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    """Precision of an update's matrix products; auto takes bfloat16 where timing shows that it is faster."""


@dataclass(frozen=True)
class ContextSettings:
    """Added by every piece that reads the tasks' contexts."""

    context: str = "auto"
    """What distinguishes tasks: text, numbers, onehot, learned, hashing, joined by +; auto takes what the suite has."""


@dataclass(frozen=True)
class ContextNetworkSettings(ContextSettings):
    """Added by encoders that read the context through a network (``agents.encoders.context``)."""

    context_hidden: tuple[int, ...] = setting((64,), ge=1, le=MAX_LAYER_WIDTH, unit="widths")
    """Widths of the context network's hidden layers, and of CARE's attention."""
    context_size: int = setting(32, gt=0, le=MAX_LAYER_WIDTH)
    """Size of a task's context vector."""


@dataclass(frozen=True)
class SB3Settings(ActorCriticSettings):
    """Settings passed on to Stable-Baselines3's SAC; all others keep the library's defaults."""


SB3_FIXED: dict[str, Any] = {
    "layer_norm": False,
    "network": "mlp",
    "critic": "scalar",
    "critic_reduction": "min",
    "obs_scale": "none",
    "reward_scale": "none",
    "weight_decay": 0.0,
    "adam_epsilon": 1e-8,
    "gradient_norm": 0.0,
    "precision": "float32",
}
"""Stable-Baselines3's values of those settings of this kit that it does not support."""


def only_width(hidden: Sequence[int]) -> int:
    """Return the width of a residual network's layers. Raises ``ValueError`` if ``hidden`` has several."""
    if len(set(hidden)) > 1:
        widths = " ".join(map(str, hidden))
        raise ValueError(f"hidden is {widths}; a residual network has one width, as in 256 256 256")
    return hidden[0]

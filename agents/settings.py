"""The settings of the agents and of the pieces that they are made of. Importing this does not import torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agents.agent_settings import AgentSettings
from agents.facts import setting


@dataclass(frozen=True)
class SACSettings(AgentSettings):
    """What every SAC has: which pieces it is made of, and what all of them share."""

    encoder: str = "none"
    """Of observations, shared by actor and critics: none, one-hot, care, film, or your own as module:attribute."""
    trunk: str = "shared"
    """Of the actor and of each critic, that is how tasks share them: shared, multi-head, separate, or your own."""
    aggregator: str = "mean"
    """What becomes of the tasks' losses: mean, sum, pcgrad, or your own as module:attribute."""
    sampler: str = "uniform"
    """Which tasks a batch is of: uniform takes as many rows of each, or your own as module:attribute."""
    penalty: str = "none"
    """What is added to every task's loss: none, l2, or your own as module:attribute."""
    hidden: tuple[int, ...] = setting((256, 256), least=1, unit="widths", some=True, shown=True)
    """Widths of the hidden layers of the actor and of each critic."""
    layer_norm: bool = True
    """Layer norm after every hidden layer."""
    learning_rate: float = setting(3e-4, above=0)
    """Adam's, for actor, critics, encoder and temperature, at the beginning."""
    final_learning_rate: float = setting(3e-4, above=0)
    """The learning rate is annealed linearly to this over the run."""
    discount: float = setting(0.99, above=0, most=1)
    """Per step."""
    polyak: float = setting(0.005, above=0, most=1)
    """Target update rate (tau) of the target networks' Polyak average."""
    initial_temperature: float = setting(0.1, above=0)
    """Where each task's entropy coefficient starts; it is learned."""
    target_entropy: float = setting(1.0, above=0)
    """The policy's entropy is held at minus this times the number of actions."""
    network: Literal["mlp", "residual"] = "mlp"
    """Of actor and critics. residual: hidden widths are a first layer and then a block each (BroNet)."""
    critic: str = "scalar"
    """The critics' head. scalar: the mean return, by squared error; categorical: 101 bins (HL-Gauss); or your own."""
    critic_reduction: Literal["min", "mean"] = "min"
    """How the twin critics' values are reduced to one: their minimum, or their mean."""
    obs_scale: Literal["none", "running"] = "none"
    """running: observations are brought to zero mean and unit variance, over all tasks if these share anything."""
    reward_scale: Literal["none", "return"] = "none"
    """return: each task's rewards are divided so that its largest discounted return so far becomes 9."""
    weight_decay: float = setting(0.0, least=0)
    """AdamW's; 0 makes it Adam."""
    adam_epsilon: float = setting(1e-8, above=0)
    """Adam's, in the denominator."""
    gradient_norm: float = setting(0.0, least=0)
    """Gradient norm at which actor and critics are clipped, task-specific parameters task by task; 0: no clipping."""
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    """Of the matrix products in an update; auto takes bfloat16 where a few timed products show that it is faster."""


@dataclass(frozen=True)
class ContextSettings:
    """What every piece adds that reads the tasks' context."""

    context: str = "auto"
    """What tells tasks apart: text, numbers, onehot, learned, joined by +; auto takes what the suite gives."""


@dataclass(frozen=True)
class ContextNetworkSettings(ContextSettings):
    """What an encoder adds that reads the context through a network (``agents.context``)."""

    context_hidden: tuple[int, ...] = setting((64,), least=1, unit="widths")
    """Widths of the context network's hidden layers, and of CARE's attention."""
    context_size: int = setting(32, above=0)
    """Width of a task's context."""


@dataclass(frozen=True)
class CARESettings(ContextNetworkSettings):
    """What CARE's encoder adds."""

    encoders: int = setting(4, above=0)
    """Encoders in the mixture."""
    encoder_hidden: tuple[int, ...] = setting((64,), least=1, unit="widths")
    """Widths of an encoder's hidden layers."""
    encoder_size: int = setting(64, above=0)
    """Width of an encoding."""
    attention: Literal["context", "dot-product"] = "context"
    """context: weights from the context alone (released code); dot-product: encodings against the context (paper)."""
    attention_temperature: float = setting(1.0, above=0)
    """Of the softmax over encoders."""
    detach_context: bool = True
    """Keep the attention's gradient out of the context network (the paper's stop-gradient)."""


@dataclass(frozen=True)
class FiLMSettings(ContextNetworkSettings):
    """What the FiLM encoder adds."""

    film_hidden: tuple[int, ...] = setting((64,), least=1, unit="widths")
    """Widths of the encoder's hidden layers."""
    film_size: int = setting(64, above=0)
    """Width of an encoding."""


@dataclass(frozen=True)
class L2Settings:
    """What the penalty l2 adds."""

    penalty_weight: float = setting(1e-4, above=0)
    """Times half the sum of squares of the weights."""


@dataclass(frozen=True)
class SB3Settings(AgentSettings):
    """What Stable-Baselines3's SAC is given; the rest keeps its own defaults."""

    hidden: tuple[int, ...] = setting((256, 256), least=1, unit="widths", some=True, shown=True)
    """Widths of the hidden layers of the actor and of each critic."""
    learning_rate: float = setting(3e-4, above=0)
    """Adam's, at the beginning."""
    final_learning_rate: float = setting(3e-4, above=0)
    """The learning rate is annealed linearly to this over the run."""
    discount: float = setting(0.99, above=0, most=1)
    """Per step."""
    polyak: float = setting(0.005, above=0, most=1)
    """Target update rate (tau) of the target networks' Polyak average."""
    initial_temperature: float = setting(0.1, above=0)
    """Where the entropy coefficient starts, as in this kit's agents; 1 is the library's own default."""
    target_entropy: float = setting(1.0, above=0)
    """The policy's entropy is held at minus this times the number of actions."""


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
"""What Stable-Baselines3's SAC has of those settings of this kit's that it cannot be given."""


def only_width(hidden: Sequence[int]) -> int:
    """Return the width of a residual network's layers. Raises ``ValueError`` where ``hidden`` has several."""
    if len(set(hidden)) > 1:
        widths = " ".join(map(str, hidden))
        raise ValueError(f"hidden is {widths}; a residual network has one width, as in 256 256 256")
    return hidden[0]

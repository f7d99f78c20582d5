"""The agents by name: their settings, and where each is built. Importing this does not import torch."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class SACSettings:
    """What every SAC has."""

    hidden: tuple[int, ...] = (256, 256)
    """Widths of the hidden layers of the actor and of each critic."""
    layer_norm: bool = True
    """Layer norm after every hidden layer."""
    learning_rate: float = 3e-4
    """Adam's, for actor, critics, encoder and temperature, at the beginning."""
    final_learning_rate: float = 3e-4
    """The learning rate goes there in a straight line over the run."""
    discount: float = 0.99
    """Per step."""
    polyak: float = 0.005
    """Share of the online weights that goes into the target at each update."""
    initial_temperature: float = 0.1
    """Where each task's entropy coefficient starts; it is learned."""
    target_entropy: float = 1.0
    """The policy's entropy is held at minus this times the number of actions."""
    network: Literal["mlp", "residual"] = "mlp"
    """Of actor and critics. residual: hidden widths are a first layer and then a block each (BroNet)."""
    critic: Literal["scalar", "categorical"] = "scalar"
    """scalar: the mean return, by squared error; categorical: 101 bins, by cross-entropy (HL-Gauss)."""
    critics: Literal["min", "mean"] = "min"
    """Which of the twin critics' values counts: the lesser one, or their mean."""
    obs_scale: Literal["none", "running"] = "none"
    """running: observations are brought to zero mean and unit variance, over all tasks if these share anything."""
    reward_scale: Literal["none", "return"] = "none"
    """return: each task's rewards are divided so that its largest discounted return so far becomes 9."""
    weight_decay: float = 0.0
    """AdamW's; 0 makes it Adam."""
    adam_epsilon: float = 1e-8
    """Adam's, in the denominator."""
    gradient_norm: float = 0.0
    """Gradients of actor and of critics are clipped at this norm, those of a task's own parameters by themselves."""
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    """Of the matrix products in an update; auto takes bfloat16 where a few timed products show that it is faster."""


@dataclass(frozen=True)
class CARESettings(SACSettings):
    """What CARE adds."""

    encoders: int = 4
    """Encoders in the mixture."""
    encoder_hidden: tuple[int, ...] = (64,)
    """Widths of an encoder's hidden layers."""
    encoder_size: int = 64
    """Width of an encoding."""
    context: str = "auto"
    """What tells tasks apart: text, numbers, onehot, learned, joined by +; auto takes what the suite gives."""
    context_hidden: tuple[int, ...] = (64,)
    """Widths of the context network's hidden layers, and of the attention's."""
    context_size: int = 32
    """Width of a task's context."""
    attention: Literal["context", "dot-product"] = "context"
    """context: weights from the context alone (released code); dot-product: encodings against the context (paper)."""
    attention_temperature: float = 1.0
    """Of the softmax over encoders."""
    detach_context: bool = True
    """Keep the attention's gradient out of the context network (the paper's stop-gradient)."""


@dataclass(frozen=True)
class SB3Settings:
    """What Stable-Baselines3's SAC is given; the rest keeps its own defaults."""

    hidden: tuple[int, ...] = (256, 256)
    """Widths of the hidden layers of the actor and of each critic."""
    learning_rate: float = 3e-4
    """Adam's, at the beginning."""
    final_learning_rate: float = 3e-4
    """The learning rate goes there in a straight line over the run."""
    discount: float = 0.99
    """Per step."""
    polyak: float = 0.005
    """Share of the online weights that goes into the target at each update."""
    initial_temperature: float = 0.1
    """Where the entropy coefficient starts, as in this kit's agents; 1 is the library's own default."""
    target_entropy: float = 1.0
    """The policy's entropy is held at minus this times the number of actions."""


SB3_FIXED: dict[str, Any] = {
    "layer_norm": False,
    "network": "mlp",
    "critic": "scalar",
    "critics": "min",
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


@dataclass(frozen=True)
class Preset:
    """An agent by name: one sentence, its settings, and the ``module:function`` that builds it."""

    description: str
    settings: type[Any]
    builder: str | None  # None: trained by its own library, not by the kit's loop

    def build(self) -> Callable[..., Any]:
        """Import and return the function that builds the agent."""
        if self.builder is None:
            raise ValueError("this agent is not built by the kit")
        module, _, name = self.builder.partition(":")
        return getattr(importlib.import_module(module), name)


PRESETS: dict[str, Preset] = {
    "care": Preset(
        "a mixture of encoders, selected by attention over the task's sentence",
        CARESettings,
        "agents.build:care",
    ),
    "mtsac": Preset("one network for all tasks, the task as one-hot", SACSettings, "agents.build:mtsac"),
    "mtmhsac": Preset("a shared trunk with a head per task", SACSettings, "agents.build:mtmhsac"),
    "single-task": Preset(
        "a separate agent per task, all trained at once: the baseline",
        SACSettings,
        "agents.build:single_task",
    ),
    "sb3": Preset("Stable-Baselines3's SAC, one model per task: the outside reference", SB3Settings, None),
}

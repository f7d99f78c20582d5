"""The settings that encoders, trunks and penalties add to an agent's. Importing this does not import torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agents.registry.facts import setting
from agents.registry.settings import MAX_LAYER_WIDTH, ContextNetworkSettings

MAX_PARTS = 1_000  # encoders, experts, modules, blocks, sets or layers


@dataclass(frozen=True)
class CARESettings(ContextNetworkSettings):
    """Added by the CARE encoder."""

    encoders: int = setting(4, gt=0, le=MAX_PARTS)
    """Number of encoders in the mixture."""
    encoder_hidden: tuple[int, ...] = setting((64,), ge=1, le=MAX_LAYER_WIDTH, unit="widths")
    """Widths of each encoder's hidden layers."""
    encoder_size: int = setting(64, gt=0, le=MAX_LAYER_WIDTH)
    """Size of an encoding."""
    attention: Literal["context", "dot-product"] = "context"
    """context: attention from the context alone (released code); dot-product: encodings against context (paper)."""
    attention_temperature: float = setting(1.0, gt=0)
    """Temperature of the softmax over encoders."""
    detach_context: bool = True
    """Stop the attention's gradient before the context network, as the paper does."""
    attention_sparsity: float = setting(0.0, ge=0)
    """Weight of the entropy of the tasks' mean attention in the loss: larger values use fewer encoders."""


@dataclass(frozen=True)
class FiLMSettings(ContextNetworkSettings):
    """Added by the FiLM encoder."""

    film_hidden: tuple[int, ...] = setting((64,), ge=1, le=MAX_LAYER_WIDTH, unit="widths")
    """Widths of the encoder's hidden layers."""
    film_size: int = setting(64, gt=0, le=MAX_LAYER_WIDTH)
    """Size of an encoding."""


@dataclass(frozen=True)
class BayesianSettings:
    """Added by the encoder bayesian."""

    code_size: int = setting(16, gt=0, le=MAX_LAYER_WIDTH)
    """Size of a task's code."""
    kl_weight: float = setting(1e-3, ge=0)
    """Weight in the critic's loss of the KL divergence of the tasks' codes from the prior, a standard normal."""


@dataclass(frozen=True)
class HyperSettings(ContextNetworkSettings):
    """Added by the encoder hyper."""

    hyper_hidden: int = setting(64, gt=0, le=MAX_LAYER_WIDTH)
    """Width of the layer whose weights the context writes."""
    hyper_size: int = setting(64, gt=0, le=MAX_LAYER_WIDTH)
    """Size of an encoding."""


@dataclass(frozen=True)
class AdversarialSettings:
    """Added by the encoder adversarial."""

    adversarial_hidden: tuple[int, ...] = setting((64,), ge=1, le=MAX_LAYER_WIDTH, unit="widths")
    """Widths of the encoder's hidden layers."""
    adversarial_size: int = setting(64, gt=0, le=MAX_LAYER_WIDTH)
    """Size of an encoding."""
    adversarial_weight: float = setting(0.3, ge=0)
    """Weight in the critic's loss of how well the adversary predicts the task, a share in [0, 1]."""


@dataclass(frozen=True)
class LoRASettings:
    """Added by the trunk lora."""

    lora_rank: int = setting(4, gt=0, le=MAX_LAYER_WIDTH)
    """Rank of a task's adapter."""
    lora_layers: int = setting(2, gt=0, le=MAX_PARTS)
    """Number of layers with adapters, counted from the output."""


@dataclass(frozen=True)
class LowRankSettings:
    """Added by the trunk low-rank."""

    weight_rank: int = setting(64, gt=0, le=MAX_LAYER_WIDTH)
    """Number of shared directions in each layer, which every task scales."""


@dataclass(frozen=True)
class PaCoSettings:
    """Added by the trunk paco."""

    parameter_sets: int = setting(5, gt=0, le=MAX_PARTS)
    """Number of shared sets of weights that each task combines."""
    loss_limit: float = setting(3e3, gt=0)
    """Loss beyond which a task is left out of an update, and its combination redrawn between the others'."""


@dataclass(frozen=True)
class SoftModulesSettings:
    """Added by the trunk soft-modules."""

    modules: int = setting(2, gt=0, le=MAX_PARTS)
    """Number of modules in each hidden layer."""
    routing_size: int = setting(64, gt=0, le=MAX_LAYER_WIDTH)
    """Size of the codes of state and task that the routing is computed from."""


@dataclass(frozen=True)
class MOORESettings:
    """Added by the trunk moore."""

    experts: int = setting(4, gt=0, le=MAX_PARTS)
    """Number of experts."""


@dataclass(frozen=True)
class SearchSettings:
    """Added by the trunk searched."""

    search_blocks: int = setting(3, gt=0, le=MAX_PARTS)
    """Number of blocks in each layer from which tasks choose."""
    search_fraction: float = setting(0.75, ge=0, le=1)
    """Fraction of the run after which each task keeps its best block in every layer."""


@dataclass(frozen=True)
class L1Settings:
    """Added by the penalty l1."""

    l1_weight: float = setting(1e-5, ge=0)
    """Coefficient of the sum of absolute weights."""


@dataclass(frozen=True)
class OrthogonalitySettings:
    """Added by the penalty orthogonality."""

    orthogonality_weight: float = setting(1e-4, ge=0)
    """Coefficient of the squared products of different units' incoming weights."""


@dataclass(frozen=True)
class SoftSharingSettings:
    """Added by the penalty soft-sharing."""

    sharing_weight: float = setting(1e-3, ge=0)
    """Coefficient of the squared distance of tasks' weights to their mean; 0 shares nothing."""


@dataclass(frozen=True)
class TraceNormSettings:
    """Added by the penalty trace-norm."""

    trace_weight: float = setting(1e-3, ge=0)
    """Coefficient of the trace norm of the tasks' weights."""


@dataclass(frozen=True)
class L2Settings:
    """Added by the penalty l2."""

    penalty_weight: float = setting(1e-4, gt=0)
    """Coefficient of the penalty, which is half the sum of squared weights."""

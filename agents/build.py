"""Presets filled in: which encoder, which trunk and which aggregator make up each agent."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from agents import aggregators
from agents.aggregators import Aggregate
from agents.base import seeded_generator
from agents.care import care as care_encoder
from agents.encoders import Encoder, EncoderShape, OneHot, PassThrough
from agents.heads import CategoricalHead, ScalarHead, ValueHead
from agents.networks import StackedMLP, StackedResidual
from agents.normalize import ObsScale, ReturnScale
from agents.presets import CARESettings, SACSettings
from agents.sac import SAC
from agents.trunks import MakeTrunk, MultiHeadTrunk, SeparateTrunk, SharedTrunk, Trunk, TrunkShape

NETWORKS = {"mlp": StackedMLP, "residual": StackedResidual}
BINS, REACH = 101, 10.0  # of a categorical critic (BRC, Nauman et al. 2025)
LARGEST = 9.0  # what the largest return is scaled to: at the outermost bins HL-Gauss has no room for its Gaussian


@dataclass(frozen=True)
class Sizes:
    """What an agent has to know of a suite: the observation's size, which actions a task has, and its context."""

    obs: int
    action_mask: Tensor  # (T, A) bool
    context: Tensor  # (T, d) float32, rows of about unit norm; d = 0 where all of it is learned
    learned_context: bool = True  # a learned row per task beside it


def care(sizes: Sizes, settings: CARESettings, seed: int, device: torch.device) -> SAC:
    """CARE (Sodhani et al. 2021): the context comes in with the mixture of encoders."""
    init = seeded_generator(seed)
    shape = EncoderShape(sizes.obs, len(sizes.action_mask), sizes.context, sizes.learned_context, settings)
    return build_sac(care_encoder(shape, init), SharedTrunk, aggregators.mean, sizes, settings, init, device)


def mtsac(sizes: Sizes, settings: SACSettings, seed: int, device: torch.device) -> SAC:
    """Multi-task SAC: the task comes in as one-hot (Yu et al. 2019)."""
    encoder = OneHot(sizes.obs, len(sizes.action_mask))
    return build_sac(encoder, SharedTrunk, aggregators.mean, sizes, settings, seeded_generator(seed), device)


def mtmhsac(sizes: Sizes, settings: SACSettings, seed: int, device: torch.device) -> SAC:
    """Multi-head SAC: the task chooses the head (Yu et al. 2019)."""
    encoder = PassThrough(sizes.obs)
    return build_sac(encoder, MultiHeadTrunk, aggregators.mean, sizes, settings, seeded_generator(seed), device)


def single_task(sizes: Sizes, settings: SACSettings, seed: int, device: torch.device) -> SAC:
    """T agents that share nothing, so their losses are summed and each gets the gradient it would get alone."""
    encoder = PassThrough(sizes.obs)
    return build_sac(encoder, SeparateTrunk, aggregators.total, sizes, settings, seeded_generator(seed), device)


def build_sac(
    encoder: Encoder,
    make_trunk: MakeTrunk,
    aggregate: Aggregate,
    sizes: Sizes,
    settings: SACSettings,
    init: torch.Generator,
    device: torch.device,
) -> SAC:
    """Put actor and twin critics on an encoder. Weights are drawn on the CPU, so every device starts alike."""
    tasks, actions = sizes.action_mask.shape

    def trunk(size_in: int, size_out: int, ensemble: int) -> Trunk:
        network = NETWORKS[settings.network]
        shape = TrunkShape(
            tasks,
            ensemble,
            size_in,
            settings.hidden,
            size_out,
            settings.layer_norm,
            network,
            context=sizes.context,
            settings=settings,
        )
        return make_trunk(shape, init)

    head: ValueHead = ScalarHead(settings.critics)
    if settings.critic == "categorical":
        head = CategoricalHead(BINS, REACH, device, settings.critics)
    noise = seeded_generator(int(torch.randint(2**62, (), generator=init)), device)
    actor, critic = trunk(encoder.size, 2 * actions, 1), trunk(encoder.size + actions, head.size, 2)
    shared = any(part.shared_parameters() for part in (encoder, actor, critic))
    # Agents that share nothing must not share what they know of observations either.
    obs_scale = ObsScale(sizes.obs, tasks=None if shared else tasks) if settings.obs_scale == "running" else None
    reward_scale = ReturnScale(tasks, settings.discount, LARGEST) if settings.reward_scale == "return" else None
    return SAC(
        encoder,
        actor=actor,
        critic=critic,
        action_mask=sizes.action_mask,
        settings=settings,
        aggregate=aggregate,
        generator=noise,
        head=head,
        obs_scale=obs_scale,
        reward_scale=reward_scale,
    )

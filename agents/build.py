"""From a choice of pieces to an agent."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from agents.aggregators import Aggregate
from agents.aggregators.gradient_norms import WithGradientNorms
from agents.base import Agent, PieceShape, seeded_generator
from agents.encoders import Encoder, EncoderShape
from agents.heads import ValueHead
from agents.heads.scalar import ScalarHead
from agents.networks import StackedMLP, StackedResidual
from agents.normalize import ObsScale, ReturnScale
from agents.penalties import Penalty
from agents.registry.compose import pieces_named, pieces_of
from agents.registry.settings import SACSettings
from agents.registry.spec import AgentSpec, Spec
from agents.sac import SAC
from agents.samplers import Sampler
from agents.samplers.uniform import Uniform
from agents.trunks import MakeTrunk, Trunk, TrunkShape

NETWORKS = {"mlp": StackedMLP, "residual": StackedResidual}
LARGEST = 9.0  # what the largest return is scaled to: at the outermost bins HL-Gauss has no room for its Gaussian


@dataclass(frozen=True)
class Sizes:
    """What an agent has to know of a suite: the observation's size, which actions a task has, and its context."""

    obs: int
    action_mask: Tensor  # (T, A) bool
    context: Tensor  # (T, d) float32, rows of about unit norm; d = 0 where all of it is learned
    learned_context: bool = True  # a learned row per task beside it


def build_agent(spec: AgentSpec, sizes: Sizes, settings: Any, seed: int, device: torch.device) -> Agent:
    """Build an agent by its own function, or out of the pieces that ``settings`` name.

    Raises ``RegistryError`` for pieces that are not known or do not fit together.
    """
    if not spec.of_pieces:
        return spec.load()(sizes, settings, seed, device)
    pieces = _pieces(spec, settings)
    init, tasks = seeded_generator(seed), len(sizes.action_mask)
    told = PieceShape(tasks, device, settings, seed)
    encoder_shape = EncoderShape(sizes.obs, tasks, sizes.context, sizes.learned_context, settings)
    return build_sac(
        pieces["encoder"].load()(encoder_shape, init),
        pieces["trunk"].load(),
        _aggregator(pieces, told),
        sizes,
        settings,
        init,
        device,
        pieces["critic"].load()(told),
        _function_or_made(pieces["penalty"], told),
    )


def build_sampler(
    spec: AgentSpec,
    tasks: int,
    settings: Any,
    seed: int,
    device: torch.device,
    numbers: tuple[float, ...] | None = None,
) -> Sampler:
    """Build what chooses the tasks of each batch; all alike for an agent that is not made of pieces.

    ``numbers`` are the tasks', where they differ in one.
    """
    if not spec.of_pieces:
        return Uniform()
    return _pieces(spec, settings)["sampler"].load()(PieceShape(tasks, device, settings, seed, numbers))


def build_sac(
    encoder: Encoder,
    make_trunk: MakeTrunk,
    aggregate: Aggregate,
    sizes: Sizes,
    settings: SACSettings,
    init: torch.Generator,
    device: torch.device,
    head: ValueHead | None = None,
    penalty: Penalty | None = None,
) -> SAC:
    """Put actor and twin critics on an encoder. Weights are drawn on the CPU, so every device starts alike."""
    tasks, actions = sizes.action_mask.shape
    head = head or ScalarHead(settings.critic_reduction)

    def trunk(size_in: int, size_out: int, ensemble: int) -> Trunk:
        shape = TrunkShape(
            tasks,
            ensemble,
            size_in,
            settings.hidden,
            size_out,
            settings.layer_norm,
            NETWORKS[settings.network],
            context=sizes.context,
            settings=settings,
        )
        return make_trunk(shape, init)

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
        penalty=penalty,
    )


def _pieces(spec: AgentSpec, settings: Any) -> Mapping[str, Spec]:
    return pieces_of(spec, pieces_named(settings))


def _aggregator(pieces: Mapping[str, Spec], told: PieceShape) -> Aggregate:
    """Make the aggregator, which measures gradients where the sampler goes by them."""
    aggregate: Aggregate = _function_or_made(pieces["aggregator"], told)
    return WithGradientNorms(aggregate, told) if pieces["sampler"].needs_gradients else aggregate


def _function_or_made(spec: Spec, told: PieceShape) -> Any:
    """A function is the piece itself, a class is called for one."""
    made_of: Any = spec.load()
    if not inspect.isclass(made_of):
        return made_of
    make: Callable[..., Any] = made_of
    return make(told)

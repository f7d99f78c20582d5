"""Builds agents and samplers from a choice of pieces."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

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
from agents.registry.spec import AgentSpec, RegistryError, Spec
from agents.sac import SAC
from agents.samplers import Sampler
from agents.samplers.uniform import Uniform
from agents.trunks import MakeTrunk, Trunk, TrunkShape

M = TypeVar("M", Encoder, Trunk)
NETWORKS = {"mlp": StackedMLP, "residual": StackedResidual}
MAX_SCALED_RETURN = 9.0  # for reward_scale return: at the outermost bins HL-Gauss has no room for its Gaussian
BUILDING = "while building "  # begins the note on an exception that a piece's class or function raised


@dataclass(frozen=True)
class Sizes:
    """What an agent needs to know about a suite: the observation's size, each task's actions and its context."""

    obs: int
    action_mask: Tensor  # (T, A) bool
    context: Tensor  # (T, d) float32, rows of about unit norm; d = 0 where all of it is learned
    learned_context: bool = True  # whether each task has a learned row in addition


def build_agent(spec: AgentSpec, sizes: Sizes, settings: Any, seed: int, device: torch.device) -> Agent:
    """Build an agent by its own function, or from the pieces that ``settings`` name.

    Raises ``RegistryError`` for unknown pieces and for pieces that do not fit together.
    """
    if not spec.of_pieces:
        return spec.load()(sizes, settings, seed, device)
    pieces = _pieces(spec, settings)
    init, tasks = seeded_generator(seed), len(sizes.action_mask)
    shape = PieceShape(tasks, device, settings, seed)
    encoder_shape = EncoderShape(sizes.obs, tasks, sizes.context, sizes.learned_context, settings)
    return build_sac(
        _module(pieces["encoder"], Encoder, encoder_shape, init),
        partial(_module, pieces["trunk"], Trunk),
        _aggregator(pieces, shape),
        sizes,
        settings,
        init,
        device,
        _built(pieces["critic"], shape),
        _function_or_instance(pieces["penalty"], shape),
    )


def build_sampler(
    spec: AgentSpec,
    tasks: int,
    settings: Any,
    seed: int,
    device: torch.device,
    numbers: tuple[float, ...] | None = None,
) -> Sampler:
    """Build the sampler, which chooses the tasks of each batch; uniform for an agent that is not made of pieces.

    ``numbers`` holds each task's number, where the tasks differ in one.
    """
    if not spec.of_pieces:
        return Uniform()
    return _built(_pieces(spec, settings)["sampler"], PieceShape(tasks, device, settings, seed, numbers))


def built_piece(error: BaseException) -> str:
    """Return the kind and name of the piece whose class or function raised ``error``; empty if none did."""
    notes = (note for note in getattr(error, "__notes__", []) if note.startswith(BUILDING))
    return next(notes, BUILDING).removeprefix(BUILDING)


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
    """Put actor and twin critics on an encoder. Weights are drawn on the CPU, so they do not depend on the device."""
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
    # Agents that share nothing must not share statistics of observations either.
    obs_scale = ObsScale(sizes.obs, tasks=None if shared else tasks) if settings.obs_scale == "running" else None
    by_return = settings.reward_scale == "return"
    reward_scale = ReturnScale(tasks, settings.discount, MAX_SCALED_RETURN) if by_return else None
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


def _aggregator(pieces: Mapping[str, Spec], shape: PieceShape) -> Aggregate:
    """Make the aggregator; it also measures gradient norms if the sampler needs them."""
    aggregate: Aggregate = _function_or_instance(pieces["aggregator"], shape)
    return WithGradientNorms(aggregate, shape) if pieces["sampler"].needs_gradients else aggregate


def _function_or_instance(spec: Spec, shape: PieceShape) -> Any:
    """Return the piece itself if it is a function, an instance if it is a class."""
    target: Any = spec.load()
    return _built(spec, shape) if inspect.isclass(target) else target


def _module(spec: Spec, base: type[M], *arguments: Any) -> M:
    """Return what a piece's class or function builds. Raises ``RegistryError`` if it is not a ``base``."""
    module = _built(spec, *arguments)
    if not isinstance(module, base):
        raise RegistryError(f"{spec.kind} {spec.name!r} is a {type(module).__name__}; subclass mtrl.{base.__name__}")
    return module


def _built(spec: Spec, *arguments: Any) -> Any:
    """Call a piece's class or function; an exception that it raises gets a note with the piece's kind and name."""
    make: Callable[..., Any] = spec.load()
    try:
        return make(*arguments)
    except Exception as error:
        error.add_note(f"{BUILDING}{spec.kind} {spec.name!r}")
        raise

"""How agents and pieces are described in the registry. Importing this does not import torch."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["agent", "encoder", "trunk", "aggregator", "sampler", "penalty", "head"]
BUILT_IN = "built in"


class RegistryError(ValueError):
    """An unknown name, or pieces that do not fit together; the message is one line.

    ``name`` is the unknown name and ``known`` the existing ones, for a suggestion.
    """

    def __init__(self, message: str, name: str = "", known: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.name, self.known = name, tuple(known)


@dataclass(frozen=True)
class Spec:
    """A piece of an agent: its description, how it is made, and the settings that it adds to the agent's.

    Args:
        kind: ``encoder``, ``trunk``, ``aggregator``, ``sampler``, ``penalty`` or ``head``.
        name: Its name in the registry; ``module:attribute`` for your own, regardless of this argument.
        description: One sentence.
        target: The class or function, or its location as ``module:attribute``. An encoder or trunk is called with its
            shape and a generator and returns an ``nn.Module``; a sampler or head is called with a ``PieceShape``; an
            aggregator or penalty is a function, or a class that is called with a ``PieceShape``.
        settings: A frozen dataclass; each field becomes a flag, and needs a default and a docstring below it. A default
            written as ``mtrl.setting(1.0, gt=0)`` has a range, which is checked before training.
        reads_context: Whether it reads the tasks' context, which gives the agent the setting ``context``.
        shares: Whether tasks share weights in it.
        own_layers: Whether a trunk builds its own layers, so that the setting ``network`` must be ``mlp``.
        own_weights: For a trunk, whether it has task-specific weights; for a penalty, whether it acts on those.
        needs_sharing: Whether it needs weights that tasks share, as gradient surgery does.
        needs_success: Whether it uses tasks' success, so that a suite which reports none is refused.
        needs_gradients: Whether a sampler uses the norms of tasks' gradients, which the agent measures for it.
        capturable: Whether an update with it may be captured in a CUDA graph (``--cudagraphs``): what it keeps from one
            update to the next is written in place, and its operations and their numbers are always the same, on the
            device alone.
        source: Where it comes from; filled in by the registry.

    Example:
        >>> def balanced(losses, parameters):
        ...     weights = losses.detach().abs().clamp_min(1e-3)
        ...     (losses / weights).mean().backward(inputs=list(parameters.all))
        >>> piece = mtrl.Spec("aggregator", "balanced", "every task's loss has the same weight", balanced)
        >>> piece.load() is balanced
        True
    """

    kind: Kind
    name: str
    description: str
    target: Any = None
    settings: type[Any] | None = None
    reads_context: bool = False
    shares: bool = False
    source: str = BUILT_IN
    own_layers: bool = False
    own_weights: bool = False
    needs_sharing: bool = False
    needs_success: bool = False
    needs_gradients: bool = False
    capturable: bool = False

    def load(self) -> Any:
        """Return the class or function, importing it if ``target`` is its location."""
        return imported(self.target) if isinstance(self.target, str) else self.target


@dataclass(frozen=True)
class AgentSpec(Spec):
    """An agent: either a choice of pieces, which ``mtrl.preset`` makes, or its own implementation.

    Args:
        target: For an agent with its own implementation, called with ``agents.build.Sizes``, the settings, a seed and a
            device; returns an ``agents.base.Agent``. None for an agent made of pieces.
        pieces: The pieces that differ from plain SAC's: slot (``encoder``, ``trunk``, ``aggregator``, ``sampler``,
            ``penalty``, ``critic``) to name.
        single_task: Whether its tasks share nothing, which makes it a baseline for the others.
        trainer: For an agent that the kit's loop does not train, ``module:function``. Called with the configuration and
            a console, and with the keywords ``given``, ``callbacks``, ``wanted`` and ``resumed``, the run to continue,
            or None (see ``mtrl.baselines.sb3_run.run_sb3``); it writes a run folder and returns its result.
        policy: With a ``trainer``, ``module:function``. Called with run folder, configuration, suite and task names;
            returns a policy.
        fixed: With a ``trainer``, settings of the kit's agents that it does not support, with the values that it uses.

    The other arguments are those of ``Spec``.

    Example:
        >>> agent = mtrl.preset("one-hot SAC with PCGrad", encoder="one-hot", aggregator="pcgrad")
        >>> agent.of_pieces, agent.pieces["aggregator"]
        (True, 'pcgrad')
    """

    pieces: Mapping[str, str] = field(default_factory=dict, hash=False)
    single_task: bool = False
    trainer: str | None = None
    policy: str | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def in_loop(self) -> bool:
        """Whether the kit's loop trains it."""
        return self.trainer is None

    @property
    def of_pieces(self) -> bool:
        """Whether it is made of interchangeable pieces."""
        return self.target is None and self.trainer is None


def preset(description: str, *, name: str = "", single_task: bool = False, **pieces: str) -> AgentSpec:
    """Return an agent that is made of pieces, for ``--agent my_module:mine``.

    Args:
        description: One sentence.
        name: Its name in the registry; not needed for an agent of your own.
        single_task: Whether its tasks share nothing, which makes it a baseline for the others.
        **pieces: ``encoder``, ``trunk``, ``aggregator``, ``sampler``, ``penalty`` and ``critic``, each a name known to
            ``python -m mtrl.list`` or ``module:attribute``. Those not given are plain SAC's: no encoder, a shared
            trunk, the mean loss.

    Returns:
        The agent. Whether its pieces exist and fit together is checked where it is used.

    Example:
        >>> mine = mtrl.preset("FiLM with PCGrad", encoder="film", aggregator="pcgrad")
        >>> sorted(mine.pieces)
        ['aggregator', 'encoder']
    """
    return AgentSpec("agent", name, description, pieces=pieces, single_task=single_task)


def imported(path: str) -> Any:
    """Return what is at ``module:attribute``."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)

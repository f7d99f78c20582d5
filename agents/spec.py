"""What the registry says of an agent or of a piece. Importing this does not import torch."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["agent", "encoder", "trunk", "aggregator", "sampler", "penalty", "head"]
BUILT_IN = "built in"


class RegistryError(ValueError):
    """A name that is not known, or pieces that do not fit together; the message is one line.

    ``name`` is what was asked for and ``known`` what there is, where a near one may have been meant.
    """

    def __init__(self, message: str, name: str = "", known: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.name, self.known = name, tuple(known)


@dataclass(frozen=True)
class Spec:
    """A piece by name: one sentence, what makes it, and the settings that it adds to an agent's.

    ``target`` is the piece's class or function, or where that is, as ``module:attribute``:

    - encoder, trunk: called with an ``EncoderShape`` or ``TrunkShape`` and a generator -> an ``nn.Module``;
    - sampler, head: called with a ``PieceShape``;
    - aggregator, penalty: a class is called with a ``PieceShape``, a function is the piece itself; None is no penalty.

    ``settings`` is a frozen dataclass whose fields have defaults and a docstring each; written as
    ``mtrl.setting(1.0, above=0)``, a default comes with a range that is checked before anything is trained.
    ``reads_context`` says that the piece tells tasks apart by their context, so that the agent has the setting
    ``context``. ``shares`` says that tasks train weights of it together. ``source`` is where it came from.
    """

    kind: Kind
    name: str
    description: str
    target: Any = None
    settings: type[Any] | None = None
    reads_context: bool = False
    shares: bool = False
    source: str = BUILT_IN

    def load(self) -> Any:
        """Return the class or function, imported where ``target`` says where it is."""
        return imported(self.target) if isinstance(self.target, str) else self.target


@dataclass(frozen=True)
class AgentSpec(Spec):
    """An agent by name: a choice of ``pieces`` by their kind, or with all of its own.

    One that is made of pieces has no ``target``. Otherwise ``target`` is called with ``agents.build.Sizes``, the
    settings, a seed and a device, and returns an ``agents.base.Agent``.

    An agent that the kit's loop does not train has a ``trainer``, ``module:function`` called with the configuration and
    a console, and by name with ``given``, ``callbacks`` and ``wanted``, the settings of the agent that it stands beside
    (see ``mtrl.sb3.run_sb3``); it writes a run folder and returns its result. Its
    ``policy`` is then called with the run's folder, its configuration, its suite and the names of tasks. ``fixed`` are
    settings of the kit's agents that it cannot be given, with the values that it has. ``alone`` says that its tasks
    share nothing, so that others are compared with it.
    """

    pieces: Mapping[str, str] = field(default_factory=dict, hash=False)
    alone: bool = False
    trainer: str | None = None
    policy: str | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def in_loop(self) -> bool:
        """Whether the kit's loop trains it."""
        return self.trainer is None

    @property
    def of_pieces(self) -> bool:
        """Whether it is made of pieces, each of which may be changed for another."""
        return self.target is None and self.trainer is None


def preset(description: str, *, name: str = "", alone: bool = False, **pieces: str) -> AgentSpec:
    """Return an agent that is made of pieces: ``preset("...", encoder="film", aggregator="my_module:mine")``."""
    return AgentSpec("agent", name, description, pieces=pieces, alone=alone)


def imported(path: str) -> Any:
    """Return what is at ``module:attribute``."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)

"""Who trains an agent: the kit's own loop, or the library that the agent comes from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from agents.registry.spec import imported
from mtrl.config import TrainConfig, agent_spec

IN_LOOP = "mtrl.training.session:run_agent"


def trainer_of(config: TrainConfig[Any], wanted: Any = None) -> Callable[..., dict[str, Any]]:
    """Return the function that trains this agent into a run folder of its own and returns its result.

    It is called with the configuration and a console, and takes ``given``, a suite in place of the one that the
    configuration names, ``callbacks``, and ``resumed``, the run to continue or None. ``wanted`` are the settings of
    the agent that it is the baseline of.
    """
    return partial(imported(agent_spec(config.agent).trainer or IN_LOOP), wanted=wanted)

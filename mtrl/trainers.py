"""Who trains an agent: the kit's own loop, or the library that the agent comes from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from agents.presets import PRESETS
from mtrl.config import TrainConfig
from mtrl.defaults import dropped_settings


def trainer_of(config: TrainConfig[Any], wanted: Any = None) -> Callable[..., dict[str, Any]]:
    """Return what trains this agent into a run folder of its own, and returns its result.

    It is called with the configuration and a console, and takes ``given``, a suite to train on in place of the one that
    the configuration names, and ``callbacks``. ``wanted`` are the settings of the agent that it is the baseline of.
    """
    if PRESETS[config.agent].builder is None:
        from mtrl.sb3 import run_sb3

        return partial(run_sb3, dropped=dropped_settings(config, wanted))
    from mtrl.session import run_agent

    return run_agent

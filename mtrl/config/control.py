"""The plain control of an agent: one network for all tasks, of about the agent's size."""

from __future__ import annotations

import dataclasses
from typing import Any

from mtrl.config.defaults import as_agent
from mtrl.config.train_config import TrainConfig

CONTROL = "mtsac"
MAX_SIZE_DIFFERENCE = 0.03  # of a control, as a fraction of its agent's number of parameters


def control_of(config: TrainConfig[Any], width: int) -> TrainConfig[Any]:
    """Return the control's configuration: the agent's budget, settings and depth, with hidden layers of ``width``."""
    plain = as_agent(config, CONTROL)
    hidden = (width,) * len(config.settings.hidden)
    return dataclasses.replace(plain, settings=dataclasses.replace(plain.settings, hidden=hidden))

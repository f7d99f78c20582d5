"""The settings that every agent has. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True)
class AgentSettings:
    """The base of all agents' settings, and the settings of an agent that has none.

    The kit reads these from any agent's settings; the values hold for agents without such a field.
    """

    # Without annotations, which would make them fields.
    context = cast("str | None", None)
    hidden = cast("tuple[int, ...]", ())
    precision = "float32"
    discount = 0.99

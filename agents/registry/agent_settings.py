"""What the settings of every agent are, whatever else it has. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True)
class AgentSettings:
    """The base of all agents' settings, and the settings of an agent that has none.

    What the kit asks of any agent's settings is here, with what holds for those that have no such field.
    """

    # Without annotations, which would make fields of them.
    context = cast("str | None", None)
    hidden = cast("tuple[int, ...]", ())
    precision = "float32"

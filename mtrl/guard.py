"""Make sure that ``envs`` and ``agents`` are this kit's packages and not folders of the same name elsewhere."""

from __future__ import annotations

import importlib.util
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent


def check_neighbours(home: Path = HOME) -> None:
    """Raise ``ImportError``, naming the intruder and the way out, unless both packages lie beside ``mtrl``."""
    for name in ("envs", "agents"):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise ImportError(f"mtrl's package {name!r} is missing beside {home / 'mtrl'}; install the kit again")
        found = Path(spec.origin).resolve().parent
        if found != home / name:
            raise ImportError(
                f"{found} shadows mtrl's own package {name!r}, since Python looks there first; "
                f"use the command mtrl-train, or python -P -m mtrl.train, or rename that folder"
            )

"""Where a flag belongs that a command line does not have as it stands."""

from __future__ import annotations

import dataclasses

from agents.registry.compose import SLOTS
from agents.registry.pieces import PIECES
from agents.registry.settings import SACSettings
from mtrl.config.train_config import TrainConfig

SWEEPS_OWN = ("suite", "agent", "seed", "runs_dir", "baseline")  # which mtrl.sweep has by these or other names


def place_of(flag: str, program: str) -> str:
    """Return a sentence that says with which piece a flag comes, or behind what it is given; empty for one unknown."""
    name = flag.removeprefix("--").partition("=")[0].replace("-", "_").removeprefix("no_")
    owners = [
        (slot, spec.name)
        for slot, kind in SLOTS.items()
        for spec in PIECES[kind].values()
        if spec.settings is not None and name in _fields(spec.settings)
    ]
    passed_on = (_fields(TrainConfig) | _fields(SACSettings)) - {*SWEEPS_OWN}
    if program == "mtrl.sweep" and (owners or name in passed_on):
        return " Flags of mtrl.train stand behind --."
    if owners and program == "mtrl.train":
        slot, names = owners[0][0], [own for of, own in owners if of == owners[0][0]]
        several = f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]
        return f" It comes with --{slot} {several}."
    return ""


def _fields(settings: type) -> set[str]:
    return {field.name for field in dataclasses.fields(settings)}

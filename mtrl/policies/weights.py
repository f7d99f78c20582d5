"""Read a run's weights, and build the errors raised if they do not fit or the agent lacks support."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from mtrl.checkpoints.find import newest_pointer
from mtrl.config import TrainConfig
from mtrl.errors import UsageError
from mtrl.runs.checksums import check_file
from mtrl.runs.folder import WEIGHTS
from mtrl.runs.reading import check_regular
from mtrl.runs.unfinished import resuming
from mtrl.training.assemble import device_of

READING_AGENTS = "--agent care or --agent mtsac --encoder context"  # examples of agents that read a task's description


def weights_of(path: Path, config: TrainConfig[Any]) -> dict[str, Tensor]:
    """Read a run's weights. Raises ``UsageError`` if they are missing or damaged."""
    device = str(device_of(config))
    check_file(path / WEIGHTS)
    try:
        check_regular(path / WEIGHTS)
        return load_file(path / WEIGHTS, device=device)
    except FileNotFoundError:
        way_out = f"resume it: {resuming(path, config)}" if newest_pointer(path) else "train it again"
        raise UsageError(f"{str(path)!r} has no {WEIGHTS}: the run is unfinished; {way_out}") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise UsageError(f"{str(path / WEIGHTS)!r} is damaged ({error}); train the run again") from None


def misfit(path: Path, error: RuntimeError) -> UsageError:
    """Return the error for weights that do not match the run's agent or suite."""
    return UsageError(
        f"{str(path / WEIGHTS)!r} does not match the current suite ({str(error).splitlines()[-1].strip()}); "
        "train the run again"
    )


def unsupported(config: TrainConfig[Any], what: str, why: str, way_out: str) -> UsageError:
    """Return the error for an agent that cannot do ``what`` the user asked for."""
    return UsageError(f"agent {config.agent!r} cannot {what}: {why}; {way_out}")


def check_source(path: Path, now: str, trained: str | None, whose: str) -> None:
    """Raise ``UsageError`` if sentence vectors come from another source than those that a run was trained on."""
    if now != trained:
        raise UsageError(
            f"{str(path)!r} was trained on sentence vectors of source {trained!r}, but those of {whose} are now from "
            f"source {now!r}; vectors from different sources do not mix, so train the run again"
        )

"""A run's weights, read, and what is said where they do not fit."""

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


def weights_of(path: Path, config: TrainConfig[Any]) -> dict[str, Tensor]:
    """Read a run's weights. Raises ``UsageError`` where there are none, or damaged ones."""
    device = str(device_of(config))
    check_file(path / WEIGHTS)
    try:
        check_regular(path / WEIGHTS)
        return load_file(path / WEIGHTS, device=device)
    except FileNotFoundError:
        way_out = f"go on with it: {resuming(path)}" if newest_pointer(path) else "train it again"
        raise UsageError(f"{str(path)!r} has no {WEIGHTS}: the run is unfinished; {way_out}") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise UsageError(f"{str(path / WEIGHTS)!r} is damaged ({error}); train the run again") from None


def misfit(path: Path, error: RuntimeError) -> UsageError:
    """What to say where torch will not take the weights of a run."""
    return UsageError(
        f"{str(path / WEIGHTS)!r} does not match the current suite ({str(error).splitlines()[-1].strip()}); "
        "train the run again"
    )


def check_source(path: Path, now: str, told: str | None, whose: str) -> None:
    """Raise ``UsageError`` where sentence vectors would come from elsewhere than a run's own, which do not mix."""
    if now != told:
        raise UsageError(
            f"{str(path)!r} was trained on sentence vectors of source {told!r}, but those of {whose} are now from "
            f"source {now!r}; vectors from different sources do not mix, so train the run again"
        )

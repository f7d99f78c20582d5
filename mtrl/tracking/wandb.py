"""Weights & Biases: offline and inside the run's folder, unless its own environment variables say otherwise."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import wandb
from PIL import Image

from mtrl.tracking.tracker import Status, TrackedRun

CODES: dict[Status, int] = {"finished": 0, "failed": 1, "stopped": 255}  # the last is what wandb itself says of Ctrl-C


def start(run: TrackedRun) -> WandbTracker:
    """Begin a run of wandb's, beside any that the program has open already.

    Its variables are read here: wandb itself reads them once a process, and then perhaps before they were set.
    """
    defaults = {
        "mode": ("WANDB_MODE", "offline"),
        "dir": ("WANDB_DIR", str(run.path)),
        "project": ("WANDB_PROJECT", "mtrl"),
        "group": ("WANDB_RUN_GROUP", run.suite),
        "job_type": ("WANDB_JOB_TYPE", run.agent),
        "name": ("WANDB_NAME", run.name),
    }
    os.environ.setdefault("WANDB_DISABLE_WEAVE", "true")  # it takes the package agents for another of that name
    told: dict[str, Any] = {key: os.environ.get(variable) or value for key, (variable, value) in defaults.items()}
    # Its lines belong to what it asks and uploads; the terminal's output is the run's, shown live, and is not captured.
    settings = wandb.Settings(console="off", silent=not os.environ.get("WANDB_MODE"))
    return WandbTracker(wandb.init(**told, config=run.params, reinit="create_new", settings=settings))


class WandbTracker:
    """A run of wandb's; its step is the run's, environment steps per task."""

    def __init__(self, run: wandb.Run) -> None:
        self._run = run
        folder = Path(run.dir).parent
        self.where = f"{folder} (wandb sync {folder} uploads it)" if run.offline else str(run.url)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Log under the same tags."""
        self._run.log(dict(values), step=step)

    def picture(self, step: int, tag: str, picture: np.ndarray) -> None:
        """Log as an image."""
        self._run.log({tag: wandb.Image(Image.fromarray(picture))}, step=step)

    def film(self, step: int, tag: str, gif: bytes) -> None:
        """Log as a video, which a browser plays."""
        self._run.log({tag: wandb.Video(io.BytesIO(gif), format="gif")}, step=step)

    def result(self, step: int, values: Mapping[str, Any]) -> None:
        """Put into the summary, under ``result/``."""
        self._run.summary.update({f"result/{name}": value for name, value in values.items()})

    def finish(self, status: Status) -> None:
        """End with the exit code that stands for the status."""
        self._run.finish(exit_code=CODES[status])

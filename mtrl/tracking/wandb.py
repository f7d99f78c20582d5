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

CODES: dict[Status, int] = {"finished": 0, "failed": 1, "stopped": 255}  # wandb itself uses 255 for Ctrl-C


def start(run: TrackedRun) -> WandbTracker:
    """Start a wandb run, beside any that the program already has open.

    Its environment variables are read here, since wandb reads them only once per process, possibly before they are set.
    """
    defaults = {
        "mode": ("WANDB_MODE", "offline"),
        "dir": ("WANDB_DIR", str(run.path)),
        "project": ("WANDB_PROJECT", "mtrl"),
        "group": ("WANDB_RUN_GROUP", run.suite),
        "job_type": ("WANDB_JOB_TYPE", run.agent),
        "name": ("WANDB_NAME", run.name),
    }
    os.environ.setdefault("WANDB_DISABLE_WEAVE", "true")  # it mistakes the package agents for another of that name
    options: dict[str, Any] = {key: os.environ.get(variable) or value for key, (variable, value) in defaults.items()}
    # It prints only if its mode was set, and does not capture the run's own terminal output, which is shown live.
    settings = wandb.Settings(console="off", silent=not os.environ.get("WANDB_MODE"))
    return WandbTracker(wandb.init(**options, config=run.params, reinit="create_new", settings=settings))


class WandbTracker:
    """A wandb run; its step is the number of environment steps per task."""

    def __init__(self, run: wandb.Run) -> None:
        self._run = run
        folder = Path(run.dir).parent
        self.where = f"{folder} (wandb sync {folder} uploads it)" if run.offline else str(run.url)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Log under the same tags."""
        self._run.log(dict(values), step=step)

    def image(self, step: int, tag: str, image: np.ndarray) -> None:
        """Log as an image."""
        self._run.log({tag: wandb.Image(Image.fromarray(image))}, step=step)

    def video(self, step: int, tag: str, gif: bytes) -> None:
        """Log as a video that a browser plays."""
        self._run.log({tag: wandb.Video(io.BytesIO(gif), format="gif")}, step=step)

    def result(self, step: int, values: Mapping[str, Any]) -> None:
        """Add to the summary, under ``result/``."""
        self._run.summary.update({f"result/{name}": value for name, value in values.items()})

    def finish(self, status: Status) -> None:
        """End the run with the exit code for the status."""
        self._run.finish(exit_code=CODES[status])

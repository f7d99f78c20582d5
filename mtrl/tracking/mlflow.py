"""MLflow: a database beside the runs, unless its own environment variables or the program name a server."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sqlite3
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mtrl.tracking.tracker import Status, TrackedRun

T = TypeVar("T")
STORE, ARTIFACTS, LOCK = "mlflow.db", "mlflow", ".mlflow.lock"  # in runs_dir; ARTIFACTS is the folder of images
LOCK_TIMEOUT = 120.0  # seconds: creating the database takes a few, more if all processors are busy
# Defaults that the user can override: a run waits for an unreachable server for one minute instead of fifteen, and no
# telemetry is sent.
ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
STATUSES: dict[Status, str] = {"finished": "FINISHED", "failed": "FAILED", "stopped": "KILLED"}
MAX_BATCH = 100  # params or tags in one call; also below the limit of 1,000 metrics
MAX_LENGTH = 5_000  # characters of a param or a tag


def start(run: TrackedRun) -> MlflowTracker:
    """Start a run in the suite's experiment."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)  # between MLflow and its dependencies
        import mlflow

        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
        local = None if mlflow.is_tracking_uri_set() else run.runs_dir.resolve()
        with contextlib.nullcontext() if local is None else _locked(local):
            client = mlflow.MlflowClient(None if local is None else f"sqlite:///{local / STORE}")
            experiment = os.environ.get("MLFLOW_EXPERIMENT_ID") or _experiment(client, run, local)
        created = client.create_run(experiment, run_name=run.name, tags={"suite": run.suite, "agent": run.agent})
    tracker = MlflowTracker(client, created.info.run_id, created.info.experiment_id)
    tracker.params(run.params)
    return tracker


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Admit one process of a sweep at a time, since MLflow creates a database in several steps.

    The lock is SQLite's own on an empty file, so it is released however a process ends.
    """
    with contextlib.closing(sqlite3.connect(folder / LOCK, timeout=LOCK_TIMEOUT)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield


def _experiment(client: Any, run: TrackedRun, local: Path | None) -> str:
    """Return the id of the experiment, created if necessary; another process may be creating it too."""
    from mlflow.exceptions import MlflowException

    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or f"mtrl/{run.suite}"
    if found := client.get_experiment_by_name(name):
        return str(found.experiment_id)
    try:
        return str(client.create_experiment(name, None if local is None else (local / ARTIFACTS).as_uri()))
    except MlflowException:
        if found := client.get_experiment_by_name(name):
            return str(found.experiment_id)
        raise


class MlflowTracker:
    """An MLflow run; its step is the number of environment steps per task."""

    def __init__(self, client: Any, run_id: str, experiment: str) -> None:
        self._client, self._run = client, run_id
        page, store = f"#/experiments/{experiment}/runs/{run_id}", client.tracking_uri
        served = str(store).startswith("http")
        self.where = f"{store}/{page}" if served else f"{store} (mlflow ui --backend-store-uri {store} shows {page})"

    def params(self, values: Mapping[str, Any]) -> None:
        """Log the run's configuration."""
        from mlflow.entities import Param

        for part in _parts([Param(key, str(value)[:MAX_LENGTH]) for key, value in values.items()]):
            self._client.log_batch(self._run, params=part)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Log as metrics, under the same tags except for characters that MLflow does not accept."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        for part in _parts([Metric(metric_name(tag), value, now, step) for tag, value in values.items()]):
            self._client.log_batch(self._run, metrics=part)

    def image(self, step: int, tag: str, image: np.ndarray) -> None:
        """Log as an image of its step."""
        self._client.log_image(self._run, image, key=metric_name(tag), step=step, synchronous=True)

    def video(self, step: int, tag: str, gif: bytes) -> None:
        """Log as an artifact."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, f"{step}.gif")
            file.write_bytes(gif)
            self._client.log_artifact(self._run, str(file), metric_name(tag))

    def result(self, step: int, values: Mapping[str, Any]) -> None:
        """Log numbers as metrics and strings as tags, under ``result/``."""
        from mlflow.entities import RunTag

        words = {name: value for name, value in values.items() if isinstance(value, bool | str)}
        numbers = {f"result/{name}": float(value) for name, value in values.items() if name not in words}
        self.scalars(step, numbers)
        tags = [RunTag(metric_name(f"result/{name}"), str(value)[:MAX_LENGTH]) for name, value in words.items()]
        for part in _parts(tags):
            self._client.log_batch(self._run, tags=part)

    def finish(self, status: Status) -> None:
        """End the run with MLflow's own name of the status."""
        self._client.set_terminated(self._run, STATUSES[status])


def metric_name(tag: str) -> str:
    """Return a tag with characters that MLflow rejects written as hexadecimal codes, so that distinct tags stay so."""
    return re.sub(r"[^\w. /-]", lambda letter: f"_{ord(letter[0]):x}", tag)


def _parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for begin in range(0, len(values), MAX_BATCH):
        yield values[begin : begin + MAX_BATCH]

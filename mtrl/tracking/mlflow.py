"""MLflow: a database beside the runs, unless its own environment variables, or the program, name a server."""

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
STORE, ARTIFACTS, LOCK = "mlflow.db", "mlflow", ".mlflow.lock"  # in runs_dir: the database, the folder of pictures
PATIENCE = 120.0  # seconds: making the database takes a few, with all processors busy some more
# Unless the user says otherwise: a training waits for a server that is gone for a minute, not for a quarter of an hour,
# and nothing is sent to anybody.
QUICK = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
STATUSES: dict[Status, str] = {"finished": "FINISHED", "failed": "FAILED", "stopped": "KILLED"}
MOST = 100  # params or tags in one call, metrics being fewer than their limit of 1,000 then too
LONGEST = 5_000  # letters of a param or a tag


def start(run: TrackedRun) -> MlflowTracker:
    """Begin a run in the suite's experiment."""
    for name, value in QUICK.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)  # between MLflow and what it is made of
        import mlflow

        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
        local = None if mlflow.is_tracking_uri_set() else run.runs_dir.resolve()
        with contextlib.nullcontext() if local is None else _alone(local):
            client = mlflow.MlflowClient(None if local is None else f"sqlite:///{local / STORE}")
            experiment = os.environ.get("MLFLOW_EXPERIMENT_ID") or _experiment(client, run, local)
        made = client.create_run(experiment, run_name=run.name, tags={"suite": run.suite, "agent": run.agent})
    tracker = MlflowTracker(client, made.info.run_id, made.info.experiment_id)
    tracker.params(run.params)
    return tracker


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let in one process of a sweep at a time: MLflow makes a database in steps, and another would stumble over them.

    The lock is SQLite's own, of a file that holds nothing: it is given back however a process ends.
    """
    with contextlib.closing(sqlite3.connect(folder / LOCK, timeout=PATIENCE)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield


def _experiment(client: Any, run: TrackedRun, local: Path | None) -> str:
    """Return the id of the experiment, which is made where there is none; another process may be doing so as well."""
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
    """A run of MLflow's; its step is the run's, environment steps per task."""

    def __init__(self, client: Any, run_id: str, experiment: str) -> None:
        self._client, self._run = client, run_id
        page, store = f"#/experiments/{experiment}/runs/{run_id}", client.tracking_uri
        served = str(store).startswith("http")
        self.where = f"{store}/{page}" if served else f"{store} (mlflow ui --backend-store-uri {store} shows {page})"

    def params(self, values: Mapping[str, Any]) -> None:
        """Write what the run was told."""
        from mlflow.entities import Param

        for part in _parts([Param(key, str(value)[:LONGEST]) for key, value in values.items()]):
            self._client.log_batch(self._run, params=part)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Write as metrics, under the same tags but for letters that MLflow does not take."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        for part in _parts([Metric(metric_name(tag), value, now, step) for tag, value in values.items()]):
            self._client.log_batch(self._run, metrics=part)

    def picture(self, step: int, tag: str, picture: np.ndarray) -> None:
        """Write as an image of its step."""
        self._client.log_image(self._run, picture, key=metric_name(tag), step=step, synchronous=True)

    def film(self, step: int, tag: str, gif: bytes) -> None:
        """Write as a file."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, f"{step}.gif")
            file.write_bytes(gif)
            self._client.log_artifact(self._run, str(file), metric_name(tag))

    def result(self, step: int, values: Mapping[str, Any]) -> None:
        """Write numbers as metrics and words as tags, under ``result/``."""
        from mlflow.entities import RunTag

        words = {name: value for name, value in values.items() if isinstance(value, bool | str)}
        numbers = {f"result/{name}": float(value) for name, value in values.items() if name not in words}
        self.scalars(step, numbers)
        tags = [RunTag(metric_name(f"result/{name}"), str(value)[:LONGEST]) for name, value in words.items()]
        for part in _parts(tags):
            self._client.log_batch(self._run, tags=part)

    def finish(self, status: Status) -> None:
        """End with MLflow's own word for the status."""
        self._client.set_terminated(self._run, STATUSES[status])


def metric_name(tag: str) -> str:
    """Return a tag with what MLflow takes for no name written as numbers, so that tags which differ stay different."""
    return re.sub(r"[^\w. /-]", lambda letter: f"_{ord(letter[0]):x}", tag)


def _parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for begin in range(0, len(values), MOST):
        yield values[begin : begin + MOST]

"""The log of a run: TensorBoard events and ``metrics.csv``, at the same steps."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from tensorboard.compat.proto.summary_pb2 import Summary

from mtrl.pictures.heat_maps import Scale, heat_map
from mtrl.runs.folder import MATRICES, METRICS
from mtrl.scoring.many_tasks import Groups, table_by_group
from mtrl.tracking.robust_files import LineFile, SafeWriter, WarnOnce
from mtrl.tracking.stopwatch import Spent, Stopwatch
from mtrl.tracking.tags import task_tag
from mtrl.tracking.tracker import Status, Tracker, status_of
from mtrl.tracking.trackers import flat


class RunLog:
    """Writes scalars to both, images to TensorBoard, and matrices to an image and a file.

    ``trackers`` receive scalars, images and videos as they are written, and are finished with the log.
    TensorBoard's tags are the CSV's, except for those that ``board_tag`` sorts after success.

    A step is the number of environment steps per task, so that agents and baselines overlay. Each line of the CSV is
    ``step,seconds,tag,value``, with seconds since the log was created; it is flushed with every call. Each line of
    ``matrices.jsonl`` is an object ``{"step", "name", "rows", "columns", "values"}``. A full disk does not end the run.
    """

    def __init__(
        self,
        path: Path,
        trackers: Sequence[Tracker] = (),
        resumed: Mapping[str, Any] | None = None,
        step: int = 0,
        groups: Groups | None = None,
    ) -> None:
        """``resumed`` is the result of ``state_dict`` at ``step``: what was written after that is removed.

        Matrices over the tasks of ``groups`` are drawn by group.
        """
        self._trackers, self._groups = trackers, groups or {}
        before = resumed or {"seconds": 0.0, "cpu_seconds": 0.0, METRICS: 0, MATRICES: 0}
        self._watch = Stopwatch(Spent(before["seconds"], before.get("cpu_seconds")))  # older checkpoints lack it
        on_error = WarnOnce()
        self._events = SafeWriter(path, None if resumed is None else step + 1, on_error)
        self._file = LineFile(path / METRICS, before[METRICS], on_error)
        self._csv = csv.writer(self._file)
        if resumed is None:
            self._csv.writerow(["step", "seconds", "tag", "value"])
        self._matrices = LineFile(path / MATRICES, before[MATRICES], on_error)

    @property
    def seconds(self) -> float:
        """Wall time since the run started, excluding the time between an interruption and resuming."""
        return self._watch.wall

    @property
    def spent(self) -> Spent:
        """Wall and processor time since the run started, likewise."""
        return self._watch.read()

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """Write values by tag; NaN (success of a task that does not report it) is left out."""
        seconds = f"{self.seconds:.2f}"
        known = {tag: value for tag, value in values.items() if not math.isnan(value)}
        for tag, value in known.items():
            self._events.add_scalar(board_tag(tag), value, step)
            self._csv.writerow([step, seconds, tag, f"{value:.10g}"])
        self._file.flush()
        for tracker in self._trackers:
            tracker.scalars(step, known)

    def matrix(
        self,
        step: int,
        name: str,
        values: np.ndarray,
        rows: Sequence[str],
        columns: Sequence[str],
        scale: Scale,
        drawn: bool = True,
    ) -> None:
        """Write values (R, C) with the names of their rows and columns, and a heat map under ``viz/<name>``.

        ``scale`` is the colour scale of this kind of quantity, so that all its heat maps are comparable. The file has
        every task; the heat map of many tasks shows the means of their groups.
        """
        line = {"step": step, "name": name, "rows": list(rows), "columns": list(columns), "values": values.tolist()}
        self._matrices.write(json.dumps(line) + "\n")
        self._matrices.flush()
        if drawn:
            self.image(step, f"viz/{name}", heat_map(*table_by_group(values, rows, columns, self._groups), scale))

    def image(self, step: int, tag: str, image: np.ndarray) -> None:
        """Write an (H, W, 3) uint8 image."""
        self._events.add_image(tag, image, step, dataformats="HWC")
        for tracker in self._trackers:
            tracker.image(step, tag, image)

    def video(self, step: int, tag: str, data: bytes, width: int, height: int) -> None:
        """Write a GIF of ``width`` x ``height`` pixels, which TensorBoard plays among its images.

        With moviepy 2, ``SummaryWriter.add_video`` only leaves an empty value behind, which hides the tag.
        """
        image = Summary.Image(width=width, height=height, colorspace=3, encoded_image_string=data)
        self.summary(Summary(value=[Summary.Value(tag=tag, image=image)]), step)
        for tracker in self._trackers:
            tracker.video(step, tag, data)

    def layout(self, charts: dict[str, dict[str, list[Any]]]) -> None:
        """Write the layout of TensorBoard's custom scalars: category, title of the chart, its kind and tags."""
        self._events.add_custom_scalars(charts)

    def summary(self, summary: Summary, step: int = 0) -> None:
        """Write a summary built elsewhere."""
        self._events.summary(summary, step)

    def state_dict(self) -> dict[str, Any]:
        """Return the time the run has taken and the sizes of its files. Raises ``OSError`` if they lack lines."""
        self._events.flush()
        spent = self.spent
        return {
            "seconds": spent.wall,
            "cpu_seconds": spent.cpu,
            METRICS: self._file.size(),
            MATRICES: self._matrices.size(),
        }

    def check(self) -> None:
        """Raise ``OSError`` if the files lack lines that cannot be written."""
        self.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Do nothing: a log is created in the state that it resumes from."""

    def text(self, tag: str, markdown: str) -> None:
        """Write a text, shown in TensorBoard's text tab."""
        self._events.add_text(tag, markdown)

    def result(self, step: int, result: Mapping[str, Any]) -> None:
        """Pass the result to the trackers, without the protocol of its scores, which is in ``result.json``."""
        values = flat({name: value for name, value in result.items() if name != "protocol"})
        for tracker in self._trackers:
            tracker.result(step, values)

    def close(self, status: Status = "finished") -> None:
        """Flush and close the files, and finish the trackers."""
        self._events.close()
        self._file.close()
        self._matrices.close()
        for tracker in self._trackers:
            tracker.finish(status)

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(status_of(error))


def board_tag(tag: str) -> str:
    """Return the tag under which TensorBoard shows what the CSV calls ``tag``.

    Time Series sorts its cards by tag and shows the first twelve, so ``eval/``, its first group, has only success, that
    of groups first; all else that an evaluation measures goes into the next group.
    """
    moved = tag.startswith("eval/") and tag.split("/")[1] not in ("group_success", "success_rate")
    return f"eval_detail/{tag.removeprefix('eval/')}" if moved else tag


def per_task(tag: str, names: tuple[str, ...], values: list[float]) -> dict[str, float]:
    """Return the values of tasks by their tags (``task_tag``)."""
    return {task_tag(tag, name): value for name, value in zip(names, values, strict=True)}

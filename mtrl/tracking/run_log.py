"""What a run writes as it goes: TensorBoard events and ``metrics.csv``, at the same steps."""

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
from mtrl.tracking.robust_files import Complaint, LineFile, SafeWriter
from mtrl.tracking.stopwatch import Spent, Stopwatch
from mtrl.tracking.tags import task_tag
from mtrl.tracking.tracker import Status, Tracker, status_of
from mtrl.tracking.trackers import flat


class RunLog:
    """Writes scalars to both places, pictures to TensorBoard, and tables of numbers to a picture and a file.

    ``trackers`` are handed scalars, pictures and films as they are written, and finished with the log.
    TensorBoard's tags are the CSV's but for those that ``board_tag`` moves behind success.

    A step is a number of environment steps per task, so that agents and baselines overlay. Each line of the CSV is
    ``step,seconds,tag,value``, seconds counted from the log's making; it is flushed with every call. Each line of
    ``matrices.jsonl`` is an object ``{"step", "name", "rows", "columns", "values"}``. A full disk ends nothing.
    """

    def __init__(
        self,
        path: Path,
        trackers: Sequence[Tracker] = (),
        resumed: Mapping[str, Any] | None = None,
        step: int = 0,
        groups: Groups | None = None,
    ) -> None:
        """``resumed`` is what ``state_dict`` returned at ``step``: what was written after that is taken back.

        Tables of the tasks of ``groups`` are drawn by group.
        """
        self._trackers, self._groups = trackers, groups or {}
        before = resumed or {"seconds": 0.0, "cpu_seconds": 0.0, METRICS: 0, MATRICES: 0}
        self._watch = Stopwatch(Spent(before["seconds"], before.get("cpu_seconds")))  # older checkpoints lack it
        complain = Complaint()
        self._events = SafeWriter(path, None if resumed is None else step + 1, complain)
        self._file = LineFile(path / METRICS, before[METRICS], complain)
        self._csv = csv.writer(self._file)
        if resumed is None:
            self._csv.writerow(["step", "seconds", "tag", "value"])
        self._matrices = LineFile(path / MATRICES, before[MATRICES], complain)

    @property
    def seconds(self) -> float:
        """Wall time since the run began, without that between an interruption and going on."""
        return self._watch.wall

    @property
    def spent(self) -> Spent:
        """Wall and processor time since the run began, likewise."""
        return self._watch.read()

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """Write tag to value; what is not a number (a success that a task does not say) is left out."""
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
        """Write numbers (R, C), what their rows and columns are called, and their picture under ``viz/<name>``.

        ``scale`` are the colours of the kind of quantity that they are, so that all pictures of it can be compared.
        The file has every task; the picture of many tasks has their groups' means.
        """
        line = {"step": step, "name": name, "rows": list(rows), "columns": list(columns), "values": values.tolist()}
        self._matrices.write(json.dumps(line) + "\n")
        self._matrices.flush()
        if drawn:
            self.picture(step, f"viz/{name}", heat_map(*table_by_group(values, rows, columns, self._groups), scale))

    def picture(self, step: int, tag: str, picture: np.ndarray) -> None:
        """Write an (H, W, 3) uint8 picture."""
        self._events.add_image(tag, picture, step, dataformats="HWC")
        for tracker in self._trackers:
            tracker.picture(step, tag, picture)

    def gif(self, step: int, tag: str, data: bytes, width: int, height: int) -> None:
        """Write a GIF of so many pixels, which TensorBoard plays among its images.

        ``SummaryWriter.add_video`` does nothing with moviepy 2 but leave an empty value behind, which hides the tag.
        """
        image = Summary.Image(width=width, height=height, colorspace=3, encoded_image_string=data)
        self.summary(Summary(value=[Summary.Value(tag=tag, image=image)]), step)
        for tracker in self._trackers:
            tracker.film(step, tag, data)

    def layout(self, charts: dict[str, dict[str, list[Any]]]) -> None:
        """Write what the tab of custom scalars shows: category, title of the chart, its kind and tags."""
        self._events.add_custom_scalars(charts)

    def summary(self, summary: Summary, step: int = 0) -> None:
        """Write a summary that was made elsewhere."""
        self._events.summary(summary, step)

    def state_dict(self) -> dict[str, Any]:
        """Return how long the run has taken, and how long its files are. Raises ``OSError`` where they lack lines."""
        self._events.flush()
        spent = self.spent
        return {
            "seconds": spent.wall,
            "cpu_seconds": spent.cpu,
            METRICS: self._file.size(),
            MATRICES: self._matrices.size(),
        }

    def check(self) -> None:
        """Raise ``OSError`` where the files lack lines that cannot be written."""
        self.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing: a log is made in the state that it goes on from."""

    def text(self, tag: str, markdown: str) -> None:
        """Write a text, shown in TensorBoard's text tab."""
        self._events.add_text(tag, markdown)

    def result(self, step: int, result: Mapping[str, Any]) -> None:
        """Hand on what the run came to, but for the protocol of its scores, which ``result.json`` has."""
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

    Time Series sorts its cards by tag and opens on the first twelve, so ``eval/``, its first group, is left to success
    that of groups first, and what else an evaluation finds goes into the group after it.
    """
    moved = tag.startswith("eval/") and tag.split("/")[1] not in ("group_success", "success_rate")
    return f"eval_detail/{tag.removeprefix('eval/')}" if moved else tag


def per_task(tag: str, names: tuple[str, ...], values: list[float]) -> dict[str, float]:
    """Return the values of tasks by their tags (``task_tag``)."""
    return {task_tag(tag, name): value for name, value in zip(names, values, strict=True)}

"""Progress of a run: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

from mtrl.scoring.scores import RARE
from mtrl.training.schedule import Counts

PLAIN_EVERY = 10.0  # seconds between plain lines
WIDTH = 60  # maximum columns of a line, plain or on a narrow terminal
BAR = 12  # minimum columns of a bar and the time beside it


class Display:
    """Shows one run's progress: share of its steps, time left, steps per second, the last evaluation's means."""

    def __init__(self, console: Console, name: str, total: int) -> None:
        self._console, self._name, self._total = console, name, total
        self._begin = self._last_line = time.monotonic()
        self._learning_since = (self._begin, 0, 0)  # time, steps per task and steps of all tasks at that time
        self._scores = ""
        columns: list[ProgressColumn] = [
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
        ]
        barred = console.width >= WIDTH + BAR
        if barred:
            columns += [TimeElapsedColumn(), BarColumn(bar_width=None)]
        self._width = max(WIDTH, console.width - 3 * BAR) if barred and console.is_terminal else WIDTH
        self._bar = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task = self._bar.add_task(name, total=total)

    def update(self, step: int, env_steps: int, updates: int) -> None:
        """Show that ``step`` of the total steps per task are done; without updates so far, actions are random."""
        now = time.monotonic()
        if not updates:
            self._learning_since = now, step, env_steps
        line = self._line(now, step, env_steps, updates)
        self._bar.update(self._task, completed=step, description=line)
        if not self._console.is_terminal and (now - self._last_line > PLAIN_EVERY or step >= self._total):
            self._last_line = now
            self._console.print(line, markup=False)

    def resume(self, step: int, env_steps: int) -> None:
        """Count ``step`` steps as done before; they do not count towards the speed."""
        self._learning_since = time.monotonic(), step, env_steps

    def progress(self, now: Counts) -> None:
        """Show a run's progress."""
        self.update(now.span.step, now.env_steps, now.updates)

    def evaluated(self, means: Mapping[str, float | None]) -> None:
        """Show the means over tasks of the last evaluation: both success rates, and the return if success is rare."""
        solved, last, total = means["success_any"], means["success_last"], means["return"]
        words = [] if solved is None else [f"success any {_rate(solved)}"]
        words += [] if last is None else [f"last {_rate(last)}"]
        words += [f"return {_short(total)}"] if total is not None and (solved is None or solved < RARE) else []
        self._scores = " ".join(words)

    def _line(self, now: float, step: int, env_steps: int, updates: int) -> str:
        """Return the parts of a line that fit; the speed is dropped first, then the share that is done."""
        done = f"{100 * min(step / self._total, 1.0):.0f}%"
        ahead, speed = "random actions", ""
        if updates:  # random actions are faster than learning, so they are left out of the estimate
            since, first, first_of_all = self._learning_since
            seconds = max(now - since, 1e-9)
            left = (self._total - step) * seconds / max(step - first, 1)
            ahead, speed = f"{_duration(left)} left", f"{_short((env_steps - first_of_all) / seconds)} steps/s"
        if step >= self._total:
            ahead = f"in {_duration(now - self._begin)}"
        parts = [self._name, done, ahead, speed, self._scores]
        for dropped in (3, 1):
            if len(_joined(parts)) > self._width:
                parts[dropped] = ""
        return _joined(parts)[: self._width]

    def __enter__(self) -> Display:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


def _joined(parts: list[str]) -> str:
    return " ".join(part for part in parts if part)


def _rate(share: float) -> str:
    """Format a share of episodes as .62, and 1 as 1.00."""
    return f"{share:.2f}".removeprefix("0")


def _short(count: float) -> str:
    """Format a number in few columns: 3.45, 345, 3.4k, -34k, 1.2M, 3e+09."""
    if abs(count) >= 1e9:
        return f"{count:.0e}"
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if abs(count) >= size:
            return f"{count / size:.1f}{unit}" if abs(count) < 10 * size else f"{count / size:.0f}{unit}"
    return f"{count:.0f}" if abs(count) >= 100 else f"{count:.3g}"


def _duration(seconds: float) -> str:
    """Format a time in its largest fitting unit: 83s, 17m, 1.8h, 30h."""
    if seconds < 100:
        return f"{seconds:.0f}s"
    if seconds < 6000:
        return f"{seconds / 60:.0f}m"
    return f"{seconds / 3600:.1f}h" if seconds < 36_000 else f"{seconds / 3600:.0f}h"

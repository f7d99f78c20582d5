"""Progress of a sweep: a bar for each run on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from mtrl.sweeping.plan import Job

PLAIN_EVERY = 30.0  # seconds between plain lines


class SweepDisplay:
    """Shows how many of ``total`` runs are done, and the step and last evaluation of each running one."""

    def __init__(self, console: Console, total: int) -> None:
        self._console, self._total, self._done = console, total, 0
        self._last_line = time.monotonic()
        self._lines: dict[Job, str] = {}
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[score]}", markup=False),
            console=console,
            disable=not console.is_terminal,
        )
        self._all = self._bar.add_task("runs", total=total, score="")
        self._tasks: dict[Job, TaskID] = {}

    def started(self, job: Job) -> None:
        """Show a run that starts."""
        self._tasks[job] = self._bar.add_task(job.name, total=job.config.steps_per_task, score="")
        self._console.print(f"{job.name}: started, log {job.log}", markup=False)

    def update(self, job: Job, step: int, score: str) -> None:
        """Show a run's progress, in steps per task, and its last evaluation."""
        self._bar.update(self._tasks[job], completed=step, score=score)
        self._lines[job] = f"{job.name} {step:,}/{job.config.steps_per_task:,} {score}".rstrip()
        now = time.monotonic()
        if not self._console.is_terminal and now - self._last_line > PLAIN_EVERY:
            self._last_line = now
            running = "; ".join(self._lines.values())
            self._console.print(f"{self._done}/{self._total} runs done; {running}", markup=False)

    def ended(self, job: Job, failure: str) -> None:
        """Show that a run is over, and why if it failed."""
        self._done += 1
        self._bar.update(self._all, completed=self._done)
        self._bar.remove_task(self._tasks.pop(job))
        self._lines.pop(job, None)
        self._console.print(
            f"{job.name}: {f'failed: {failure}' if failure else 'done'}, {self._done} of {self._total}", markup=False
        )

    def __enter__(self) -> SweepDisplay:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

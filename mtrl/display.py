"""What is shown while a run goes: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

PLAIN_EVERY = 10.0  # seconds between plain lines


class Display:
    """Shows how far one run is: steps and updates per second, time left, mean success of the last evaluation."""

    def __init__(self, console: Console, name: str, total: int) -> None:
        self._console, self._name, self._total = console, name, total
        self._begin = self._last_line = time.monotonic()
        self._success = ""
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[rates]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(name, total=total, rates="")

    def update(self, step: int, env_steps: int, updates: int) -> None:
        """Show that ``step`` of the total steps per task are done."""
        now = time.monotonic()
        seconds = max(now - self._begin, 1e-9)
        rates = f"{env_steps / seconds:,.0f} steps/s  {updates / seconds:.0f} updates/s{self._success}"
        self._bar.update(self._task, completed=step, rates=rates)
        if not self._console.is_terminal and (now - self._last_line > PLAIN_EVERY or step >= self._total):
            self._last_line = now
            left = (self._total - step) * seconds / max(step, 1)
            self._console.print(
                f"{self._name}: {step:,}/{self._total:,} steps per task, {seconds:.0f} s, {left:.0f} s left, {rates}"
            )

    def evaluated(self, success: float | None, mean_return: float | None) -> None:
        """Show the mean over tasks of the last evaluation: success, or return where no task says success."""
        if success is not None:
            self._success = f"  success {success:.2f}"
        elif mean_return is not None:
            self._success = f"  return {mean_return:.4g}"

    def __enter__(self) -> Display:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

"""Write one self-contained page about many runs: ``python -m mtrl.report RUN... --out report.html``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import tyro

from agents.registry.facts import setting
from mtrl.config.train_config import MAX_STEPS
from mtrl.errors import UsageError, os_reason
from mtrl.terminal.cli import command, parse

COSTS = ("time", "parameters")  # that the score is plotted against, one chart each


@dataclass(frozen=True)
class ReportConfig:
    """Compare finished runs of a suite in one self-contained HTML page: results, curves, tasks, diagnoses, protocol."""

    runs: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Run folders, parent folders of runs, or glob patterns such as runs/tabletop/*/*."""
    out: Path = Path("report.html")
    """The file to write."""
    markdown: bool = False
    """Also write the tables as Markdown, to a file of the same name that ends in .md, and the charts of score against
    cost beside it, as SVG."""
    baseline: str | None = None
    """Baseline that the other agents are compared with; by default, single-task if it is among the runs."""
    steps_per_task: int | None = setting(None, ge=1, le=MAX_STEPS)
    """Use the runs with this many steps per task; by default, the most common number."""


def main(arguments: Sequence[str]) -> int:
    """Parse, gather, compare, draw and write."""
    options: ReportConfig = parse(ReportConfig, "mtrl.report", arguments)
    if options.out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out is {str(options.out)!r}; it must end in .html")
    for file in _files(options):
        _check_writable(file)

    from mtrl.comparison.compare import compare
    from mtrl.gathering.gather import gather
    from mtrl.reporting.charts import standalone_svg
    from mtrl.reporting.page import page_of
    from mtrl.reporting.render import render
    from mtrl.runs.atomic import write_text

    gathered = gather(options.runs, options.steps_per_task)
    command_line = shlex.join(["python", "-m", "mtrl.report", *arguments])
    page = page_of(gathered, compare(gathered, options.baseline), command_line)
    for line in gathered.warnings:
        sys.stderr.write(f"warning: {line}\n")
    texts = {options.out: render(page, "report.html")}
    if options.markdown:
        charts = {cost.kind: _chart_file(options, cost.kind) for cost in page.costs}
        links = {kind: quote(file.name) for kind, file in charts.items()}
        texts[options.out.with_suffix(".md")] = render(page, "report.md", links)
        texts |= {charts[cost.kind]: standalone_svg(str(cost.chart)) for cost in page.costs}
    for file, text in texts.items():
        try:
            write_text(file, text)
        except OSError as error:
            raise _unwritable(file, error) from None
        sys.stdout.write(f"{file}\n")
    return 0


def _files(options: ReportConfig) -> list[Path]:
    beside = [options.out.with_suffix(".md"), *(_chart_file(options, kind) for kind in COSTS)]
    return [options.out, *(beside if options.markdown else [])]


def _chart_file(options: ReportConfig, kind: str) -> Path:
    return options.out.with_name(f"{options.out.stem}-{kind}.svg")


def _check_writable(file: Path) -> None:
    """Raise ``UsageError`` before anything is computed if a file cannot be written; change nothing."""
    new = not file.exists()
    try:
        file.open("a").close()
        if new:
            file.unlink()
    except OSError as error:
        raise _unwritable(file, error) from None


def _unwritable(file: Path, error: OSError) -> UsageError:
    return UsageError(f"--out {str(file)!r} cannot be written ({os_reason(error)}); give a writable one")


run = command(main)

if __name__ == "__main__":
    sys.exit(run())

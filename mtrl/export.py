"""Write a run's policy into a file that acts without the kit: ``python -m mtrl.export RUN --out FILE``."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from mtrl.errors import UsageError
from mtrl.terminal.cli import command, parse

NAMED = {".onnx": "onnx", ".pt": "torchscript", ".pth": "torchscript"}  # what a file's name says it is


@dataclass(frozen=True)
class ExportConfig:
    """Write a run's deterministic policy into one file that needs only torch or onnxruntime.

    It takes obs, (N, obs) float32, zero-padded for tasks with fewer dimensions, and task, an int64 number: the task's
    position in the run. It returns action, (N, action) float32, within the bounds of that task's own environment and
    zero-padded for tasks with fewer dimensions. The file's metadata lists the tasks with their sizes.
    """

    run: Annotated[Path, tyro.conf.Positional]
    """A run folder, such as runs/tabletop/care/seed0."""
    out: Path
    """The file to write."""
    format: Literal["torchscript", "onnx"] | None = None
    """torchscript, for torch.jit.load in Python or C++, or onnx, for onnxruntime and others (extra onnx); by default,
    onnx if the file's name ends in .onnx."""
    suite: str | None = None
    """The run's suite again, if it is a module or a TOML file: only what you name is imported."""
    trust: bool = False
    """Allow importing the modules that the run's files name."""


def main(arguments: Sequence[str]) -> int:
    """Parse, load, write and check."""
    options: ExportConfig = parse(ExportConfig, "mtrl.export", arguments)
    format_ = _format_of(options)
    _check_out(options.out, options.run)

    from mtrl.exporting.formats import check_installed, write
    from mtrl.exporting.module import exported_policy
    from mtrl.runs.trust import open_run
    from mtrl.runs.unfinished import warn_if_stopped

    check_installed(format_)
    opened = open_run(options.run, options.suite, options.trust)
    policy = exported_policy(options.run, dataclasses.replace(opened.config, device="cpu"), opened.suite)
    warn_if_stopped(options.run, opened.config)
    write(policy, options.run, options.out, format_)
    tasks = ", ".join(f"{number} {task.name}" for number, task in enumerate(policy.tasks))
    sys.stdout.write(
        f"{options.out}: obs (N, {policy.obs_size}), task () -> action (N, {policy.action_size}); tasks: {tasks}\n"
    )
    return 0


def _format_of(options: ExportConfig) -> str:
    """Return the format to write. Raises ``UsageError`` if the file's name says otherwise."""
    named = NAMED.get(options.out.suffix)
    if options.format and named and options.format != named:
        raise UsageError(
            f"--out is {str(options.out)!r} and --format {options.format}; a file *{options.out.suffix} is {named}"
        )
    return options.format or named or "torchscript"


def _check_out(out: Path, run_folder: Path) -> None:
    """Raise ``UsageError`` for a file that cannot be written, or that belongs to the run."""
    if out.is_dir() or not out.parent.is_dir():
        why = "it is a folder; give a file" if out.is_dir() else f"there is no folder {str(out.parent)!r}"
        raise UsageError(f"--out {str(out)!r} cannot be written: {why}")
    if out.exists() and run_folder.is_dir() and out.parent.samefile(run_folder):
        raise UsageError(f"--out {str(out)!r} is a file of the run; give another name")


run = command(main)

if __name__ == "__main__":
    sys.exit(run())

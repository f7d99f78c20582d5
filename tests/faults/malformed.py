"""Malformed command lines and files: each is refused with exit code 2 and one line, before anything is trained."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from mtrl.terminal.cli import BAD_INPUT, command
from tests.faults.bad_files import bad_files, make_files
from tests.faults.bad_words import bad_words

LONGEST = 300  # letters of a line
TRAININGS = ("mtrl.training.session.Training", "mtrl.baselines.sb3_run.train_tasks")
SECONDS = 20  # that a refusal may take, the import of torch included


class Began(BaseException):
    """What was to be refused was begun, or waited for."""


def malformed(folder: Path, every: int = 1) -> tuple[int, int, list[str]]:
    """Try every, or each ``every``-th, malformed input in an empty ``folder`` -> passed, tried, what went wrong."""
    make_files(folder)
    cases = [*bad_words(), *bad_files(folder)][::every]
    failures = [f"{shown(case)}: {fault}" for case in cases if (fault := fault_of(case, folder))]
    return len(cases) - len(failures), len(cases), failures


def fault_of(case: Sequence[str], folder: Path) -> str:
    """Return what is wrong with the way in which a command refuses its arguments, or an empty string."""
    program, *arguments = case
    out, err = io.StringIO(), io.StringIO()
    main = importlib.import_module(f"mtrl.{program}").main
    try:
        with in_place(folder, arguments), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = command(main)()
    except (Exception, SystemExit, Began) as error:  # noqa: BLE001  # whatever it is, it is no refusal
        return f"{type(error).__name__}: {str(error)[:200]}"
    line = err.getvalue()
    if code != BAD_INPUT or not line.startswith("error: "):
        return f"ended with {code}: {line[:200]!r}"
    if (folder / "runs").exists():
        return "made a folder for its runs"
    if line.count("\n") != 1 or len(line) > LONGEST or "Traceback" in out.getvalue():
        return f"{line.count(chr(10))} lines, {len(line)} letters: {line[:200]!r}"
    return "" if all(map(str.isprintable, line.rstrip("\n"))) else f"moves a terminal: {line!r}"


def shown(case: Sequence[str]) -> str:
    """Write a case on one short line."""
    return " ".join(ascii(word)[1:-1][:40] for word in case)


@contextlib.contextmanager
def in_place(folder: Path, arguments: Sequence[str], training: bool = False) -> Iterator[None]:
    """Have a command line in ``folder``, where nothing can be trained, waited for or imported for good.

    ``training`` allows the first.
    """
    here, modules = Path.cwd(), {*sys.modules}
    former = signal.signal(signal.SIGALRM, _began)
    signal.alarm(SECONDS)
    os.chdir(folder)
    try:
        with (
            contextlib.ExitStack() as stack,
            mock.patch.object(sys, "argv", ["mtrl", *arguments]),
            mock.patch.object(sys, "path", [*sys.path]),
        ):
            for name in () if training else TRAININGS:
                stack.enter_context(mock.patch(name, _began))
            yield
    finally:
        os.chdir(here)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)
        for name in {*sys.modules} - modules:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
                del sys.modules[name]


def _began(*_: Any, **__: Any) -> Any:
    raise Began("training began, or nothing came")

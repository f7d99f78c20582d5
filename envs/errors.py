"""The exceptions that tell a user what is wrong with a task, a suite or an environment."""

from __future__ import annotations

import difflib
import importlib.util
import sys
from collections.abc import Iterable

from envs.printable import printable

_warned: set[str] = set()  # the subjects that `warn_once` has warned about


class SuiteError(ValueError):
    """A task, suite or environment breaks the contract; the message is one line and says how to fix it."""


class EnvFailed(SuiteError):
    """An environment raised an exception; ``message`` describes it without the task's name."""

    def __init__(self, task_name: str, message: str) -> None:
        super().__init__(f"task {task_name!r}: {message}")
        self.message = message


class TaskFailed(RuntimeError):
    """A task's environment, or the process it runs in, failed repeatedly; the message is one line."""


class MissingExtra(SuiteError):
    """A suite needs a package that only an extra of the kit installs; the message is the command that installs it."""


def need(module: str, extra: str) -> None:
    """Raise ``MissingExtra`` if ``module`` is not installed, without importing it."""
    if importlib.util.find_spec(module) is None:
        raise MissingExtra(f"{module.replace('_', '-')} is not installed: pip install -e '.[{extra}]'")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the known name closest to ``name``, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


def one_line(error: BaseException) -> str:
    """Return ``TypeName: first line`` of an exception, for a message that must stay on one line."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__


def warn(text: str) -> None:
    """Write a warning of one line to stderr."""
    sys.stderr.write(f"warning: {printable(text)}\n")
    sys.stderr.flush()


def warn_once(subject: str, text: str) -> None:
    """Call ``warn``, unless this process has already warned about ``subject``."""
    if subject not in _warned:
        _warned.add(subject)
        warn(text)

"""The exceptions that tell a user what is wrong with a task, a suite or an environment."""

from __future__ import annotations

import difflib
import importlib.util
import sys
from collections.abc import Iterable

from envs.printable import printable

_said: set[str] = set()  # what `warn_once` was about


class SuiteError(ValueError):
    """A task, suite or environment breaks the contract; the message is one line and names the way out."""


class EnvFailed(SuiteError):
    """An environment raised something of its own; ``words`` say what, without the task's name."""

    def __init__(self, task_name: str, words: str) -> None:
        super().__init__(f"task {task_name!r}: {words}")
        self.words = words


class TaskFailed(RuntimeError):
    """A task's environment, or the process it runs in, failed again and again; the message is one line."""


class MissingExtra(SuiteError):
    """A suite needs a package that only an extra of the kit installs; the message is the line that installs it."""


def need(module: str, extra: str) -> None:
    """Raise ``MissingExtra`` where ``module`` is not installed; it is looked for, not imported."""
    if importlib.util.find_spec(module) is None:
        raise MissingExtra(f"{module.replace('_', '-')} is not installed: pip install -e '.[{extra}]'")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the known name closest to ``name``, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


def one_line(error: BaseException) -> str:
    """Return ``TypeName: first line`` of an exception, for a message that has to stay on one line."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__


def warn(text: str) -> None:
    """Say on stderr, in one line, what was survived."""
    sys.stderr.write(f"warning: {printable(text)}\n")
    sys.stderr.flush()


def warn_once(about: str, text: str) -> None:
    """Say it as ``warn`` does, unless this process has said something ``about`` the same before."""
    if about not in _said:
        _said.add(about)
        warn(text)

"""Shared by every command: one-line errors with exit code 2, and imports from the current folder."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from envs.errors import SuiteError, TaskFailed
from envs.output import lasting_output
from envs.printable import printable
from mtrl.errors import RunError, UsageError
from mtrl.terminal.interrupt import Stopped
from mtrl.terminal.line import as_line

T = TypeVar("T")
FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
SIGNALLED = 128  # plus the number of the signal, as shells have it


def command(main: Callable[[Sequence[str]], int]) -> Callable[[], int]:
    """Turn ``main(arguments) -> exit code`` into a console script: bad input is one line on stderr and exit code 2.

    A closed output pipe does not end it.
    """

    def run() -> int:
        # Last, so that `module:attribute` resolves in the current folder and nothing installed is shadowed.
        if os.getcwd() not in sys.path and "" not in sys.path:
            sys.path.append(os.getcwd())
        with lasting_output() as failures:
            code = _exit_code(main)
        if failures and code == 0:
            sys.stderr.write(f"error: not all output could be written ({failures[0].strerror})\n")
            return FAILED
        return code

    return run


def _exit_code(main: Callable[[Sequence[str]], int]) -> int:
    """Call a command's ``main`` and return its exit code; print an error that ended it as one line on stderr."""
    try:
        return main(sys.argv[1:])
    except (UsageError, SuiteError) as error:
        sys.stderr.write(f"error: {as_line(str(error))}\n")
        return BAD_INPUT
    except (RunError, TaskFailed) as error:
        sys.stderr.write(f"error: {printable(str(error))}\n")
        return FAILED
    except MemoryError as error:
        sys.stderr.write(f"error: out of memory: {as_line(str(error)) or 'an allocation failed'}\n")
        return FAILED
    except Stopped as stopped:
        return SIGNALLED + stopped.signal
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED


def parse(
    kind: type[T] | Any,
    program: str,
    arguments: Sequence[str],
    default: Any = None,
    place_of: Callable[[str], str] | None = None,
    **options: Any,
) -> T:
    """Parse ``arguments`` into the dataclass ``kind`` with tyro.

    ``place_of`` returns, for the name of a field that ``kind`` does not have, a sentence about where it belongs.
    Raises ``UsageError``, in one line, for arguments that cannot be parsed and for values out of their fields' ranges,
    and ``SystemExit`` after printing help.
    """
    import tyro

    from mtrl.config.values import check_fields
    from mtrl.terminal.words import reading_words

    output = io.StringIO()
    if default is not None:
        options["default"] = default
    try:
        with contextlib.redirect_stderr(output), reading_words():
            parsed: T = tyro.cli(
                kind,
                prog=f"python -m {program}",
                args=list(arguments),
                config=(tyro.conf.OmitArgPrefixes,),
                **options,
            )
    except SystemExit as end:
        if end.code in (0, None):
            raise
        raise UsageError(_one_line(output.getvalue(), program, place_of)) from None
    check_fields(parsed)
    return parsed


def _one_line(box: str, program: str, place_of: Callable[[str], str] | None) -> str:
    """Turn tyro's framed error into a sentence, with the flag that it suggests or the type that it expects."""
    sections: list[list[str]] = [[]]
    for line in box.splitlines():
        text = line.strip(" │|")
        if re.match(r"[╭╰┌└+]|[─-]{4,}", text):
            sections.append([])
        elif text:
            sections[-1].append(text)
    sections = [section for section in sections if section]
    if not re.match(r"\s*[╭┌+]", box):
        sections = sections[1:]  # without frames, on a terminal that cannot draw them, the title is a section
    message = " ".join(sections[0]).rstrip(".")
    flags = [line.split(",")[-1].split() for section in sections[1:] for line in section if line.startswith("--")]
    hint = ""
    if "nrecognized" in message:
        unknown = re.search(r"--(no-)?([\w-]+)", message)
        place = place_of(unknown[2].replace("-", "_")) if place_of and unknown else ""
        hint = f" {place}" if place else f" Did you mean {flags[0][0]}?" if flags else ""
    elif flags and len(flags[0]) > 1:
        hint = f" It takes {' '.join(flags[0][1:])}."
    return f"{message}.{hint} See python -m {program} --help"

"""What every command shares: one-line errors with exit code 2, and modules found in the current folder."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from envs.errors import SuiteError
from mtrl.interrupt import Stopped

T = TypeVar("T")
BAD_INPUT, INTERRUPTED = 2, 130
SIGNALLED = 128  # plus the number of the signal, as shells have it


class UsageError(ValueError):
    """Something the user gave cannot be used; the message is one line and names the way out."""


def command(main: Callable[[Sequence[str]], int]) -> Callable[[], int]:
    """Make ``main(arguments) -> exit code`` a console script: bad input is one line on stderr and exit code 2."""

    def run() -> int:
        # Last, so that `module:attribute` resolves in the current folder and nothing installed is shadowed.
        if os.getcwd() not in sys.path and "" not in sys.path:
            sys.path.append(os.getcwd())
        try:
            return main(sys.argv[1:])
        except (UsageError, SuiteError) as error:
            sys.stderr.write(f"error: {' '.join(str(error).split())}\n")
            return BAD_INPUT
        except Stopped as stopped:
            return SIGNALLED + stopped.signal
        except KeyboardInterrupt:
            sys.stderr.write("interrupted\n")
            return INTERRUPTED
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0

    return run


def parse(kind: type[T] | Any, program: str, arguments: Sequence[str], default: Any = None, **options: Any) -> T:
    """Parse ``arguments`` into the dataclass ``kind`` with tyro.

    Raises ``UsageError``, in one line, for what cannot be parsed, and ``SystemExit`` after printing help.
    """
    import tyro

    said = io.StringIO()
    if default is not None:
        options["default"] = default
    try:
        with contextlib.redirect_stderr(said):
            return tyro.cli(
                kind,
                prog=f"python -m {program}",
                args=list(arguments),
                config=(tyro.conf.OmitArgPrefixes,),
                **options,
            )
    except SystemExit as end:
        if end.code in (0, None):
            raise
        raise UsageError(_one_line(said.getvalue(), program)) from None


def _one_line(box: str, program: str) -> str:
    """Turn tyro's framed error into a sentence, with the flag it suggests."""
    lines = [re.sub(r"^[│|]\s?|\s*[│|]$", "", line).strip() for line in box.splitlines()]
    lines = [line for line in lines if not re.match(r"^[╭╰┌└]", line)]
    rules = [k for k, line in enumerate(lines) if re.match(r"^[─-]{4,}", line)]
    message = " ".join(lines[: rules[0]] if rules else lines)
    flags = [line.split(",")[-1].strip() for line in lines[rules[0] :] if line.startswith("-")] if rules else []
    hint = f" Did you mean {flags[0].split()[0]}?" if flags and "nrecognized" in message else ""
    expected = f" It takes {flags[0].split(maxsplit=1)[1]}." if flags and not hint and " " in flags[0] else ""
    return f"{message.rstrip('.')}.{hint}{expected} See python -m {program} --help"

"""The console that commands print on."""

from __future__ import annotations

import sys

from rich.console import Console


def plain_console() -> Console:
    """Return a console without automatic colours, which wraps lines only on a terminal.

    Names and paths are printed with ``markup=False`` or escaped, so that brackets in them are kept.
    """
    return Console(highlight=False, emoji=False, soft_wrap=not sys.stdout.isatty())

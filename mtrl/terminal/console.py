"""The console that commands print on."""

from __future__ import annotations

import sys

from rich.console import Console


def plain_console() -> Console:
    """Return a console that colours nothing of itself and leaves lines whole where nobody looks at them.

    Names and paths are printed with ``markup=False`` or escaped: brackets in them are theirs.
    """
    return Console(highlight=False, emoji=False, soft_wrap=not sys.stdout.isatty())

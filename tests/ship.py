"""Write the table of shipped sentence vectors, for all built-in suites: ``python -m tests.ship``.

It asks for the extra ``text``. tests/envs/test_context.py says when it has to be run.
"""

from __future__ import annotations

from envs.context import ship
from envs.registry import BUILT_IN, make_suite


def built_in_sentences() -> list[str]:
    """Return every sentence of every built-in suite, held-out tasks included, in alphabetical order."""
    suites = [make_suite(name) for name in BUILT_IN]
    return sorted({task.description for suite in suites for task in (*suite.tasks, *suite.held_out)})


if __name__ == "__main__":
    ship(built_in_sentences())

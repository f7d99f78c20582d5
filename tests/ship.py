"""Write the table of shipped sentence vectors, for all built-in suites: ``python -m tests.ship``.

It asks for the extra ``text``. tests/envs/test_context.py says when it has to be run.
"""

from __future__ import annotations

from envs.context import ship
from envs.registry import BUILT_IN, make_suite


def built_in_sentences() -> list[str]:
    """Return every sentence of every built-in suite, of held-out tasks and paraphrases too, in alphabetical order."""
    tasks = [task for name in BUILT_IN for suite in [make_suite(name)] for task in (*suite.tasks, *suite.held_out)]
    return sorted({sentence for task in tasks for sentence in (task.description, task.paraphrase) if sentence})


if __name__ == "__main__":
    ship(built_in_sentences())

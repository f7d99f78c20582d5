"""The summary at the end of training: scores, learning curves, and what one seed shows of learning together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from mtrl.scoring.change_table import change_table
from mtrl.scoring.over_training import over_training, over_training_table, verdict_of_one_seed
from mtrl.scoring.score_table import comparison_table


def summary(results: Sequence[dict[str, Any]], episodes: int) -> Iterator[Table | Text]:
    """Yield the tables and sentences about an agent's result, and its baseline's if there is one.

    ``episodes`` is the number of episodes per task and evaluation. For a run that started from another, the changes are
    shown.
    """
    warm_started = "before" in results[0]
    if len(results) > 1 or not warm_started:
        yield comparison_table(results)
    if warm_started:
        yield change_table(results[0])
    rows = over_training(results, episodes)
    if rows:
        agents = [result["agent"] for result in results]
        yield over_training_table(rows, agents, results[0]["steps_per_task"])
        yield Text(verdict_of_one_seed(rows, agents, results[0]["seed"]))
    elif len(results) > 1:
        yield Text(
            "curves are compared if all tasks report success and were evaluated more than once (--eval-every); to "
            "compare over several seeds, run mtrl.sweep --seeds 0-4, then mtrl.compare"
        )

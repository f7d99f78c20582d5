"""What a training ends with on the terminal: scores, how they came about, what one seed says of learning together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from mtrl.scoring.change_table import change_table
from mtrl.scoring.over_training import over_training, over_training_table, verdict_of_one_seed
from mtrl.scoring.score_table import comparison_table


def summary(results: Sequence[dict[str, Any]], episodes: int) -> Iterator[Table | Text]:
    """Yield what is shown of an agent's result, and of its baseline's where there is one.

    ``episodes`` is how many each evaluation had of every task. A run that began from another shows what it changed.
    """
    begun = "before" in results[0]
    if len(results) > 1 or not begun:
        yield comparison_table(results)
    if begun:
        yield change_table(results[0])
    rows = over_training(results, episodes)
    if rows:
        agents = [result["agent"] for result in results]
        yield over_training_table(rows, agents, results[0]["steps_per_task"])
        yield Text(verdict_of_one_seed(rows, agents, results[0]["seed"]))
    elif len(results) > 1:
        yield Text(
            "curves are compared where all tasks say success and were evaluated more than once (--eval-every); over "
            "seeds, mtrl.sweep --seeds 0-4 and then mtrl.compare tell what learning together was worth"
        )

"""Tasks drawn by their amount of data.

Devlin et al., "BERT", multilingual version, 2018, and Arivazhagan et al., "Massively Multilingual Neural Machine
Translation in the Wild", 2019, section 4.2: shares proportional to size to the power of 1 over a temperature.
"""

from __future__ import annotations

from torch import Tensor

from agents.aggregators.weighing import one_per_task
from agents.base import PieceShape
from agents.samplers.proportional import Proportional, with_floor


class BySize(Proportional):
    """At temperature 1 all transitions are drawn equally often; higher temperatures draw tasks more evenly.

    A task with little data is thus drawn less often, and its transitions are not memorised. Raises
    ``RegistryError`` unless ``task_sizes`` has one for each task.
    """

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        sizes = one_per_task(shape.settings.task_sizes, "task_sizes", shape)
        self._shares = with_floor((sizes / sizes.max()) ** (1.0 / shape.settings.size_temperature), 0.0)

    def shares(self) -> Tensor:
        """Return the shares, which do not change."""
        return self._shares

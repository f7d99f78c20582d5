"""Fixed weights: those of a setting, or inverse to each task's amount of data."""

from __future__ import annotations

from torch import Tensor

from agents.aggregators.aggregator import Parameters
from agents.aggregators.weighing import LossWeighing, of_tasks, one_per_task
from agents.base import PieceShape
from agents.registry.spec import RegistryError


class Weighted(LossWeighing):
    """The mean of the losses times ``task_weights``, 1 for each if none are given.

    Raises ``RegistryError`` unless there is one for each task, at least one of them above zero.
    """

    given: Tensor

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        weights = one_per_task(shape.settings.task_weights, "task_weights", shape)
        if not bool(weights.any()):
            raise RegistryError("--task-weights are all 0, so nothing would be learned; give one above 0")
        self.register_buffer("given", weights, persistent=False)

    def weights(self, losses: Tensor, parameters: Parameters) -> Tensor:
        """Return the tasks' weights."""
        return of_tasks(self.given, parameters)


class InverseSize(LossWeighing):
    """The mean of the losses times weights of mean 1, inversely proportional to the tasks' amounts of data.

    With a sampler that draws tasks in proportion to their data, all tasks then have equal influence. Raises
    ``RegistryError`` unless ``task_sizes`` has one for each task.
    """

    given: Tensor

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        inverse = 1.0 / one_per_task(shape.settings.task_sizes, "task_sizes", shape)
        self.register_buffer("given", inverse / inverse.mean(), persistent=False)

    def weights(self, losses: Tensor, parameters: Parameters) -> Tensor:
        """Return the tasks' weights."""
        return of_tasks(self.given, parameters)

"""The interface of samplers, which choose an update's tasks and the number of transitions of each."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor


class Sampler(Protocol):
    """Chooses the tasks of each batch, possibly by their losses and scores so far.

    A method ``metrics()`` that returns tensors, 0-d or (T,), by name adds them to those that are logged. A method
    ``observe_gradients(norms)`` is called after every update with the norm of each task's latest gradient, (T,), on the
    device, if the sampler's ``Spec`` has ``needs_gradients``. A method ``observe_returns(returns)`` is called after
    every evaluation with each task's mean return, (T,) on the CPU, whether or not the tasks report success.
    """

    def draw(self, rows_per_task: int) -> tuple[Tensor | None, int]:
        """Return the tasks of the next batch, (T',) int64 on the learner's device, and the rows of each entry.

        A task may be missing, or repeated to get more rows; None is all tasks, once each, in order. ``rows_per_task``
        is the setting ``batch_per_task``.
        """

    def observe_losses(self, losses: Tensor) -> None:
        """Called after every update with each task's latest critic loss, (T,), on the device."""

    def observe_scores(self, scores: Tensor) -> None:
        """Called after every evaluation with each task's score, (T,) on the CPU: success at any step, or return."""

    def state_dict(self) -> dict[str, Any]:
        """Return what training changes."""

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Restore what ``state_dict`` returned."""

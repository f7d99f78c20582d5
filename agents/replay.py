"""Replay buffer of packed rows, one ring buffer per task, on the learner's device."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from agents.base import Batch, restore_generator, rows_of

DRAW_RANGE = 2**62  # integers below it are drawn and taken modulo the size: no row is likelier by more than 1e-12


class Replay:
    """T rings of ``capacity`` transitions, each one float32 row: obs, next obs, action, reward, terminated.

    All tasks grow in step, so one position serves them all. ``sample`` draws the same number of rows from
    every task, or of the given ones, uniformly from their rings.
    """

    def __init__(self, tasks: int, capacity: int, obs_size: int, action_size: int, generator: torch.Generator) -> None:
        self.capacity, self.added = capacity, 0  # transitions of each task, since the start of the run
        self._sizes = [obs_size, obs_size, action_size, 1, 1]
        self.generator = generator  # of the rows that are drawn
        self.device = generator.device
        self._rows = torch.zeros(tasks, capacity, sum(self._sizes), device=self.device)
        self._starts = torch.arange(tasks, device=self.device)[:, None] * capacity

    @property
    def size(self) -> int:
        """Number of transitions held of each task."""
        return min(self.added, self.capacity)

    @property
    def _position(self) -> int:
        """Where the next transition goes."""
        return self.added % self.capacity

    @staticmethod
    def bytes_needed(tasks: int, capacity: int, obs_size: int, action_size: int) -> int:
        """Return the memory that a replay of this shape takes, in bytes."""
        return tasks * capacity * (2 * obs_size + action_size + 2) * 4

    def add(self, obs: Tensor, action: Tensor, reward: Tensor, terminated: Tensor, next_obs: Tensor) -> None:
        """Add N transitions of every task: (T, N, ...), N at most the capacity."""
        rows = torch.cat([obs, next_obs, action, reward[..., None].float(), terminated[..., None].float()], dim=-1)
        self._put(rows)

    def sample(
        self,
        rows_per_task: int,
        generator: torch.Generator | None = None,
        task: Tensor | None = None,
        size: Tensor | None = None,
    ) -> Batch:
        """Draw ``rows_per_task`` transitions of every task, with replacement. Raises ``ValueError`` while empty.

        With ``task``, (T',) int64, that many are drawn for each of its entries instead. A ``generator`` given here
        leaves the replay's own, and so every later draw, unchanged. ``size``, 0-d int64 on the device, replaces the
        number of transitions held; it is read when the draw runs, as a CUDA graph needs. Other rows are then drawn.
        """
        if self.size == 0:
            raise ValueError("the replay buffer is empty; add transitions before sampling")
        shape = (len(self._rows) if task is None else len(task), rows_per_task)
        generator = generator or self.generator
        picks = torch.randint(self.size if size is None else DRAW_RANGE, shape, generator=generator, device=self.device)
        return self._batch(picks if size is None else picks % size, task)

    def rows_between(self, first: int, end: int) -> Tensor:
        """Return transitions ``first`` to before ``end``, counted from the start of the run, packed: (T, n, row).

        Raises ``ValueError`` where they are not all held.
        """
        if not self.added - self.size <= first <= end <= self.added:
            raise ValueError(
                f"transitions {first} to {end} of {self.added} were requested; the last {self.size} are held"
            )
        return self._rows[:, torch.arange(first, end, device=self.device) % self.capacity]

    def state_dict(self, rows: bool = True) -> dict[str, Any]:
        """Return the transitions held, unless ``rows`` is False, and the state that determines later draws."""
        state = {"added": self.added, "generator": self.generator.get_state()}
        return {**state, "rows": self.rows_between(self.added - self.size, self.added)} if rows else state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what ``state_dict`` returned. Raises ``ValueError`` where its rows do not fit this replay."""
        if (rows := state.get("rows")) is not None:
            self.put_rows(rows, state["added"] - rows.shape[1])
        self.added = state["added"]
        restore_generator(self.generator, state["generator"])

    def put_rows(self, rows: Tensor, first: int) -> None:
        """Put packed transitions, (T, n, row), in their places; the first is number ``first`` of the run.

        Raises ``ValueError`` where they do not fit this replay.
        """
        tasks, count, width = rows.shape
        if (tasks, width) != (self._rows.shape[0], self._rows.shape[2]):
            raise ValueError(f"rows of shape {(*rows.shape,)} do not fit a replay of shape {(*self._rows.shape,)}")
        kept = rows[:, -self.capacity :]
        self.added = first + count - kept.shape[1]
        self._put(kept)

    def _put(self, rows: Tensor) -> None:
        count, position = rows.shape[1], self._position
        first = min(count, self.capacity - position)
        self._rows[:, position : position + first] = rows[:, :first]
        self._rows[:, : count - first] = rows[:, first:]
        self.added += count

    def history(self, steps: int, copies: int, taken: int) -> Batch:
        """Return the last ``steps`` steps of the first ``taken`` of ``copies`` copies: (T, taken, steps, ...).

        It assumes that each step added a transition of every copy; if some were lost, the steps are not consecutive.
        Raises ``ValueError`` where fewer are held.
        """
        if steps * copies > self.size:
            raise ValueError(
                f"{steps} steps of {copies} copies were requested, but the replay buffer holds {self.size} transitions"
            )
        ages = torch.arange(-steps, 0, device=self.device)[None, :] * copies
        picks = (self._position + ages + torch.arange(taken, device=self.device)[:, None]) % self.capacity
        batch = self._batch(picks.flatten().expand(len(self._rows), -1))
        return batch.apply(lambda part: part.unflatten(1, (taken, steps)))

    def _batch(self, picks: Tensor, task: Tensor | None = None) -> Batch:
        flat = self._rows.view(-1, self._rows.shape[-1])
        indices = picks + rows_of(self._starts, task)
        rows = flat.index_select(0, indices.flatten()).view(*picks.shape, -1)
        obs, next_obs, action, reward, terminated = rows.split(self._sizes, dim=-1)
        return Batch(obs, action, reward.squeeze(-1), terminated.squeeze(-1), next_obs, task)

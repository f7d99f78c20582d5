"""A stand-in for a CUDA graph on the CPU: it repeats the recorded operations on the recorded tensors.

As in a graph, no Python runs in a replay: a number that was read while recording stays the same, and a tensor that
replaces another is not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from agents.checks.properties import WAITING
from agents.graph import CaptureFailed, Metrics, Recorded


class Tape(TorchDispatchMode):
    """Keeps every operation that runs inside it, with its arguments and results."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, Any, Any, list[Tensor]]] = []
        self.read: set[int] = set()  # addresses of tensors that existed before
        self._made: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, kwargs = func.overloadpacket.__name__, kwargs or {}
        masked = name.startswith("index") and any(tensor.dtype == torch.bool for tensor in tensors(args[1:]))
        if masked or name.startswith(WAITING) or name == "lift_fresh":  # it makes a tensor from Python's numbers
            raise CaptureFailed(f"{name} cannot be captured")
        found = func(*args, **kwargs)
        places = {place(tensor) for tensor in tensors((args, kwargs))}
        made = [tensor for tensor in tensors(found) if place(tensor) not in places]
        self.read |= places - self._made
        self._made |= {place(tensor) for tensor in made}
        if made or func._schema.is_mutable:  # a view of what is there needs no repeating
            self.calls.append((func, args, kwargs, made))
        return found

    @torch.no_grad()
    def replay(self) -> None:
        """Repeat all operations: each writes its results where they were when it was recorded."""
        for func, args, kwargs, made in self.calls:
            found = func(*args, **kwargs)
            places = {place(tensor) for tensor in tensors((args, kwargs))}
            fresh = [tensor for tensor in tensors(found) if place(tensor) not in places]
            for old, new in zip(made, fresh, strict=True):
                old.copy_(new)


class TapeCapture:
    """Records as ``CUDACapture`` does. Recording does the work too, so the first replay, which comes next, is idle."""

    def __init__(self) -> None:
        self.warmed, self.recorded, self.replayed = 0, 0, 0
        self.read: set[int] = set()

    @contextmanager
    def aside(self) -> Iterator[None]:
        self.warmed += 1
        yield

    def record(self, work: Callable[[], Metrics], generators: Sequence[torch.Generator]) -> Recorded:
        self.recorded += 1
        with Tape() as tape:
            metrics = work()
        self.read = tape.read
        used = [one for _, args, kwargs, _ in tape.calls for one in tree_leaves((args, kwargs))]
        drawn_from = {one._cdata for one in used if isinstance(one, torch.Generator)}
        assert drawn_from == {one._cdata for one in generators}  # a graph must register all of them
        recording_done = False

        def replay() -> None:
            nonlocal recording_done
            self.replayed += 1
            if recording_done:
                tape.replay()
            recording_done = True

        return replay, metrics


def tensors(values: Any) -> list[Tensor]:
    """All tensors in nested lists, tuples and dictionaries."""
    return [value for value in tree_leaves(values) if isinstance(value, Tensor)]


def place(tensor: Tensor) -> int:
    """Where in memory a tensor is, the same for all views of it."""
    return tensor.untyped_storage().data_ptr()

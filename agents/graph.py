"""Updates as a CUDA graph: recorded once, then replayed in one launch where eager updates take hundreds each.

A replay runs no Python. It repeats the recorded kernels with the recorded numbers, on tensors that stay in place, so
everything that changes from one replay to the next must be in such a tensor: weights and optimisers, which are written
in place; the replay buffer's size and the learning rates, which are filled in before each replay. torch advances the
random generators. https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor

from agents.base import Batch
from agents.replay import Replay

WARM_UP = 3  # eager updates first: what libraries and optimisers allocate at their first calls cannot be captured
MAX_UPDATES_PER_GRAPH = 16  # beyond, a launch is a small part of a replay, and capturing takes long
Metrics = dict[str, Tensor]
Recorded = tuple[Callable[[], Any], Metrics]  # a function that repeats the work, and where it writes its result


class CaptureFailed(RuntimeError):
    """An update did something that cannot be captured; the message is one line and names the way out."""


class Learner(Protocol):
    """What an agent must provide; ``agents.sac.SAC`` with pieces that are ``capturable`` does."""

    optimizers: dict[str, torch.optim.Optimizer]
    generator: torch.Generator

    def update(self, batch: Batch) -> Metrics: ...


class Capture(Protocol):
    """Records work: ``CUDACapture``, and in tests a recorder that a CPU can repeat."""

    def aside(self) -> AbstractContextManager[None]:
        """Run the block where ``record`` will run, in order with the work before and after it."""

    def record(self, work: Callable[[], Metrics], generators: Sequence[torch.Generator]) -> Recorded:
        """Record ``work`` without doing it; return what repeats it, and the tensors that it writes its result to."""


class CUDACapture:
    """Captures on its own stream, on which warm-ups run too.

    Autograd runs a parameter's part of the backward pass on the stream that first used the parameter, and matrix
    libraries keep a workspace per stream; in a capture neither may belong to another stream.
    """

    def __init__(self, device: torch.device) -> None:
        self._device, self._stream = device, torch.cuda.Stream(device)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Run the block on the capture's stream."""
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            yield
        current.wait_stream(self._stream)

    def record(self, work: Callable[[], Metrics], generators: Sequence[torch.Generator]) -> Recorded:
        """Capture ``work`` in a CUDA graph. Raises ``CaptureFailed``."""
        graph = torch.cuda.CUDAGraph()
        # Compared as versions, not as strings. Later ones register generators themselves, and warn about this call.
        if torch.__version__ < "2.14":
            for generator in generators:
                graph.register_generator_state(generator)
        try:
            with torch.cuda.graph(graph, stream=self._stream):
                metrics = work()
        except RuntimeError as error:
            raise CaptureFailed(
                f"an update cannot be captured in a CUDA graph: {first_cause(error)}; leave out --cudagraphs"
            ) from error
        return graph.replay, metrics


class GraphedUpdates:
    """Takes ``updates`` updates of an agent per call, each on a batch of all tasks that is drawn on the device.

    The first calls are eager, until ``WARM_UP`` updates are done; then the updates are captured, once, and replayed. A
    call takes the same steps either way. They differ from those of ``agent.update(replay.sample(rows))`` in that other
    rows are drawn (``Replay.sample``), and in learning rates that are float32.
    """

    def __init__(self, agent: Learner, replay: Replay, rows: int, updates: int, capture: Capture | None = None) -> None:
        self.updates = updates
        self._agent, self._replay, self._rows = agent, replay, rows
        self._capture = capture or CUDACapture(replay.device)
        self._size = torch.zeros((), dtype=torch.int64, device=replay.device)
        self._rates = [torch.zeros((), device=replay.device) for _ in self._groups]
        self.reset()

    def reset(self) -> None:
        """Forget the capture; call this after tensors of the agent were replaced, as loading a state does."""
        self._recorded: Recorded | None = None
        self._warm = 0

    def __call__(self) -> Metrics:
        """Take the updates and return the last one's metrics, which later calls do not overwrite."""
        self._size.fill_(self._replay.size)
        for rate, group in zip(self._rates, self._groups, strict=True):
            rate.fill_(group["lr"])
        if self._recorded is None and self._warm < WARM_UP:
            self._warm += self.updates
            with self._capture.aside(), self._device_rates(capturing=False):
                return self._update()
        if self._recorded is None:
            # Gradients are set to None inside the capture, not zeroed: the backward pass then allocates them in the
            # graph's private memory, and writes them there at every replay.
            with self._device_rates(capturing=True):
                self._recorded = self._capture.record(self._update, [self._agent.generator, self._replay.generator])
        replay, metrics = self._recorded
        replay()
        return {name: metric.clone() for name, metric in metrics.items()}

    @property
    def _groups(self) -> list[dict[str, Any]]:
        return [group for optimizer in self._agent.optimizers.values() for group in optimizer.param_groups]

    def _update(self) -> Metrics:
        metrics: Metrics = {}
        for _ in range(self.updates):
            metrics = self._agent.update(self._replay.sample(self._rows, size=self._size))
        return metrics

    @contextmanager
    def _device_rates(self, capturing: bool) -> Iterator[None]:
        """Have optimisers read their learning rates from the device; schedules and checkpoints see plain numbers.

        Without ``capturable`` optimisers refuse to be captured, and with it they warn if they are not.
        """
        plain = [(group, group["lr"], group["capturable"]) for group in self._groups]
        for (group, _, _), rate in zip(plain, self._rates, strict=True):
            group.update(lr=rate, capturable=capturing)
        try:
            yield
        finally:
            for group, rate, capturable in plain:
                group.update(lr=rate, capturable=capturable)


def first_cause(error: BaseException) -> str:
    """Return the first error of a chain in one line: ending a failed capture raises another one."""
    while error.__context__ is not None:
        error = error.__context__
    return (str(error).splitlines() or [type(error).__name__])[0]


def updates_in_one(updates: int) -> int:
    """Return how many of the ``updates`` after a step one graph captures: a divisor, so that none is left over."""
    return next(count for count in range(min(updates, MAX_UPDATES_PER_GRAPH), 0, -1) if updates % count == 0)

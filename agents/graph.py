"""Updates as a CUDA graph: recorded once, then replayed in one launch where eager updates take hundreds each.

A replay runs no Python. It repeats the recorded kernels with the recorded numbers, on tensors that stay where they
were, so all that changes from one replay to the next has to be in such a tensor: weights and optimisers, which are
written in place; the replay buffer's size and the learning rates, which are filled in before each replay. Generators of
random numbers are advanced by torch. https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor

from agents.base import Batch
from agents.replay import Replay

WARM_UP = 3  # eager updates first, since what libraries and optimisers make at their first calls cannot be captured
MOST = 16  # updates in one graph; beyond, a launch is a small part of it, and capturing takes long
Metrics = dict[str, Tensor]
Recorded = tuple[Callable[[], Any], Metrics]  # what repeats the work, and where it writes its result


class CaptureFailed(RuntimeError):
    """An update did something that cannot be captured; the message is one line and names the way out."""


class Learner(Protocol):
    """What is asked of an agent; ``agents.sac.SAC`` made of pieces that are ``capturable`` has it."""

    optimizers: dict[str, torch.optim.Optimizer]
    generator: torch.Generator

    def update(self, batch: Batch) -> Metrics: ...


class Capture(Protocol):
    """How work is recorded: ``CUDACapture``, and in tests a record that a CPU can repeat."""

    def aside(self) -> AbstractContextManager[None]:
        """Run what is inside where ``record`` will run, in order with what comes before and after."""

    def record(self, work: Callable[[], Metrics], generators: Sequence[torch.Generator]) -> Recorded:
        """Record ``work`` without doing it -> what does it, and the tensors that it then writes its result to."""


class CUDACapture:
    """Captures on a stream of its own, on which warm-ups run too.

    Autograd runs a parameter's part of the backward pass on the stream that first used the parameter, and matrix
    libraries keep a workspace per stream; in a capture neither may belong to another stream.
    """

    def __init__(self, device: torch.device) -> None:
        self._device, self._stream = device, torch.cuda.Stream(device)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Run what is inside on the capture's stream."""
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            yield
        current.wait_stream(self._stream)

    def record(self, work: Callable[[], Metrics], generators: Sequence[torch.Generator]) -> Recorded:
        """Capture ``work`` in a CUDA graph. Raises ``CaptureFailed``."""
        graph = torch.cuda.CUDAGraph()
        # Compared as versions are; later ones find out by themselves, and warn where they are told.
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
    """So many ``updates`` of an agent at a call, each on a batch of all tasks that is drawn on the device.

    The first calls are eager, until there were ``WARM_UP`` updates; then they are captured, once, and replayed. A call
    takes the same steps either way. They differ from those of ``agent.update(replay.sample(rows))`` in that other rows
    are drawn (``Replay.sample``), and in learning rates that are float32.
    """

    def __init__(self, agent: Learner, replay: Replay, rows: int, updates: int, capture: Capture | None = None) -> None:
        self.updates = updates
        self._agent, self._replay, self._rows = agent, replay, rows
        self._capture = capture or CUDACapture(replay.device)
        self._size = torch.zeros((), dtype=torch.int64, device=replay.device)
        self._rates = [torch.zeros((), device=replay.device) for _ in self._groups]
        self.reset()

    def reset(self) -> None:
        """Forget what was captured: to be called where tensors of the agent were replaced, as loading a state does."""
        self._recorded: Recorded | None = None
        self._warm = 0

    def __call__(self) -> Metrics:
        """Take the updates -> the last one's metrics, which later calls do not overwrite."""
        self._size.fill_(self._replay.size)
        for rate, group in zip(self._rates, self._groups, strict=True):
            rate.fill_(group["lr"])
        if self._recorded is None and self._warm < WARM_UP:
            self._warm += self.updates
            with self._capture.aside(), self._device_rates(capturing=False):
                return self._update()
        if self._recorded is None:
            # Gradients are forgotten inside of it, not zeroed: the backward pass then allocates them in the graph's own
            # memory, which nothing else is given, and writes them there at every replay.
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

        ``capturable`` tells them that they are captured, which they refuse otherwise, and warn of where they are not.
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
    """Return in one line what went wrong first: ending a capture that failed is an error of its own."""
    while error.__context__ is not None:
        error = error.__context__
    return (str(error).splitlines() or [type(error).__name__])[0]


def updates_in_one(updates: int) -> int:
    """Return how many of the ``updates`` after a step are captured in one graph: a divisor, so none is left over."""
    return next(count for count in range(min(updates, MOST), 0, -1) if updates % count == 0)

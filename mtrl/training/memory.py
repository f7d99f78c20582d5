"""Memory: whether a replay and networks will fit, and how the C library keeps what torch frees."""

from __future__ import annotations

import ctypes
import math
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psutil
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mtrl.errors import UsageError

CPU = torch.device("cpu")
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h


def keep_freed_memory() -> None:
    """Make glibc keep freed blocks instead of returning them to the system; without glibc this does nothing.

    Small networks free and take the same megabyte at every operation, and each time the system has to clear its
    pages anew. `python -m mtrl.bench agents` prints what this is worth.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, 32 * 2**20)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**30)


def available_bytes(device: torch.device) -> int:
    """Return the free memory of ``device``, in bytes."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available


def check_replay_fits(needed: int, device: torch.device) -> None:
    """Raise ``UsageError``, with both sizes, if the replay does not fit into the device's memory."""
    left = available_bytes(device)
    if needed > 0.9 * left:
        raise UsageError(
            f"the replay buffer needs {size_in_words(needed)} but {device} has {size_in_words(left)} left; "
            "lower --replay-per-task or --steps-per-task"
        )


def check_networks_fit(numbers: int, hidden: Sequence[int], device: torch.device) -> None:
    """Raise ``UsageError`` if ``numbers`` float32 numbers of networks with widths ``hidden`` do not fit."""
    needed, left = numbers * torch.float32.itemsize, available_bytes(device)
    if needed > left:
        raise _too_large(needed, left, hidden)


@contextmanager
def networks_fit(hidden: Sequence[int], device: torch.device = CPU, times: int = 1) -> Iterator[None]:
    """Guard the making of networks with widths ``hidden``, which will need ``times`` their own memory on ``device``.

    Raises ``UsageError`` before what does not fit is allocated.
    """
    left = available_bytes(device)
    count = _Allocations(left, hidden, times)
    try:
        with count:
            yield
    except RuntimeError as error:  # a limit of the process's own, which is not known before
        if "allocate memory" not in str(error) and not isinstance(error, torch.OutOfMemoryError):
            raise
        raise UsageError(
            f"the system does not give the agent's networks {size_in_words(count.bytes)} of memory; {_way_out(hidden)}"
        ) from None


class _Allocations(TorchDispatchMode):
    """Adds up the sizes of tensors before they are made, and refuses those that memory has no room for."""

    def __init__(self, left: int, hidden: Sequence[int], times: int) -> None:
        super().__init__()
        self.bytes, self._left, self._hidden, self._times = 0, left, hidden, times

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        size = args[0] if args else None
        if isinstance(size, list | tuple) and all(isinstance(length, int) for length in size):
            kind = (kwargs or {}).get("dtype") or torch.float32
            self.bytes += math.prod(size) * kind.itemsize * self._times
            if self.bytes > self._left:
                raise _too_large(self.bytes, self._left, self._hidden)
        return func(*args, **(kwargs or {}))


def _too_large(needed: int, left: int, hidden: Sequence[int]) -> UsageError:
    return UsageError(
        f"the agent's networks need at least {size_in_words(needed)}, but there is {size_in_words(left)} of memory for "
        f"them; {_way_out(hidden)}"
    )


def _way_out(hidden: Sequence[int]) -> str:
    return f"lower --hidden ({' '.join(map(str, hidden))}) or what other widths there are"


def size_in_words(count: int) -> str:
    """Return a number of bytes in readable units: ``166 MB``."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"

"""Memory: what a replay will take, and how the C library keeps what torch frees."""

from __future__ import annotations

import ctypes
import platform

import psutil
import torch

from mtrl.errors import UsageError

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h


def keep_freed_memory() -> None:
    """Tell glibc to keep freed blocks rather than give them back to the system; elsewhere nothing happens.

    Small networks free and take the same megabyte at every operation, and each time the system has to clear its
    pages anew. `python -m mtrl.bench agents` prints what this is worth.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, 32 * 2**20)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**30)


def available_bytes(device: torch.device) -> int:
    """Return how much memory ``device`` has left."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available


def check_replay_fits(needed: int, device: torch.device) -> None:
    """Raise ``UsageError``, with both sizes, where the replay does not fit into the device's memory."""
    left = available_bytes(device)
    if needed > 0.9 * left:
        raise UsageError(
            f"the replay buffer needs {size_in_words(needed)} but {device} has {size_in_words(left)} left; "
            "lower --replay-per-task or --steps-per-task"
        )


def size_in_words(count: int) -> str:
    """Return a number of bytes as people write it: ``166 MB``."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"

"""Chooses the precision of matrix products by timing them on this machine, since processors differ."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

REPEATS = 7
MIN_SPEEDUP = 1.1  # auto takes reduced precision if it is at least this many times as fast


@dataclass(frozen=True)
class Precision:
    """The precision of an update's products: ``asked`` for, ``taken``, and how much faster bfloat16 was here.

    ``speedup`` is float32's time over bfloat16's, None where nothing was timed.
    """

    asked: str
    taken: str
    speedup: float | None = None

    @property
    def in_words(self) -> str:
        """Return the precision taken, and why."""
        if self.speedup is None:
            return self.taken
        factor = f"{self.speedup:.1f} times as fast" if self.speedup >= 1 else f"{1 / self.speedup:.1f} times slower"
        return f"{self.taken} (bfloat16 products are {factor} on this machine)"

    @property
    def warning(self) -> str | None:
        """Return a warning if the requested precision is the slower one on this machine."""
        if self.asked != "bfloat16" or self.speedup is None or self.speedup >= 1:
            return None
        return f"--precision bfloat16 is {1 / self.speedup:.1f} times slower than float32 on this machine; use auto"


def choose_precision(asked: str, rows: int, width: int, device: torch.device) -> Precision:
    """Return the precision to learn in: ``asked``, and for auto bfloat16 only where timed products show a gain.

    The products are those of a hidden layer of twin critics, forward and backward: ``rows`` rows, ``width`` units.
    """
    if asked == "float32":
        return Precision(asked, asked)
    speedup = bfloat16_speedup(rows, width, device)
    faster = "bfloat16" if speedup >= MIN_SPEEDUP else "float32"
    return Precision(asked, faster if asked == "auto" else asked, round(speedup, 2))


def bfloat16_speedup(rows: int, width: int, device: torch.device) -> float:
    """Time the same products in float32 and under autocast, in turn; return float32's shortest time over bfloat16's."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, rows, width, generator=generator).to(device)
    weight = torch.randn(2, width, width, generator=generator).to(device).requires_grad_(True)
    times: dict[bool, list[float]] = {False: [], True: []}
    for repeat in range(REPEATS + 1):
        for reduced, measured in times.items():
            seconds = _seconds(x, weight, reduced)
            if repeat:  # the first one warms up
                measured.append(seconds)
    return min(times[False]) / min(times[True])  # the shortest is the least disturbed by other processes


def _seconds(x: torch.Tensor, weight: torch.Tensor, reduced: bool) -> float:
    _wait(x.device)
    start = time.perf_counter()
    with torch.autocast(x.device.type, torch.bfloat16, enabled=reduced):
        out = torch.bmm(torch.bmm(x, weight).relu(), weight)
    out.float().sum().backward()
    _wait(x.device)
    seconds = time.perf_counter() - start
    weight.grad = None
    return seconds


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)

"""What a penalty is: added to every task's loss before the losses are aggregated, ``module -> scalar``."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

Penalty = Callable[[nn.Module], Tensor]

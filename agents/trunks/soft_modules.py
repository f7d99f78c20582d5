"""Soft modularisation: layers of modules, and a routing between them that depends on task and state.

Yang, Xu, Wu and Wang, "Multi-Task Reinforcement Learning with Soft Modularization", NeurIPS 2020, equations 1 to 5.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from agents.base import rows_of
from agents.networks import StackedLinear, hidden_activation
from agents.trunks.layered import normal, on_rows
from agents.trunks.trunk import Trunk, TrunkShape, members


class SoftModularTrunk(Trunk):
    """``modules`` modules in each hidden layer; a module's input is a weighted sum of those before it.

    The weights into a module are a softmax. Their logits are computed layer after layer from those before, the state
    and the task; the task's code is a learned row that multiplies the state's.
    """

    def __init__(self, shape: TrunkShape, generator: torch.Generator) -> None:
        super().__init__()
        self.ensemble, self.tasks, self.layer_norm = shape.ensemble, shape.tasks, shape.layer_norm
        self.count = count = shape.settings.modules
        size = shape.settings.routing_size
        linear = lambda groups, a, b: StackedLinear(groups, a, b, generator)  # noqa: E731
        self.modules_of = nn.ModuleList(
            linear(shape.ensemble * count, a, b) for a, b in pairwise([shape.size_in, *shape.hidden])
        )
        self.last = linear(shape.ensemble, shape.hidden[-1], shape.size_out)
        self.state_code = linear(shape.ensemble, shape.size_in, size)
        self.task_code = normal(shape.ensemble * shape.tasks, 1, size, std=1.0, generator=generator)
        # Between hidden layers M x M weights, into the output M.
        widths = [count * count] * (len(shape.hidden) - 1) + [count]
        self.logits = nn.ModuleList(linear(shape.ensemble, size, width) for width in widths)
        self.carried = nn.ModuleList(linear(shape.ensemble, width, size) for width in widths[:-1])

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """(T, N, in) -> (E, T, N, out)."""
        x = x.expand(self.ensemble, *x.shape)
        *between, into_output = self.routing(x, task)
        features = self._module_layer(0, x[:, None].expand(-1, self.count, -1, -1, -1))
        for level, weights in enumerate(between, start=1):
            features = self._module_layer(level, torch.einsum("etnji,eitnd->ejtnd", weights, features))
        return on_rows(self.last, torch.einsum("etnji,eitnd->ejtnd", into_output, features)[:, 0])

    def routing(self, x: Tensor, task: Tensor | None = None) -> list[Tensor]:
        """Return the weights into each layer after the first, (E, T, N, to, from); rows sum to 1."""
        own = rows_of(self.task_code, members(task, self.ensemble, self.tasks)).unflatten(0, x.shape[:2])
        code = F.relu(on_rows(self.state_code, x)) * own
        found, carried = [], code
        for level, layer in enumerate(self.logits):
            logits = on_rows(layer, F.relu(carried))
            found.append(logits.unflatten(-1, (-1, self.count)).softmax(dim=-1))
            if level < len(self.carried):
                carried = on_rows(self.carried[level], logits) * code
        return found

    def inspect(self, x: Tensor) -> dict[str, Tensor]:
        """Return the routing into each layer, averaged over ensemble and rows: ``routing_1``, ..., (T, to * from)."""
        found = self.routing(x.expand(self.ensemble, *x.shape))
        return {f"routing_{k}": weights.mean(dim=(0, 2)).flatten(1) for k, weights in enumerate(found, start=1)}

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return all parameters but the tasks' codes."""
        return [parameter for parameter in self.parameters() if parameter is not self.task_code]

    def own_parameters(self) -> list[nn.Parameter]:
        """Return the tasks' codes."""
        return [self.task_code]

    def probed_layers(self) -> list[nn.Module]:
        """Return the modules after the first layer, and the output layer."""
        return [*self.modules_of[1:], self.last]

    def _module_layer(self, level: int, x: Tensor) -> Tensor:
        """(E, M, T, N, in) -> (E, M, T, N, out); each module has its own input."""
        out = self.modules_of[level](x.flatten(0, 1).flatten(1, 2)).unflatten(1, x.shape[2:4])
        return hidden_activation(out, self.layer_norm).unflatten(0, x.shape[:2])

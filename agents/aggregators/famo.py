"""Fast adaptive multitask optimization: equal rates of progress for all tasks, without per-task gradients.

Liu, Feng, Stone and Liu, "FAMO: Fast Adaptive Multitask Optimization", NeurIPS 2023, algorithm 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agents.aggregators.aggregator import Parameters
from agents.aggregators.weighing import LossWeighing, of_tasks, put
from agents.base import PieceShape

MIN_LOSS = 1e-8  # losses are clamped to it


class FAMO(LossWeighing):
    """The gradient of sum(w_i log L_i), w = softmax(z), scaled by 1 / sum(w_i / L_i); z learns which tasks lag.

    A task whose log-loss fell more than the others' since the update before loses weight. The paper evaluates the same
    batch twice for this; here the next batch's losses are compared, which costs nothing and is noisier. The actor's
    losses, which may be negative, are weighed by w alone.
    """

    before: Tensor
    known: Tensor

    def __init__(self, shape: PieceShape) -> None:
        super().__init__(shape)
        self.logits = nn.Parameter(torch.zeros(shape.tasks))
        self.register_buffer("before", torch.zeros(shape.tasks))  # log-losses
        self.register_buffer("known", torch.zeros(shape.tasks))

    def weights(self, losses: Tensor, parameters: Parameters) -> Tensor:
        """Return the tasks' weights, and write the gradient of the logits."""
        lag = torch.softmax(self.logits.detach(), dim=0)
        share = of_tasks(lag, parameters)
        if parameters.role == "actor":
            return self.tasks * share
        log_losses = losses.clamp_min(MIN_LOSS).log()
        now = put(self.before, log_losses, parameters)
        fell = (self.before - now) * self.known  # 0 for a task that is not in the batch
        self.logits.grad = lag * (fell - lag @ fell) + self.settings.famo_decay * self.logits.detach()
        self.before, self.known = now, put(self.known, torch.ones_like(losses), parameters)
        present = ~parameters.left_out(losses)  # a masked task's loss is about 0, and would take all the weight
        pull = share * (present | ~present.any()) / log_losses.exp()
        return len(losses) * pull / pull.sum()

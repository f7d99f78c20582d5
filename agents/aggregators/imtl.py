"""Impartial learning: a combined gradient whose component along each task's gradient is the same.

Liu, Li, Kuang, Xue, Chen, Yang, Liao and Zhang, "Towards Impartial Multi-task Learning", ICLR 2021: IMTL-G.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agents.aggregators.aggregator import Parameters
from agents.aggregators.quadratic import cosines_and_norms, present
from agents.aggregators.weighing import GradientWeighing


class IMTL(GradientWeighing):
    """The combination with weights of sum 1, some of them possibly negative, with equal projections on all gradients.

    As in the paper, the projection may be negative if gradients are linearly dependent; all losses would rise then.
    """

    def weights(self, gram: Tensor, parameters: Parameters) -> Tensor:
        """Return the weights of the gradients with the inner products ``gram``."""
        return impartial(gram)


def impartial(gram: Tensor) -> Tensor:
    """Inner products (T, T) -> weights (T,): G w is proportional to the gradients' norms; 0 for zero gradients."""
    cosines, norms = cosines_and_norms(gram)
    # Without a check for success, which would make the host wait.
    found = torch.linalg.solve_ex(cosines, present(gram)).result / norms
    return found / found.sum()

"""Small convex problems over the tasks' inner products, solved on the device in a fixed number of rounds.

A round guesses which coefficients are zero, solves for the others, and corrects the guess by the signs of what came out
(primal-dual active sets: Hintermüller, Ito and Kunisch 2002). A guess that needs no correction is the solution.
Gradients of many more parameters than tasks need three to five rounds.
"""

from __future__ import annotations

import torch
from torch import Tensor

RIDGE = 1e-6  # added to a diagonal of ones: gradients that depend on each other leave no inverse
SHORT = 1e-6  # of the longest gradient's norm: one that is shorter counts as so long


def cosines_and_norms(gram: Tensor) -> tuple[Tensor, Tensor]:
    """Inner products (T, T) -> cosines with a ridge on their diagonal, (T, T), and norms, (T,), in double precision.

    What is solved in cosines, for the weights times the norms, is as exact for short gradients as for long ones.
    """
    norms = gram.diagonal().double().clamp_min(torch.finfo(torch.float32).tiny).sqrt()
    norms = norms.clamp_min(SHORT * norms.max())
    ridge = RIDGE * torch.eye(len(gram), dtype=torch.float64, device=gram.device)
    return gram.double() / (norms[:, None] * norms) + ridge, norms


def nonnegative_minimum(gram: Tensor, linear: Tensor, rounds: int = 8) -> Tensor:
    """Minimise v G v / 2 - b v over v >= 0 for each row b of ``linear``, (B, T): -> (B, T)."""
    free = torch.ones_like(linear)
    for _ in range(rounds):
        solution = _solve(gram, free, (linear * free)[..., None])[..., 0]
        free = _corrected(free, solution, solution @ gram - linear)
    return solution.clamp_min(0.0)


def nonnegative_of_length(gram: Tensor, linear: Tensor, cost: Tensor, length: Tensor, rounds: int = 8) -> Tensor:
    """Return the v >= 0 with v G v = ``length`` squared, (T,), that minimises v G v / 2 + b v - m cost v for some m.

    ``linear`` is b. With the zeros guessed, v is linear in m, so that m is the larger root of a quadratic equation.
    """
    free = torch.ones_like(linear)
    for _ in range(rounds):
        at_zero, along = _solve(gram, free, torch.stack([-linear * free, cost * free], dim=-1)).unbind(dim=-1)
        a, b, c = along @ gram @ along, at_zero @ gram @ along, at_zero @ gram @ at_zero - length.square()
        multiplier = ((b.square() - a * c).clamp_min(0.0).sqrt() - b) / a
        solution = at_zero + multiplier * along
        free = _corrected(free, solution, gram @ solution + linear - multiplier * cost)
        free = torch.where(free.any(), free, torch.ones_like(free))
    found = solution.clamp_min(0.0)
    return found * length / (found @ gram @ found).clamp_min(torch.finfo(torch.float32).tiny).sqrt()


def _solve(gram: Tensor, free: Tensor, right: Tensor) -> Tensor:
    """Solve G x = right in the coefficients where ``free`` is 1; the others are 0."""
    bound = torch.diag_embed(1.0 - free)
    # Without the check of its success, for which the host would wait.
    return torch.linalg.solve_ex(gram * free[..., :, None] * free[..., None, :] + bound, right).result


def _corrected(free: Tensor, solution: Tensor, slope: Tensor) -> Tensor:
    """A free coefficient below zero is bound, a bound one along which the objective falls is freed."""
    return torch.where(free > 0, solution >= 0, slope < 0).to(free.dtype)

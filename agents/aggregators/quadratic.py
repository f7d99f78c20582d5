"""Small convex problems over the tasks' inner products, solved on the device in a fixed number of rounds."""

from __future__ import annotations

import torch
from torch import Tensor

RIDGE = 1e-6  # added to a diagonal of ones: gradients that depend on each other leave no inverse
SHORT = 1e-6  # of the longest gradient's norm: one that is shorter counts as so long
INSIDE = 0.995  # of the way to where the first number would become zero
TINY = torch.finfo(torch.float32).tiny


def cosines_and_norms(gram: Tensor) -> tuple[Tensor, Tensor]:
    """Inner products (T, T) -> cosines with a ridge on their diagonal, (T, T), and norms, (T,), in double precision.

    What is solved in cosines, for the weights times the norms, is as exact for short gradients as for long ones.
    """
    norms = gram.diagonal().double().clamp_min(TINY).sqrt()
    norms = norms.clamp_min(SHORT * norms.max())
    ridge = RIDGE * torch.eye(len(gram), dtype=torch.float64, device=gram.device)
    return gram.double() / (norms[:, None] * norms) + ridge, norms


def nonnegative_minimum(gram: Tensor, linear: Tensor, start: float = 1.0, rounds: int = 14) -> Tensor:
    """Minimise v G v / 2 - b v over v >= 0 for each row b of ``linear``, (B, T): -> (B, T), no number of it below 0.

    ``gram`` has a diagonal of about 1. An interior-point method with a predictor and a corrector (Mehrotra 1992), which
    takes about as many rounds however much the gradients depend on each other, where it begins at about the ``start``
    times the largest of b that the solution is as large as.
    """
    size = linear.abs().amax(dim=-1, keepdim=True).clamp_min(TINY)
    linear = linear / size
    v, slope = torch.full_like(linear, start), torch.full_like(linear, start)
    for _ in range(rounds):
        gap = linear - v @ gram + slope
        factor = torch.linalg.cholesky_ex(gram + torch.diag_embed(slope / v)).L
        complementarity = (v * slope).mean(dim=-1, keepdim=True)
        towards, change = _newton(factor, gap, v, slope, -v * slope)
        step = torch.minimum(_longest(v, towards), _longest(slope, change))
        reached = ((v + step * towards) * (slope + step * change)).mean(dim=-1, keepdim=True)
        centre = complementarity * (reached / complementarity).pow(3)
        towards, change = _newton(factor, gap, v, slope, centre - v * slope - towards * change)
        step = INSIDE * torch.minimum(_longest(v, towards), _longest(slope, change))
        v, slope = (v + step * towards).clamp_min(TINY), (slope + step * change).clamp_min(TINY)
    return v * size


def nonnegative_of_length(gram: Tensor, linear: Tensor, cost: Tensor, length: Tensor, rounds: int = 16) -> Tensor:
    """Return the v >= 0 with v G v = ``length`` squared, (T,), that minimises b w + ``length`` |w|, w = v / (cost v).

    ``linear`` is b, and |w| the root of w G w. A round guesses which numbers are zero, solves for the others, in which
    v is linear in a multiplier that is the larger root of a quadratic equation, and corrects the guess by the signs of
    what came out (primal-dual active sets: Hintermüller, Ito and Kunisch 2002). A guess that needs no correction is the
    solution, mostly one of the first five; of fifty gradients that lie close to a few dimensions none may be met, and
    the best of all rounds is returned.
    """
    free, best = torch.ones_like(linear), linear.new_full((), torch.inf)
    found = 1.0 / cost
    for _ in range(rounds):
        at_zero, along = _solve(gram, free, torch.stack([-linear * free, cost * free], dim=-1)).unbind(dim=-1)
        a, b, c = along @ gram @ along, at_zero @ gram @ along, at_zero @ gram @ at_zero - length.square()
        multiplier = ((b.square() - a * c).clamp_min(0.0).sqrt() - b) / a
        solution = at_zero + multiplier * along
        inside = solution.clamp_min(0.0)
        value = (linear @ inside + length * (inside @ gram @ inside).sqrt()) / (cost @ inside).clamp_min(TINY)
        found, best = torch.where(value < best, inside, found), torch.minimum(value.nan_to_num(torch.inf), best)
        slope = gram @ solution + linear - multiplier * cost
        # A free number below zero is bound, a bound one along which the objective falls is freed.
        free = torch.where(free > 0, solution >= 0, slope < 0).to(free.dtype)
        free = torch.where(free.any(), free, torch.ones_like(free))
    return found * length / (found @ gram @ found).clamp_min(TINY).sqrt()


def _newton(factor: Tensor, gap: Tensor, v: Tensor, slope: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Return the changes of v and of the slope that close the gap and change their products by ``wanted``."""
    towards = torch.cholesky_solve((gap + wanted / v)[..., None], factor)[..., 0]
    return towards, (wanted - slope * towards) / v


def _longest(x: Tensor, change: Tensor) -> Tensor:
    """Return how much of a change, at most all of it, leaves no number below 0, (B, 1)."""
    return 1.0 / (-change / x).amax(dim=-1, keepdim=True).clamp_min(1.0)


def _solve(gram: Tensor, free: Tensor, right: Tensor) -> Tensor:
    """Solve G x = right in the coefficients where ``free`` is 1; the others are 0."""
    bound = torch.diag_embed(1.0 - free)
    # Without the check of its success, for which the host would wait.
    return torch.linalg.solve_ex(gram * free[..., :, None] * free[..., None, :] + bound, right).result

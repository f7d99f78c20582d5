"""Small convex problems over the tasks' inner products, solved on the device in a fixed number of rounds."""

from __future__ import annotations

import torch
from torch import Tensor

RIDGE = 1e-6  # added to a diagonal of ones: with linearly dependent gradients there is no inverse
MIN_RELATIVE_NORM = 1e-6  # of the longest gradient's norm: norms are clamped to it
STEP_FRACTION = 0.995  # of the step at which the first number would become zero
TINY = torch.finfo(torch.float32).tiny


def cosines_and_norms(gram: Tensor) -> tuple[Tensor, Tensor]:
    """Inner products (T, T) -> cosines with a ridge on their diagonal, (T, T), and norms, (T,), in double precision.

    Problems solved in cosines, for the weights times the norms, are as exact for short gradients as for long ones.
    """
    norms = gram.diagonal().double().clamp_min(TINY).sqrt()
    norms = norms.clamp_min(MIN_RELATIVE_NORM * norms.max())
    ridge = RIDGE * torch.eye(len(gram), dtype=torch.float64, device=gram.device)
    return gram.double() / (norms[:, None] * norms) + ridge, norms


def present(gram: Tensor) -> Tensor:
    """Return 1 for each gradient that is not zero, 0 for one that is, (T,); all 1 if all are zero.

    A masked task has none. Weights by inverse norms would otherwise follow it alone.
    """
    nonzero = gram.diagonal() > 0
    return (nonzero | ~nonzero.any()).double()


def nonnegative_minimum(gram: Tensor, linear: Tensor, start: float = 1.0, rounds: int = 14) -> Tensor:
    """Return the v >= 0, (B, T), that minimises v G v / 2 - b v for each row b of ``linear``, (B, T).

    ``gram`` has a diagonal of about 1. An interior-point method with a predictor and a corrector (Mehrotra 1992), whose
    number of rounds hardly depends on how linearly dependent the gradients are, if ``start`` times the largest |b| is
    about as large as the solution.
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
        step = STEP_FRACTION * torch.minimum(_longest(v, towards), _longest(slope, change))
        v, slope = (v + step * towards).clamp_min(TINY), (slope + step * change).clamp_min(TINY)
    return v * size


def nonnegative_of_length(gram: Tensor, linear: Tensor, cost: Tensor, length: Tensor, rounds: int = 16) -> Tensor:
    """Return the v >= 0 with v G v = ``length`` squared, (T,), that minimises b w + ``length`` |w|, w = v / (cost v).

    ``linear`` is b, and |w| the root of w G w. A round guesses which numbers are zero and solves for the others,
    which are linear in a multiplier that is the larger root of a quadratic equation. It then corrects the guess by the
    signs of the result (primal-dual active sets: Hintermüller, Ito and Kunisch 2002). A guess that needs no correction
    is the solution, mostly one of the first five. For fifty gradients that lie close to a few dimensions there may be
    none, so the best of all rounds is returned.
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


def _newton(factor: Tensor, gap: Tensor, v: Tensor, slope: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
    """Return the changes of v and of the slope that close the gap and change their products by ``change``."""
    towards = torch.cholesky_solve((gap + change / v)[..., None], factor)[..., 0]
    return towards, (change - slope * towards) / v


def _longest(x: Tensor, change: Tensor) -> Tensor:
    """Return how much of a change, at most all of it, leaves no number below 0, (B, 1)."""
    return 1.0 / (-change / x).amax(dim=-1, keepdim=True).clamp_min(1.0)


def _solve(gram: Tensor, free: Tensor, right: Tensor) -> Tensor:
    """Solve G x = right in the coefficients where ``free`` is 1; the others are 0."""
    bound = torch.diag_embed(1.0 - free)
    # Without a check for success, which would make the host wait.
    return torch.linalg.solve_ex(gram * free[..., :, None] * free[..., None, :] + bound, right).result

"""The properties that ``check_agent`` verifies of an agent that is built and finite; a check returns the problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from agents.checks.state import check_storable
from agents.checks.trial import OBS, ROWS, TASKS, UPDATES, Skip, Trial, noise, noisy_batch, trained
from agents.sac import SAC

# What makes the host wait on a GPU: reading a scalar, and results whose size depends on values.
WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "equal")


class Recorder(TorchDispatchMode):
    """Records the name of every operation that runs inside it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))

    @property
    def waits(self) -> list[str]:
        """The operations that would have synchronised with a device."""
        return [name for name in self.names if name.startswith(WAITING)]


def _shapes(trial: Trial) -> str | None:
    agent, batch = trial.agent(), noisy_batch(0)
    for explore in (True, False):
        action = agent.act(batch.obs, explore=explore)
        if action.shape != batch.action.shape or bool(action.abs().max() > 1):
            return (
                f"act returns shape {(*action.shape,)} with values from {action.min():.2g} to {action.max():.2g}; "
                f"return {(*batch.action.shape,)} in [-1, 1]"
            )
    some = torch.tensor([2, 0])
    action = agent.act(batch.obs, explore=False)[some]
    if not torch.allclose(agent.act(batch.obs[some], some, explore=False), action, atol=1e-5):
        return "a task acts differently alone than among all: act(obs[rows], task=rows) is not act(obs)[rows]"
    for name, metric in agent.update(batch).items():
        if (*metric.shape,) not in ((), (TASKS,)) or not bool(metric.isfinite().all()):
            return f"metric {name!r} is {metric}; return a finite number, or one per task"
    for name, shown in agent.inspect(batch.obs).items():
        if shown.dim() != 2 or len(shown) != TASKS or not bool(shown.isfinite().all()):
            return (
                f"inspect returns {name!r} of shape {(*shown.shape,)}; return finite numbers (T, K), here T = {TASKS}"
            )
    return None


def _some_tasks(trial: Trial) -> str | None:
    agent, task = trial.agent(), torch.tensor([2, 0, 2, 2])
    metrics = agent.update(noisy_batch(0).apply(lambda part: part[task])._replace(task=task))
    wrong = [name for name, metric in metrics.items() if (*metric.shape,) not in ((), (TASKS,))]
    return f"metrics {', '.join(wrong)} do not have one number per task of the suite" if wrong else None


def _gradients(trial: Trial) -> str | None:
    agent = trial.agent()
    if not isinstance(agent, torch.nn.Module):
        raise Skip("it is not a torch module")
    before = {name: parameter.detach().clone() for name, parameter in agent.named_parameters()}
    trained(agent)
    unchanged = [name for name, parameter in agent.named_parameters() if torch.equal(parameter, before[name])]
    if not unchanged:
        return None
    return f"{', '.join(unchanged)} did not change in {UPDATES} updates: no gradient reaches them"


def _masked(trial: Trial) -> str | None:
    """Action dimensions that a task does not have must have no influence."""
    mask = torch.tensor([[True, True], [True, False], [True, True]])
    agent, batch = trial.agent(mask=mask), noisy_batch(0)
    trained(agent)
    if bool(agent.act(batch.obs, explore=True)[1, :, 1].any()):
        return "an action is not zero in a dimension that its task does not have"
    target = getattr(agent, "target_entropy", None)
    if target is not None and target[1] * 2 != target[0]:
        return f"target entropies are {target.tolist()}; exclude masked dimensions"
    if isinstance(agent, SAC):
        with torch.no_grad():
            z, drawn = agent.encoder(batch.obs), noise(*batch.action.shape, seed=3)
            scales = [torch.where(mask, 1.0, masked)[:, None, :] for masked in (1.0, 100.0)]
            plain, changed = (agent.sample(z, noise=drawn * scale)[1] for scale in scales)
        if not torch.allclose(plain, changed):
            return "the log-probability depends on a dimension that the task does not have"
    return None


def _permuted(trial: Trial) -> str | None:
    """With tasks and contexts in another order, the actions are the same in that order."""
    agent = trial.agent()
    if not trial.spec.of_pieces:
        raise Skip("it is not made of an encoder and an actor")
    parts = (agent.encoder, agent.actor)
    order = torch.tensor([2, 0, 1])
    own = [parameter for part in parts for parameter in part.own_parameters()]
    if any(bool(parameter.any()) for parameter in own):
        raise Skip("it has task-specific weights, which are initialised at random")
    other, obs = trial.agent(order=order), noise(TASKS, ROWS, OBS, seed=1)
    buffers = zip(agent.encoder.buffers(), other.encoder.buffers(), strict=True)
    if any(one.shape[:1] == (TASKS,) and torch.equal(one, two) for one, two in buffers):
        raise Skip("its encoder distinguishes tasks by their number, not by their context")
    expected, found = agent.act(obs, explore=False)[order], other.act(obs[order], explore=False)
    return None if torch.allclose(found, expected, atol=1e-5) else "the order of the tasks changes their actions"


def _seeded(trial: Trial) -> str | None:
    state, found = torch.get_rng_state(), []
    try:
        for seed in (1, 2):
            torch.manual_seed(seed)
            agent = trained(trial.agent())
            weights = [value for value in agent.state_dict().values() if isinstance(value, Tensor)]
            found.append(torch.cat([value.detach().flatten().double() for value in weights]))
            if not torch.equal(torch.get_rng_state(), torch.manual_seed(seed).get_state()):
                return "it draws from torch's global generator; use the one that it is given"
    finally:
        torch.set_rng_state(state)
    return (
        None if torch.equal(*found) else "two agents with the same seed have different weights after the same updates"
    )


def _round_trip(trial: Trial) -> str | None:
    agent, other, obs = trained(trial.agent()), trial.agent(seed=9), noise(TASKS, ROWS, OBS, seed=1)
    other.load_state_dict(agent.state_dict())
    if not torch.equal(agent.act(obs, explore=False), other.act(obs, explore=False)):
        return "an agent that loads another's weights acts differently"
    return None


def _continued(trial: Trial) -> str | None:
    uninterrupted, resumed = trained(trial.agent()), trial.agent(seed=9)
    state = uninterrupted.training_state()
    check_storable("training_state", state)
    resumed.load_training_state(state)
    weights = (trained(agent, UPDATES).state_dict().values() for agent in (uninterrupted, resumed))
    pairs = zip(*weights, strict=True)
    same = all(torch.equal(one, two) for one, two in pairs)
    return (
        None
        if same
        else "an agent restored from training_state ends with different weights from one that was never interrupted"
    )


def _no_waiting(trial: Trial) -> str | None:
    agent = trained(trial.agent())  # optimisers create their state at the first step
    batch = noisy_batch(UPDATES)
    with Recorder() as recorder:
        agent.act(batch.obs, explore=True)
        agent.update(batch)
    return (
        f"the update synchronises with the device: {', '.join(sorted(set(recorder.waits)))}" if recorder.waits else None
    )


PROPERTIES: dict[str, Callable[[Trial], str | None]] = {
    "actions and metrics have the right shapes and ranges": _shapes,
    "a batch may hold some of the tasks, or one several times": _some_tasks,
    "gradients reach every parameter": _gradients,
    "masked actions have no influence": _masked,
    "permuting the tasks permutes their actions": _permuted,
    "the same seed gives the same numbers": _seeded,
    "weights survive a round trip": _round_trip,
    "training continues where it was interrupted": _continued,
    "an update never synchronises with the device": _no_waiting,
}

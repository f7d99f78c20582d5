"""``check_agent``: trains an agent on random batches and reports what breaks the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from agents.base import Batch, seeded_generator
from agents.build import Sizes, build_agent, build_sampler
from agents.check_pieces import Broken, built, called, check_finite, check_pieces, check_weights, described
from agents.check_sampler import check_sampler
from agents.registry.compose import pieces_named, settings_type
from agents.registry.spec import AgentSpec, RegistryError
from agents.sac import SAC

CPU = torch.device("cpu")
TASKS, ROWS, OBS, ACTIONS, CONTEXT = 3, 16, 4, 2, 6
UPDATES = 4
# What makes the host wait on a GPU: reading a scalar, and results whose size depends on values.
WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "equal")
SMALL = {"hidden": (16, 16), "learning_rate": 1e-2, "final_learning_rate": 1e-2}


@dataclass
class AgentReport:
    """The properties that ``passed``, the ``problems`` found, and the properties ``skipped``, with the reason."""

    agent: str
    passed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


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


def check_agent(spec: AgentSpec, pieces: Mapping[str, str] | None = None) -> AgentReport:
    """Train an agent on random batches of three tasks and report what breaks the contract.

    First it checks that the agent can be built and returns finite numbers; otherwise only that and the sampler are
    reported. It then checks shapes and ranges, updates of some tasks only, that gradients reach every parameter, that
    masked actions have no influence, that tasks may be permuted, that seeds determine the result, that weights and
    training state survive a round trip, and that an update never synchronises with the device. Last it checks that the
    sampler draws tasks of the suite.

    Args:
        spec: The agent, as ``mtrl.preset`` returns it.
        pieces: Pieces, by slot, to use instead of the agent's own.

    Returns:
        A report: ``passed``, ``problems`` and ``skipped``, a sentence each.

    Raises:
        RegistryError: A piece is unknown, pieces do not fit together, or the agent has its own trainer.

    Example:
        >>> report = mtrl.check_agent(mtrl.preset("one-hot SAC", encoder="one-hot"))
        >>> report.problems
        []
    """
    if not spec.in_loop:
        raise RegistryError(f"agent {spec.name!r} has its own trainer, so it has no update to check")
    kind = settings_type(spec, pieces)
    known = kind.__dataclass_fields__
    settings = kind(**{name: value for name, value in SMALL.items() if name in known})
    trial = _Trial(spec, settings)
    report = AgentReport(spec.name)
    sound = _run(report, trial, "the agent can be built and returns finite numbers", _sound)
    for name, check in (_CHECKS if sound else {}).items():  # the others' failures would only be its consequences
        _run(report, trial, name, check)
    _run(report, trial, "the sampler draws tasks of the suite", _sampler)
    return report


def _run(report: AgentReport, trial: _Trial, name: str, check: Callable[[_Trial], str | None]) -> bool:
    """Add a check's result to the report; return whether there was no problem."""
    try:
        problem = check(trial)
    except _Skip as reason:
        report.skipped.append(f"{name}: {reason}")
        return True
    except Broken as error:
        problem = str(error)
    except Exception as error:  # noqa: BLE001  (any exception is a problem to report)
        problem = described(error)
    if problem:
        report.problems.append(f"{name}: {problem}")
    else:
        report.passed.append(name)
    return not problem


class _Skip(Exception):
    """A property that does not apply to this agent."""


@dataclass(frozen=True)
class _Trial:
    spec: AgentSpec
    settings: Any

    def agent(self, seed: int = 0, mask: Tensor | None = None, order: Tensor | None = None) -> Any:
        """Build a new agent: ``mask`` (T, A) marks the tasks' actions, ``order`` (T,) permutes their contexts."""
        context = noise(TASKS, CONTEXT, seed=5)
        context = context / context.norm(dim=1, keepdim=True)
        mask = torch.ones(TASKS, ACTIONS, dtype=torch.bool) if mask is None else mask
        sizes = Sizes(OBS, mask, context if order is None else context[order])
        return build_agent(self.spec, sizes, self.settings, seed, CPU)

    def sampler(self) -> Any:
        """Build a new sampler, for tasks that differ in one number."""
        return build_sampler(self.spec, TASKS, self.settings, 0, CPU, tuple(map(float, range(TASKS))))


def noise(*shape: int, seed: int) -> Tensor:
    """Return standard normal numbers from this seed."""
    return torch.randn(shape, generator=seeded_generator(seed))


def noisy_batch(seed: int) -> Batch:
    """Return a batch of noise for three tasks."""
    return Batch(
        obs=noise(TASKS, ROWS, OBS, seed=10 * seed),
        action=torch.tanh(noise(TASKS, ROWS, ACTIONS, seed=10 * seed + 1)),
        reward=noise(TASKS, ROWS, seed=10 * seed + 2),
        terminated=(noise(TASKS, ROWS, seed=10 * seed + 3) > 1.0).float(),
        next_obs=noise(TASKS, ROWS, OBS, seed=10 * seed + 4),
    )


def _trained(agent: Any, first: int = 0) -> Any:
    """Return the agent after ``UPDATES`` updates, on the batches from number ``first`` on."""
    for seed in range(first, first + UPDATES):
        batch = noisy_batch(seed)
        agent.observe(batch.obs, batch.reward, batch.terminated > 0)
        agent.update(batch)
    return agent


def _sound(trial: _Trial) -> None:
    agent, batch = built(trial.agent), noisy_batch(0)
    if trial.spec.of_pieces:
        check_pieces(agent, pieces_named(trial.settings), batch)
    for explore in (True, False):
        check_finite("act", called("act", partial(agent.act, batch.obs, explore=explore)))
    called("an update", partial(_trained, agent))
    check_weights(agent, UPDATES)


def _sampler(trial: _Trial) -> None:
    if not trial.spec.of_pieces:
        raise _Skip("it is not made of pieces, so every batch has all tasks")
    try:
        check_sampler(f"sampler {pieces_named(trial.settings)['sampler']!r}", trial.sampler, TASKS, ROWS)
    except RegistryError as error:
        raise _Skip(str(error)) from error


def _shapes(trial: _Trial) -> str | None:
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
    return None


def _some_tasks(trial: _Trial) -> str | None:
    agent, task = trial.agent(), torch.tensor([2, 0, 2, 2])
    metrics = agent.update(noisy_batch(0).apply(lambda part: part[task])._replace(task=task))
    wrong = [name for name, metric in metrics.items() if (*metric.shape,) not in ((), (TASKS,))]
    return f"metrics {', '.join(wrong)} do not have one number per task of the suite" if wrong else None


def _gradients(trial: _Trial) -> str | None:
    agent = trial.agent()
    before = {name: parameter.detach().clone() for name, parameter in agent.named_parameters()}
    _trained(agent)
    unchanged = [name for name, parameter in agent.named_parameters() if torch.equal(parameter, before[name])]
    if not unchanged:
        return None
    return f"{', '.join(unchanged)} did not change in {UPDATES} updates: no gradient reaches them"


def _masked(trial: _Trial) -> str | None:
    """Action dimensions that a task does not have must have no influence."""
    mask = torch.tensor([[True, True], [True, False], [True, True]])
    agent, batch = trial.agent(mask=mask), noisy_batch(0)
    _trained(agent)
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


def _permuted(trial: _Trial) -> str | None:
    """With tasks and contexts in another order, the actions are the same in that order."""
    agent = trial.agent()
    if not trial.spec.of_pieces:
        raise _Skip("it is not made of an encoder and an actor")
    parts = (agent.encoder, agent.actor)
    order = torch.tensor([2, 0, 1])
    own = [parameter for part in parts for parameter in part.own_parameters()]
    if any(bool(parameter.any()) for parameter in own):
        raise _Skip("it has task-specific weights, which are initialised at random")
    other, obs = trial.agent(order=order), noise(TASKS, ROWS, OBS, seed=1)
    buffers = zip(agent.encoder.buffers(), other.encoder.buffers(), strict=True)
    if any(one.shape[:1] == (TASKS,) and torch.equal(one, two) for one, two in buffers):
        raise _Skip("its encoder distinguishes tasks by their number, not by their context")
    expected, found = agent.act(obs, explore=False)[order], other.act(obs[order], explore=False)
    return None if torch.allclose(found, expected, atol=1e-5) else "the order of the tasks changes their actions"


def _seeded(trial: _Trial) -> str | None:
    state, found = torch.get_rng_state(), []
    try:
        for seed in (1, 2):
            torch.manual_seed(seed)
            agent = _trained(trial.agent())
            found.append(torch.cat([parameter.detach().flatten() for parameter in agent.parameters()]))
            if not torch.equal(torch.get_rng_state(), torch.manual_seed(seed).get_state()):
                return "it draws from torch's global generator; use the one that it is given"
    finally:
        torch.set_rng_state(state)
    return (
        None if torch.equal(*found) else "two agents with the same seed have different weights after the same updates"
    )


def _round_trip(trial: _Trial) -> str | None:
    agent, other, obs = _trained(trial.agent()), trial.agent(seed=9), noise(TASKS, ROWS, OBS, seed=1)
    other.load_state_dict(agent.state_dict())
    if not torch.equal(agent.act(obs, explore=False), other.act(obs, explore=False)):
        return "an agent that loads another's weights acts differently"
    return None


def _continued(trial: _Trial) -> str | None:
    uninterrupted, resumed = _trained(trial.agent()), trial.agent(seed=9)
    state = uninterrupted.training_state()
    resumed.load_training_state(state)
    weights = (_trained(agent, UPDATES).state_dict().values() for agent in (uninterrupted, resumed))
    pairs = zip(*weights, strict=True)
    same = all(torch.equal(one, two) for one, two in pairs)
    return (
        None
        if same
        else "an agent restored from training_state ends with different weights from one that was never interrupted"
    )


def _no_waiting(trial: _Trial) -> str | None:
    agent = _trained(trial.agent())  # optimisers create their state at the first step
    batch = noisy_batch(UPDATES)
    with Recorder() as recorder:
        agent.act(batch.obs, explore=True)
        agent.update(batch)
    return (
        f"the update synchronises with the device: {', '.join(sorted(set(recorder.waits)))}" if recorder.waits else None
    )


_CHECKS: dict[str, Callable[[_Trial], str | None]] = {
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

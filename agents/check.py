"""``check_agent``: trains an agent on random batches and reports what breaks the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from agents.checks.pieces import Broken, built, called, check_finite, check_pieces, check_weights, described
from agents.checks.properties import PROPERTIES
from agents.checks.sampler import check_sampler
from agents.checks.trial import ROWS, TASKS, UPDATES, Skip, Trial, noisy_batch, trained
from agents.registry.compose import pieces_named, settings_type
from agents.registry.spec import AgentSpec, RegistryError

SMALL = {"hidden": (16, 16), "learning_rate": 1e-2, "final_learning_rate": 1e-2}


@dataclass
class AgentReport:
    """The properties that ``passed``, the ``problems`` found, and the properties ``skipped``, with the reason."""

    agent: str
    passed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


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
    trial = Trial(spec, settings)
    report = AgentReport(spec.name)
    sound = _run(report, trial, "the agent can be built and returns finite numbers", _sound)
    for name, check in (PROPERTIES if sound else {}).items():  # the others' failures would only be its consequences
        _run(report, trial, name, check)
    _run(report, trial, "the sampler draws tasks of the suite", _sampler)
    return report


def _run(report: AgentReport, trial: Trial, name: str, check: Callable[[Trial], str | None]) -> bool:
    """Add a check's result to the report; return whether there was no problem."""
    try:
        problem = check(trial)
    except Skip as reason:
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


def _sound(trial: Trial) -> None:
    agent, batch = built(trial.agent), noisy_batch(0)
    if trial.spec.of_pieces:
        check_pieces(agent, pieces_named(trial.settings), batch)
    for explore in (True, False):
        check_finite("act", called("act", partial(agent.act, batch.obs, explore=explore)))
    called("an update", partial(trained, agent))
    check_weights(agent, UPDATES)


def _sampler(trial: Trial) -> None:
    if not trial.spec.of_pieces:
        raise Skip("it is not made of pieces, so every batch has all tasks")
    try:
        check_sampler(f"sampler {pieces_named(trial.settings)['sampler']!r}", trial.sampler, TASKS, ROWS)
    except RegistryError as error:
        raise Skip(str(error)) from error

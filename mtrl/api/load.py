"""Load a run's policy: ``mtrl.load``."""

from __future__ import annotations

import dataclasses
from os import PathLike, fspath

from envs.suite import TaskSuite
from mtrl.api.policy import Policy
from mtrl.errors import UsageError
from mtrl.policies.player import player_of
from mtrl.runs.trust import IN_PYTHON, open_run
from mtrl.runs.unfinished import warn_if_stopped
from mtrl.terminal.paths import path_of
from mtrl.training.assemble import device_of


def load(
    run: str | PathLike[str], suite: str | TaskSuite | None = None, *, trust: bool = False, device: str = "auto"
) -> Policy:
    """Load the trained policy of a run.

    Args:
        run: The run folder, such as ``runs/tabletop/care/seed0``.
        suite: The run's suite, by the name that it was trained under or as an object. Optional for built-in and
            installed suites, and for Gymnasium ids.
        trust: Allow importing the modules that the run's files name. Do not set it for folders of unknown origin.
        device: ``auto`` (a GPU if there is one), ``cpu`` or ``cuda``.

    Returns:
        The policy, with the final weights. If the run was stopped early, a warning is printed on stderr.

    Raises:
        UsageError: The folder is not a run, is damaged or unfinished, does not fit the suite, or names a suite that
            would have to be imported.
        SuiteError: The suite cannot be made.

    Example:
        >>> policy = mtrl.load("runs/tabletop/care/seed0")
        >>> policy.tasks[:2]
        ('reach', 'push')
    """
    try:
        path = path_of(fspath(run))
    except ValueError as error:
        raise UsageError(f"no run to load: {error}") from None
    opened = open_run(path, suite, trust, IN_PYTHON)
    config = dataclasses.replace(opened.config, device=device)
    player = player_of(path, config, opened.suite)
    warn_if_stopped(path, config)
    return Policy(opened.suite, player, device_of(config))

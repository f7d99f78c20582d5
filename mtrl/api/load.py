"""A run's policy out of its folder: ``mtrl.load``."""

from __future__ import annotations

import dataclasses
from os import PathLike
from pathlib import Path

from envs.suite import TaskSuite
from mtrl.api.policy import Policy
from mtrl.assemble import device_of
from mtrl.policies import player_of
from mtrl.trust import IN_PYTHON, open_run


def load(
    run: str | PathLike[str], suite: str | TaskSuite | None = None, *, trust: bool = False, device: str = "auto"
) -> Policy:
    """Return the policy of a run, for the tasks that it was trained on.

    Args:
        run: The run's folder, such as ``runs/tabletop/care/seed0``, seen from here or from anywhere.
        suite: The run's suite, by the name that it was trained under or as an object. It may be left out for built-in
            and installed suites, and for Gymnasium ids.
        trust: Import what the run's files name as its suite. Run folders of strangers may name anything.
        device: ``auto`` (a GPU when there is one), ``cpu`` or ``cuda``.

    Returns:
        The policy, with the final weights.

    Raises:
        UsageError: The folder is no run, is damaged or unfinished, does not fit the suite, or names a suite that would
            have to be imported.
        SuiteError: The suite cannot be made.

    Example:
        >>> policy = mtrl.load("runs/tabletop/care/seed0")
        >>> policy.tasks[:2]
        ('reach', 'push')
    """
    opened = open_run(Path(run), suite, trust, IN_PYTHON)
    config = dataclasses.replace(opened.config, device=device)
    return Policy(opened.suite, player_of(Path(run), config, opened.suite), device_of(config))

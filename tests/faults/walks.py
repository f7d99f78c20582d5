"""Tasks in ordinary environments whose episodes all have five steps, so that there are steps at which none is open."""

from __future__ import annotations

from functools import partial

from envs.suite import Task, TaskSuite
from tests.envs.failing import Walk

EPISODE = 5
suite = TaskSuite("walks", [Task(f"walk{k}", partial(Walk, EPISODE), f"Walk {k}.") for k in range(4)])

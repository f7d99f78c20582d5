"""Multi-task reinforcement learning: one agent, many related Gymnasium tasks, compared task by task.

The names here are what plug-ins import; they outlive a move of the modules behind them.
"""

from mtrl.guard import check_neighbours

check_neighbours()

import envs.tabletop  # noqa: E402, F401  (registers mtrl/Tabletop... with Gymnasium)
from envs.check import check_suite  # noqa: E402
from envs.errors import SuiteError  # noqa: E402
from envs.suite import Task, TaskSuite, make_suite  # noqa: E402
from envs.vector import MultiTaskVectorEnv  # noqa: E402
from mtrl.version import __version__  # noqa: E402

__all__ = [
    "MultiTaskVectorEnv",
    "SuiteError",
    "Task",
    "TaskSuite",
    "__version__",
    "check_suite",
    "make_suite",
]

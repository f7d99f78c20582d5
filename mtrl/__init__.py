"""Multi-task reinforcement learning: one agent, many related Gymnasium tasks, compared task by task.

The names here are what plug-ins and programs import; they outlive a move of the modules behind them. Those that need
torch are imported when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from mtrl.guard import check_neighbours

check_neighbours()

import envs.tabletop  # noqa: E402, F401  (registers mtrl/Tabletop... with Gymnasium)
from envs.check import check_suite  # noqa: E402
from envs.errors import SuiteError, TaskFailed  # noqa: E402
from envs.suite import Task, TaskSuite, make_suite  # noqa: E402
from envs.vector import MultiTaskVectorEnv  # noqa: E402
from mtrl.callbacks import TrainingStatus  # noqa: E402
from mtrl.cli import UsageError  # noqa: E402
from mtrl.version import __version__  # noqa: E402

if TYPE_CHECKING:
    from mtrl.api.learn import Result, learn
    from mtrl.api.load import load
    from mtrl.api.policy import Policy
    from mtrl.api.score import score
    from mtrl.scores import TaskScore

__all__ = [
    "MultiTaskVectorEnv",
    "Policy",
    "Result",
    "SuiteError",
    "Task",
    "TaskFailed",
    "TaskScore",
    "TaskSuite",
    "TrainingStatus",
    "UsageError",
    "__version__",
    "check_suite",
    "learn",
    "load",
    "make_suite",
    "score",
]

_LATER = {
    "Policy": "mtrl.api.policy",
    "Result": "mtrl.api.learn",
    "TaskScore": "mtrl.scores",
    "learn": "mtrl.api.learn",
    "load": "mtrl.api.load",
    "score": "mtrl.api.score",
}


def __getattr__(name: str) -> Any:
    """Import a name that needs torch."""
    if name not in _LATER:
        raise AttributeError(f"module 'mtrl' has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})

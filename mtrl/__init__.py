"""Multi-task reinforcement learning: one agent, many related Gymnasium tasks, compared task by task.

Plug-ins and programs import from here: these names stay valid when the modules behind them move. Those that need torch
are imported on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

from mtrl.guard import check_neighbours

check_neighbours()

import envs.tabletop  # noqa: E402, F401  (registers mtrl/Tabletop... with Gymnasium)
from agents.registry.facts import setting  # noqa: E402
from agents.registry.spec import AgentSpec, Spec, preset  # noqa: E402
from envs.check import check_suite  # noqa: E402
from envs.errors import SuiteError, TaskFailed  # noqa: E402
from envs.registry import make_suite  # noqa: E402
from envs.stepping.vector import MultiTaskVectorEnv  # noqa: E402
from envs.suite import Task, TaskSuite  # noqa: E402
from mtrl.errors import UsageError  # noqa: E402
from mtrl.training.callbacks import TrainingStatus, every  # noqa: E402
from mtrl.version import __version__  # noqa: E402

if TYPE_CHECKING:
    from agents.aggregators import Parameters, set_gradient, task_gradients
    from agents.base import Batch, PieceShape
    from agents.check import check_agent
    from agents.encoders import Encoder, EncoderShape
    from agents.trunks import Trunk, TrunkShape
    from mtrl.api.learn import Result, learn
    from mtrl.api.load import load
    from mtrl.api.policy import Policy
    from mtrl.api.score import score
    from mtrl.scoring.scores import TaskScore

# These import torch, which takes seconds, so they are imported on first use.
_WITH_TORCH = {
    "Batch": "agents.base",
    "Encoder": "agents.encoders",
    "EncoderShape": "agents.encoders",
    "Parameters": "agents.aggregators",
    "PieceShape": "agents.base",
    "Policy": "mtrl.api.policy",
    "Result": "mtrl.api.learn",
    "TaskScore": "mtrl.scoring.scores",
    "Trunk": "agents.trunks",
    "TrunkShape": "agents.trunks",
    "check_agent": "agents.check",
    "learn": "mtrl.api.learn",
    "load": "mtrl.api.load",
    "score": "mtrl.api.score",
    "set_gradient": "agents.aggregators",
    "task_gradients": "agents.aggregators",
}

__all__ = [
    "AgentSpec",
    "Batch",
    "Encoder",
    "EncoderShape",
    "MultiTaskVectorEnv",
    "Parameters",
    "PieceShape",
    "Policy",
    "Result",
    "Spec",
    "SuiteError",
    "Task",
    "TaskFailed",
    "TaskScore",
    "TaskSuite",
    "TrainingStatus",
    "Trunk",
    "TrunkShape",
    "UsageError",
    "__version__",
    "check_agent",
    "check_suite",
    "every",
    "learn",
    "load",
    "make_suite",
    "preset",
    "score",
    "set_gradient",
    "setting",
    "task_gradients",
]


def __getattr__(name: str) -> Any:
    """Import a name that needs torch."""
    if name not in _WITH_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_WITH_TORCH[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_WITH_TORCH})

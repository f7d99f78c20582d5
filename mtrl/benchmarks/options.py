"""What a benchmark is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from agents.registry.facts import setting
from mtrl.config.train_config import MAX_COPIES, MAX_PROCESSES


@dataclass(frozen=True)
class BenchConfig:
    """Time a suite's environments or agents against what you would use without this kit."""

    what: Annotated[Literal["envs", "agents", "pieces"], tyro.conf.Positional]
    """envs: a batched simulator against SyncVectorEnv, engines against the suite's own vector environment, or workers.
    agents: one run of an agent against one Stable-Baselines3 SAC per task, same networks and batch size per task;
    with --all, every agent's update against that of an mtsac of its size; with --cudagraphs, an agent's eager updates
    against the same in a CUDA graph.
    pieces: an agent's update with each built-in piece of a kind that fits it, against the same with its own."""
    suite: str = "tabletop"
    """Suite to time."""
    engine: str = "auto"
    """For envs: simulator, where a suite has several: metaworld has farama, envpool and auto."""
    agent: str = "care"
    """For agents and pieces: agent to time."""
    all: bool = False
    """For agents: time every built-in agent's update against that of a plain network of its size."""
    cudagraphs: bool = False
    """For agents: time eager updates against those that a CUDA graph holds, on a GPU."""
    slot: Literal["encoder", "trunk", "aggregator", "penalty", "critic"] = "aggregator"
    """For pieces: their kind."""
    rows: int = setting(128, least=1, most=MAX_COPIES)
    """For pieces, agents --all and agents --cudagraphs: rows of each task in a batch."""
    task_counts: tuple[int, ...] = setting((), least=1, most=MAX_COPIES, unit="numbers")
    """Where --rows is read: how many of the suite's tasks, several to see how cost grows; all by default."""
    repeats: int = setting(20, least=1, most=MAX_COPIES)
    """Number of timed repetitions of each side; their medians are compared."""
    threads: int = setting(0, least=0, most=MAX_PROCESSES)
    """PyTorch's CPU threads on both sides; 0: all available processors, at most 4."""

"""The options of ``mtrl.bench``."""

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
    agents: one agent against one Stable-Baselines3 SAC per task, with the same networks and batch size per task;
    with --all, every agent's update against that of an mtsac of its size; with --cudagraphs, an agent's eager updates
    against the same updates in a CUDA graph.
    pieces: an agent's update with each compatible built-in piece of a kind, against its update with its own piece."""
    suite: str = "tabletop"
    """Suite to time."""
    engine: str = "auto"
    """For envs: engine of a suite that has several; metaworld has farama, envpool and auto."""
    agent: str = "care"
    """For agents and pieces: agent to time."""
    all: bool = False
    """For agents: time every built-in agent's update against that of a plain network of its size."""
    cudagraphs: bool = False
    """For agents: time eager updates against those in a CUDA graph, on a GPU."""
    slot: Literal["encoder", "trunk", "aggregator", "penalty", "critic"] = "aggregator"
    """For pieces: kind of piece to exchange."""
    rows: int = setting(128, ge=1, le=MAX_COPIES)
    """For pieces, agents --all and agents --cudagraphs: rows per task in a batch."""
    task_counts: tuple[int, ...] = setting((), ge=1, le=MAX_COPIES, unit="numbers")
    """For the modes that use --rows: numbers of tasks to time, taken from the start of the suite; default: all."""
    repeats: int = setting(20, ge=1, le=MAX_COPIES)
    """Number of timed repetitions of each side; their medians are compared."""
    threads: int = setting(0, ge=0, le=MAX_PROCESSES)
    """PyTorch's CPU threads on both sides; 0: all available processors, at most 4."""

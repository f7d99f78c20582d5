"""Benchmarks of agents: against Stable-Baselines3, against a plain network of the same size, or in CUDA graphs."""

from __future__ import annotations

from mtrl.benchmarks.against_sb3 import bench_against_sb3
from mtrl.benchmarks.graphs import bench_graphs
from mtrl.benchmarks.options import BenchConfig
from mtrl.benchmarks.sizes import bench_sizes


def bench_agents(options: BenchConfig) -> list[str]:
    """Time one agent's step against Stable-Baselines3.

    With ``--all``, time every agent's update against that of a plain network of its size; with ``--cudagraphs``, an
    agent's eager updates against the same updates in a CUDA graph.
    """
    if options.cudagraphs:
        return bench_graphs(options)
    if options.all:
        return bench_sizes(options)
    return bench_against_sb3(options)

"""Measure speed as ratios of two sides timed alternately in one process: ``python -m mtrl.bench WHAT``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mtrl.benchmarks.agents import bench_agents
from mtrl.benchmarks.environments import bench_envs
from mtrl.benchmarks.options import BenchConfig
from mtrl.benchmarks.pieces import bench_pieces
from mtrl.terminal.cli import command, parse


def main(arguments: Sequence[str]) -> int:
    """Parse, measure and print."""
    options: BenchConfig = parse(BenchConfig, "mtrl.bench", arguments)
    measure = {"envs": bench_envs, "agents": bench_agents, "pieces": bench_pieces}[options.what]
    lines = measure(options)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


run = command(main)

if __name__ == "__main__":
    sys.exit(run())

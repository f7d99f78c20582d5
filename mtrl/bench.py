"""Measure speed, always as ratios of pairs timed in turn in one process: ``python -m mtrl.bench envs|agents``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mtrl.benchmarks.agents import bench_agents
from mtrl.benchmarks.environments import bench_envs
from mtrl.benchmarks.options import BenchConfig
from mtrl.terminal.cli import command, parse


def main(arguments: Sequence[str]) -> int:
    """Parse, measure and print."""
    options: BenchConfig = parse(BenchConfig, "mtrl.bench", arguments)
    lines = bench_envs(options) if options.what == "envs" else bench_agents(options)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


run = command(main)

if __name__ == "__main__":
    sys.exit(run())

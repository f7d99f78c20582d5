"""Sweeps of many runs: the plan, the processes, and their progress."""
